"""Stopping, cancelling, retrying, resuming, and how a run ends (R8, R11)."""

from __future__ import annotations

import msgspec
import pytest

from stretto.core.events import (
    Granted,
    RequestReceived,
    RunResumed,
    SettingsChanged,
    StopRequested,
    TaskApproved,
    TasksCancelled,
    TasksRetried,
    TimerFired,
    Wish,
)
from stretto.core.recovery import declare_lost, lost_attempts, outstanding, replay
from stretto.model.plan import Check
from stretto.model.run import RunSettings
from stretto.testing.tables import Told, spelled, task

WAITING = RunSettings(parallel=9, on_approval="wait", agent="fake")
CHECKED = (Check(command="true"),)


# --- requests ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wish", "accepted"),
    [
        (StopRequested(at=0.0), True),
        (SettingsChanged(at=0.0, parallel=2), True),
        (SettingsChanged(at=0.0, parallel=0), False),
        (TasksCancelled(at=0.0, tasks=("a",)), True),
        (TasksCancelled(at=0.0, tasks=("a", "nobody")), False),
        (TasksRetried(at=0.0), False),
        (TasksRetried(at=0.0, tasks=("a",)), False),
        (TaskApproved(at=0.0, task="a"), False),
        (TaskApproved(at=0.0, task="nobody"), False),
    ],
)
def test_r8_3a_every_request_is_answered_and_refused_purely(wish: Wish, accepted: bool) -> None:
    run = Told(task("a"))
    before = run.states()
    commands = run.when(RequestReceived(at=1.0, request="r", wish=wish))
    assert commands[0] == f"r: {'yes' if accepted else 'no'}"
    if not accepted:
        assert (commands[1:], run.states()) == ([], before)


def test_r8_3a_a_wish_for_several_is_granted_whole_or_not_at_all() -> None:
    run = Told(task("a"), task("b"))
    run.when(TasksCancelled(at=1.0, tasks=("a", "nobody")))
    assert run.states() == {"a": "ready", "b": "ready"}


# --- stopping ----------------------------------------------------------------------------------------------------


def test_r8_6_a_stop_drains() -> None:
    run = Told(task("a"), task("b", "a"))
    run.granted("a")
    assert run.when(StopRequested(at=5.0)) == ["timer drain at 605"]
    run.finished("a")
    assert run.landed("a") == ["end stopped"]
    assert run.states() == {"a": "succeeded", "b": "ready"}


def test_r8_6_a_grant_that_comes_while_draining_is_given_back() -> None:
    run = Told(task("a"))
    run.when(StopRequested(at=5.0))
    assert run.granted("a") == ["release a#1", "end stopped"]
    assert run.state("a") == "ready"


def test_r8_6_a_drain_does_not_wait_for_timers() -> None:
    run = Told(task("a"))
    run.granted("a")
    run.failed("a", "transient")
    assert run.when(StopRequested(at=5.0))[-1] == "end stopped"


def test_r8_6_a_drain_retries_nothing() -> None:
    run = Told(task("a"))
    run.granted("a")
    run.when(StopRequested(at=5.0))
    assert run.failed("a", "transient") == ["release a#1", "end stopped"]
    assert run.state("a") == "ready"


@pytest.mark.parametrize("second", [StopRequested(at=6.0, now=True), TimerFired(at=605.0, timer="drain")])
def test_r8_6_a_second_stop_or_the_drains_end_ends_what_runs(second: StopRequested | TimerFired) -> None:
    run = Told(task("a"))
    run.granted("a")
    run.when(StopRequested(at=5.0))
    assert run.when(second) == ["cancel a#1"]
    assert run.ended("a") == ["release a#1", "end stopped"]
    assert (run.state("a"), run.reason("a")) == ("ready", "interrupted")


def test_r8_6_interrupted_work_costs_nothing_and_goes_along() -> None:
    run = Told(task("a", attempts=1))
    run.granted("a")
    run.when(StopRequested(at=5.0, now=True))
    run.ended("a")
    assert run.when(RunResumed(at=9.0)) == ["ask a#2"]
    assert run.granted("a") == ["start a#2 from base with a#1"]


def test_r8_6_what_has_finished_all_the_same_is_kept() -> None:
    run = Told(task("a"))
    run.granted("a")
    run.when(StopRequested(at=5.0, now=True))
    assert run.finished("a") == ["release a#1", "end stopped"]
    assert run.when(RunResumed(at=9.0)) == ["land 1: a#1"]


def test_r8_6_a_stop_during_a_pause_is_a_stop() -> None:
    run = Told(task("a"), task("b"))
    run.granted("a")
    run.granted("b")
    run.failed("a", "quota")
    assert run.when(StopRequested(at=9.0, by_signal=True)) == ["timer drain at 609"]
    assert run.failed("b") == ["release b#1", "end stopped"]
    assert run.coordinator.state.by_signal


