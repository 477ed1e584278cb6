"""What every implementation of the port `Workspaces` promises, and its fake."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path

import msgspec
import pytest

from stretto.errors import AdapterError, GitError, WorkspaceError
from stretto.formats.format import each_file
from stretto.model.run import TARGET, LandEntry
from stretto.ports import Saved, Workspace, Workspaces
from stretto.testing.workspaces import ASPECTS, MemoryRepository, MemoryWorkspaces
from unit.workspace.kit import awaited, make_repository, workspaces, write

FILES = {"README": "hi\n", "src/a.py": "a = 1\n", "plan": "t: pending\n"}
Engine = Callable[[], Awaitable[Workspaces]]


def writer(source: bytes, statuses: Mapping[str, str]) -> bytes:
    return "".join(f"{task}: {status}\n" for task, status in statuses.items()).encode() or source


@pytest.fixture(params=["git", "memory"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    """Starts an engine on the same repository; the one before it is dead then, killed where it stood."""
    started: list[Workspaces] = []
    if request.param == "memory":
        memory = MemoryRepository(tmp_path, {name: text.encode() for name, text in FILES.items()})

        async def start() -> Workspaces:
            return MemoryWorkspaces(memory)
    else:
        root = make_repository(tmp_path / "repository", FILES)

        async def start() -> Workspaces:
            for dead in started:
                for slot in dead._slots.values():  # type: ignore[attr-defined]
                    slot.release()  # as the kernel does
            started[:] = [
                await workspaces(
                    root, tmp_path / "state", fresh=not started, plan_files=("plan",), keeper=partial(each_file, writer)
                )
            ]
            return started[0]

    return start


async def attempt(
    spaces: Workspaces, base: str, task: str, files: Mapping[str, str | None], number: int = 1
) -> LandEntry:
    space = await spaces.open(task=task, attempt=number, base=base, role="agent")
    write(space.path, files)
    saved = await spaces.save(space, task=task, attempt=number, message=task)
    await spaces.close(space)
    return LandEntry(task=task, attempt=number, commit=saved.commit)


async def read(spaces: Workspaces, commit: str) -> dict[str, str]:
    """Every file of a commit, as a gate sees it, but for the plan."""
    space = await spaces.open(task="", attempt=0, base=commit, role="gate")
    files = {
        path.relative_to(space.path).as_posix(): path.read_text()
        for path in space.path.rglob("*")
        if path.is_file() and ".git" not in path.parts and path.name != "plan"
    }
    await spaces.close(space)
    return {name: text for name, text in files.items() if name != ".git"}


@awaited
async def test_a_workspace_is_the_base_and_nothing_else(engine: Engine) -> None:
    spaces = await engine()
    base = await spaces.head(TARGET)
    for number in (1, 2):
        space = await spaces.open(task="t", attempt=number, base=base, role="agent")
        assert isinstance(space, Workspace)
        assert space.base == base
        assert (space.path / "README").read_text() == "hi\n"
        assert not (space.path / "left").exists()
        write(space.path, {"left": "over\n", "README": None})
        assert (await spaces.save(space, task="t", attempt=number, message="m")).commit
        await spaces.close(space)


@awaited
async def test_r7_1_what_was_saved_can_be_opened(engine: Engine) -> None:
    spaces = await engine()
    base = await spaces.head(TARGET)
    space = await spaces.open(task="t", attempt=1, base=base, role="agent")
    assert await spaces.save(space, task="t", attempt=1, message="m") == Saved(commit=None, paths=())
    write(space.path, {"new/file": "n\n", "src/a.py": None, "README": "changed\n"})
    saved = await spaces.save(space, task="t", attempt=1, message="m")
    assert set(saved.paths) == {"new/file", "src/a.py", "README"}
    assert (await spaces.save(space, task="t", attempt=1, message="m")).commit == saved.commit
    assert saved.commit
    assert await read(spaces, saved.commit) == {"new/file": "n\n", "README": "changed\n"}
    await spaces.close(space)
    await spaces.close(space)
    with pytest.raises(WorkspaceError):
        await spaces.save(space, task="t", attempt=1, message="m")


@awaited
async def test_workspaces_that_are_open_are_different(engine: Engine) -> None:
    spaces = await engine()
    base = await spaces.head(TARGET)
    opened = [await spaces.open(task=f"t{n}", attempt=1, base=base, role="agent") for n in range(3)]
    opened.append(await spaces.open(task="t0", attempt=1, base=base, role="gate"))
    assert len({space.path for space in opened}) == 4


@awaited
async def test_r7_1_rescue_saves_what_the_dead_left(engine: Engine) -> None:
    spaces = await engine()
    base = await spaces.head(TARGET)
    for task in ("busy", "idle"):
        space = await spaces.open(task=task, attempt=2, base=base, role="agent")
        if task == "busy":
            write(space.path, {"work": "w\n"})
    gate = await spaces.open(task="busy", attempt=2, base=base, role="gate")
    write(gate.path, {"rubbish": "r\n"})
    assert await spaces.rescue() == {}
    heir = await engine()
    found = await heir.rescue()
    assert set(found) == {("busy", 2)}
    assert (await read(heir, found["busy", 2]))["work"] == "w\n"
    assert await heir.rescue() == {}


@awaited
async def test_r4_carry(engine: Engine) -> None:
    spaces = await engine()
    base = await spaces.head(TARGET)
    mine = await attempt(spaces, base, "t", {"README": "mine\n", "work": "w\n"})
    side = await attempt(spaces, base, "s", {"other": "o\n"})
    tip = await spaces.advance(TARGET, 1, await spaces.merge(TARGET, 1, (side,), known=base), {})
    space = await spaces.open(task="t", attempt=2, base=tip, role="agent", carry=mine.commit)
    assert [(space.path / name).read_text() for name in ("README", "work", "other")] == ["mine\n", "w\n", "o\n"]
    assert set((await spaces.save(space, task="t", attempt=2, message="m")).paths) == {"README", "work"}
    await spaces.close(space)
    clash = await attempt(spaces, tip, "c", {"README": "theirs\n"})
    tip = await spaces.advance(TARGET, 2, await spaces.merge(TARGET, 2, (clash,), known=base), {})
    space = await spaces.open(task="t", attempt=3, base=tip, role="agent", carry=mine.commit)
    assert (space.path / "README").read_text() == "theirs\n"
    await spaces.close(space)
    space = await spaces.open(task="t", attempt=4, base=tip, role="agent", carry=mine.commit, conflict=True)
    text = (space.path / "README").read_text()
    assert "<<<<<<<" in text
    assert "mine" in text
    assert "theirs" in text


@awaited
async def test_r6_1_merge_moves_nothing_and_advance_does(engine: Engine) -> None:
    spaces = await engine()
    base = await spaces.head(TARGET)
    a, b = await attempt(spaces, base, "a", {"a": "a\n"}), await attempt(spaces, base, "b", {"src/a.py": None})
    none = LandEntry(task="n", attempt=1, commit=None)
    one = await spaces.merge(TARGET, 1, (a,), known=base)
    assert not one.fresh
    both = await spaces.merge(TARGET, 1, (a, b, none), known=base)
    assert (both.tip, both.landed, both.culprits, both.fresh) == (base, (a, b, none), (), True)
    assert await read(spaces, both.commit) == {"README": "hi\n", "a": "a\n"}
    assert await spaces.head(TARGET) == base
    assert await spaces.landed(TARGET, 1) is None
    head = await spaces.advance(TARGET, 1, both, {})
    assert head == await spaces.head(TARGET) == await spaces.landed(TARGET, 1)
    for stale in (one, msgspec.structs.replace(one, commit=one.tip)):
        with pytest.raises(GitError):
            await spaces.advance(TARGET, 2, stale, {})
    again = await spaces.merge(TARGET, 1, (a, b), known=base)
    assert (again.commit, again.landed) == (head, (a, b))
    empty = await spaces.merge(TARGET, 3, (none,), known=base)
    assert empty.commit == empty.tip == head == await spaces.advance(TARGET, 3, empty, {})


@awaited
async def test_r6_1a_a_landing_that_nobody_was_told_of_is_found(engine: Engine) -> None:
    spaces = await engine()
    base = await spaces.head(TARGET)
    first, second = [await attempt(spaces, base, task, {task: "x\n"}) for task in ("a", "b")]
    head = await spaces.advance(TARGET, 1, await spaces.merge(TARGET, 1, (first,), known=base), {})
    heir = await engine()
    assert await heir.landed(TARGET, 1, known=base) == head, "the run knows the lane as it was before"
    assert await heir.landed(TARGET, 2, known=head) is None
    later = await heir.advance(TARGET, 2, await heir.merge(TARGET, 2, (second,), known=head), {})
    assert await heir.landed(TARGET, 1, known=base) == head, "also when more has landed since"
    assert await heir.landed(TARGET, 2, known=head) == later


@awaited
async def test_r6_2_what_conflicts_stays_out(engine: Engine) -> None:
    spaces = await engine()
    base = await spaces.head(TARGET)
    entries = [await attempt(spaces, base, task, {"README": f"{task}\n", task: "x\n"}) for task in ("a", "b")]
    free = await attempt(spaces, base, "c", {"c": "c\n"})
    merge = await spaces.merge(TARGET, 1, (*entries, free), known=base)
    assert merge.landed == (entries[0], free)
    assert [(x.task, x.kind, x.paths) for x in merge.culprits] == [("b", "conflict", ("README",))]
    assert await read(spaces, merge.commit) == {"README": "a\n", "src/a.py": "a = 1\n", "a": "x\n", "c": "c\n"}


@awaited
async def test_r6_1_a_branch_that_no_longer_holds_what_landed_is_not_landed_on(engine: Engine) -> None:
    spaces = await engine()
    base = await spaces.head(TARGET)
    lost, new = await attempt(spaces, base, "lost", {"lost": "l\n"}), await attempt(spaces, base, "new", {"n": "n\n"})
    assert lost.commit
    with pytest.raises(WorkspaceError, match=f"was moved: it no longer holds {lost.commit}") as caught:
        await spaces.merge(TARGET, 1, (new,), known=lost.commit)
    assert caught.value.hint.startswith("git branch -f ")
    assert caught.value.hint.partition(" && ")[0].endswith(f" {lost.commit}")
    assert await spaces.head(TARGET) == base


@awaited
async def test_r6_1_a_branch_that_is_gone_is_told_with_the_commit_it_was_at(engine: Engine) -> None:
    spaces = await engine()
    base = await spaces.head(TARGET)
    entry = await attempt(spaces, base, "t", {"t": "t\n"})
    assert await spaces.landed("no such lane", 1) is None
    with pytest.raises(GitError, match="is gone") as caught:
        await spaces.merge("no such lane", 1, (entry,), known=base)
    assert base in caught.value.hint


@awaited
async def test_r6_4_statuses(engine: Engine) -> None:
    spaces = await engine()
    none = LandEntry(task="t", attempt=1, commit=None)
    base = await spaces.head(TARGET)
    first = await spaces.advance(TARGET, 1, await spaces.merge(TARGET, 1, (none,), known=base), {"t": "succeeded"})
    assert first != base
    assert await spaces.landed(TARGET, 1) == first
    again = await spaces.advance(TARGET, 2, await spaces.merge(TARGET, 2, (none,), known=base), {"t": "succeeded"})
    assert again == first
    work = await attempt(spaces, base, "w", {"w": "w\n"})
    assert (await spaces.merge(TARGET, 3, (work,), known=base)).landed == (work,)
    last = await spaces.write_statuses(TARGET, {"t": "failed"})
    assert last == await spaces.head(TARGET) != first
    assert await spaces.write_statuses(TARGET, {"t": "failed"}) is None


@awaited
async def test_what_is_not_there_is_an_adapter_error(engine: Engine) -> None:
    spaces = await engine()
    base = await spaces.head(TARGET)
    with pytest.raises(AdapterError):
        await spaces.open(task="t", attempt=1, base="0" * 40, role="agent")
    with pytest.raises(AdapterError):
        await spaces.open(task="t", attempt=1, base=base, role="agent", carry="0" * 40)
    with pytest.raises(AdapterError):
        await spaces.merge(TARGET, 1, (LandEntry(task="t", attempt=1, commit="0" * 40),), known=base)
    with pytest.raises(AdapterError):
        await spaces.head("no such lane")


@awaited
async def test_r6_1a_equal_contents_are_equal_files(engine: Engine) -> None:
    spaces = await engine()
    base = await spaces.head(TARGET)
    mine = await attempt(spaces, base, "a", {"a": "a\n"})
    side = await attempt(spaces, base, "b", {"b": "b\n"})
    assert mine.commit
    merge = await spaces.merge(TARGET, 1, (mine,), known=base)
    contents = await spaces.contents(mine.commit)
    assert contents == await spaces.contents(merge.commit), "another commit, the same tree"
    assert contents != await spaces.contents(base)
    both = await spaces.merge(TARGET, 1, (mine, side), known=base)
    heir = await engine()
    assert await heir.contents(mine.commit) == contents != await heir.contents(both.commit)
    with pytest.raises(AdapterError):
        await heir.contents("0" * 40)


@awaited
async def test_r7_4_looking_twice_is_the_same(engine: Engine) -> None:
    spaces = await engine()
    before = await spaces.look()
    assert set(before) == set(ASPECTS)
    base = await spaces.head(TARGET)
    entry = await attempt(spaces, base, "a", {"a": "a\n"})
    await spaces.advance(TARGET, 1, await spaces.merge(TARGET, 1, (entry,), known=base), {"a": "succeeded"})
    assert await spaces.look() == before
