"""Runs in place: tasks that share a folder, with git and without, and what each of them has changed (R10.3)."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from stretto.errors import PlanError, SetupError, WorkspaceError
from stretto.formats.load import keeper_of
from stretto.model.plan import Setup, Task
from stretto.model.run import IN_PLACE, TARGET, LandEntry
from stretto.ports import Saved, StatusKeeper, Workspaces
from stretto.workspace.inplace import InPlaceWorkspaces
from stretto.workspace.repository import Repository
from unit.workspace.kit import Shell, awaited, git, make_repository, write

FILES = {"a.txt": "a\n", "b.txt": "b\n", "src/x.py": "x = 1\n"}


def task(id: str, *writes: str, unknown: bool = False, artifacts: tuple[str, ...] = ()) -> Task:
    return Task(id=id, phase="p", writes=None if unknown else writes, artifacts=artifacts)


A, B, ANY = task("a", "a.txt"), task("b", "b.txt", "out/**"), task("any", unknown=True)


class Ground:
    """A folder of the user's with some files, and the folder of a run."""

    def __init__(self, tmp_path: Path) -> None:
        self.root, self.run = tmp_path / "folder", tmp_path / "run"
        self.repository: Repository | None = None
        self.root.mkdir()
        write(self.root, FILES)

    def engine(
        self, *tasks: Task, setup: Setup | None = None, plan: Path | None = None, keeper: StatusKeeper | None = None
    ) -> InPlaceWorkspaces:
        """A new one each time: the one before it is dead then."""
        return InPlaceWorkspaces(
            self.root, run="run", folder=self.run, tasks=tasks or (A, B, ANY), repository=self.repository, setup=setup,
            processes=Shell(), env={"PATH": os.environ["PATH"]}, plan_files=[plan] if plan else (), keeper=keeper,
        )  # fmt: skip

    async def tracked(self, ignored: str = "") -> None:
        """With git."""
        self.root = make_repository(self.root.parent / "repository", {**FILES, ".gitignore": ignored})
        self.repository = await Repository.find(self.root)

    async def attempt(self, spaces: Workspaces, task: str, files: Mapping[str, str | None], number: int = 1) -> Saved:
        space = await spaces.open(task=task, attempt=number, base=IN_PLACE, role="agent")
        assert space.path == self.root
        write(self.root, files)
        saved = await spaces.save(space, task=task, attempt=number, message=task)
        await spaces.close(space)
        return saved


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground(tmp_path)


async def land(spaces: Workspaces, *tasks: str) -> str:
    entries = tuple(LandEntry(task=task, attempt=1, commit=IN_PLACE) for task in tasks)
    merge = await spaces.merge(TARGET, 1, entries, known=IN_PLACE)
    assert (merge.landed, merge.culprits, merge.fresh) == (entries, (), False)
    return await spaces.advance(TARGET, 1, merge, dict.fromkeys(tasks, "succeeded"))


@awaited
async def test_r10_3_what_an_attempt_changed_is_seen_and_stays(ground: Ground) -> None:
    spaces = ground.engine()
    assert await ground.attempt(spaces, "a", {"a.txt": "new\n"}) == Saved(commit=IN_PLACE, paths=("a.txt",))
    assert (ground.root / "a.txt").read_text() == "new\n"
    assert await land(spaces, "a") == IN_PLACE
    assert await spaces.head(TARGET) == IN_PLACE
    assert await spaces.landed(TARGET, 1) is None
    saved = await ground.attempt(spaces, "b", {"out/new": "n\n", "b.txt": None})
    assert saved == Saved(commit=IN_PLACE, paths=("b.txt", "out/new"))


@awaited
async def test_r5_1_nothing_changed_is_nothing_changed(ground: Ground) -> None:
    spaces = ground.engine()
    assert await ground.attempt(spaces, "a", {}) == Saved(commit=None, paths=())
    assert await ground.attempt(spaces, "a", {"a.txt": "a\n"}, 2) == Saved(commit=None, paths=()), "written as it was"
    assert await ground.attempt(spaces, "any", {"node_modules/x": "x\n", "__pycache__/y": "y\n"}) == Saved(
        commit=None, paths=()
    )


@awaited
async def test_r2_6_drift_is_seen_but_for_what_others_claim(ground: Ground) -> None:
    spaces = ground.engine()
    mine = await spaces.open(task="a", attempt=1, base=IN_PLACE, role="agent")
    other = await spaces.open(task="b", attempt=1, base=IN_PLACE, role="agent")
    write(ground.root, {"a.txt": "1\n", "b.txt": "2\n", "src/x.py": "x = 2\n"})
    assert await spaces.save(mine, task="a", attempt=1, message="a") == Saved(
        commit=IN_PLACE, paths=("a.txt", "src/x.py")
    )
    assert await spaces.save(mine, task="a", attempt=1, message="a") == Saved(
        commit=IN_PLACE, paths=("a.txt", "src/x.py")
    ), "looking again says the same"
    await spaces.close(mine)
    with pytest.raises(WorkspaceError):
        await spaces.save(mine, task="a", attempt=1, message="a")
    assert (await spaces.save(other, task="b", attempt=1, message="b")).paths == ("b.txt", "src/x.py")


