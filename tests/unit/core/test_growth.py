"""Tasks that attempts add to their run (R8.4)."""

from __future__ import annotations

import msgspec
import pytest

from stretto.core.commands import TakeTasks
from stretto.core.events import BatchLanded, RunResumed, StopRequested, TasksCancelled, decode, encode
from stretto.core.explain import explain
from stretto.core.recovery import declare_lost, lost_attempts, outstanding, replay
from stretto.model.plan import Task
from stretto.model.run import TARGET, LandEntry, RunSettings
from stretto.testing.tables import Told, phase, spelled, task

ONE = RunSettings(parallel=1, agent="fake")


def test_r8_4_what_an_attempt_proposes_is_added_when_it_lands() -> None:
    run = Told(task("a"))
    run.granted("a")
    run.finished("a", proposed=(task("x"), task("y", "x")))
    assert run.states() == {"a": "landing"}
    assert run.landed("a") == ["take x y", "tell added", "ask x#1"]
    assert run.states() == {"a": "succeeded", "x": "ready", "y": "pending"}
    assert run.coordinator.state.by_id["y"].task.added_by == "a"
    run.through("x")
    assert run.through("y")[-1] == "end succeeded"


def test_r8_4_an_attempt_that_does_not_land_adds_nothing() -> None:
    run = Told(msgspec.structs.replace(task("a"), artifacts=("out",)))
    run.granted("a")
    run.finished("a", proposed=(task("x"),))
    run.gated("a", "red")
    run.granted("a")
    run.finished("a", proposed=(task("y"),))
    run.gated("a", "green")
    run.landed("a")
    assert list(run.states()) == ["a", "y"]


def test_r8_4_what_lands_after_all_adds_what_it_proposed() -> None:
    """Cancelled while its batch was on its way: landed wins, and whole (R6.1a)."""
    run = Told(task("a"))
    run.granted("a")
    run.finished("a", proposed=(task("x"),))
    run.when(TasksCancelled(at=9.0, tasks=("a",)))
    run.landed("a")
    assert run.states() == {"a": "succeeded", "x": "ready"}


def test_r1_2_who_waits_for_a_phase_waits_for_what_is_added_to_it() -> None:
    run = Told(task("a"), task("b", "p", phase="q"))
    assert run.through("a", proposed=(task("x"),)) == ["take x", "tell added", "ask x#1"]
    (reason,) = explain(run.coordinator, "b").reasons
    assert reason.tasks == ("x",)
    run.through("x")
    assert run.asking == ["b"]


def test_r1_2_who_waits_for_the_task_itself_does_not_wait_for_what_it_adds() -> None:
    run = Told(task("a"), task("b", "a"))
    run.through("a", proposed=(task("x"),))
    assert run.asking == ["b", "x"]


def test_r1_4_in_a_chain_what_is_added_comes_last() -> None:
    """Also where it names one of the chain, which would have kept the plan's own tasks from being one."""
    run = Told(task("a"), task("b"), phases=(phase("p", parallel=False),))
    run.through("a", proposed=(task("x", "a"), task("y")))
    assert run.states() == {"a": "succeeded", "b": "ready", "x": "pending", "y": "pending"}
    run.through("b")
    assert (run.state("x"), run.state("y")) == ("ready", "pending")


def test_r10_1_ranks_only_rise_and_the_risen_start_first() -> None:
    """`c` would have gone next; now `b` has a long way behind it."""
    run = Told(
        task("a", priority=1),
        task("z", estimate_s=900.0),
        task("c", estimate_s=800.0),
        task("b", estimate_s=60.0),
        settings=ONE,
    )
    before = {record.id: record.rank for record in run.coordinator.state.tasks}
    run.through("a", proposed=(task("x", "b", estimate_s=5000.0),))
    run.granted("z")
    assert run.finished("z")[-1] == "ask b#1"
    after = {record.id: record.rank for record in run.coordinator.state.tasks}
    assert all(after[id] <= before[id] for id in before) and after["b"] < before["b"]