def test_r8_6_a_timer_left_over_from_an_earlier_drain_ends_nothing() -> None:
    run = Told(task("a"))
    run.granted("a")
    run.when(StopRequested(at=5.0))
    run.when(RunResumed(at=100.0))
    run.when(StopRequested(at=200.0))
    assert run.when(TimerFired(at=605.0, timer="drain")) == ["timer drain at 800"]
    assert run.state("a") == "running"


# --- cancelling and retrying -------------------------------------------------------------------------------------


def test_r8_4_a_cancelled_attempt_is_ended_first() -> None:
    run = Told(task("a"), task("b", "a"))
    run.granted("a")
    assert run.when(TasksCancelled(at=5.0, tasks=("a",))) == ["cancel a#1"]
    assert run.state("a") == "running"
    assert run.ended("a") == ["release a#1", "end failed"]
    assert run.states() == {"a": "cancelled", "b": "skipped"}
    assert run.reason("b") == "needs 'a', which was cancelled"


def test_r8_4_cancelled_before_its_grant_came() -> None:
    run = Told(task("a"), task("b"), settings=RunSettings(parallel=1, agent="fake"))
    assert run.when(TasksCancelled(at=5.0, tasks=("a",))) == ["ask b#1"]
    assert run.when(Granted(at=6.0, task="a", attempt=1)) == ["release a#1"]


def test_r8_4_retry_starts_what_failed_and_what_fell_with_it_over() -> None:
    run = Told(task("a", attempts=1), task("b", "a"), task("c"))
    run.granted("a")
    run.through("c")
    assert run.failed("a") == ["release a#1", "end failed"]
    assert run.when(TasksRetried(at=50.0)) == []
    assert run.states() == {"a": "ready", "b": "pending", "c": "succeeded"}
    assert run.when(RunResumed(at=51.0)) == ["ask a#2"]


def test_r8_4_what_still_stands_behind_a_failure_is_skipped_again() -> None:
    run = Told(task("a", attempts=1), task("b", "a"), task("x"))
    run.granted("a")
    run.failed("a")
    run.when(TasksRetried(at=50.0, tasks=("b",)))
    assert run.states() == {"a": "failed", "b": "skipped", "x": "ready"}


def test_r8_4_what_fell_with_a_failure_has_nothing_to_try_again() -> None:
    run = Told(task("a"), task("b", "a"), settings=RunSettings(attempts=1, agent="fake"))
    run.granted("a")
    run.failed("a", "permanent")
    run.when(TasksRetried(at=50.0))
    told = {record.id: record.reason for record in run.coordinator.state.tasks}
    assert told == {"a": "", "b": ""}


def test_r8_4_a_task_named_twice_is_retried_once() -> None:
    run = Told(task("a", attempts=1), task("b"))
    run.granted("a")
    run.failed("a")
    assert run.when(TasksRetried(at=50.0, tasks=("a", "a"))) == ["ask a#2"]


def test_r8_4_counters_start_over_and_numbers_go_on() -> None:
    run = Told(task("a", attempts=2), task("keeps it going"))
    for _ in range(2):
        run.granted("a")
        run.failed("a")
    run.when(TasksRetried(at=50.0))
    run.granted("a")
    assert run.failed("a") == ["release a#3", "ask a#4"]


# --- recovery ----------------------------------------------------------------------------------------------------


def test_r8_1_a_replay_gives_the_same_state() -> None:
    run = Told(task("a", writes=("x",)), task("b", writes=("x",)), task("c", "a"))
    run.granted("a")
    run.failed("a", "transient")
    run.granted("b")
    run.finished("b", paths=("y",))
    again = replay(run.events)
    assert again.state == run.coordinator.state
    assert again.steps.admission == run.coordinator.steps.admission
    assert again.steps.readiness == run.coordinator.steps.readiness


def test_r8_1_outstanding_is_what_has_no_answer() -> None:
    checked = msgspec.structs.replace(task("gating"), verify=CHECKED)
    asked = msgspec.structs.replace(task("person"), verify=CHECKED)
    run = Told(checked, asked, task("running"), task("asking"), task("backoff"), task("landing"), settings=WAITING)
    for name in ("gating", "person", "running", "backoff", "landing"):
        run.granted(name)
    run.finished("gating")
    run.finished("person")
    run.gated("person", "ask")
    run.failed("backoff", "overloaded", retry_after_s=60.0)
    run.finished("landing")
    assert sorted(spelled(command) for command in outstanding(run.coordinator.state)) == [
        "approve? person#1",
        "ask asking#1",
        "ask gating#1",
        "ask running#1",
        "judge gating#1 at gating#1",
        "land 1: landing#1",
        f"timer backoff:backoff at {run.at - 1 + 60:g}",
    ]
    (record,) = lost_attempts(run.coordinator.state)
    assert record.id == "running"
    assert run.when(declare_lost(record, 99.0, "saved")) == ["release running#1", "ask running#2"]