@awaited
async def test_r5_1_what_another_may_have_done_is_no_effect_of_its_own(ground: Ground) -> None:
    spaces = ground.engine()
    idle = await spaces.open(task="a", attempt=1, base=IN_PLACE, role="agent")
    await ground.attempt(spaces, "b", {"b.txt": "2\n", "src/x.py": "x = 2\n"})
    saved = await spaces.save(idle, task="a", attempt=1, message="a")
    assert saved == Saved(commit=None, paths=("src/x.py",)), "nobody knows who it was; all are told"
    alone = ground.engine()
    assert await ground.attempt(alone, "a", {"src/x.py": "x = 3\n"}, 2) == Saved(commit=IN_PLACE, paths=("src/x.py",))


@awaited
async def test_r10_3_a_later_attempt_goes_on_with_the_folder_as_it_was_left(ground: Ground) -> None:
    """What its task has done before counts as done, whoever of its attempts did it."""
    spaces = ground.engine()
    await ground.attempt(spaces, "a", {"a.txt": "half\n"})
    assert await ground.attempt(spaces, "a", {}, 2) == Saved(commit=IN_PLACE, paths=("a.txt",))
    await land(spaces, "a")
    assert (await ground.attempt(spaces, "a", {}, 3)).commit is None, "landed: that was another time"


@awaited
async def test_r8_4_a_task_with_another_scope_begins_anew(ground: Ground) -> None:
    await ground.attempt(ground.engine(), "a", {"a.txt": "half\n", "b.txt": "other\n"})
    changed = ground.engine(task("a", "b.txt"))
    assert await ground.attempt(changed, "a", {}, 2) == Saved(commit=None, paths=())


@awaited
async def test_r10_3_what_others_did_between_two_attempts_is_not_its_own(ground: Ground) -> None:
    wide = task("wide", "*.txt")
    spaces = ground.engine(wide, B)
    assert (await ground.attempt(spaces, "wide", {})).commit is None
    await ground.attempt(spaces, "b", {"b.txt": "by b\n"})
    assert await ground.attempt(spaces, "wide", {}, 2) == Saved(commit=None, paths=())
    assert (await ground.attempt(spaces, "wide", {"a.txt": "mine\n"}, 3)).paths == ("a.txt",)


@awaited
async def test_r8_1_after_a_crash_nothing_is_lost_and_half_done_work_is_known(ground: Ground) -> None:
    spaces = ground.engine()
    for name in ("a", "b", "any"):
        await spaces.open(task=name, attempt=2, base=IN_PLACE, role="agent")
    write(ground.root, {"a.txt": "half\n"})
    heir = ground.engine()
    assert await heir.rescue() == {("a", 2): IN_PLACE, ("any", 2): IN_PLACE}, "of unknown scope is everything"
    assert not heir.unsaved
    assert (ground.root / "a.txt").read_text() == "half\n"
    assert (await ground.attempt(heir, "a", {}, 3)).commit == IN_PLACE
    assert (await ground.attempt(heir, "b", {}, 3)).commit is None


@awaited
async def test_r8_1_half_a_record_is_no_record(ground: Ground) -> None:
    await ground.engine().open(task="a", attempt=1, base=IN_PLACE, role="agent")
    [record] = (ground.run / "begun").iterdir()
    record.write_bytes(record.read_bytes()[:20])
    heir = ground.engine()
    assert await heir.rescue() == {}
    assert (await ground.attempt(heir, "a", {"a.txt": "new\n"}, 2)).paths == ("a.txt",)


@awaited
async def test_r5_2_a_gate_sees_the_folder_and_no_verdict_holds(ground: Ground) -> None:
    spaces = ground.engine()
    gate = await spaces.open(task="a", attempt=1, base=IN_PLACE, role="gate")
    assert gate.path == ground.root
    await spaces.close(gate)
    assert await spaces.contents(IN_PLACE) != await spaces.contents(IN_PLACE)


@awaited
async def test_artifacts_are_a_tasks_own_also_where_git_ignores_them(ground: Ground) -> None:
    await ground.tracked("build/\ncache/\n")
    makes = task("makes", unknown=True, artifacts=("build/out",))
    spaces = ground.engine(makes, A)
    assert await ground.attempt(spaces, "makes", {"cache/x": "x\n"}) == Saved(commit=None, paths=())
    assert (await ground.attempt(spaces, "makes", {"build/out": "o\n"}, 2)).paths == ("build/out",)
    assert (await ground.attempt(spaces, "a", {"cache/y": "y\n", "a.txt": "1\n"})).paths == ("a.txt",)


