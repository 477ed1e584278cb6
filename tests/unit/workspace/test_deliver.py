"""`stretto land`: the run's branch into the user's, or nothing moves and a person is told what to do (R6.3)."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from stretto.errors import Paused
from stretto.formats.format import each_file
from stretto.model.run import TARGET, LandEntry
from stretto.workspace.deliver import Delivery, finish_delivery, prepare_delivery
from stretto.workspace.repository import Repository
from stretto.workspace.ticks import Ticks
from stretto.workspace.worktree import GitWorkspaces
from unit.workspace.kit import awaited, commit, files_in, git, workspaces, write

BRANCH = "stretto/run-1"


@pytest.fixture
def locks(state: Path) -> Path:
    return state / "worktrees"


async def landed(root: Path, state: Path, files: Mapping[str, str | None]) -> GitWorkspaces:
    """A run that has landed one task with these files."""
    spaces = await workspaces(root, state)
    space = await spaces.open(task="t", attempt=1, base=git(root, "rev-parse", "HEAD"), role="agent")
    write(space.path, files)
    saved = await spaces.save(space, task="t", attempt=1, message="work")
    await spaces.close(space)
    entry = LandEntry(task="t", attempt=1, commit=saved.commit)
    await spaces.advance(TARGET, 1, await spaces.merge(TARGET, 1, (entry,), known=space.base), {})
    return spaces


def ticks(*plan: Path) -> Ticks:
    """Of a plan in which `pending` becomes `succeeded`."""

    def writer(source: bytes, statuses: Mapping[str, str]) -> bytes:
        return source.replace(b"pending", statuses["t"].encode())

    return Ticks(plan=plan, keeper=partial(each_file, writer), statuses={"t": "succeeded"})


async def prepare(root: Path, onto: str | None = "main", ticks: Ticks | None = None) -> Delivery:
    folder = root.parent / "state folder" / "worktrees"
    repository = await Repository.find(root)
    return await prepare_delivery(repository, run="run-1", branch=BRANCH, onto=onto, folder=folder, ticks=ticks)


@awaited
async def test_r6_3_fast_forward(root: Path, state: Path, locks: Path) -> None:
    await landed(root, state, {"work": "w\n", "src/a.py": None})
    write(root, {"mine": "untracked\n", "README": "my edit\n"})
    git(root, "add", "README")
    delivery = await prepare(root)
    assert delivery.moves
    assert not delivery.merges
    repository = await Repository.find(root)
    new = await finish_delivery(repository, delivery, folder=locks)
    assert new == git(root, "rev-parse", "main") == git(root, "rev-parse", BRANCH) == git(root, "rev-parse", "HEAD")
    assert (root / "work").read_text() == "w\n"
    assert git(root, "status", "--porcelain").splitlines() == ["M  README", "?? mine"]
    again = await prepare(root)
    assert not again.moves
    assert await finish_delivery(repository, again, folder=locks) == new


@awaited
async def test_r6_3_a_branch_that_moved_is_merged_first(root: Path, state: Path, locks: Path) -> None:
    spaces = await landed(root, state, {"work": "w\n"})
    mine = commit(root, {"mine": "m\n"})
    before = git(root, "rev-parse", BRANCH)
    delivery = await prepare(root)
    assert delivery.merges
    assert git(root, "rev-parse", BRANCH) == before
    gate = await spaces.open(task="", attempt=0, base=delivery.commit, role="gate")
    assert {"work", "mine"} <= {path.name for path in gate.path.iterdir()}
    new = await finish_delivery(await Repository.find(root), delivery, folder=locks)
    assert new == git(root, "rev-parse", "main") == git(root, "rev-parse", BRANCH)
    assert git(root, "rev-parse", "main^1", "main^2").splitlines() == [before, mine]
    assert git(root, "status", "--porcelain") == ""


async def refused(root: Path, said: str, hint: str, onto: str | None = "main") -> None:
    refs = git(root, "for-each-ref")
    status = git(root, "status", "--porcelain")
    with pytest.raises(Paused, match=said) as caught:
        await prepare(root, onto)
    assert hint in caught.value.hint
    assert (git(root, "for-each-ref"), git(root, "status", "--porcelain")) == (refs, status)


@awaited
async def test_r6_3_dirty_overlapping_paths_pause(root: Path, state: Path) -> None:
    await landed(root, state, {"README": "theirs\n", "new": "n\n"})
    write(root, {"README": "mine\n"})
    await refused(
        root, "uncommitted edits in README", "git stash push -- README && stretto land run-1 && git stash pop"
    )
    git(root, "checkout", "-q", "README")
    write(root, {"new": "untracked\n"})
    await refused(root, "uncommitted edits in new", "mv new new.mine && stretto land run-1")
    (root / "new").unlink()
    assert (await prepare(root)).moves


@awaited
async def test_r6_3_ignored_files_are_not_overwritten(root: Path, state: Path, locks: Path) -> None:
    await landed(root, state, {".gitignore": "\n", "build/x": "theirs\n"})
    write(root, {"build/x": "precious\n"})
    delivery = await prepare(root)
    with pytest.raises(Paused, match="build/x"):
        await finish_delivery(await Repository.find(root), delivery, folder=locks)
    assert (root / "build/x").read_text() == "precious\n"
    assert git(root, "rev-parse", "main") == delivery.head


@awaited
async def test_r6_3_a_switched_branch_pauses(root: Path, state: Path) -> None:
    await landed(root, state, {"work": "w\n"})
    git(root, "switch", "-qc", "other")
    await refused(root, "started from main, and other is checked out", "git switch main && stretto land run-1")
    git(root, "checkout", "-q", "--detach")
    await refused(root, "a detached HEAD is checked out", "git switch main")


@awaited
async def test_r6_3_a_conflict_pauses(root: Path, state: Path) -> None:
    await landed(root, state, {"README": "theirs\n"})
    commit(root, {"README": "mine\n"})
    await refused(root, "conflict in README", f"git merge {BRANCH}")


@awaited
async def test_r6_3_a_detached_head_moves(root: Path, state: Path, locks: Path) -> None:
    git(root, "checkout", "-q", "--detach")
    main = git(root, "rev-parse", "main")
    await landed(root, state, {"work": "w\n"})
    new = await finish_delivery(await Repository.find(root), await prepare(root, None), folder=locks)
    assert new == git(root, "rev-parse", "HEAD")
    assert git(root, "rev-parse", "main") == main
    git(root, "switch", "-q", "main")
    await refused(root, "started from a detached HEAD, and main", f"git merge {BRANCH}", onto=None)


@awaited
async def test_r7_4_a_work_tree_on_the_runs_branch_is_not_left_behind_by_a_merge(
    root: Path, state: Path, locks: Path
) -> None:
    """It would show what the merge has brought as removed, ready to be committed so."""
    await landed(root, state, {"work": "w\n"})
    delivery = await prepare(root)
    there = root.parent / "there"
    git(root, "worktree", "add", "-q", str(there), BRANCH)
    assert (await prepare(root)).commit == delivery.commit  # without a merge the run's branch stays where it is
    commit(root, {"mine": "m\n"})
    way_out = f"git -C {shlex.quote(str(there))} switch --detach && stretto land run-1"
    await refused(root, f"{BRANCH} is checked out in {there}", way_out)
    git(there, "switch", "-q", "--detach")
    delivery = await prepare(root)
    git(there, "switch", "-q", BRANCH)
    with pytest.raises(Paused, match="is checked out in"):
        await finish_delivery(await Repository.find(root), delivery, folder=locks)
    assert git(there, "status", "--porcelain") == ""


@awaited
async def test_r6_3_an_agents_worktree_on_the_runs_branch_is_in_nobodys_way(
    root: Path, state: Path, locks: Path
) -> None:
    spaces = await landed(root, state, {"work": "w\n"})
    commit(root, {"mine": "m\n"})
    space = await spaces.open(task="u", attempt=1, base=git(root, "rev-parse", "HEAD"), role="agent")
    git(space.path, "switch", "-q", BRANCH)
    new = await finish_delivery(await Repository.find(root), await prepare(root), folder=locks)
    assert new == git(root, "rev-parse", "main") == git(root, "rev-parse", BRANCH)
    assert git(space.path, "status", "--porcelain") == ""


@awaited
@pytest.mark.parametrize("options", ["--squash", "--no-ff --no-commit"])
async def test_r6_3_merge_options_of_the_users_branch_do_not_count(
    root: Path, state: Path, locks: Path, options: str
) -> None:
    await landed(root, state, {"work": "w\n"})
    git(root, "config", "branch.main.mergeOptions", options)
    new = await finish_delivery(await Repository.find(root), await prepare(root), folder=locks)
    assert new == git(root, "rev-parse", "HEAD")
    assert git(root, "status", "--porcelain") == ""


@awaited
@pytest.mark.parametrize("ref", ["main", BRANCH])
async def test_r6_3_a_lock_that_a_killed_git_left_is_named(root: Path, state: Path, locks: Path, ref: str) -> None:
    await landed(root, state, {"work": "w\n"})
    commit(root, {"mine": "m\n"})
    lock = root / ".git/refs/heads" / f"{ref}.lock"
    lock.touch()
    with pytest.raises(Paused) as told:
        await finish_delivery(await Repository.find(root), await prepare(root), folder=locks)
    assert f"rm {shlex.quote(str(lock))} && stretto land run-1" in told.value.hint


@awaited
async def test_r6_3_what_moves_between_the_two_steps_is_seen(root: Path, state: Path, locks: Path) -> None:
    await landed(root, state, {"README": "theirs\n"})
    repository = await Repository.find(root)
    delivery = await prepare(root)
    write(root, {"README": "mine\n"})
    with pytest.raises(Paused, match="uncommitted"):
        await finish_delivery(repository, delivery, folder=locks)
    commit(root, {})
    with pytest.raises(Paused, match="moved while"):
        await finish_delivery(repository, delivery, folder=locks)


@awaited
async def test_r6_3_the_users_own_merge_is_not_disturbed(root: Path, state: Path, locks: Path) -> None:
    git(root, "switch", "-qc", "side")
    commit(root, {"README": "side\n"})
    git(root, "switch", "-q", "main")
    commit(root, {"README": "main\n"})
    await landed(root, state, {"work": "w\n"})
    delivery = await prepare(root)
    with pytest.raises(Exception, match="merge"):
        git(root, "merge", "-q", "side")
    with pytest.raises(Paused, match="git will not move main"):
        await finish_delivery(await Repository.find(root), delivery, folder=locks)
    assert git(root, "rev-parse", "main") == delivery.head


@awaited
async def test_r6_4_an_untracked_plan_is_written_when_the_branch_moves(root: Path, state: Path, locks: Path) -> None:
    await landed(root, state, {"work": "w\n"})
    plan = root / "plan.log"
    plan.write_text("t: pending\n")
    plan.chmod(0o640)
    delivery = await prepare(root)
    assert plan.read_text() == "t: pending\n"

    repository = await Repository.find(root)
    await finish_delivery(repository, delivery, folder=locks, ticks=ticks(plan))
    assert plan.read_text() == "t: succeeded\n"
    assert plan.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in root.iterdir() if path.name.startswith(".plan")] == []
    tracked = root / "README"
    await finish_delivery(repository, await prepare(root), folder=locks, ticks=ticks(tracked))
    assert tracked.read_text() == "hi\n"
    assert files_in(root, "main")["README"] == "hi"


@awaited
async def test_r6_4_of_several_files_those_that_landed_are_left_alone(root: Path, state: Path, locks: Path) -> None:
    commit(root, {"one": "t: pending\n", "two": "t: pending\n"})
    await landed(root, state, {"work": "w\n"})
    delivery = await prepare(root)
    (root / "two").write_text("t: pending, and mine\n")
    (root / "three").write_text("t: pending\n")
    seen: list[set[str]] = []

    def keeper(files: Mapping[str, bytes], statuses: Mapping[str, str]) -> dict[str, bytes]:
        seen.append({Path(path).name for path in files})
        return {path: data.replace(b"pending", statuses["t"].encode()) for path, data in files.items()}

    plan = [root / name for name in ("one", "two", "three", "gone")]
    repository = await Repository.find(root)
    await finish_delivery(
        repository, delivery, folder=locks, ticks=Ticks(plan=plan, keeper=keeper, statuses={"t": "done"})
    )
    assert seen == [{"one", "two", "three"}], "what is not to be written may still say how far the whole is"
    assert [(root / name).read_text() for name in ("one", "two", "three")] == [
        "t: pending\n", "t: done, and mine\n", "t: done\n"
    ]  # fmt: skip
    assert not (root / "gone").exists()


COMING = """sh -c 'x=$(cat); [ "$x" != coming ] || {}; echo "$x"'"""
FILTER: dict[str, str | None] = {".gitattributes": "*.odd filter=odd\n", "z.odd": "old\n"}


def smudges_by(root: Path, command: str) -> None:
    """From now on git runs this to check out `*.odd`."""
    for key, value in (("clean", "cat"), ("smudge", command), ("required", "true")):
        git(root, "config", f"filter.odd.{key}", value)


def everything(root: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(root)): (path.read_bytes(), path.stat().st_mode)
        for path in root.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(root).parts
    }


WORK: dict[str, str | None] = {"a/new/file": "n\n", "README": "by the run\n", "src/a.py": None, "z.odd": "coming\n"}


@awaited
async def test_r6_3_a_landing_that_git_gives_up_halfway_leaves_everything_as_it_was(
    root: Path, state: Path, locks: Path
) -> None:
    commit(root, FILTER)
    await landed(root, state, WORK)
    write(root, {"mine": "untracked\n", ".gitignore": "*.log\nmine too\n"})
    git(root, "add", ".gitignore")
    before, head = everything(root), git(root, "rev-parse", "HEAD")
    delivery = await prepare(root)
    smudges_by(root, COMING.format("exit 1"))
    with pytest.raises(Paused, match=r"git will not move main: .*smudge filter odd failed$"):
        await finish_delivery(await Repository.find(root), delivery, folder=locks)
    assert everything(root) == before
    assert git(root, "status", "--porcelain").splitlines() == ["M  .gitignore", "?? mine"]
    assert git(root, "rev-parse", "HEAD") == head
    assert not (root / "a").exists()
    smudges_by(root, "cat")
    await finish_delivery(await Repository.find(root), await prepare(root), folder=locks)
    assert (root / "z.odd").read_text() == "coming\n"


@awaited
async def test_r6_3_a_branch_that_cannot_be_moved_leaves_everything_as_it_was(
    root: Path, state: Path, locks: Path
) -> None:
    """Git moves it last, when the files and the index are done."""
    await landed(root, state, WORK)
    before = everything(root)
    log = root / ".git/logs/refs/heads/main"
    log.unlink()
    write(log, {"in the way": ""})
    with pytest.raises(Paused, match=r"git will not move main: .*logs/refs/heads/main"):
        await finish_delivery(await Repository.find(root), await prepare(root), folder=locks)
    assert everything(root) == before
    assert git(root, "status", "--porcelain") == ""


@awaited
async def test_r6_3_a_landing_that_was_killed_halfway_is_landed_again(root: Path, state: Path, locks: Path) -> None:
    commit(root, FILTER)
    await landed(root, state, WORK)
    delivery = await prepare(root)
    before = everything(root)
    smudges_by(root, COMING.format("kill -9 $(ps -o ppid= $PPID)"))
    with pytest.raises(Paused):
        await finish_delivery(await Repository.find(root), delivery, folder=locks)
    assert everything(root) == before
    lock = root / ".git/index.lock"
    with pytest.raises(Paused, match=r"index\.lock") as told:
        await finish_delivery(await Repository.find(root), await prepare(root), folder=locks)
    assert f"rm {shlex.quote(str(lock))} && stretto land run-1" in told.value.hint
    lock.unlink()
    smudges_by(root, "cat")
    new = await finish_delivery(await Repository.find(root), await prepare(root), folder=locks)
    assert git(root, "rev-parse", "HEAD") == new
    assert git(root, "status", "--porcelain") == ""


@awaited
async def test_r6_3_what_is_there_already_as_it_would_land_is_in_nobodys_way(
    root: Path, state: Path, locks: Path
) -> None:
    await landed(root, state, WORK)
    write(root, {"a/new/file": "n\n", "README": "by the run\n", "src/a.py": None})
    new = await finish_delivery(await Repository.find(root), await prepare(root), folder=locks)
    assert git(root, "rev-parse", "HEAD") == new
    assert git(root, "status", "--porcelain") == ""


@awaited
async def test_r6_3_what_is_staged_and_differs_stays(root: Path, state: Path, locks: Path) -> None:
    """The file is what would land, but something else has been staged of it, which exists nowhere else."""
    await landed(root, state, WORK)
    write(root, {"README": "staged only\n"})
    git(root, "add", "README")
    write(root, {"README": "by the run\n"})
    with pytest.raises(Paused, match="uncommitted edits in README"):
        await prepare(root)
    assert git(root, "show", ":README") == "staged only"


PLAN, MINE = "t: pending\n", "t: pending  # mine\nand more of mine\n"


@awaited
async def test_r6_4_a_plan_with_edits_beside_what_the_run_ticks_keeps_both(
    root: Path, state: Path, locks: Path
) -> None:
    commit(root, {"plan": PLAN})
    await landed(root, state, {"work": "w\n", "plan": PLAN.replace("pending", "succeeded")})
    write(root, {"plan": MINE})
    with pytest.raises(Paused, match="uncommitted edits in plan, which the run changed too"):
        await prepare(root)
    delivery = await prepare(root, ticks=ticks(root / "plan"))
    assert (root / "plan").read_text() == MINE
    await finish_delivery(await Repository.find(root), delivery, folder=locks, ticks=ticks(root / "plan"))
    assert (root / "plan").read_text() == MINE.replace("pending", "succeeded")
    assert {name: files_in(root, "main")[name] for name in ("plan", "work")} == {"plan": "t: succeeded", "work": "w"}
    assert git(root, "status", "--porcelain") == " M plan", "theirs to commit, and nothing is staged"


@awaited
async def test_r6_4_what_is_more_than_ticks_is_the_persons_to_sort_out(root: Path, state: Path, locks: Path) -> None:
    commit(root, {"plan": PLAN})
    await landed(root, state, {"plan": "t: succeeded, and the run's own words\n"})
    write(root, {"plan": MINE})
    with pytest.raises(Paused, match="uncommitted edits in plan"):
        await prepare(root, ticks=ticks(root / "plan"))
    assert (root / "plan").read_text() == MINE


@awaited
async def test_r6_4_staged_edits_of_a_plan_are_not_written_over(root: Path, state: Path, locks: Path) -> None:
    commit(root, {"plan": PLAN})
    await landed(root, state, {"plan": PLAN.replace("pending", "succeeded")})
    write(root, {"plan": MINE})
    git(root, "add", "plan")
    with pytest.raises(Paused, match="uncommitted edits in plan"):
        await prepare(root, ticks=ticks(root / "plan"))
    assert git(root, "show", ":plan") == MINE.strip()


@awaited
async def test_r6_4_a_landing_that_git_refuses_leaves_the_edited_plan_as_it_was(
    root: Path, state: Path, locks: Path
) -> None:
    commit(root, {"plan": PLAN, ".gitignore": "hidden\n"})
    await landed(root, state, {"plan": PLAN.replace("pending", "succeeded")})
    write(root, {"plan": MINE})
    delivery = await prepare(root, ticks=ticks(root / "plan"))
    (root / ".git" / "refs" / "heads" / "main.lock").touch()
    with pytest.raises(Paused, match="git will not move main"):
        await finish_delivery(await Repository.find(root), delivery, folder=locks, ticks=ticks(root / "plan"))
    (root / ".git" / "refs" / "heads" / "main.lock").unlink()
    assert (root / "plan").read_text() == MINE
    assert git(root, "status", "--porcelain") == " M plan"
    assert git(root, "rev-parse", "main") == delivery.head
    await finish_delivery(
        await Repository.find(root), await prepare(root, ticks=ticks(root / "plan")), folder=locks,
        ticks=ticks(root / "plan"),
    )  # fmt: skip
    assert (root / "plan").read_text() == MINE.replace("pending", "succeeded")
