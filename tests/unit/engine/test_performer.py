"""Every command that asks for an answer gets one, whenever it is taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from stretto.core import events as ev
from stretto.core.commands import CancelAttempt, LandBatch, StartAttempt
from stretto.core.events import Event
from stretto.engine.gating import Judgement
from stretto.engine.home import RunHome
from stretto.engine.performer import Performer, World
from stretto.engine.prompt import Prompts
from stretto.errors import WorkspaceError
from stretto.limits.memory import OpenLimits
from stretto.model.plan import Phase, Plan, Task
from stretto.model.run import LandEntry, RunSettings
from stretto.ports import Assignment, Report, Saved, Workspace
from stretto.testing.agents import FakeAgent
from stretto.testing.journal import MemoryJournal
from stretto.testing.workspaces import MemoryRepository, MemoryWorkspaces
from stretto.wiring import SystemClock

PLAN = Plan(name="p", format="stretto", phases=(Phase(id="p"),), tasks=(Task(id="a", phase="p"),))
Nothing: Any = None
"""In place of gates and processes, which nothing here gets to."""
MOMENTS = 40
"""More turns of the event loop than an attempt of these has."""


class Stage:
    """A performer on a repository in memory, and what it has reported."""

    def __init__(self, folder: Path, kind: type[MemoryWorkspaces] = MemoryWorkspaces) -> None:
        self.repository = MemoryRepository(folder / "work", {"README": b"hi\n"})
        self.workspaces = kind(self.repository)
        self.told: list[Event] = []
        world = World(
            agents={"fake": FakeAgent(self.play)},
            workspaces=self.workspaces,
            checks=Nothing,
            limits=OpenLimits(),
            processes=Nothing,
            clock=SystemClock(),
            inbox=MemoryJournal([]),
            home=RunHome(path=folder / "run"),
            agent_env={},
            prompts=Prompts(PLAN, {}),
            read_proposal=lambda body, task: (),
        )
        self.performer = Performer("run", PLAN, RunSettings(agent="fake"), world, self.told.append)
        self.start = StartAttempt(
            task="a", attempt=1, lane="target", base=self.repository.base, timeout_s=60, idle_s=60, agents=("fake",)
        )
        entry = LandEntry(task="a", attempt=1, commit=None)
        self.land = LandBatch(lane="target", batch=1, entries=(entry,), head=self.repository.base)

    def play(self, assignment: Assignment) -> Report | Awaitable[Report]:
        (assignment.workspace / "a.txt").write_text("precious")
        return Report()

    def answers(self) -> list[Event]:
        return [x for x in self.told if not isinstance(x, ev.Noticed | ev.AttemptStarted)]

    def run(self, act: Callable[[], Awaitable[None]]) -> list[Event]:
        async def whole() -> None:
            await self.performer.first_look()
            await act()
            for _ in range(MOMENTS):
                await asyncio.sleep(0)
            await self.performer.close()

        asyncio.run(whole())
        assert self.performer.broken is None
        return self.answers()


class Slow(MemoryWorkspaces):
    """Every step takes a turn of the event loop, so that something may come in between."""

    async def open(self, **wanted: Any) -> Workspace:
        await asyncio.sleep(0)
        return await super().open(**wanted)

    async def save(self, workspace: Workspace, *, task: str, attempt: int, message: str) -> Saved:
        await asyncio.sleep(0)
        saved = await super().save(workspace, task=task, attempt=attempt, message=message)
        await asyncio.sleep(0)
        return saved

    async def close(self, workspace: Workspace) -> None:
        await asyncio.sleep(0)
        await super().close(workspace)
        await asyncio.sleep(0)


class Failing(Slow):
    """The first save comes to nothing."""

    failed = False

    async def save(self, workspace: Workspace, *, task: str, attempt: int, message: str) -> Saved:
        await asyncio.sleep(0)
        if not self.failed:
            self.failed = True
            raise WorkspaceError("index.lock is there")
        return await super().save(workspace, task=task, attempt=attempt, message=message)


@pytest.mark.parametrize("kind", [Slow, Failing])
@pytest.mark.parametrize("moment", range(MOMENTS // 2))
def test_r8_6_an_attempt_that_is_cancelled_at_any_moment_ends_in_one_event(
    tmp_path: Path, moment: int, kind: type[MemoryWorkspaces]
) -> None:
    stage = Stage(tmp_path, kind)

    async def act() -> None:
        stage.performer.perform(stage.start)
        for _ in range(moment):
            await asyncio.sleep(0)
        stage.performer.perform(CancelAttempt(task="a", attempt=1))

    (end,) = stage.run(act)
    assert isinstance(end, ev.AttemptCancelled | ev.AttemptFinished | ev.AttemptFailed)
    worked = any(isinstance(x, ev.AttemptStarted) for x in stage.told)
    assert (end.commit is not None) == worked, "what it has done is saved, and told, whenever it is cancelled"
    assert not [x for x in stage.told if isinstance(x, ev.Noticed)]
    assert not stage.repository.leases


@pytest.mark.parametrize("twice_at", range(MOMENTS // 2))
def test_r8_6_cancelled_twice_it_still_ends_in_one_event(tmp_path: Path, twice_at: int) -> None:
    stage = Stage(tmp_path, Failing)

    async def act() -> None:
        stage.performer.perform(stage.start)
        for _ in range(4):
            await asyncio.sleep(0)
        stage.performer.perform(CancelAttempt(task="a", attempt=1))
        for _ in range(twice_at):
            await asyncio.sleep(0)
        stage.performer.perform(CancelAttempt(task="a", attempt=1))

    (end,) = stage.run(act)
    assert isinstance(end, ev.AttemptCancelled | ev.AttemptFinished | ev.AttemptFailed)
    assert end.commit is not None


class Landing(MemoryWorkspaces):
    async def landed(self, lane: str, batch: int, *, known: str = "") -> str | None:
        await asyncio.sleep(0)
        return await super().landed(lane, batch, known=known)

    async def advance(self, lane: str, batch: int, merge: Any, statuses: Mapping[str, str]) -> str:
        await asyncio.sleep(0)
        head = await super().advance(lane, batch, merge, statuses)
        await asyncio.sleep(0)
        return head


class Green:
    """Checks that have nothing against it."""

    async def of_merge(self, members: object, commit: str, *, tip_moved: bool) -> Judgement:
        await asyncio.sleep(0)
        return Judgement(color="green")


@pytest.mark.parametrize("moment", range(12))
def test_r8_6_a_landing_that_is_given_up_at_any_moment_ends_in_one_event(tmp_path: Path, moment: int) -> None:
    stage = Stage(tmp_path, Landing)
    stage.performer.world.checks = Green()  # type: ignore[assignment]

    async def act() -> None:
        stage.performer.perform(stage.land)
        for _ in range(moment):
            await asyncio.sleep(0)
        stage.performer.hurry()

    (end,) = stage.run(act)
    landed = isinstance(end, ev.BatchLanded)
    assert landed or isinstance(end, ev.BatchRejected)
    assert landed == (stage.repository.heads["target"] != stage.repository.base), "it is told if and only if it is so"
