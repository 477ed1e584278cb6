"""What goes wrong around a workspace loses no work, and is said (R7.1, R7.3)."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import pytest

from stretto.errors import GitError, WorkspaceError
from stretto.ports import Workspace
from stretto.workspace import disk
from stretto.workspace.locks import try_lock
from stretto.workspace.repository import Repository
from stretto.workspace.worktree import GitWorkspaces
from unit.workspace.kit import awaited, commit, files_in, git, make_repository, workspaces, write


async def agent(
    spaces: GitWorkspaces, root: Path, *, task: str = "t", attempt: int = 1, base: str = "", carry: str | None = None
) -> Workspace:
    base = base or git(root, "rev-parse", "HEAD")
    return await spaces.open(task=task, attempt=attempt, base=base, role="agent", carry=carry)


@awaited
async def test_r7_3_what_git_will_not_take_is_told_and_keeps_its_worktree(root: Path, state: Path) -> None:
    spaces = await workspaces(root, state)
    space = await agent(spaces, root)
    write(space.path, {"git~1": "precious\n", ".GIT/x": "precious\n", "a": "a\n"})
    saved = await spaces.save(space, task="t", attempt=1, message="work")
    assert saved.paths == ("a",)
    assert {text.partition(" (")[0] for text in saved.dropped} == {"git~1", ".GIT/x"}
    assert all(str(space.path) in text for text in saved.dropped)
    await spaces.close(space)
    other = await agent(spaces, root, attempt=2)
    assert other.path != space.path
    await spaces.close(other)
    heir = await workspaces(root, state, fresh=False)
    assert await heir.rescue() == {("t", 1): saved.commit}
    assert [text.partition(": ")[0] for text in heir.unsaved] == [str(space.path)]
    assert (await agent(heir, root, attempt=3)).path == other.path
    assert (space.path / "git~1").read_text() == (space.path / ".GIT/x").read_text() == "precious\n"
    (space.path / "git~1").unlink()
    shutil.rmtree(space.path / ".GIT")
    assert (await agent(heir, root, attempt=4)).path == space.path


@awaited
async def test_r7_1_a_gc_takes_nothing_of_what_was_carried_in(root: Path, state: Path) -> None:
    """A file that both sides changed is merged into one that is in no commit yet."""
    lines = [f"{number}\n" for number in range(9)]
    first = commit(root, {"both": "".join(lines)})
    spaces = await workspaces(root, state)
    space = await agent(spaces, root, base=first)
    write(space.path, {"both": "".join(["mine\n", *lines]), "half": "half\n"})
    half = await spaces.save(space, task="t", attempt=1, message="work")
    await spaces.close(space)
    newer = commit(root, {"both": "".join([*lines, "theirs\n"])})
    for attempt, files in ((2, {}), (3, {"more": "m\n"})):
        space = await agent(spaces, root, attempt=attempt, base=newer, carry=str(half.commit))
        write(space.path, files)
        git(root, "gc", "-q", "--prune=now")
        saved = await spaces.save(space, task="t", attempt=attempt, message="work")
        assert saved.commit
        assert set(saved.paths) == {"both", "half", *files}
        assert files_in(root, saved.commit)["both"].split() == ["mine", *"012345678", "theirs"]
        await spaces.close(space)


@awaited
async def test_r7_1_what_is_ignored_is_said_by_the_user_and_not_by_an_agent(
    root: Path, state: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine").write_text("*.mine")
    git(root, "config", "core.excludesFile", str(tmp_path / "mine"))
    exclude = Path(git(root, "rev-parse", "--absolute-git-dir"), "info", "exclude")
    exclude.write_text("*.local")
    spaces = await workspaces(root, state)
    before = await spaces.look()
    space = await agent(spaces, root)
    with exclude.open("a") as file:
        file.write("\n*.py\n")
    write(space.path, {"work.py": "w\n", "x.mine": "x\n", "x.local": "x\n", "x.log": "x\n", "sub/.gitignore": "no\n"})
    write(space.path, {"sub/no": "n\n"})
    make_repository(space.path / "nested", {"inside.py": "i\n"})
    saved = await spaces.save(space, task="t", attempt=1, message="work")
    assert set(saved.paths) == {"work.py", "sub/.gitignore", "nested/inside.py"}
    after = await spaces.look()
    assert {aspect for aspect in after if after[aspect] != before[aspect]} == {"info/exclude"}
    for slot in spaces._slots.values():
        slot.release()
    other = await workspaces(root, state, run="run-2")
    assert (await agent(other, root)).path == space.path
    heir = await workspaces(root, state, fresh=False)
    space = await agent(heir, root, attempt=2)
    write(space.path, {"later.py": "l\n"})
    assert (await heir.save(space, task="t", attempt=2, message="work")).paths == ("later.py",)


@awaited
async def test_a_disk_that_refuses_is_an_adapter_error_with_its_path(root: Path, state: Path) -> None:
    """Played by folders and files that stand where stretto writes: the tests may run as a user who may do anything."""
    spaces = await workspaces(root, state)
    space = await agent(spaces, root)
    write(space.path, {"work": "w\n"})
    scratch = space.path.with_suffix(".scratch")
    scratch.mkdir()
    with pytest.raises(WorkspaceError, match=r"1\.scratch: Is a directory"):
        await spaces.save(space, task="t", attempt=1, message="work")
    scratch.rmdir()
    space.path.with_name("2.lease.new").mkdir()
    with pytest.raises(WorkspaceError, match=r"2\.lease\.new: Is a directory"):
        await agent(spaces, root, task="other")
    assert (await spaces.save(space, task="t", attempt=1, message="work")).commit
    blocked = state / "file"
    blocked.write_text("")
    with pytest.raises(WorkspaceError, match=f"{blocked}.*: Not a directory"):
        GitWorkspaces(await Repository.find(root), run="r", branch="b", pool_root=blocked / "worktrees")
    with pytest.raises(WorkspaceError, match=f"{blocked}: File exists"):
        try_lock(blocked / "x.lock")


@awaited
async def test_r7_1_a_repository_that_takes_nothing_fails_the_save_and_not_the_files(root: Path, state: Path) -> None:
    """As on a full disk: the work stays where it is until there is room."""
    spaces = await workspaces(root, state)
    space = await agent(spaces, root)
    write(space.path, {"work": "w\n"})
    blob = git(root, "hash-object", "--stdin", input="w\n")
    blocked = root / ".git/objects" / blob[:2]
    blocked.write_text("")
    with pytest.raises(GitError):
        await spaces.save(space, task="t", attempt=1, message="work")
    blocked.unlink()
    refs = root / ".git/refs/stretto/run-1/task"
    refs.write_text("")
    with pytest.raises(GitError, match="update-ref"):
        await spaces.save(space, task="t", attempt=1, message="work")
    refs.unlink()
    assert (await spaces.save(space, task="t", attempt=1, message="work")).paths == ("work",)


def test_a_full_disk_is_told_with_the_file_that_cannot_be_written(tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(WorkspaceError, match=f"^{tmp_path}: No space left on device$") as caught, disk.at(tmp_path):
        raise full
    assert caught.value.hint == f"make room there: df -h {tmp_path}"
    with pytest.raises(WorkspaceError, match=r"^to: No space"), disk.at(tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device", "from", None, "to")


@awaited
async def test_r7_1_a_title_with_a_nul_in_it_loses_that_and_no_work(root: Path, state: Path) -> None:
    spaces = await workspaces(root, state)
    space = await agent(spaces, root)
    write(space.path, {"work": "w\n"})
    saved = await spaces.save(space, task="t", attempt=1, message="a\0b\n")
    assert saved.paths == ("work",)
    assert git(root, "log", "-1", "--format=%s", str(saved.commit)) == "ab"
