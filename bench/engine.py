"""What the engine costs when nobody works: processor time of a durable task, and memory of a large run."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Literal

from measure import Row, cpu, peak_mb, scratch, turn_about

from stretto.core import commands as cmd
from stretto.core import events as ev
from stretto.core.coordinator import Coordinator
from stretto.engine import journal
from stretto.engine.embedded import EmbeddedEngine
from stretto.engine.gating import Checks
from stretto.engine.home import RunHome
from stretto.engine.journal import SqliteJournal
from stretto.engine.performer import Performer, World
from stretto.engine.prompt import Prompts
from stretto.engine.supervise import ProcessSupervisor
from stretto.limits.memory import OpenLimits
from stretto.model.plan import Phase, Plan, Task
from stretto.model.run import LandEntry, RunSettings
from stretto.ports import Merge, Saved, Workspace
from stretto.testing.agents import FakeAgent
from stretto.wiring import SystemClock

PLACES = 10
SETTINGS = RunSettings(parallel=PLACES, agent="noop")
Sync = Literal["FULL", "NORMAL"]
Report = Callable[[ev.Event], None]


class NoWorkspaces:
    """The port Workspaces for tasks that change nothing: it costs next to nothing, so that the engine shows."""

    unsaved: Sequence[str] = ()

    def __init__(self, path: Path) -> None:
        self._space = Workspace(path=path, base="base", key="")

    def take(self, tasks: Sequence[Task]) -> None:
        pass

    async def open(self, **_: object) -> Workspace:
        return self._space

    async def save(self, workspace: Workspace, **_: object) -> Saved:
        return Saved(commit=None, paths=())

    async def close(self, workspace: Workspace) -> None:
        pass

    async def contents(self, commit: str) -> str:
        return commit

    async def rescue(self) -> Mapping[tuple[str, int], str]:
        return {}

    async def head(self, lane: str) -> str:
        return "base"

    async def merge(self, lane: str, batch: int, entries: Sequence[LandEntry], *, known: str) -> Merge:
        return Merge(tip="base", commit="base", landed=tuple(entries))

    async def advance(self, lane: str, batch: int, merge: Merge, statuses: Mapping[str, str]) -> str:
        return "base"

    async def landed(self, lane: str, batch: int, **_: object) -> str | None:
        return None

    async def write_statuses(self, lane: str, statuses: Mapping[str, str]) -> str | None:
        return None

    async def look(self) -> Mapping[str, str]:
        return {}


class Echo:
    """In place of a performer: says of every deed that it is done. Left are the core, the journal and the loop."""

    end = broken = None

    def __init__(self, report: Report) -> None:
        self._report = report

    def perform(self, command: cmd.Command) -> None:
        at = time.time()
        match command:
            case cmd.RequestGrant():
                self._report(ev.Granted(at=at, task=command.task, attempt=command.attempt))
            case cmd.StartAttempt():
                self._report(ev.AttemptStarted(at=at, task=command.task, attempt=command.attempt))
                self._report(ev.AttemptFinished(at=at, task=command.task, attempt=command.attempt, commit=None))
            case cmd.LandBatch():
                self._report(
                    ev.BatchLanded(at=at, lane=command.lane, batch=command.batch, landed=command.entries, commit="base")
                )
            case _:
                pass

    async def first_look(self) -> None:
        pass

    async def close(self) -> None:
        pass


def performer(home: RunHome, plan: Plan, book: SqliteJournal, report: Report) -> Performer:
    """The real one: a folder, a prompt and jobs for each attempt, of an agent that does nothing."""
    spaces, processes = NoWorkspaces(home.path), ProcessSupervisor()
    checks = Checks(
        run="r", plan=plan, settings=SETTINGS, gates={}, workspaces=spaces, processes=processes, home=home, env={}
    )
    world = World(
        agents={"noop": FakeAgent()},
        workspaces=spaces,
        checks=checks,
        limits=OpenLimits(),
        processes=processes,
        clock=SystemClock(),
        inbox=book,
        home=home,
        agent_env={},
        prompts=Prompts(plan, {}),
        read_proposal=lambda body, task: (),
    )
    return Performer("r", plan, SETTINGS, world, report)


def durable(folder: Path, tasks: int, *, sync: Sync, real: bool = False) -> None:
    """A run of that many independent tasks that do nothing."""
    home = RunHome(path=folder)
    home.path.mkdir(parents=True)
    plan = Plan(
        name="bench",
        format="stretto",
        phases=(Phase(id="p"),),
        tasks=tuple(Task(id=f"t{i}", phase="p", prompt="nothing", writes=()) for i in range(tasks)),
    )
    started = ev.RunStarted(at=time.time(), run="r", plan=plan, settings=SETTINGS, base="base", branch="b")
    journal.create(home.journal, [started])
    book = SqliteJournal(home.journal, synchronous=sync)

    def make(coordinator: Coordinator, report: Report) -> Any:
        return performer(home, plan, book, report) if real else Echo(report)

    engine = EmbeddedEngine(
        journal=book, inbox=book, workspaces=NoWorkspaces(folder), clock=SystemClock(), pause_files=(),
        make_performer=make,
    )  # fmt: skip
    done = asyncio.run(engine.run())
    book.close()
    assert done.state.ended == "succeeded"


def bare(tasks: int) -> None:
    """The least that an asyncio program can do for so many: one coroutine each, ten at a time."""
    ready = deque(range(tasks))

    async def nothing() -> None:
        pass

    async def run() -> None:
        left, over = tasks, asyncio.get_running_loop().create_future()

        def start() -> None:
            if ready:
                ready.popleft()
                asyncio.ensure_future(nothing()).add_done_callback(finish)

        def finish(_: object) -> None:
            nonlocal left
            left -= 1
            start()
            if not left:
                over.set_result(None)

        for _ in range(PLACES):
            start()
        await over

    asyncio.run(run())


# --- rows ----------------------------------------------------------------------------------------------------------


def cost(folder: Path, tasks: int, *, sync: Sync, real: bool = False, most: float | None = None) -> Row:
    def ours(turn: int) -> float:
        place = folder / f"{sync}-{real}-{turn}"
        return cpu(lambda: durable(place, tasks, sync=sync, real=real)) / tasks

    what = ", with the performer and its folders" if real else ""
    return Row.of(
        f"CPU of a durable task that does nothing{what} / bare asyncio loop", f"{tasks:,} independent tasks",
        *turn_about(ours, lambda turn: cpu(lambda: bare(tasks)) / tasks, turns=5),
        most=most, durable=sync, unit="µs", scale=1e6, jobs=PLACES,
    )  # fmt: skip


def memory(folder: Path, tasks: int, most_mb: float) -> Row:
    """The most memory that a process needs for a large run, and for an empty one."""

    def run(tasks: int, turn: int) -> float:
        argv = [sys.executable, __file__, str(folder / f"memory-{tasks}-{turn}"), str(tasks)]
        return float(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)

    large, empty = turn_about(lambda turn: run(tasks, turn), lambda turn: run(0, turn), turns=3, warm=0)
    return Row.of(
        "memory of a large run / of an empty one", f"{tasks:,} independent tasks", large, empty, unit="MB", jobs=PLACES,
        durable="NORMAL", most=1 + most_mb / median(empty),
    )  # fmt: skip


def rows(*, quick: bool) -> list[Row]:
    tasks = 100 if quick else 10_000
    with scratch("engine") as folder:
        return [
            cost(folder, tasks, sync="NORMAL", most=10.0),
            cost(folder, tasks // 10, sync="FULL"),
            cost(folder, tasks, sync="NORMAL", real=True),
            memory(folder, tasks, 60.0),
        ]


if __name__ == "__main__":
    durable(Path(sys.argv[1]), int(sys.argv[2]), sync="NORMAL")
    print(peak_mb())