@awaited
async def test_a_folder_that_git_ignores_is_looked_at_all_the_same(ground: Ground) -> None:
    await ground.tracked("made/\n")
    ground.root /= "made"
    write(ground.root, {"old": "o\n"})
    spaces = ground.engine()
    assert (await ground.attempt(spaces, "any", {"new": "n\n"})).paths == ("new",)


@awaited
async def test_r7_4_of_the_repository_only_the_files_may_change(ground: Ground) -> None:
    await ground.tracked()
    spaces = ground.engine()
    before = await spaces.look()
    await ground.attempt(spaces, "a", {"a.txt": "new\n"})
    assert await spaces.look() == before
    git(ground.root, "commit", "-qam", "an agent's own")
    after = await spaces.look()
    assert {aspect for aspect in after if after[aspect] != before[aspect]} == {"HEAD", "refs"}


@awaited
async def test_r7_4_without_git_there_is_nothing_to_look_at(ground: Ground) -> None:
    assert await ground.engine().look() == {}


# --- statuses and set-up ---------------------------------------------------------------------------------------------


def ticks(files: Mapping[str, bytes], statuses: Mapping[str, str]) -> Mapping[str, bytes]:
    """A keeper: lines `task: state`."""
    written = {}
    for path, data in files.items():
        if b"{" in data:
            raise PlanError("half an edit")
        lines = data.decode().splitlines()
        said = [f"{line.split(':')[0]}: {statuses.get(line.split(':')[0], line.split(': ')[-1])}" for line in lines]
        written[path] = "".join(f"{line}\n" for line in said).encode()
    return {path: data for path, data in written.items() if data != files[path]}


@awaited
async def test_r6_4_statuses_are_written_as_tasks_succeed_around_what_the_user_edits(ground: Ground) -> None:
    plan = ground.root / "plan"
    plan.write_text("a: pending\nb: pending\n")
    plan.chmod(0o640)
    spaces = ground.engine(plan=plan, keeper=ticks)
    assert await ground.attempt(spaces, "a", {"plan": "a: pending\nb: pending\nc: pending\n"}) == Saved(
        commit=None, paths=()
    ), "the plan is nobody's work"
    await land(spaces, "a")
    assert plan.read_text() == "a: succeeded\nb: pending\nc: pending\n"
    assert plan.stat().st_mode & 0o777 == 0o640
    assert await spaces.write_statuses(TARGET, {"b": "failed"}) == IN_PLACE
    assert plan.read_text() == "a: succeeded\nb: failed\nc: pending\n"
    assert await spaces.write_statuses(TARGET, {"b": "failed"}) is None
    assert sorted(path.name for path in ground.root.iterdir()) == ["a.txt", "b.txt", "plan", "src"], "no draft is left"


class Busy:
    """A user who saves the plan while its statuses are written, so many times."""

    def __init__(self, plan: Path, times: int) -> None:
        self.plan, self.times, self.saved = plan, times, 0

    def __call__(self, files: Mapping[str, bytes], statuses: Mapping[str, str]) -> Mapping[str, bytes]:
        if self.saved < self.times:
            with self.plan.open("a") as file:
                file.write(f"note{self.saved}: mine\n")
            self.saved += 1
        return ticks(files, statuses)


@awaited
async def test_r6_4_what_the_user_saves_while_statuses_are_written_is_kept(ground: Ground) -> None:
    plan = ground.root / "plan"
    plan.write_text("a: pending\n")
    await land(ground.engine(plan=plan, keeper=Busy(plan, 3)), "a")
    assert plan.read_text() == "a: succeeded\nnote0: mine\nnote1: mine\nnote2: mine\n"
    plan.write_text("a: pending\n")
    never = Busy(plan, 10**9)
    with pytest.raises(WorkspaceError, match="is written all the time"):
        await land(ground.engine(plan=plan, keeper=never), "a")
    assert plan.read_text() == "a: pending\n" + "".join(f"note{n}: mine\n" for n in range(never.saved))
    assert sorted(path.name for path in ground.root.iterdir()) == ["a.txt", "b.txt", "plan", "src"], "no draft is left"


@awaited
async def test_r6_4_of_a_plan_that_is_deleted_meanwhile_no_draft_is_left(ground: Ground) -> None:
    plan = ground.root / "plan"
    plan.write_text("a: pending\n")

    def deleting(files: Mapping[str, bytes], statuses: Mapping[str, str]) -> Mapping[str, bytes]:
        plan.unlink(missing_ok=True)
        return ticks(files, statuses)

    assert await land(ground.engine(plan=plan, keeper=deleting), "a") == IN_PLACE
    assert sorted(path.name for path in ground.root.iterdir()) == ["a.txt", "b.txt", "src"]


