"""Commits that an agent makes or fetches inside a submodule (R7.1)."""

from __future__ import annotations

from pathlib import Path

import pytest

from stretto.model.plan import Setup
from stretto.ports import Workspace
from stretto.workspace.git import Git
from stretto.workspace.snapshot import gitlinks
from stretto.workspace.worktree import GitWorkspaces
from unit.workspace.kit import awaited, commit, files_in, git, make_repository, workspaces, write

FILL = Setup(run=("git -c protocol.file.allow=always submodule update --init -q",))


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """The repository that the submodule `lib` is cloned from."""
    return make_repository(tmp_path / "library", {"one": "1\n"})


@pytest.fixture
def base(root: Path, library: Path) -> str:
    git(root, "submodule", "add", "-q", str(library), "lib")
    return commit(root, {})


async def opened(root: Path, state: Path, base: str) -> tuple[GitWorkspaces, Workspace]:
    spaces = await workspaces(root, state, setup=FILL)
    return spaces, await spaces.open(task="t", attempt=1, base=base, role="agent")


def copied(root: Path) -> dict[str, str]:
    ref = git(root, "for-each-ref", "--format=%(refname)", "refs/stretto/run-1/task/**/1-copied")
    return files_in(root, ref)


@awaited
async def test_r7_1_a_commit_made_in_a_submodule_is_kept_apart(
    root: Path, state: Path, library: Path, base: str
) -> None:
    spaces, space = await opened(root, state, base)
    commit(space.path / "lib", {"two": "precious\n"})
    saved = await spaces.save(space, task="t", attempt=1, message="work")
    assert saved.commit is None
    assert set(saved.dropped) == {"lib", "lib/one", "lib/two"}
    assert copied(root) == {"lib/one": "1", "lib/two": "precious"}
    await spaces.close(space)
    again = await spaces.open(task="t", attempt=2, base=base, role="agent")
    assert git(again.path / "lib", "rev-parse", "HEAD") == git(library, "rev-parse", "HEAD")
    assert not (again.path / "lib/two").exists()


@awaited
async def test_r7_1_other_work_lands_with_the_gitlink_of_the_base(
    root: Path, state: Path, library: Path, base: str
) -> None:
    spaces, space = await opened(root, state, base)
    commit(space.path / "lib", {"two": "precious\n"})
    git(space.path, "add", "lib")  # what the agent did to its own index is not asked
    write(space.path, {"work": "w\n"})
    saved = await spaces.save(space, task="t", attempt=1, message="work")
    assert saved.commit
    assert saved.paths == ("work",)
    assert files_in(root, saved.commit)["lib"] == f"@{git(library, 'rev-parse', 'HEAD')}"
    assert copied(root)["lib/two"] == "precious"


@awaited
async def test_r7_1_a_commit_without_files_is_told_too(root: Path, state: Path, base: str) -> None:
    spaces, space = await opened(root, state, base)
    commit(space.path / "lib", {"one": None})
    saved = await spaces.save(space, task="t", attempt=1, message="work")
    assert (saved.commit, saved.dropped) == (None, ("lib",))


@awaited
async def test_r7_1_without_gitmodules_a_commit_in_a_submodule_is_kept_all_the_same(
    root: Path, state: Path, library: Path, base: str
) -> None:
    spaces, space = await opened(root, state, base)
    commit(space.path / "lib", {"two": "precious\n"})
    write(space.path, {".gitmodules": None})
    saved = await spaces.save(space, task="t", attempt=1, message="work")
    assert saved.commit
    assert saved.paths == (".gitmodules",)
    assert files_in(root, saved.commit)["lib"] == f"@{git(library, 'rev-parse', 'HEAD')}"
    assert copied(root)["lib/two"] == "precious"


@awaited
async def test_a_submodule_moved_to_a_published_commit_is_taken(
    root: Path, state: Path, library: Path, base: str
) -> None:
    spaces, space = await opened(root, state, base)
    newer = commit(library, {"two": "2\n"})
    git(space.path / "lib", "fetch", "-q")
    git(space.path / "lib", "checkout", "-q", newer)
    saved = await spaces.save(space, task="t", attempt=1, message="work")
    assert saved.commit
    assert (saved.paths, saved.dropped) == (("lib",), ())
    assert files_in(root, saved.commit)["lib"] == f"@{newer}"


