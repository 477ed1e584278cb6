"""What tasks leave to those that come after them travels with the start of an attempt (R8.1: from the state alone)."""

from __future__ import annotations

from typing import Any

import pytest

from stretto.analysis.graph import build
from stretto.core import events as ev
from stretto.core.commands import StartAttempt
from stretto.core.handoff import MOST, handoffs
from stretto.core.start import first_state
from stretto.core.state import TaskRecord
from stretto.model.plan import Phase, Plan, Task
from stretto.model.run import Handoff, RunSettings
from stretto.testing.tables import Told


def task(id: str, *needs: str, phase: str = "p", after: tuple[str, ...] = (), optional: bool = False) -> Task:
    return Task(id=id, phase=phase, prompt=id, depends_on=needs, after=after, optional=optional)


def told(*tasks: Task, phases: tuple[Phase, ...], of: str) -> tuple[list[str], int]:
    plan = Plan(name="n", format="stretto", phases=phases, tasks=tasks)
    started = ev.RunStarted(at=0.0, run="r", plan=plan, settings=RunSettings(), base="b", branch="x")
    graph = build(plan)
    state = first_state(started, graph)
    found, more = handoffs(graph, state.tasks, state.by_id[of].index)
    return [one.task for one in found], more


def test_what_an_attempt_said_and_changed_reaches_the_task_after_it() -> None:
    run = Told(task("a"), task("b", "a"))
    run.granted("a")
    run.when(
        ev.AttemptFinished(
            at=run.later(), task="a", attempt=1, commit="a#1", paths=tuple(f"f{n:02}" for n in range(60)),
            summary="made it", decisions=("ids are text",),
        )
    )  # fmt: skip
    run.landed("a")
    started = run.coordinator.handle(ev.Granted(at=run.later(), task="b", attempt=1))
    (start,) = [command for command in started if isinstance(command, StartAttempt)]
    paths = tuple(f"f{n:02}" for n in range(50))
    assert start.handoffs == (
        Handoff(
            task="a", state="succeeded", summary="made it", decisions=("ids are text",), paths=paths, changed=60,
            commit="L1",
        ),
    )  # fmt: skip
    assert start.more_handoffs == 0


def test_what_came_to_nothing_is_told_with_its_reason() -> None:
    run = Told(task("a", optional=True), task("b", after=("a",)))
    run.granted("a")
    run.failed("a", "permanent")
    started = run.coordinator.handle(ev.Granted(at=run.later(), task="b", attempt=1))
    (start,) = [command for command in started if isinstance(command, StartAttempt)]
    assert start.handoffs == (Handoff(task="a", state="failed", reason="permanent"),)


MANY = tuple(task(f"m{n:03}", phase="many") for n in range(100))
PHASES = (Phase(id="many"), Phase(id="empty", depends_on=("many",)), Phase(id="last", depends_on=("empty",)))


@pytest.mark.parametrize(
    ("of", "expected", "more"),
    [
        # Those it names come before the rest of their phase; of the rest it is the last ones; plan order throughout.
        (task("x", "m003", "many"), ["m003", *(f"m{n:03}" for n in range(61, 100))], 60),
        (task("x", "m099", "many"), [f"m{n:03}" for n in range(61, 100)], 61),
        # A phase without tasks passes on (R1.5).
        (task("x", phase="last"), [f"m{n:03}" for n in range(60, 100)], 60),
        (task("x", "m001", "m001", after=("m001",)), ["m001"], 0),
        (task("x", *(f"m{n:03}" for n in range(90))), [f"m{n:03}" for n in range(50, 90)], 50),
        (task("x"), [], 0),
    ],
)
def test_the_nearest_are_told_and_the_others_counted(of: Task, expected: list[str], more: int) -> None:
    found, left = told(*MANY, of, phases=(*PHASES, Phase(id="p")), of="x")
    assert (found, left) == (expected, more)
    assert len(found) <= MOST


class Counted(list[TaskRecord]):
    """Records that count how often one of them is looked at."""

    looks = 0

    def __getitem__(self, index: Any) -> Any:
        self.looks += 1
        return super().__getitem__(index)


def test_a_phase_of_thousands_costs_its_dependents_no_more_looks_than_one_of_fifty() -> None:
    def looks(size: int) -> int:
        tasks = (*(task(f"m{n}", phase="many") for n in range(size)), task("x", "many"))
        plan = Plan(name="n", format="stretto", phases=(Phase(id="many"), Phase(id="p")), tasks=tasks)
        graph = build(plan)
        started = ev.RunStarted(at=0.0, run="r", plan=plan, settings=RunSettings(), base="b", branch="x")
        records = Counted(first_state(started, graph).tasks)
        handoffs(graph, records, size)
        return records.looks

    assert looks(5_000) == looks(50) <= MOST + 2
