"""A stranger's repository: odd files, odd settings, odd places; docs/machines.md says what happens with each."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from e2e.machines import PROVEN, assert_told, proves, rows
from e2e.menagerie import ANIMALS, ODD_SETTINGS, hook
from e2e.toy import Toy, until

ONE = "name: one\ntasks: [{id: a, prompt: x, writes: ['new/**', 'src/**']}]\n"
AGENT = "shell: mkdir -p new && echo work > new/file && echo more >> src/x"
FILES = {"README": "r\n", "src/x": "x\n", "big/y": "y\n"}


def standing(toy: Toy) -> dict[str, str]:
    """Everything in the user's work tree, by a mark of what it is and holds."""
    found = {}
    for folder, folders, files in os.walk(toy.repository):
        folders[:] = [name for name in folders if name != ".git"]
        for name in (*files, *folders):
            path = Path(folder) / name
            what = str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else b""
            mark = hashlib.sha256(os.fsencode(what)).hexdigest()[:12]
            found[os.fsencode(path.relative_to(toy.repository)).hex()] = f"{path.lstat().st_mode:o} {mark}"
    return found


def trip(toy: Toy, *, land: bool = True, **env: Any) -> None:
    """check, run and land one task; nothing of the user's is touched before, and the work is there afterwards."""
    (toy.root / "one.yaml").write_text(ONE)
    plan = str(toy.root / "one.yaml")
    before, status = standing(toy), toy.git("status", "--porcelain")
    toy.stretto("check", plan, **env)
    toy.stretto("run", plan, "--agent", AGENT, "--attempts", "1", "--yes", **env)
    assert (standing(toy), toy.git("status", "--porcelain")) == (before, status), "R7.4"
    if land:
        toy.stretto("land", **env)
        assert toy.git("show", "HEAD:new/file") == "work\n"
        assert toy.git("show", "HEAD:src/x") == "x\nmore\n"
        assert toy.git("status", "--porcelain") == status


# --- files ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def menagerie(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """All animals in one repository with odd settings, run with one task each, killed in the middle, and landed."""
    root = tmp_path_factory.mktemp("menagerie")
    toy = Toy(root, {"README": "r\n", "src/x": "x\n", "stretto.toml": '[env]\npass = ["MARK"]\n'})
    for animal in ANIMALS:
        animal.prepare(toy)
    toy.git("-c", "core.safecrlf=false", "add", "-A", ":!mine")
    toy.git("-c", "user.name=user", "-c", "user.email=user@localhost", "commit", "-qm", "animals")
    toy.git("rm", "-rq", "--cached", ".", ":!full", ":!empty")
    toy.git("reset", "-q", "--hard")
    for key, value in ODD_SETTINGS.items():
        toy.git("config", key, value)
    hook(toy, root / "hooked")
    toy.env["MARK"] = str(root)
    plan = {"name": "zoo", "tasks": [
        {"id": f"t{n}", "prompt": f"t{n}", "title": f"{animal.condition} \u2603"} for n, animal in enumerate(ANIMALS)
    ]}  # fmt: skip
    (root / "zoo.yaml").write_text(json.dumps(plan))
    cases = "\n".join(f"t{n})\n{animal.agent}\n;;" for n, animal in enumerate(ANIMALS))
    (root / "agent.sh").write_text(f'set -e\ncase "$STRETTO_TASK" in\n{cases}\nesac\n')
    wait = f"test $STRETTO_TASK != t{len(ANIMALS) - 1} -o -e $MARK/again || {{ touch $MARK/began; sleep 60; }}"
    before = standing(toy)
    words = ("run", str(root / "zoo.yaml"), "--agent", f"shell: {wait}; sh {root}/agent.sh", "-j", "3", "--yes")
    front = toy.front(*words, "--attempts", "1")
    until((root / "began").exists, f"the last one begins; said: {toy.said()}")
    os.kill(toy.status()["engine"]["pid"], signal.SIGKILL)
    assert front.wait(timeout=60) == 3
    until(lambda: not toy.agents(), "no agent outlives its engine")
    (root / "again").touch()
    assert standing(toy) == before, "R7.4"
    toy.stretto("resume")
    assert standing(toy) == before, "R7.4"
    assert not (root / "hooked").exists(), f"R7.4: {(root / 'hooked').read_text()}"
    toy.stretto("land")
    assert not (root / "hooked").exists(), "R7.4"
    return toy


@proves(*(animal.condition for animal in ANIMALS))
@pytest.mark.parametrize("animal", ANIMALS, ids=[animal.condition.split(",")[0] for animal in ANIMALS])
def test_files_of_every_kind_are_worked_on_and_landed(menagerie: Toy, animal: object) -> None:
    assert isinstance(animal, type(ANIMALS[0]))
    assert animal.holds(menagerie), menagerie.stretto("status").stdout