PLACES = (phase("p"), phase("q", "p"), phase("r"))


@pytest.mark.parametrize(
    ("proposed", "why"),
    [
        (task("a"), "there is a task 'a' already"),
        (task("q"), "a phase has the name 'q' already"),
        (task("x", "nobody"), "'x' names 'nobody', which is not in the plan"),
        (task("x", after=("nobody",)), "'x' names 'nobody', which is not in the plan"),
        (task("x", conflicts_with=("nobody",)), "'x' names 'nobody', which is not in the plan"),
        (task("x", "x"), "they would wait for each other: 'x' -> 'x'"),
        (task("x", "q"), "they would wait for each other"),
        (task("x", "late"), "they would wait for each other"),
        (task("x", after=("late",)), "they would wait for each other"),
        (task("x", phase="nowhere"), "'x' is for phase 'nowhere', which is not in the plan"),
        (task("x", phase="r"), "'x' is for phase 'r', not for its own (growth.scope is 'claims')"),
        (task("x", writes=None), "'x' does not say what it writes, and 'a' does (growth.scope is 'claims')"),
        (task("x", writes=("src/a", "b")), "'x' is to write 'b', which 'a' may not (growth.scope is 'claims')"),
        (
            msgspec.structs.replace(task("x"), artifacts=("b",)),
            "'x' is to write 'b', which 'a' may not (growth.scope is 'claims')",
        ),
    ],
)
def test_r8_4_what_cannot_be_added_is_refused_whole_and_told(proposed: Task, why: str) -> None:
    run = Told(task("a", writes=("src/",)), task("late", phase="q"), task("c", phase="r", writes=("c",)), phases=PLACES)
    commands = run.through("a", proposed=(task("good", writes=("src/x",)), proposed))
    assert commands[0] == "tell not-added"
    assert set(run.states()) == {"a", "late", "c"}
    assert run.state("a") == "succeeded"
    assert why in run.coordinator.state.by_id["a"].note


@pytest.mark.parametrize(
    ("scope", "proposed", "added"),
    [
        ("phase", task("x", writes=("anywhere",)), True),
        ("phase", task("x", writes=None), True),
        ("phase", task("x", phase="r"), False),
        ("plan", task("x", phase="r"), True),
        ("plan", task("x", phase="q"), True),
        ("plan", task("x", phase="done"), False),
    ],
)
def test_r8_4_the_setting_says_where_tasks_may_be_added(scope: str, proposed: Task, added: bool) -> None:
    settings = msgspec.convert({"agent": "fake", "growth_scope": scope}, RunSettings)
    phases = (*PLACES, phase("done"))
    run = Told(
        task("a", writes=("src/",)), task("late", phase="q"), task("c", phase="r"), phases=phases, settings=settings
    )
    run.through("a", proposed=(proposed,))
    assert ("x" in run.states()) is added
    if not added and proposed.phase == "done":
        assert "which is done" in run.coordinator.state.by_id["a"].note


def test_r8_4_who_claims_nothing_in_particular_adds_what_it_likes_to_its_phase() -> None:
    run = Told(task("a", writes=None))
    run.through("a", proposed=(task("x", writes=("x",)), task("y", writes=None)))
    assert set(run.states()) == {"a", "x", "y"}


def test_r8_4_so_many_a_run_and_so_deep() -> None:
    run = Told(task("a"), task("b"), settings=msgspec.structs.replace(ONE, growth_most=3, growth_depth=2))
    run.through("a", proposed=(task("x"),))
    run.through("b", proposed=(task("s"), task("t"), task("u")))
    assert set(run.states()) == {"a", "b", "x"}
    assert "a run may add 3 tasks (growth.most), and has 1 of them" in run.coordinator.state.by_id["b"].note
    run.through("x", proposed=(task("y"),))
    run.through("y", proposed=(task("z"),))
    assert set(run.states()) == {"a", "b", "x", "y"}
    assert "of depth 3, and growth.depth is 2" in run.coordinator.state.by_id["y"].note


