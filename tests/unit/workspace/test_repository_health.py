"""What `stretto doctor` says of git and of a repository, each trouble planted."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.toy import Toy
from stretto.model.health import Observation
from stretto.workspace.health import examine


def looked(toy: Toy) -> dict[str, Observation]:
    async def look() -> list[Observation]:
        return [seen async for seen in examine(toy.repository, toy.env)]

    found = asyncio.run(look())
    assert {seen.area for seen in found} == {"repository"}
    return {seen.about: seen for seen in found}


def troubles(toy: Toy) -> dict[str, str]:
    return {about: seen.verdict for about, seen in looked(toy).items() if seen.verdict != "ok"}


def known(toy: Toy) -> Toy:
    """With a name of the user's, so that nothing is to be said of that."""
    toy.git("config", "user.name", "user")
    toy.git("config", "user.email", "user@localhost")
    return toy


def test_an_ordinary_repository(tmp_path: Path) -> None:
    toy = known(Toy(tmp_path, {"a": "1"}))
    found = looked(toy)
    assert troubles(toy) == {}
    assert list(found) == ["git", "repository", "identity"]
    assert found["repository"].told == f"{toy.repository}, on main"
    toy.git("checkout", "-q", "--detach")
    assert looked(toy)["repository"].told == f"{toy.repository}, HEAD is detached"


def test_no_identity_means_stretto_s(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"a": "1"})
    assert "stretto@localhost" in looked(toy)["identity"].follows
    toy.env |= {f"GIT_{role}_{part}": "x" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    assert troubles(toy) == {}


def _hook(toy: Toy, folder: str, name: str) -> None:
    path = toy.repository / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\nexit 1\n")
    path.chmod(0o755)


def _submodule(toy: Toy) -> None:
    toy.git("update-index", "--add", "--cacheinfo", f"160000,{toy.git('rev-parse', 'HEAD').strip()},libs/sub")


def _cut(toy: Toy) -> None:
    (toy.repository / ".git" / "shallow").write_text(toy.git("rev-parse", "HEAD"))


def _hook_elsewhere(toy: Toy) -> None:
    toy.git("config", "core.hooksPath", ".husky")
    _hook(toy, ".husky", "commit-msg")


def _required_filter(toy: Toy) -> None:
    toy.commit("lfs", {".gitattributes": "*.png filter=lfs\n"})
    toy.git("config", "filter.lfs.required", "true")


PLANTED: dict[str, tuple[Callable[[Toy], object], str, str, str]] = {
    # what: (how, about, verdict, told)
    "gpgsign": (lambda toy: toy.git("config", "commit.gpgsign", "true"), "signing", "warning", "commit.gpgsign is on"),
    "gpgsign, in other words": (
        lambda toy: toy.git("config", "commit.gpgSign", "yes"),
        "signing",
        "warning",
        "commit.gpgsign is on",
    ),
    "hook": (lambda toy: _hook(toy, ".git/hooks", "pre-commit"), "hooks", "warning", "pre-commit"),
    "hooks elsewhere": (
        _hook_elsewhere,
        "hooks",
        "warning",
        "commit-msg",
    ),
    "submodule": (_submodule, "submodules", "warning", "libs/sub"),
    "sparse": (lambda toy: toy.git("sparse-checkout", "set", "a"), "sparse checkout", "warning", "only part"),
    "shallow": (_cut, "shallow clone", "warning", "the history is cut off"),
    "partial": (
        lambda toy: toy.git("config", "remote.origin.promisor", "true"),
        "partial clone",
        "warning",
        "git fetches contents",
    ),
    "no case": (lambda toy: toy.git("config", "core.ignoreCase", "true"), "file names", "warning", "case does not"),
    "no links": (lambda toy: toy.git("config", "core.symlinks", "false"), "symbolic links", "warning", "is off"),
    "merging": (
        lambda toy: (toy.repository / ".git" / "MERGE_HEAD").touch(),
        "work tree",
        "warning",
        "a merge is under way",
    ),
    "locked": (lambda toy: (toy.repository / ".git" / "index.lock").touch(), "index", "warning", "index.lock"),
    "LFS missing": (
        lambda toy: toy.commit("lfs", {"media/.gitattributes": "*.png filter=lfs\n"}),
        "Git LFS",
        "warning",
        "not installed",
    ),
    "LFS missing and required": (
        _required_filter,
        "Git LFS",
        "problem",
        "not installed",
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_is_found_and_nothing_else(tmp_path: Path, name: str) -> None:
    plant, about, verdict, told = PLANTED[name]
    toy = known(Toy(tmp_path, {"a/1": "1", "b/2": "2"}))
    toy.env["PATH"] = _only_git(tmp_path)
    plant(toy)
    assert troubles(toy) == {about: verdict}
    seen = looked(toy)[about]
    assert told in seen.told
    assert seen.follows


def _only_git(folder: Path) -> str:
    """A PATH on which there is no git-lfs."""
    (folder / "bin").mkdir(exist_ok=True)
    for name in ("git", "sh", "sed", "basename", "uname"):
        if not (folder / "bin" / name).exists() and (there := shutil.which(name)):
            (folder / "bin" / name).symlink_to(there)
    return str(folder / "bin")


def test_large_files_with_all_that_they_need(tmp_path: Path) -> None:
    toy = known(Toy(tmp_path, {"a": "1"}))
    toy.env["PATH"] = _only_git(tmp_path)
    toy.commit("lfs", {".gitattributes": "*.png filter=lfs\n"})
    lfs = tmp_path / "bin" / "git-lfs"
    lfs.write_text("#!/bin/sh\n")
    lfs.chmod(0o755)
    assert "not set up" in looked(toy)["Git LFS"].told
    toy.git("config", "filter.lfs.process", "git-lfs filter-process")
    assert looked(toy)["Git LFS"].verdict == "ok"


@pytest.mark.parametrize(
    ("script", "about", "told"),
    [
        ("echo git version 2.30.1", "git", "git version 2.30.1 is too old"),
        ("echo nonsense", "git", "nonsense is too old"),
        ("exit 127", "git", ""),
        (None, "git", "git"),
    ],
)
def test_a_git_that_will_not_do(tmp_path: Path, script: str | None, about: str, told: str) -> None:
    toy = Toy(tmp_path, {"a": "1"})
    (tmp_path / "fake").mkdir()
    if script is not None:
        (tmp_path / "fake" / "git").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "fake" / "git").chmod(0o755)
    toy.env["PATH"] = str(tmp_path / "fake")
    found = looked(toy)
    assert list(found) == [about]
    assert found[about].verdict == "problem"
    assert told in found[about].told
    assert "2.38" in found[about].mend


def test_where_there_is_no_repository(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"a": "1"})
    toy.repository = tmp_path / "elsewhere"
    toy.repository.mkdir()
    toy.env["GIT_CEILING_DIRECTORIES"] = str(tmp_path)
    assert troubles(toy) == {"repository": "problem"}
    toy.git("init", "-q")
    assert "no commit yet" in looked(toy)["repository"].told