@awaited
async def test_r6_4_the_plan_that_is_no_text_any_more_is_called_by_its_name(ground: Ground) -> None:
    plan = ground.root / "plan.md"
    plan.write_bytes(b"\xff\xff")
    for name in ("spec-kit", "checklist", "kiro", "task-master"):
        with pytest.raises(WorkspaceError, match=f"{plan}:1:1: ") as caught:
            await land(ground.engine(plan=plan, keeper=keeper_of(name)), "a")
        assert "tasks.md" not in str(caught.value)


@awaited
async def test_r6_4_a_plan_that_cannot_be_read_just_now_is_told(ground: Ground) -> None:
    plan = ground.root / "plan"
    plan.write_text("{")
    with pytest.raises(WorkspaceError, match="the plan cannot be read, so a cannot be ticked") as caught:
        await land(ground.engine(plan=plan, keeper=ticks), "a")
    assert "stretto resume run" in caught.value.hint
    plan.unlink()
    assert await land(ground.engine(plan=plan, keeper=ticks), "a") == IN_PLACE, (
        "without a plan there is nothing to tick"
    )


@awaited
async def test_r7_1_set_up_is_done_once_in_a_run(ground: Ground) -> None:
    setup = Setup(copy=("a.txt",), run=("echo ready >> setup.txt",))
    for number in (1, 2):
        await ground.attempt(ground.engine(setup=setup), "a", {}, number)
        assert (ground.root / "setup.txt").read_text() == "ready\n"


@awaited
async def test_r7_1_set_up_that_fails_is_owed_again(ground: Ground) -> None:
    spaces = ground.engine(setup=Setup(run=("test -e there",)))
    with pytest.raises(SetupError):
        await spaces.open(task="a", attempt=1, base=IN_PLACE, role="agent")
    write(ground.root, {"there": ""})
    await ground.attempt(spaces, "a", {}, 2)


@awaited
async def test_r7_1_what_set_up_would_copy_has_to_be_there(ground: Ground) -> None:
    with pytest.raises(SetupError, match="set-up wants gone"):
        await ground.engine(setup=Setup(link=("gone",))).open(task="a", attempt=1, base=IN_PLACE, role="agent")


@awaited
async def test_a_folder_that_is_gone_is_told(ground: Ground, tmp_path: Path) -> None:
    spaces = ground.engine()
    ground.root.rename(tmp_path / "elsewhere")
    with pytest.raises(WorkspaceError, match="is not there any more"):
        await spaces.open(task="a", attempt=1, base=IN_PLACE, role="agent")


@awaited
async def test_r5_1_a_folder_that_vanishes_is_nobodys_work(ground: Ground, tmp_path: Path) -> None:
    spaces = ground.engine()
    space = await spaces.open(task="a", attempt=1, base=IN_PLACE, role="agent")
    ground.root.rename(tmp_path / "elsewhere")
    for replaced in (False, True):
        if replaced:
            ground.root.write_text("no folder")
        with pytest.raises(WorkspaceError, match="is not there any more"):
            await spaces.save(space, task="a", attempt=1, message="a")
        with pytest.raises(WorkspaceError, match="is not there any more"):
            await ground.engine().rescue()
    ground.root.unlink()
    (tmp_path / "elsewhere").rename(ground.root)
    assert await spaces.save(space, task="a", attempt=1, message="a") == Saved(commit=None, paths=())


@pytest.mark.parametrize("call", ["scandir", "lstat"])
@pytest.mark.parametrize("task", ["any", "src"])
@awaited
async def test_r5_1_what_cannot_be_read_is_unknown_and_not_removed(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, call: str, task: str
) -> None:
    """As root nothing is closed: the system says what it would say to others."""
    real = getattr(os, call)

    def closed(path: os.PathLike[str] | str) -> object:
        if str(path).startswith(str(ground.root / "src")):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    tasks = (ANY, Task(id="src", phase="p", writes=("src/**",)))
    spaces = ground.engine(*tasks)
    space = await spaces.open(task=task, attempt=1, base=IN_PLACE, role="agent")
    with monkeypatch.context() as patched:
        patched.setattr(os, call, closed)
        assert await spaces.save(space, task=task, attempt=1, message="x") == Saved(commit=None, paths=())
        assert await ground.engine(*tasks).rescue() == {}
        await spaces.close(space)
        late = ground.engine(Task(id="late", phase="p", writes=("src/**",)))
        begun = await late.open(task="late", attempt=1, base=IN_PLACE, role="agent")
    saved = await late.save(begun, task="late", attempt=1, message="x")
    assert saved == Saved(commit=None, paths=()), "readable now, and not new"
