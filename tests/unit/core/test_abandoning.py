"""A run that a person gives up: nothing goes on, nothing is granted, and all of it can be taken back (R6.4)."""

from __future__ import annotations

import pytest

from stretto.core.events import (
    RequestReceived,
    RunAbandoned,
    RunReclaimed,
    RunResumed,
    SettingsChanged,
    StopRequested,
    TasksCancelled,
    TasksRetried,
    Wish,
)
from stretto.core.explain import explain
from stretto.core.recovery import lost_attempts
from stretto.testing.tables import Told, task


def given_up() -> Told:
    """`a` has landed, `b` runs when its engine dies."""
    run = Told(task("a"), task("b", "a"))
    run.through("a")
    run.granted("b")
    assert run.when(RunAbandoned(at=run.later(), by="ann")) == []
    return run


def test_r6_4_an_abandoned_run_starts_nothing_more() -> None:
    run = given_up()
    assert [record.id for record in lost_attempts(run.coordinator.state)] == ["b"]
    assert run.lost("b", engine=True) == ["release b#1"]
    assert run.coordinator.state.run_state == "abandoned"
    assert run.when(RunResumed(at=run.later())) == [], "nor does an engine that comes all the same"
    (why,) = (reason for reason in explain(run.coordinator, "b").reasons if reason.code == "abandoned")
    assert why.message == "the run has been abandoned"


@pytest.mark.parametrize(
    "wish",
    [
        StopRequested(at=9.0),
        SettingsChanged(at=9.0, parallel=2),
        TasksCancelled(at=9.0, tasks=("b",)),
        TasksRetried(at=9.0, tasks=("b",)),
    ],
    ids=lambda wish: type(wish).__name__,
)
def test_r6_4_an_abandoned_run_grants_no_wish(wish: Wish) -> None:
    run = given_up()
    before = run.coordinator.state.run_state, run.coordinator.state.parallel
    assert run.when(RequestReceived(at=run.later(), request="r", wish=wish)) == ["r: no"]
    assert run.when(wish) == []
    assert (run.coordinator.state.run_state, run.coordinator.state.parallel) == before


def test_r6_4_a_run_that_is_taken_back_goes_on_where_it_was() -> None:
    run = given_up()
    run.lost("b", engine=True)
    assert run.when(RunReclaimed(at=run.later(), by="ann")) == ["ask b#2"]
    assert run.coordinator.state.run_state == "running"
    run.granted("b")
    run.finished("b")
    assert run.landed("b")[-1] == "end succeeded"


def test_r6_4_a_finished_run_can_be_given_up_and_taken_back() -> None:
    run = Told(task("a"))
    run.through("a")
    run.when(RunAbandoned(at=run.later()))
    assert (run.coordinator.state.ended, run.coordinator.state.run_state) == ("succeeded", "abandoned")
    run.when(RunReclaimed(at=run.later()))
    assert run.coordinator.state.run_state == "succeeded"