@proves(
    "hooks, `core.hooksPath`",
    "`commit.gpgsign` without a key, `user.useConfigOnly`, no name, a broken editor, pager, fsmonitor and others",
)
def test_r7_4_settings_and_hooks_are_the_users_alone(menagerie: Toy) -> None:
    authors = set(menagerie.git("log", "--format=%an", "main~1..main").split())
    assert authors == {"stretto"}
    hooked = menagerie.root / "hooked"
    menagerie.git("-c", "user.name=u", "-c", "user.email=u@x", "commit", "-q", "--allow-empty", "--no-gpg-sign", "-mx")
    assert {"pre-commit", "post-commit", "reference-transaction"} <= set(hooked.read_text().split())
    doctor = menagerie.stretto("doctor", "--no-agents", code=None).stdout
    assert "hooks: commit-msg, post-checkout, post-commit and 7 more" in doctor
    assert "signing: commit.gpgsign is on" in doctor


# --- places --------------------------------------------------------------------------------------------------------


def clone(toy: Toy, *options: str) -> Path:
    """The toy's repository becomes a clone of what it was."""
    origin = toy.root / "origin"
    toy.repository.rename(origin)
    for key in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
        subprocess.run(["git", "-C", str(origin), "config", key, "true"], check=True)
    subprocess.run(["git", "clone", "-q", *options, f"file://{origin}", str(toy.repository)], env=toy.env, check=True)
    return origin


def sparse(toy: Toy, *words: str) -> None:
    toy.git("sparse-checkout", "set", *words)
    assert not (toy.repository / "big").exists()


def sha256(toy: Toy) -> None:
    shutil.rmtree(toy.repository)
    toy.repository.mkdir()
    toy.git("init", "-q", "-b", "main", "--object-format=sha256")
    toy.commit("first", FILES)


def linked(toy: Toy) -> None:
    """A linked worktree of a bare repository, as sparse as nothing else, with settings of its own."""
    subprocess.run(["git", "clone", "-q", "--bare", str(toy.repository), str(toy.root / "bare")], check=True)
    tree = toy.root / "tree"
    subprocess.run(["git", "-C", str(toy.root / "bare"), "worktree", "add", "-q", "-b", "side", str(tree)], check=True)
    for words in (["extensions.worktreeConfig", "true"], ["--worktree", "core.bare", "true"], ["--unset", "core.bare"]):
        subprocess.run(["git", "-C", str(toy.root / "bare"), "config", *words], check=True)
    toy.repository = tree
    toy.git("config", "--worktree", "user.name", "w")


def elsewhere(toy: Toy) -> None:
    """The git folder lies apart and names its work tree; around both is another repository."""
    apart = toy.root / "apart"
    (toy.repository / ".git").rename(apart)
    (toy.repository / ".git").write_text("gitdir: ../apart\n")
    toy.git("config", "core.worktree", "../repo")
    subprocess.run(["git", "init", "-q", str(toy.root)], check=True)


def bisecting(toy: Toy) -> None:
    toy.git("checkout", "-q", "--detach")


def named_alike(toy: Toy) -> None:
    toy.git("switch", "-qc", "stretto/x")


def hidden(toy: Toy) -> None:
    """Settings that a hook, or `git rebase --exec`, has in its environment."""
    toy.env |= {
        "GIT_DIR": "/nowhere", "GIT_WORK_TREE": "/nowhere", "GIT_INDEX_FILE": "/nowhere/index", "GIT_PREFIX": "x/",
        "GIT_OBJECT_DIRECTORY": "/nowhere", "GIT_NAMESPACE": "odd", "GIT_EXTERNAL_DIFF": "false",
    }  # fmt: skip


PLACES: dict[str, Callable[[Toy], object]] = {
    "a sparse checkout, by cones or by patterns": lambda toy: sparse(toy, "--no-cone", "/*", "!/big/"),
    "a partial clone": lambda toy: clone(toy, "--filter=blob:none"),
    "a shallow clone": lambda toy: clone(toy, "--depth=1"),
    "objects borrowed from another repository (alternates)": lambda toy: clone(toy, "--shared"),
    "the object format SHA-256": sha256,
    "a linked worktree, also of a bare repository; `extensions.worktreeConfig`": linked,
    "`core.worktree`, a `.git` file, a repository inside another": elsewhere,
    "a detached HEAD": bisecting,
    "a branch of yours below `stretto/`": named_alike,
}


@proves(*PLACES)
@pytest.mark.parametrize("place", PLACES)
def test_repositories_of_every_kind_carry_a_run(tmp_path: Path, place: str) -> None:
    toy = Toy(tmp_path, FILES)
    PLACES[place](toy)
    trip(toy)
    if "sparse" in place:
        assert not (toy.repository / "big").exists() and toy.git("show", "HEAD:big/y") == "y\n"