def test_r8_2_a_landed_task_starts_no_other_attempt() -> None:
    run = Told(task("a"), task("b"))
    run.through("a")
    run.when(RunResumed(at=50.0))
    assert run.granted("a") == ["release a#1"]
    assert run.state("a") == "succeeded"


# --- ends --------------------------------------------------------------------------------------------------------


def test_r11_all_landed_is_success() -> None:
    assert Told(task("a")).through("a") == ["end succeeded"]


def test_r11_a_failed_optional_task_leaves_success() -> None:
    run = Told(task("a", optional=True, attempts=1), task("b"))
    run.through("b")
    run.granted("a")
    assert run.failed("a") == ["release a#1", "end succeeded"]


def test_r11_a_cancelled_task_leaves_failure() -> None:
    run = Told(task("a"), task("b"))
    run.through("b")
    assert run.when(TasksCancelled(at=50.0, tasks=("a",))) == ["end failed"]


def test_r11_a_run_without_tasks_succeeds_at_once() -> None:
    assert Told().first == ["end succeeded"]


def test_r11_the_last_word_is_what_became_of_the_tasks_even_while_draining() -> None:
    run = Told(task("a"))
    run.granted("a")
    run.when(StopRequested(at=5.0))
    run.finished("a")
    assert run.landed("a") == ["end succeeded"]


def test_r11_timers_are_waited_for() -> None:
    run = Told(task("a"))
    assert run.denied("a") == ["timer grant:a at 11"]
    assert run.when(TimerFired(at=11.0, timer="grant:a")) == ["ask a#2"]


def test_r8_4_a_retry_by_name_brings_back_what_fell_with_it() -> None:
    run = Told(task("a"), task("b", "a"), task("c", "b"), task("x"), task("y", "x"), settings=RunSettings(attempts=1))
    run.granted("a"), run.granted("x")
    run.failed("a"), run.failed("x")
    assert run.states() == {"a": "failed", "b": "skipped", "c": "skipped", "x": "failed", "y": "skipped"}
    run.when(TasksRetried(at=9.0, tasks=("a",)))
    run.when(RunResumed(at=10.0))
    assert run.states() == {"a": "ready", "b": "pending", "c": "pending", "x": "failed", "y": "skipped"}
    assert run.reason("y") == "needs 'x', which failed"


def test_r8_4_a_bare_retry_leaves_what_a_person_cancelled() -> None:
    run = Told(task("a"), task("b"), task("c", "b"), settings=RunSettings(attempts=1))
    run.granted("a")
    run.when(TasksCancelled(at=5.0, tasks=("b",)))
    run.failed("a")
    run.when(TasksRetried(at=9.0))
    run.when(RunResumed(at=10.0))
    assert run.states() == {"a": "ready", "b": "cancelled", "c": "skipped"}


def test_r8_4_a_retry_goes_on_with_a_run_that_a_failure_stopped() -> None:
    run = Told(task("a"), task("b"), task("c"), settings=RunSettings(attempts=1, parallel=2, on_failure="stop"))
    run.granted("a"), run.granted("b")
    run.failed("a")
    assert run.states()["c"] == "ready"
    assert "ask a#2" in run.when(TasksRetried(at=9.0))


def test_r8_4_a_critical_failure_that_stands_still_stops_the_rest() -> None:
    run = Told(task("a", critical=True), task("b"), task("c"), settings=RunSettings(attempts=1, parallel=2))
    run.granted("a"), run.granted("b")
    run.failed("b")
    run.failed("a")
    run.when(TasksRetried(at=9.0, tasks=("b",)))
    assert run.states() == {"a": "failed", "b": "skipped", "c": "skipped"}
    assert "critical" in run.reason("b")


def test_r4_a_run_stopped_by_its_policy_stays_so_over_another_drain_and_a_crash() -> None:
    settings = RunSettings(attempts=1, parallel=2, on_failure="stop")
    run = Told(task("a"), task("b"), task("c"), task("d"), settings=settings)
    run.granted("a"), run.granted("b")
    run.when(StopRequested(at=3.0))
    run.failed("a")
    assert run.finished("b") and run.landed("b")
    run.when(RunResumed(at=9.0))
    assert run.states() == {"a": "failed", "b": "succeeded", "c": "ready", "d": "ready"}
    assert "c" in "".join(run.when(RunResumed(at=10.0))), "who resumes after that wants the rest all the same"


def test_r8_4_a_cancelled_attempt_that_finished_is_told_to_the_next_one() -> None:
    """Its work is in a ref all the same, and a person may want the task back."""
    run = Told(task("a"))
    run.granted("a")
    run.when(TasksCancelled(at=run.later(), tasks=("a",)))
    run.finished("a")
    assert run.states() == {"a": "cancelled"}
    run.when(TasksRetried(at=run.later(), tasks=("a",)))
    run.when(RunResumed(at=run.later()))
    (past,) = run.coordinator.state.by_id["a"].past
    assert (past.attempt, past.failure.kind, past.commit) == (1, "cancelled", "a#1")
    assert run.granted("a") == ["start a#2 from base with a#1"]