@awaited
async def test_r7_1_edits_on_top_of_a_published_commit_are_kept_apart(
    root: Path, state: Path, library: Path, base: str
) -> None:
    spaces, space = await opened(root, state, base)
    newer = commit(library, {"two": "2\n"})
    git(space.path / "lib", "fetch", "-q")
    git(space.path / "lib", "checkout", "-q", newer)
    write(space.path, {"lib/three": "3\n"})
    saved = await spaces.save(space, task="t", attempt=1, message="work")
    assert saved.commit
    assert files_in(root, saved.commit)["lib"] == f"@{newer}"
    assert copied(root)["lib/three"] == "3"


@awaited
async def test_r7_1_a_file_committed_although_ignored_is_kept_too(root: Path, state: Path, base: str) -> None:
    spaces, space = await opened(root, state, base)
    write(space.path, {"lib/.gitignore": "*.gen\n", "lib/made.gen": "precious\n", "lib/left.gen": "rubbish\n"})
    git(space.path / "lib", "add", "-f", ".gitignore", "made.gen")
    git(space.path / "lib", "commit", "-qm", "made")
    await spaces.save(space, task="t", attempt=1, message="work")
    assert copied(root) == {"lib/.gitignore": "*.gen", "lib/made.gen": "precious", "lib/one": "1"}


@awaited
async def test_r7_1_files_where_a_submodule_would_be_are_kept_apart_and_gone_for_the_next(
    root: Path, state: Path
) -> None:
    """Git neither lists nor adds what lies in the empty folder of a submodule, with `.gitmodules` or without."""
    some = git(root, "rev-parse", "HEAD")
    for path in ("lib", "deep/odd"):
        git(root, "update-index", "--add", "--cacheinfo", f"160000,{some},{path}")
    git(root, "commit", "-qm", "submodules")
    base = git(root, "rev-parse", "HEAD")
    spaces = await workspaces(root, state)
    space = await spaces.open(task="t", attempt=1, base=base, role="agent")
    write(space.path, {"lib/new": "precious\n", "deep/odd/b/c": "too\n", "work": "w\n"})
    saved = await spaces.save(space, task="t", attempt=1, message="work")
    assert saved.commit is not None
    assert files_in(root, saved.commit)["lib"] == f"@{some}"
    assert saved.paths == ("work",)
    assert set(saved.dropped) == {"lib/new", "deep/odd/b/c"}
    assert copied(root) == {"lib/new": "precious", "deep/odd/b/c": "too"}
    await spaces.close(space)
    again = await spaces.open(task="t", attempt=2, base=base, role="agent")
    assert again.path == space.path
    assert not list((again.path / "lib").iterdir()) and not list((again.path / "deep/odd").iterdir())


@pytest.mark.parametrize("shape", ["version 2", "version 4", "sparse"])
@awaited
async def test_a_gitlink_is_found_in_every_shape_of_the_index(root: Path, shape: str) -> None:
    """One that no `.gitmodules` names; the index says at a glance whether there is any."""
    head = commit(root, {"deep/file": "1\n"})
    git(root, "update-index", "--add", "--cacheinfo", f"160000,{head},deep/lib")
    git(root, "commit", "-qm", "a submodule")
    if shape == "sparse":
        git(root, "reset", "-q", "--hard", head)
        git(root, "sparse-checkout", "init", "--cone", "--sparse-index")
        git(root, "reset", "-q", "--hard", "ORIG_HEAD")
        assert b"deep/lib" not in (root / ".git/index").read_bytes()
    else:
        git(root, "update-index", "--index-version", shape.split()[1])
    assert await gitlinks(Git(root), root / ".git/index") == [("deep/lib", head)]
    assert await gitlinks(Git(root), root / ".git/none") == []