def test_r8_4_nothing_is_added_to_a_phase_that_has_stopped() -> None:
    run = Told(task("a"), task("b", attempts=1), phases=(phase("p", on_failure="stop"),))
    run.granted("a")
    run.granted("b")
    run.finished("a", proposed=(task("x"),))
    run.failed("b")
    run.landed("a")
    assert set(run.states()) == {"a", "b"}
    assert "phase 'p' stopped because 'b' failed" in run.coordinator.state.by_id["a"].note


def test_r8_4_what_waits_for_something_that_failed_is_skipped_at_once() -> None:
    run = Told(task("a"), task("b", attempts=1))
    run.granted("b")
    run.failed("b")
    commands = run.through("a", proposed=(task("x", "b"), task("y", "x")))
    assert commands[-1] == "end failed"
    assert run.reason("y") == "needs 'x', but 'b' failed"


def test_r8_4_a_run_that_stops_adds_and_starts_nothing_and_a_resume_goes_on() -> None:
    run = Told(task("a"))
    run.granted("a")
    run.finished("a", proposed=(task("x"),))
    run.when(StopRequested(at=9.0))
    assert run.landed("a")[-1] == "end stopped"
    assert run.state("x") == "ready"
    assert run.when(RunResumed(at=20.0)) == ["ask x#1"]


def test_r8_1_nothing_that_was_added_is_lost_or_added_twice_wherever_the_journal_is_cut() -> None:
    """The landing and what it adds are one fact: there is no moment between them."""
    run = Told(task("a"), task("b", "p", phase="q"))
    run.through("a", proposed=(task("x"), task("y", "x")))
    for name in ("x", "y", "b"):
        run.through(name)
    events = [decode(encode(event)) for event in run.events]
    for cut in range(1, len(events) + 1):
        again = replay(events[:cut])
        other = replay(events[:cut])
        assert again.state == other.state and again.steps.readiness == other.steps.readiness
        landed = any(isinstance(event, BatchLanded) for event in events[:cut])
        assert [r.id for r in again.state.tasks] == (["a", "b", "x", "y"] if landed else ["a", "b"])
        for record in lost_attempts(again.state):
            again.handle(declare_lost(record, 1000.0, None))
        again.handle(RunResumed(at=1001.0))
        assert not any(isinstance(command, TakeTasks) for command in outstanding(again.state))


def test_r8_1_a_landing_that_is_told_twice_adds_once() -> None:
    run = Told(task("a"))
    run.through("a", proposed=(task("x"),))
    entry = LandEntry(task="a", attempt=1, commit="a#1")
    assert run.when(BatchLanded(at=99.0, lane=TARGET, batch=1, landed=(entry,), commit="L1")) == []
    assert list(run.states()) == ["a", "x"]


def test_r2_1_what_is_added_keeps_to_claims_like_everybody() -> None:
    run = Told(task("a", writes=("src/",)))
    commands = run.through("a", proposed=(task("x", writes=("src/m",)), task("y", writes=("src/m",))))
    assert commands[-1] == "ask x#1" and run.asking == ["x"]
    assert [spelled(c) for c in outstanding(run.coordinator.state)] == ["ask x#1"]


def test_r6_4_an_added_task_has_no_status_in_the_plan_file() -> None:
    run = Told(task("a", attempts=1), task("b"))
    run.through("b", proposed=(msgspec.structs.replace(task("x"), attempts=1),))
    run.granted("x")
    run.failed("x")
    run.granted("a")
    run.failed("a")
    (end,) = [c for c in replay(run.events[:-1]).handle(run.events[-1]) if type(c).__name__ == "EndRun"]
    assert end.statuses == {"a": "failed"}  # type: ignore[union-attr]
