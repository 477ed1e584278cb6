"""The merge queue: one at a time, first come first served, and out of everyone's hands once sent (R6)."""

from __future__ import annotations

import pytest

from stretto.core.events import BatchLanded, BatchRejected, RunResumed, StopRequested, TasksCancelled
from stretto.model.run import TARGET, Culprit, LandEntry, RunSettings
from stretto.testing.tables import Told, phase, task


def two_finished() -> Told:
    """b finished before a; b is on its way, a waits."""
    run = Told(task("a"), task("b"))
    run.granted("a")
    run.granted("b")
    assert run.finished("b") == ["release b#1", "land 1: b#1"]
    assert run.finished("a") == ["release a#1"]
    return run


def test_r6_1_one_landing_at_a_time_in_the_order_of_readiness() -> None:
    run = two_finished()
    assert run.landed("b") == ["land 2: a#1"]
    assert run.landed("a") == ["end succeeded"]


def test_r6_1_an_interrupted_landing_is_sent_again_first() -> None:
    run = two_finished()
    assert run.rejected() == ["land 2: b#1"]


def test_r6_1_a_landing_that_cannot_be_done_pauses_the_run() -> None:
    run = two_finished()
    assert run.rejected(error="no space left on device") == ["end paused"]
    assert run.states() == {"a": "landing", "b": "landing"}
    assert run.when(RunResumed(at=99.0)) == ["land 2: b#1"]


def test_r6_1_a_landing_that_cannot_be_done_is_not_tried_again_while_draining() -> None:
    run = two_finished()
    run.when(StopRequested(at=9.0))
    assert run.rejected(error="no space left on device") == ["end stopped"]


@pytest.mark.parametrize("number", [0, 2, 99])
def test_r6_1a_a_report_of_another_batch_changes_nothing(number: int) -> None:
    run = two_finished()
    entry = LandEntry(task="b", attempt=1, commit="b#1")
    assert run.when(BatchLanded(at=9.0, lane=TARGET, batch=number, landed=(entry,), commit="X")) == []
    assert run.when(BatchRejected(at=9.0, lane=TARGET, batch=number)) == []
    assert run.when(BatchLanded(at=9.0, lane="elsewhere", batch=1, landed=(entry,), commit="X")) == []
    assert run.coordinator.state.lane.head == "base"
    assert run.states() == {"a": "landing", "b": "landing"}


def test_r6_1a_to_cancel_what_is_on_its_way_waits_and_landed_wins() -> None:
    run = two_finished()
    assert run.when(TasksCancelled(at=9.0, tasks=("b",))) == []
    assert run.state("b") == "landing"
    run.landed("b")
    assert run.state("b") == "succeeded"


@pytest.mark.parametrize("culprits", [(), (Culprit(task="b", kind="gate"),), (Culprit(task="b", kind="conflict"),)])
def test_r6_1a_to_cancel_what_is_on_its_way_counts_when_it_did_not_land(culprits: tuple[Culprit, ...]) -> None:
    run = two_finished()
    run.when(TasksCancelled(at=9.0, tasks=("b",)))
    assert run.rejected(*culprits) == ["land 2: a#1"]
    assert run.state("b") == "cancelled"


def test_r6_1a_what_only_waits_to_land_is_cancelled_at_once() -> None:
    run = two_finished()
    run.when(TasksCancelled(at=9.0, tasks=("a",)))
    assert run.state("a") == "cancelled"
    assert run.landed("b") == ["end failed"]


def test_r6_1a_a_stopped_phase_does_not_touch_what_lands() -> None:
    run = Told(task("a", attempts=1), task("b"), task("c"), phases=(phase("p", on_failure="stop"),))
    for name in "abc":
        run.granted(name)
    run.finished("b")
    run.finished("c")
    run.failed("a")
    assert run.states() == {"a": "failed", "b": "landing", "c": "landing"}
    assert run.landed("b") == ["land 2: c#1"]


def test_r8_6_nothing_new_lands_while_everything_is_being_ended() -> None:
    run = two_finished()
    run.when(StopRequested(at=9.0, now=True))
    assert run.landed("b") == ["end stopped"]
    assert run.states() == {"a": "landing", "b": "succeeded"}


def test_r6_1_a_task_without_changes_lands_as_a_fact() -> None:
    run = Told(task("a"), task("b", "a"), settings=RunSettings(agent="fake"))
    run.granted("a")
    assert run.finished("a", changed=False) == ["release a#1", "land 1: a#1"]
    assert run.landed("a") == ["ask b#1"]
