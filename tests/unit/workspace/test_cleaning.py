"""Which refs hold the only copy of work, and worktrees that are removed, whole or half (R7.3)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from stretto.model.names import task_dir
from stretto.model.plan import Setup
from stretto.workspace.cleaning import Holding, drop, free, holding, places, refs_of, runs_with_refs, save_leases
from stretto.workspace.pool import Pool
from stretto.workspace.repository import Repository
from unit.workspace.kit import awaited, commit, git, workspaces, write

A = f"refs/stretto/run-1/task/{task_dir('a')}"
BASE = "refs/stretto/run-1/base"
BRANCH = "refs/heads/stretto/run-1"


def nobody(folder: Path) -> int | None:
    return None


def beside(root: Path, name: str) -> str:
    """A commit that is on no branch."""
    tree = git(root, "write-tree")
    return git(root, "commit-tree", tree, "-p", "HEAD", "-m", name)


async def held(root: Path, refs: Mapping[str, str], *, landed: int = 0) -> Holding:
    for ref, oid in refs.items():
        git(root, "update-ref", ref, oid)
    repository = await Repository.find(root)
    return await holding(repository, run="run-1", head=git(root, "rev-parse", "HEAD"), landed={"a": landed})


@pytest.mark.parametrize(
    ("name", "work"),
    [("1", False), ("1+2", False), ("2", True), ("2+2", True), ("1-copied", True), ("1-copied+2", True)],
)
@awaited
async def test_r7_3_an_earlier_attempt_of_a_landed_task_is_no_work_and_what_was_kept_beside_it_is(
    root: Path, name: str, work: bool
) -> None:
    """The second attempt is the one that landed, by way of another commit."""
    found = await held(root, {f"{A}/{name}": beside(root, "x")}, landed=2)
    assert found.work == ((f"{A}/{name}",) if work else ())
    assert found.delivered


@awaited
async def test_r7_3_what_a_branch_of_the_users_has_is_no_only_copy(root: Path) -> None:
    work = beside(root, "x")
    assert (await held(root, {f"{A}/1": work, BASE: work})).work == (f"{A}/1",)
    git(root, "branch", "stretto/other", work)
    assert (await held(root, {})).work == (f"{A}/1",), "a run's branch is none of the user's"
    git(root, "branch", "mine", work)
    assert (await held(root, {})).work == ()


@awaited
async def test_r7_3_a_branch_with_nothing_but_statuses_is_no_work_and_one_that_somebody_went_on_with_is(
    root: Path,
) -> None:
    tree = git(root, "write-tree")
    closing = "Statuses of the plan\n\nStretto-Run: run-1\n"
    status = git(root, "commit-tree", tree, "-p", "HEAD", "-m", closing)
    found = await held(root, {BRANCH: status})
    assert (found.work, found.branch, found.checked_out) == ((), "stretto/run-1", False)
    mine = git(root, "commit-tree", tree, "-p", status, "-m", "mine")
    assert (await held(root, {BRANCH: mine})).work == (BRANCH,)
    git(root, "switch", "-q", "stretto/run-1")
    assert (await held(root, {})).checked_out


@awaited
async def test_r7_3_refs_go_together_and_one_that_has_moved_stays(root: Path) -> None:
    first, second = beside(root, "x"), beside(root, "y")
    await held(root, {f"{A}/1": first, f"{A}/2": first, BASE: first})
    store = (await Repository.find(root)).store
    known = await refs_of(store, "run-1")
    git(root, "update-ref", f"{A}/2", second)
    await drop(store, {**known, f"{A}/3": first})
    assert await refs_of(store, "run-1") == {f"{A}/2": second}
    assert await runs_with_refs(store) == {"run-1"}


@awaited
async def test_r7_3_a_worktree_goes_with_all_that_belongs_to_it_and_comes_again(root: Path, state: Path) -> None:
    setup = Setup(run=("echo made > build; mkdir -p deep/er; echo x > deep/er/file",))
    spaces = await workspaces(root, state, setup=setup)
    base = git(root, "rev-parse", "HEAD")
    space = await spaces.open(task="a", attempt=1, base=base, role="agent")
    repository = await Repository.find(root)
    pool = Pool(space.path.parent.parent, repository.store, repository.common)
    assert [place.why for place in places(pool)] == ["an attempt or a check works in it"]
    assert await free(pool, space.path, occupant=nobody) == "an attempt or a check works in it"
    await spaces.close(space)
    (place,) = places(pool)
    assert (place.path, place.why, place.lease) == (space.path, "", None)
    assert await free(pool, space.path, occupant=lambda folder: 7) == "process 7 is in it"
    assert await free(pool, space.path, occupant=nobody) == ""
    assert [path.name for path in space.path.parent.iterdir()] == ["1.lock"]
    assert git(root, "worktree", "list", "--porcelain").count("worktree ") == 1
    assert list(places(pool)) == []
    again = await spaces.open(task="a", attempt=2, base=base, role="agent")
    assert (again.path / "deep" / "er" / "file").read_text() == "x\n"
    assert again.path == space.path


@pytest.mark.parametrize("left", ["tree", "no tree", "no git folder", "files missing"])
@awaited
async def test_r7_3_a_worktree_that_is_half_gone_is_made_whole_by_the_next_to_use_it(
    root: Path, state: Path, left: str
) -> None:
    """What a kill in the middle of `free` may leave."""
    spaces = await workspaces(root, state, setup=Setup(run=("echo made > made.log",)))
    base = commit(root, {"deep/a": "a\n", "deep/b": "b\n"})
    space = await spaces.open(task="a", attempt=1, base=base, role="agent")
    await spaces.close(space)
    repository = await Repository.find(root)
    space.path.with_suffix(".fitting").unlink()
    space.path.with_suffix(".index").unlink()
    if left == "files missing":
        (space.path / "deep" / "a").unlink()
    elif left != "tree":
        space.path.rename(state / "away")
        if left == "no git folder":
            git(root, "worktree", "prune", "--expire", "now")
    again = await spaces.open(task="a", attempt=2, base=base, role="agent")
    assert (again.path / "deep" / "a").read_text() == "a\n"
    assert (again.path / "made.log").read_text() == "made\n"
    await spaces.close(again)
    pool = Pool(space.path.parent.parent, repository.store, repository.common)
    assert await free(pool, again.path, occupant=nobody) == ""


@awaited
async def test_r7_1_work_in_no_ref_is_saved_and_the_worktree_goes_only_then(root: Path, state: Path) -> None:
    spaces = await workspaces(root, state)
    space = await spaces.open(task="a", attempt=1, base=git(root, "rev-parse", "HEAD"), role="agent")
    write(space.path, {"half": "done\n"})
    for slot in spaces._slots.values():
        slot.release()  # its engine dies
    repository = await Repository.find(root)
    pool = Pool(space.path.parent.parent, repository.store, repository.common)
    assert await free(pool, space.path, occupant=nobody) == "it holds work of run-1"
    assert await save_leases(pool, "another") == []
    assert (await refs_of(repository.store, "run-1")).keys() == {BASE, BRANCH}
    assert await save_leases(pool, "run-1") == []
    assert git(root, "show", f"{A}/1:half") == "done"
    assert await free(pool, space.path, occupant=nobody) == ""
    assert not space.path.exists()
