"""Worktrees: clean when they are handed out, kept when something was killed, never shared (R7.1)."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from stretto.errors import RepositoryError, WorkspaceError
from stretto.model.names import task_dir
from unit.workspace.kit import agent, awaited, files_in, git, make_repository, workspaces, write


@awaited
async def test_a_folder_swapped_for_a_link_to_its_twin_is_made_whole_again(
    root: Path, state: Path, tmp_path: Path
) -> None:
    spaces = await workspaces(root, state)
    space = await agent(spaces, root)
    (space.path / "src").rename(tmp_path / "twin")
    (space.path / "src").symlink_to(tmp_path / "twin")
    saved = await spaces.save(space, task="t", attempt=1, message="work")
    assert saved.commit
    assert files_in(root, saved.commit)["src"] == f"-> {tmp_path / 'twin'}"
    (tmp_path / "twin" / "a.py").write_text("outside\n")
    await spaces.close(space)
    again = await agent(spaces, root, attempt=2)
    assert not (again.path / "src").is_symlink()
    assert (again.path / "src/a.py").read_text() == "a = 1\n"
    assert (tmp_path / "twin" / "a.py").read_text() == "outside\n"


@awaited
async def test_r7_1_a_crash_between_work_and_close_loses_nothing(root: Path, state: Path) -> None:
    """The engine's death is played by an object that is dropped with its locks."""
    spaces = await workspaces(root, state)
    one, two, idle = [await agent(spaces, root, task=task) for task in ("one", "two", "idle")]
    gate = await spaces.open(task="one", attempt=1, base=one.base, role="gate")
    write(one.path, {"work": "one\n"})
    write(two.path, {"work": "two\n"})
    write(gate.path, {"rubbish": "r\n"})
    saved = await spaces.save(two, task="two", attempt=1, message="work")
    for slot in spaces._slots.values():
        slot.release()
    other = await workspaces(root, state, run="run-2")
    assert await other.rescue() == {}
    heir = await workspaces(root, state, fresh=False)
    found = await heir.rescue()
    assert set(found) == {("one", 1), ("two", 1)}
    assert found["two", 1] == saved.commit
    assert files_in(root, found["one", 1])["work"] == "one"
    assert await heir.rescue() == {}
    assert idle.path.is_dir()


@awaited
async def test_r7_1_another_run_saves_what_it_finds_before_it_cleans(root: Path, state: Path) -> None:
    spaces = await workspaces(root, state)
    space = await agent(spaces, root, task="left")
    write(space.path, {"work": "left behind\n"})
    for slot in spaces._slots.values():
        slot.release()
    other = await workspaces(root, state, run="run-2")
    taken = await agent(other, root)
    assert taken.path == space.path
    assert not (taken.path / "work").exists()
    assert files_in(root, f"refs/stretto/run-1/task/{task_dir('left')}/1")["work"] == "left behind"


@awaited
async def test_two_pools_at_once_never_share_a_worktree(root: Path, state: Path) -> None:
    runs = [await workspaces(root, state, run=f"run-{number}") for number in (1, 2)]
    opened = await asyncio.gather(*(agent(runs[n % 2], root, task=f"t{n}") for n in range(8)))
    assert len({space.path for space in opened}) == 8
    for n, space in enumerate(opened):
        await runs[n % 2].close(space)
    again = await agent(runs[0], root)
    assert again.path in {space.path for space in opened}


@awaited
async def test_a_pool_that_was_deleted_is_made_again(root: Path, state: Path) -> None:
    spaces = await workspaces(root, state)
    space = await agent(spaces, root)
    await spaces.close(space)
    shutil.rmtree(state)
    fresh = await workspaces(root, state, fresh=False)
    assert (await agent(fresh, root)).path.joinpath("README").read_text() == "hi\n"


@awaited
async def test_r6_1_create_branch_is_both_refs_or_none(root: Path, state: Path) -> None:
    spaces = await workspaces(root, state)
    head = git(root, "rev-parse", "HEAD")
    assert git(root, "rev-parse", "refs/heads/stretto/run-1") == head
    assert git(root, "rev-parse", "refs/stretto/run-1/base") == head
    await spaces.create_branch(head)
    git(root, "branch", "stretto/run-2")
    with pytest.raises(RepositoryError, match="exists already") as caught:
        await workspaces(root, state, run="run-2")
    assert "--branch" in caught.value.hint
    assert git(root, "for-each-ref", "refs/stretto/run-2") == ""


@awaited
async def test_a_workspace_that_was_given_back_cannot_be_saved(root: Path, state: Path) -> None:
    spaces = await workspaces(root, state)
    space = await agent(spaces, root)
    await spaces.close(space)
    with pytest.raises(WorkspaceError, match="given back"):
        await spaces.save(space, task="t", attempt=1, message="work")


@awaited
async def test_a_worktree_that_was_killed_halfway_is_made_anew(root: Path, state: Path) -> None:
    """What `git worktree add` leaves when it is killed: a registered, locked worktree and some of its files."""
    spaces = await workspaces(root, state)
    space = await agent(spaces, root)
    await spaces.close(space)
    admin = Path(git(space.path, "rev-parse", "--absolute-git-dir"))
    (admin / "locked").write_text("initializing")
    space.path.with_suffix(".git").unlink()
    space.path.with_suffix(".index.lock").touch()
    space.path.with_suffix(".scratch.lock").touch()
    shutil.rmtree(space.path)
    again = await agent(spaces, root, attempt=2)
    assert again.path == space.path
    assert git(again.path, "status", "--porcelain") == ""
    write(again.path, {"work": "w\n"})
    assert (await spaces.save(again, task="t", attempt=2, message="work")).paths == ("work",)


@awaited
async def test_r7_3_what_cannot_be_read_is_left_alone(root: Path, state: Path) -> None:
    spaces = await workspaces(root, state)
    broken, fine = await agent(spaces, root, task="broken"), await agent(spaces, root, task="fine")
    for space in (broken, fine):
        write(space.path, {"work": "w\n"})
    for slot in spaces._slots.values():
        slot.release()
    broken.path.with_suffix(".lease").write_text("{")
    heir = await workspaces(root, state, fresh=False)
    assert set(await heir.rescue()) == {("fine", 1)}
    assert [text.partition(": ")[0] for text in heir.unsaved] == [str(broken.path)]
    assert (await agent(heir, root)).path != broken.path
    assert (broken.path / "work").exists()


@awaited
async def test_a_run_in_a_submodule(root: Path, state: Path, tmp_path: Path) -> None:
    library = make_repository(tmp_path / "library", {"lib": "1\n"})
    git(root, "submodule", "add", "-q", str(library), "library")
    spaces = await workspaces(root / "library", state)
    space = await agent(spaces, root / "library")
    assert git(space.path, "status", "--porcelain") == ""
    write(space.path, {"work": "w\n"})
    saved = await spaces.save(space, task="t", attempt=1, message="work")
    assert files_in(root / "library", str(saved.commit)) == {"lib": "1", "work": "w"}
