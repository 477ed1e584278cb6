"""The user's repository: which ones can carry a run, and that git listens to nobody else while it does."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from stretto.errors import GitError, RepositoryError
from stretto.model.run import TARGET, LandEntry
from stretto.workspace.git import Git
from stretto.workspace.repository import Repository, check_version
from stretto.workspace.worktree import GitWorkspaces
from unit.workspace.kit import awaited, commit, files_in, git, make_repository, workspaces, write


@awaited
async def test_found_from_a_folder_inside(root: Path) -> None:
    found = await Repository.find(root / "src")
    assert (found.root, found.common, found.branch) == (root, root / ".git", "main")
    assert found.head == git(root, "rev-parse", "HEAD")
    assert found.inside(root / "src" / ".." / "plan.yaml") == "plan.yaml"
    assert found.inside(root.parent / "plan.yaml") is None


@awaited
async def test_found_through_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "short").symlink_to(root)
    assert (await Repository.find(tmp_path / "short")).common == root / ".git"


@awaited
async def test_a_linked_worktree_shares_the_key(root: Path, tmp_path: Path, state: Path) -> None:
    git(root, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side tree"))
    found = await Repository.find(tmp_path / "side tree")
    assert (found.root, found.common, found.branch) == (tmp_path / "side tree", root / ".git", "side")
    await _one_task(tmp_path / "side tree", state)


@awaited
async def test_a_bare_repository_with_worktrees_works(root: Path, tmp_path: Path, state: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(root), "bare.git")
    git(tmp_path / "bare.git", "worktree", "add", "-q", str(tmp_path / "work"), "main")
    await _one_task(tmp_path / "work", state)


@awaited
async def test_a_detached_head_and_a_shallow_clone_work(root: Path, tmp_path: Path, state: Path) -> None:
    commit(root, {"more": "m\n"})
    git(tmp_path, "clone", "-q", "--depth", "1", root.as_uri(), "shallow")
    git(tmp_path / "shallow", "checkout", "-q", "--detach")
    assert (await Repository.find(tmp_path / "shallow")).branch is None
    await _one_task(tmp_path / "shallow", state)


@awaited
async def test_a_sparse_checkout_keeps_what_it_does_not_show(root: Path, state: Path) -> None:
    commit(root, {"big/x": "x\n", "small/y": "y\n"})
    git(root, "sparse-checkout", "set", "small")
    found = await _one_task(root, state)
    assert {"big/x", "small/y", "work"} <= set(found)


@awaited
async def test_sha256_repositories_work(tmp_path: Path, state: Path) -> None:
    root = tmp_path / "sha256"
    root.mkdir()
    git(root, "init", "-q", "-b", "main", "--object-format=sha256")
    assert len(commit(root, {"a": "a\n"})) == 64
    await _one_task(root, state)


async def _one_task(root: Path, state: Path) -> dict[str, str]:
    spaces = await workspaces(root, state)
    before = await spaces.look()
    base = git(root, "rev-parse", "HEAD")
    space = await spaces.open(task="t", attempt=1, base=base, role="agent")
    write(space.path, {"work": "w\n"})
    saved = await spaces.save(space, task="t", attempt=1, message="work")
    await spaces.close(space)
    merge = await spaces.merge(TARGET, 1, (LandEntry(task="t", attempt=1, commit=saved.commit),), known=space.base)
    new = await spaces.advance(TARGET, 1, merge, {})
    assert files_in(root, new)["work"] == "w"
    assert await spaces.look() == before
    return files_in(root, new)


@awaited
async def test_what_cannot_carry_a_run_is_said_with_a_hint(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    git(empty, "init", "-q")
    git(tmp_path, "init", "-q", "--bare", "bare")
    (tmp_path / "plain").mkdir()
    for folder, said in (
        ("empty", "no commit"),
        ("bare", "bare"),
        ("empty/.git", "work tree"),
        ("plain", "not in a git"),
    ):
        with pytest.raises(RepositoryError, match=said) as caught:
            await Repository.find(tmp_path / folder)
        assert caught.value.hint


@awaited
async def test_no_git_at_all(root: Path, tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="not installed") as caught:
        await Repository.find(root, environ={"PATH": str(tmp_path)})
    assert "2.38" in caught.value.hint


@pytest.mark.parametrize("said", ["git version 2.37.9", "git version 1.99.0", "nonsense"])
def test_an_old_git_is_refused(said: str) -> None:
    with pytest.raises(RepositoryError, match="too old"):
        check_version(said)


def test_a_new_git_is_not() -> None:
    for said in ("git version 2.38.0", "git version 2.39.3 (Apple Git-146)", "git version 3.0.0.rc1"):
        check_version(said)


@awaited
async def test_r8_7_uncommitted_edits_are_named(root: Path) -> None:
    found = await Repository.find(root)
    assert await found.dirty() == ()
    write(root, {"README": "edited\n", "a new\nfile": "x", "x.log": "ignored"})
    (root / "src/a.py").rename(root / "src/b.py")
    git(root, "add", "src")
    assert set(await found.dirty()) == {"README", "a new\nfile", "src/a.py", "src/b.py"}


@awaited
async def test_names_of_commits_are_resolved_or_refused(root: Path) -> None:
    found = await Repository.find(root)
    assert await found.resolve("HEAD") == await found.resolve("main") == found.head
    for name in ("nowhere", "--all", "", "HEAD:README"):
        with pytest.raises(RepositoryError):
            await found.resolve(name)


@awaited
async def test_r7_4_hooks_signing_editor_and_drivers_of_the_user_stay_out(
    root: Path, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = tmp_path / "sprung"
    (tmp_path / "trap").write_text(f"#!/bin/sh\necho \"$0 $@\" >>'{trap}'\nexit 1\n")
    (tmp_path / "trap").chmod(0o755)
    for name in (
        "pre-commit",
        "post-checkout",
        "post-commit",
        "reference-transaction",
        "post-index-change",
        "commit-msg",
    ):
        (root / ".git/hooks" / name).symlink_to(tmp_path / "trap")
    for key, value in {
        "commit.gpgSign": "true", "gpg.program": str(tmp_path / "trap"), "core.editor": str(tmp_path / "trap"),
        "core.fsmonitor": str(tmp_path / "trap"), "log.showSignature": "true", "core.pager": str(tmp_path / "trap"),
        "status.showUntrackedFiles": "no", "core.quotePath": "true", "diff.noprefix": "true", "core.safecrlf": "true",
        "gc.auto": "1", "core.autocrlf": "input", "merge.ff": "false", "diff.external": str(tmp_path / "trap"),
        "i18n.commitEncoding": "latin1",
    }.items():  # fmt: skip
        git(root, "config", key, value)
    for key in (
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_COMMON_DIR",
        "GIT_NAMESPACE",
    ):
        monkeypatch.setenv(key, str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_EDITOR", str(tmp_path / "trap"))
    repository = await Repository.find(root)
    for key in [key for key in os.environ if key.startswith("GIT_") and "elsewhere" in os.environ[key]]:
        monkeypatch.delenv(key)
    assert repository.root == root
    trap.unlink(missing_ok=True)
    await _one_task(root, state)
    assert not trap.exists(), trap.read_text()


@awaited
async def test_the_user_signs_commits_with_their_own_name(root: Path, state: Path) -> None:
    git(root, "config", "user.email", "me@example.com")
    await _one_task(root, state)
    assert (
        git(root, "log", "-1", "--format=%an %ae %cn %ce", "stretto/run-1")
        == "stretto me@example.com stretto me@example.com"
    )
    found = await Repository.find(root, environ=dict(os.environ) | {"GIT_AUTHOR_NAME": "Ann"})
    text = await found.git.text("var", "GIT_AUTHOR_IDENT")
    assert text.startswith("Ann <me@example.com>")


@awaited
async def test_r7_4_a_look_sees_each_aspect_and_changes_nothing(root: Path, state: Path) -> None:
    spaces = await workspaces(root, state)
    write(root, {"README": "dirty\n"})

    async def differs(before: object) -> set[str]:
        after = await spaces.look()
        assert isinstance(before, dict)
        return {aspect for aspect in after if after[aspect] != before[aspect]}

    index = (root / ".git/index").read_bytes()
    before = await spaces.look()
    assert await differs(before) == set()
    assert (root / ".git/index").read_bytes() == index
    write(root, {"README": "dirty and longer\n"})
    assert await differs(before) == {"status"}
    before = await spaces.look()
    git(root, "add", "README")
    assert await differs(before) == {"status"}
    before = await spaces.look()
    write(root, {"x.log": "ignored"})
    git(root, "update-ref", "refs/stretto/x/y", "HEAD")
    git(root, "branch", "stretto/other")
    git(root, "update-ref", "refs/heads/stretto/run-1", git(root, "commit-tree", "HEAD^{tree}", "-m", "x"))
    assert await differs(before) == set()
    git(root, "tag", "v1")
    assert await differs(before) == {"refs"}
    before = await spaces.look()
    git(root, "config", "some.thing", "1")
    assert await differs(before) == {"config"}
    before = await spaces.look()
    write(root, {".git/hooks/pre-push": "#!/bin/sh\n"})
    assert await differs(before) == {"hooks"}
    before = await spaces.look()
    git(root, "stash")
    assert await differs(before) == {"status", "stash"}
    before = await spaces.look()
    git(root, "checkout", "-q", "--detach")
    assert await differs(before) == {"HEAD"}


@awaited
async def test_a_git_that_takes_too_long_is_ended(root: Path, tmp_path: Path) -> None:
    slow = tmp_path / "bin"
    write(slow, {"git": f"#!/bin/sh\necho $$ >'{tmp_path}/pid'\nexec sleep 60\n"})
    (slow / "git").chmod(0o755)
    runner = Git(root, environ={"PATH": f"{slow}:{os.environ['PATH']}"})
    with pytest.raises(GitError, match="longer than"):
        await runner.run("status", timeout_s=0.5)
    task = asyncio.create_task(runner.run("status"))
    (tmp_path / "pid").unlink(missing_ok=True)
    deadline = time.monotonic() + 10
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@awaited
async def test_an_error_has_gits_own_words(root: Path) -> None:
    with pytest.raises(GitError, match="rev-list") as caught:
        await (await Repository.find(root)).git.run("rev-list", "nothing-here")
    assert "nothing-here" in caught.value.stderr
    with pytest.raises(GitError, match="not there"):
        await Git(root / "gone").run("status")
    with pytest.raises(GitError, match="no commit"):
        await (await Repository.find(root)).git.commits(["0" * 40])


def test_the_kit_makes_what_it_says(tmp_path: Path) -> None:
    assert files_in(make_repository(tmp_path / "r", {"a": "a\n"}), "main") == {"a": "a"}


@pytest.mark.parametrize("name", ["-x", "HEAD", "@{-1}", "@", "../x", "a..b", "a b", "", "x.lock", "main"])
@awaited
async def test_r6_1_names_that_are_no_branch_or_taken_are_refused(root: Path, state: Path, name: str) -> None:
    git(root, "switch", "-qc", "other")
    repository = await Repository.find(root)
    made = GitWorkspaces(repository, run="run-1", branch=name, pool_root=state)
    before = git(root, "for-each-ref")
    for check in (repository.check_branch(name), made.create_branch(repository.head)):
        with pytest.raises(RepositoryError, match="exists already" if name == "main" else "no name") as caught:
            await check
        assert "--branch" in caught.value.hint
        assert caught.value.exit_code == 2
    assert git(root, "for-each-ref") == before
    await repository.check_branch("stretto/run-1")
