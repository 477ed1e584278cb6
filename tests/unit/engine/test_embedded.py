"""The embedded engine at its edges: wishes that come as it closes, a PAUSE file, work that cannot be saved."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stretto.core import events as ev
from stretto.core.coordinator import Coordinator
from stretto.core.events import Event
from stretto.engine.embedded import EmbeddedEngine
from stretto.engine.home import RunHome
from stretto.engine.performer import Performer, World
from stretto.engine.prompt import Prompts
from stretto.errors import WorkspaceError
from stretto.limits.memory import OpenLimits
from stretto.model.plan import Phase, Plan, Task
from stretto.model.run import Failure, RunSettings
from stretto.ports import Assignment, Report, Saved, Workspace
from stretto.testing.agents import FakeAgent
from stretto.testing.journal import MemoryJournal
from stretto.testing.workspaces import MemoryRepository, MemoryWorkspaces
from stretto.wiring import SystemClock

Nothing: Any = None
"""In place of gates and processes, which no run here gets to."""


class Closing(Performer):
    """Somebody asks for something in the moment in which the run has ended and its engine tidies up."""

    last: Callable[[], None] = staticmethod(lambda: None)

    async def close(self) -> None:
        await super().close()
        self.last()


class Stage:
    """One task, done by a fake agent in a folder of its own; `done` says that it has landed before the run."""

    def __init__(self, folder: Path, *, done: bool = False, kind: type[MemoryWorkspaces] = MemoryWorkspaces) -> None:
        self.plan = Plan(name="p", format="stretto", phases=(Phase(id="p"),), tasks=(Task(id="a", phase="p"),))
        self.repository = repository = MemoryRepository(folder / "work", {"README": b"hi\n"})
        self.folder, self.agent = folder, FakeAgent(self.play)
        self.last: Callable[[], None] = lambda: None
        self.journal = MemoryJournal([
            ev.RunStarted(
                at=1.0,
                run="run",
                plan=self.plan,
                settings=RunSettings(agent="fake", attempts=1),
                base=repository.base,
                branch="stretto/run",
                done=("a",) if done else (),
            )
        ])  # fmt: skip
        self.workspaces = kind(repository)

    def play(self, assignment: Assignment) -> Report:
        (assignment.workspace / "a.txt").write_text("precious")
        return Report()

    def run(self) -> Coordinator:
        clock = SystemClock()
        world = World(
            agents={"fake": self.agent},
            workspaces=self.workspaces,
            checks=Nothing,
            limits=OpenLimits(),
            processes=Nothing,
            clock=clock,
            inbox=self.journal,
            home=RunHome(path=self.folder / "run"),
            agent_env={},
            prompts=Prompts(self.plan, {}),
            read_proposal=lambda body, task: (),
        )

        def make(coordinator: Coordinator, report: Callable[[Event], None]) -> Performer:
            state = coordinator.state
            performer = Closing(state.run, state.plan, state.settings, world, report)
            performer.last = self.last
            return performer

        engine = EmbeddedEngine(
            journal=self.journal,
            inbox=self.journal,
            workspaces=self.workspaces,
            clock=clock,
            pause_files=(self.folder / "first", self.folder / "PAUSE"),
            make_performer=make,
        )
        return asyncio.run(engine.run())

    def told(self, code: str) -> list[str]:
        recorded = (one.event for one in self.journal.recorded)
        return [event.message for event in recorded if isinstance(event, ev.Noticed) and event.code == code]

    def kinds(self) -> list[str]:
        return [type(one.event).__name__ for one in self.journal.recorded]


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        (ev.StopRequested(at=2.0), "the run has already ended"),
        (ev.TasksCancelled(at=2.0, tasks=("a",)), "'a' is succeeded already"),
        (ev.TaskApproved(at=2.0, task="a"), "'a' does not wait for approval; it is succeeded"),
    ],
    ids=["stop", "cancel", "approve"],
)
def test_r8_3a_a_wish_that_comes_as_the_run_ends_is_refused_with_a_word(
    tmp_path: Path, wish: ev.Wish, why: str
) -> None:
    stage = Stage(tmp_path, done=True)
    stage.last = lambda: stage.journal.put(wish, request="late")
    assert stage.run().state.ended == "succeeded"
    assert stage.journal.answered("late") == (False, why)
    assert stage.kinds()[-2:] == ["RequestReceived", "Noticed"], "journalled as it came, before the closing word"


def test_r8_3a_a_wish_that_comes_as_the_run_ends_may_be_granted(tmp_path: Path) -> None:
    """Then it counts from the next resume on."""
    stage = Stage(tmp_path, kind=Unsaving)
    stage.last = lambda: stage.journal.put(ev.TasksRetried(at=2.0), request="late")
    coordinator = stage.run()
    assert (coordinator.state.ended, stage.journal.answered("late")) == ("failed", (True, ""))
    assert coordinator.state.by_id["a"].state in ("pending", "ready")


@pytest.mark.parametrize("name", ["first", "PAUSE"])
def test_r8_6_where_a_pause_file_is_nothing_starts(tmp_path: Path, name: str) -> None:
    stage = Stage(tmp_path)
    (tmp_path / name).touch()
    coordinator = stage.run()
    assert (coordinator.state.ended, coordinator.state.by_id["a"].state) == ("stopped", "ready")
    assert stage.agent.assignments == []
    assert stage.told("pause") == [f"{tmp_path / name} is there: no task starts until it is removed"]


class Unsaving(MemoryWorkspaces):
    """The disk is full, say."""

    async def save(self, workspace: Workspace, *, task: str, attempt: int, message: str) -> Saved:
        raise WorkspaceError("no room", hint="make some")


def test_r7_1_work_that_cannot_be_saved_stays_and_is_named(tmp_path: Path) -> None:
    stage = Stage(tmp_path, kind=Unsaving)
    coordinator = stage.run()
    assert coordinator.state.ended == "failed"
    (attempt,) = stage.agent.assignments
    (told,) = stage.told("unsaved")
    assert told == f"the workspace of 'a' could not be saved and is kept at {attempt.workspace}: no room"
    assert (attempt.workspace / "a.txt").read_text() == "precious"


class Full(MemoryWorkspaces):
    """Until somebody makes room."""

    room = False

    async def save(self, workspace: Workspace, *, task: str, attempt: int, message: str) -> Saved:
        if not self.room:
            raise WorkspaceError("it is full") from OSError(errno.ENOSPC, "No space left on device")
        return await super().save(workspace, task=task, attempt=attempt, message=message)


class Roomy(Full):
    room = True


def test_r4_a_full_disk_pauses_the_run_and_what_it_kept_from_being_saved_is_gone_on_from(tmp_path: Path) -> None:
    stage = Stage(tmp_path, kind=Full)
    coordinator = stage.run()
    assert (coordinator.state.ended, coordinator.state.by_id["a"].state) == ("paused", "ready")
    stage.workspaces = Roomy(stage.repository)
    found: list[str] = []

    def go_on(assignment: Assignment) -> Report:
        found.append((assignment.workspace / "a.txt").read_text())
        return Report(failure=Failure(kind="permanent"))

    stage.agent = FakeAgent(go_on)
    coordinator = stage.run()
    assert found == ["precious"]
    assert stage.agent.assignments[0].attempt == 2
    full = coordinator.state.by_id["a"].past[0]
    assert full.failure.kind == "no_room" and full.commit is not None