@proves("`GIT_DIR`, `GIT_INDEX_FILE` and others in the environment, as inside a hook")
def test_git_variables_of_the_caller_do_not_count(tmp_path: Path) -> None:
    toy = Toy(tmp_path, FILES)
    clean = dict(toy.env)
    hidden(toy)
    theirs: dict[str, Any] = {name: value for name, value in toy.env.items() if name.startswith("GIT_")}
    toy.env = clean
    trip(toy, **theirs)


# --- places where it is refused ------------------------------------------------------------------------------------


def merging(toy: Toy) -> None:
    toy.git("switch", "-qc", "other")
    toy.commit("theirs", {"README": "theirs\n"})
    toy.git("switch", "-q", "main")
    toy.commit("ours", {"README": "ours\n"})
    with contextlib.suppress(AssertionError):
        toy.git("-c", "user.name=u", "-c", "user.email=u@x", "merge", "other")


def unborn(toy: Toy) -> None:
    toy.git("switch", "-q", "--orphan", "fresh")


def renamed(toy: Toy) -> None:
    odd = toy.root / os.fsdecode(b"r\xff")
    toy.repository.rename(odd)
    toy.repository = odd


def in_ours(toy: Toy) -> None:
    (toy.root / "one.yaml").write_text(ONE)
    toy.stretto("run", str(toy.root / "one.yaml"), "--agent", AGENT, "--yes")
    (toy.repository,) = (path for path in toy.state.glob("*/worktrees/agent-*/*") if path.is_dir())


def within(toy: Toy) -> None:
    toy.state = toy.repository / ".state"
    toy.env["STRETTO_STATE_DIR"] = str(toy.state)


def no_lfs(toy: Toy) -> None:
    toy.commit("pointer", {"big.bin": "version https://git-lfs.github.com/spec/v1\n"})
    toy.commit("attributes", {".gitattributes": "*.bin filter=lfs\n"})
    for key, value in (("process", "no-such-git-lfs filter-process"), ("clean", "cat"), ("required", "true")):
        toy.git("config", f"filter.lfs.{key}", value)


def others(toy: Toy) -> None:
    try:
        for path in (toy.repository, toy.repository / ".git"):
            os.chown(path, 12345, 12345)
    except OSError:  # not root, or in a namespace that has no other users
        pytest.skip("only root may give a repository away, and only where there is somebody else")


def outside(toy: Toy) -> None:
    toy.env["GIT_DIR"] = str((toy.repository / ".git").rename(toy.root / "apart"))


REFUSED: dict[str, tuple[Callable[[Toy], object], int]] = {
    "a branch without a commit": (unborn, 2),
    "a branch named `stretto`": (lambda toy: toy.git("branch", "stretto"), 2),
    "a ref `refs/stretto`": (lambda toy: toy.git("update-ref", "refs/stretto", "HEAD"), 2),
    "a repository whose path is not UTF-8": (renamed, 2),
    "a repository of another user": (others, 2),
    "`GIT_DIR` instead of a `.git`": (outside, 2),
    "the `.git` folder itself": (lambda toy: setattr(toy, "repository", toy.repository / ".git"), 2),
    "a worktree of stretto's own": (in_ours, 2),
    "a state folder among the files of the repository": (within, 3),
    "a required filter that is not installed, such as Git LFS": (no_lfs, 3),
}


@proves(*REFUSED)
@pytest.mark.parametrize("place", REFUSED)
def test_a_repository_that_cannot_carry_a_run_is_refused_with_words(tmp_path: Path, place: str) -> None:
    toy = Toy(tmp_path, FILES)
    make, code = REFUSED[place]
    make(toy)
    (toy.root / "one.yaml").write_text(ONE)
    before = standing(toy)
    done = toy.stretto("run", str(toy.root / "one.yaml"), "--agent", AGENT, "--yes", "--new", code=code)
    assert_told(place, done.stderr)
    assert done.stderr.count("error: ") == 1 and "hint: " in done.stderr
    assert standing(toy) == before


@proves("a merge, rebase, cherry-pick, revert or bisection under way")
def test_r6_3_in_the_middle_of_a_merge_a_run_works_and_a_landing_waits(tmp_path: Path) -> None:
    condition = "a merge, rebase, cherry-pick, revert or bisection under way"
    toy = Toy(tmp_path, FILES)
    merging(toy)
    trip(toy, land=False)
    before = standing(toy)
    assert_told(condition, toy.stretto("land", code=4).stderr)
    assert standing(toy) == before
    toy.git("merge", "--abort")
    toy.stretto("land")
    assert toy.git("show", "HEAD:new/file") == "work\n"


# --- the page ------------------------------------------------------------------------------------------------------


def test_every_line_of_the_page_is_proven_and_every_proof_is_on_the_page() -> None:
    import e2e.test_zoo_machine  # noqa: F401  registers its own

    told = [row.condition for row in rows()]
    assert sorted(told) == sorted(set(told))
    assert set(told) == PROVEN
