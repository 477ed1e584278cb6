"""What an attempt's end means: kinds of failure, what they cost, where the next attempt starts (R4, R5)."""

from __future__ import annotations

import typing

import msgspec
import pytest

from stretto.core.commands import StartAttempt
from stretto.core.events import (
    AttemptFinished,
    AttemptLost,
    Granted,
    StopRequested,
    TaskApproved,
    TaskRejected,
    TimerFired,
)
from stretto.core.retry import RULES
from stretto.model.plan import Check, Effect, Task
from stretto.model.run import Culprit, FailureKind, RunSettings
from stretto.testing.tables import Told, phase, task

CHECKED = (Check(command="true"),)


def checked(id: str, *, effect: Effect = "any", attempts: int | None = None) -> Task:
    return msgspec.structs.replace(task(id, attempts=attempts), verify=CHECKED, effect=effect)


def test_r4_a_report_for_another_attempt_changes_nothing() -> None:
    run = Told(task("a"))
    run.granted("a")
    run.failed("a")
    run.granted("a")
    before = run.states()
    old = AttemptFinished(at=50.0, task="a", attempt=1, commit="x")
    assert run.when(old) == []
    assert run.states() == before == {"a": "running"}


def test_r4_a_report_told_twice_counts_once() -> None:
    run = Told(checked("a"))
    run.granted("a")
    assert run.finished("a") == ["judge a#1 at a#1"]
    assert run.finished("a") == []
    assert run.granted("a") == []
    assert run.states() == {"a": "gating"}


@pytest.mark.parametrize(
    "kind", ["timeout", "idle", "out_of_memory", "failed", "blocked_on_prompt", "no_effect", "tampered"]
)
def test_r4_charged_kinds_fail_after_the_third_try_and_carry_nothing(kind: FailureKind) -> None:
    run = Told(task("a"))
    for n in (1, 2):
        assert run.granted("a") == [f"start a#{n} from base"]
        assert run.failed("a", kind) == [f"release a#{n}", f"ask a#{n + 1}"]
    run.granted("a")
    assert run.failed("a", kind) == ["release a#3", "end failed"]


def test_r4_transient_is_charged_backs_off_and_carries_the_work() -> None:
    run = Told(task("a"))
    run.granted("a")
    (release, timer) = run.failed("a", "transient")
    due = run.coordinator.state.timers["backoff:a"]
    assert release == "release a#1" and timer.startswith("timer backoff:a")
    assert run.at + 2.0 <= due <= run.at + 2.5
    assert run.when(TimerFired(at=due, timer="backoff:a")) == ["ask a#2"]
    assert run.granted("a") == ["start a#2 from base with a#1"]


def test_r4_backoff_doubles_up_to_five_minutes() -> None:
    run = Told(task("a"))
    waits = []
    for _ in range(12):
        run.granted("a")
        run.failed("a", "overloaded")
        due = run.coordinator.state.timers["backoff:a"]
        waits.append(due - run.at)
        run.when(TimerFired(at=due, timer="backoff:a"))
    assert all(min(300.0, 2.0 * 2**i) <= wait <= min(300.0, 2.5 * 2**i) for i, wait in enumerate(waits))


def test_r4_backoff_is_the_same_in_every_replay_and_spread_over_tasks() -> None:
    def due(name: str) -> float:
        run = Told(task(name))
        run.granted(name)
        run.failed(name, "transient")
        return run.coordinator.state.timers[f"backoff:{name}"]

    assert due("a") == due("a")
    assert len({due(name) for name in "abcdef"}) == 6


def test_r4_the_far_side_may_ask_for_a_longer_wait() -> None:
    run = Told(task("a"))
    run.granted("a")
    assert run.failed("a", "overloaded", retry_after_s=99.0)[1] == "timer backoff:a at 101"


def test_r4_overloaded_has_a_limit_of_twenty_of_its_own() -> None:
    run = Told(task("a", attempts=1))
    for n in range(1, 20):
        run.granted("a")
        run.failed("a", "overloaded")
        assert run.state("a") == "waiting", f"after {n}"
        run.when(TimerFired(at=run.coordinator.state.timers["backoff:a"], timer="backoff:a"))
    run.granted("a")
    run.failed("a", "overloaded")
    assert run.state("a") == "failed"


def test_r4_lost_has_a_limit_of_three_of_its_own() -> None:
    run = Told(task("a", attempts=1))
    for _ in range(2):
        run.granted("a")
        run.lost("a")
        assert run.state("a") == "ready"
    run.granted("a")
    run.lost("a")
    assert run.state("a") == "failed"


def test_r4_an_attempt_lost_with_its_engine_costs_nothing() -> None:
    run = Told(task("a", attempts=1))
    for n in range(1, 51):
        run.granted("a")
        assert run.lost("a", engine=True) == [f"release a#{n}", f"ask a#{n + 1}"]
    assert run.granted("a") == ["start a#51 from base with a#50"]


@pytest.mark.parametrize("kind", ["quota", "rate_limited", "auth", "no_room", "setup"])
def test_r4_limits_bad_credentials_and_a_full_disk_pause_the_run_and_cost_nothing(kind: FailureKind) -> None:
    run = Told(task("a", attempts=1), task("b"), task("c", "b"))
    run.granted("a")
    run.granted("b")
    assert run.failed("a", kind) == ["release a#1"]
    assert run.state("a") == "ready"
    assert run.finished("b") == ["release b#1", "land 1: b#1"]
    assert run.landed("b") == ["end paused"]
    assert run.states() == {"a": "ready", "b": "succeeded", "c": "ready"}


def test_r4_permanent_is_final_at_once() -> None:
    run = Told(task("a"))
    run.granted("a")
    assert run.failed("a", "permanent") == ["release a#1", "end failed"]


def test_r4_the_third_conflict_fails_and_none_is_charged() -> None:
    run = Told(task("a", attempts=1))
    for n in (1, 2, 3):
        run.granted("a")
        run.finished("a")
        said = run.rejected(Culprit(task="a", kind="conflict", paths=("x",)))
        assert said == ([f"ask a#{n + 1}"] if n < 3 else ["end failed"])


def test_r4_a_conflict_starts_on_the_newest_tip_with_its_own_work() -> None:
    run = Told(task("a"), task("b"))
    run.granted("a")
    run.granted("b")
    run.finished("a")
    run.finished("b")
    run.landed("a")
    run.rejected(Culprit(task="b", kind="conflict", paths=("x",)))
    assert run.granted("b") == ["start b#2 from L1 with b#1"]


def test_r4_stop_in_a_phase_skips_the_rest_of_it_and_nothing_else() -> None:
    run = Told(
        task("a", attempts=1),
        task("b"),
        task("c", "b"),
        task("d", phase="q"),
        phases=(phase("p", on_failure="stop"), phase("q")),
    )
    for name in ("a", "b", "d"):
        run.granted(name)
    run.failed("a")
    assert run.states() == {"a": "failed", "b": "running", "c": "skipped", "d": "running"}
    assert "'a' failed" in run.reason("c")
    run.finished("b")
    run.landed("b")
    assert run.state("b") == "succeeded"


def test_r4_stop_of_the_run_makes_no_task_final() -> None:
    run = Told(task("a", attempts=1), task("b", "c"), task("c"), settings=RunSettings(on_failure="stop", agent="fake"))
    run.granted("a")
    run.granted("c")
    run.failed("a")
    run.finished("c")
    assert run.landed("c") == ["end failed"]
    assert run.states() == {"a": "failed", "b": "ready", "c": "succeeded"}


def test_r4_an_optional_failure_does_not_stop_the_run() -> None:
    settings = RunSettings(on_failure="stop", agent="fake")
    run = Told(task("a", attempts=1, optional=True), task("b", after=("a",)), settings=settings)
    run.granted("a")
    assert run.failed("a") == ["release a#1", "ask b#1"]
    assert run.through("b") == ["end succeeded"]


def test_r4_when_a_critical_task_fails_nothing_more_starts_and_what_runs_finishes() -> None:
    run = Told(task("a", attempts=1, critical=True), task("b"), task("c"), settings=RunSettings(parallel=2, agent="x"))
    run.granted("a")
    run.granted("b")
    run.failed("a")
    assert run.states() == {"a": "failed", "b": "running", "c": "skipped"}
    assert run.reason("c") == "'a' is critical and failed"
    run.finished("b")
    assert run.landed("b") == ["end failed"]


def test_r4_what_runs_behind_a_critical_failure_is_not_started_again_when_its_engine_dies() -> None:
    run = Told(task("a", attempts=1, critical=True), task("b"))
    run.granted("a")
    run.granted("b")
    run.failed("a")
    assert run.lost("b", engine=True) == ["release b#1", "end failed"]
    assert run.state("b") == "skipped"


def test_r4_the_last_failure_counts_even_while_the_run_is_being_stopped() -> None:
    run = Told(task("a", attempts=1))
    run.granted("a")
    run.when(StopRequested(at=9.0, now=True))
    assert run.failed("a") == ["release a#1", "end failed"]


def test_r4_every_kind_has_a_rule() -> None:
    assert set(RULES) == set(typing.get_args(FailureKind))


# --- effect and gates --------------------------------------------------------------------------------------------


def effective(effect: Effect, verify: bool) -> Told:
    run = Told(msgspec.structs.replace(task("a"), effect=effect, verify=CHECKED if verify else ()))
    run.granted("a")
    return run


def test_r5_1_no_change_where_changes_are_due_is_no_effect() -> None:
    assert effective("changes", True).finished("a", changed=False) == ["release a#1", "ask a#2"]


def test_r5_1_already_done_needs_a_check_of_the_untouched_base() -> None:
    run = effective("changes", True)
    assert run.finished("a", changed=False, already_done=True) == ["judge a#1 at base"]
    assert effective("changes", False).finished("a", changed=False, already_done=True) == ["release a#1", "ask a#2"]


def test_r5_1_any_demands_nothing() -> None:
    assert effective("any", False).finished("a", changed=False) == ["release a#1", "land 1: a#1"]


def test_r5_2_gates_run_on_the_attempts_commit_before_it_may_land() -> None:
    run = Told(checked("a"))
    run.granted("a")
    assert run.finished("a") == ["judge a#1 at a#1"]
    assert run.gated("a", "green") == ["release a#1", "land 1: a#1"]


def test_r5_5_a_red_gate_is_charged_and_the_next_attempt_goes_on_from_its_work() -> None:
    run = Told(checked("a", attempts=2))
    run.granted("a")
    run.finished("a")
    assert run.gated("a", "red") == ["release a#1", "ask a#2"]
    assert run.granted("a") == ["start a#2 from base with a#1"]
    run.finished("a")
    assert run.gated("a", "red") == ["release a#2", "end failed"]


def test_r5_5_a_check_that_could_not_run_is_tried_again_later() -> None:
    run = Told(checked("a"))
    run.granted("a")
    run.finished("a")
    run.gated("a", "red", error=True)
    assert run.state("a") == "waiting"


def test_r9_2_who_waits_for_a_person_holds_no_claims_and_no_place() -> None:
    settings = RunSettings(parallel=1, on_approval="wait", agent="fake")
    a = msgspec.structs.replace(task("a", writes=("x",)), verify=CHECKED)
    run = Told(a, task("b", writes=("x",)), settings=settings)
    run.granted("a")
    run.finished("a")
    assert run.gated("a", "ask") == ["release a#1", "approve? a#1", "ask b#1"]
    assert run.when(TaskApproved(at=9.0, task="a")) == []
    assert run.state("a") == "waiting"  # its claims are b's until b has landed
    run.granted("b")
    run.finished("b")
    assert run.landed("b") == ["land 2: a#1"]


def test_r9_2_a_rejection_is_a_red_gate() -> None:
    run = Told(checked("a", attempts=2), settings=RunSettings(on_approval="wait", agent="fake"))
    run.granted("a")
    run.finished("a")
    run.gated("a", "ask")
    assert run.when(TaskRejected(at=9.0, task="a", note="too long")) == ["ask a#2"]
    assert run.coordinator.state.by_id["a"].charged == 1


def test_r9_2_without_waiting_for_people_the_run_is_paused() -> None:
    run = Told(checked("a"))
    run.granted("a")
    run.finished("a")
    assert run.gated("a", "ask") == ["release a#1", "approve? a#1", "end paused"]


SESSION = {"transient", "overloaded", "rate_limited", "quota", "lost", "gate", "no_room"}


@pytest.mark.parametrize("kind", typing.get_args(FailureKind))
def test_r4_trouble_that_passes_and_red_checks_go_on_in_the_same_session(kind: FailureKind) -> None:
    run = Told(task("a"))
    run.granted("a")
    run.failed("a", kind)
    assert run.coordinator.state.by_id["a"].resumes == (1 if kind in SESSION else None)


def test_r4_an_attempt_that_was_interrupted_goes_on_in_its_session() -> None:
    run = Told(task("a"))
    run.granted("a")
    run.when(AttemptLost(at=5.0, task="a", attempt=1, engine=True))
    command = run.coordinator.handle(Granted(at=6.0, task="a", attempt=2))[0]
    assert isinstance(command, StartAttempt) and command.resumes == 1


def test_r4_no_agent_goes_on_with_the_session_of_another() -> None:
    run = Told(msgspec.structs.replace(task("a"), agent=("first", "second")))
    run.granted("a")
    run.failed("a", "transient")
    run.coordinator.state.by_id["a"].agent = "second"  # as if it had been the other one's turn
    run.when(TimerFired(at=run.coordinator.state.timers["backoff:a"], timer="backoff:a"))
    command = run.coordinator.handle(Granted(at=run.at + 1, task="a", attempt=2))[0]
    assert isinstance(command, StartAttempt) and command.agents[0] == "first" and command.resumes is None


def test_r5_1_what_was_refused_is_told_where_nothing_was_done() -> None:
    run = Told(checked("a", effect="changes"))
    run.granted("a")
    run.when(AttemptFinished(at=5.0, task="a", attempt=1, commit=None, refused=("Write /etc/hosts",)))
    assert "not allowed: Write /etc/hosts" in run.coordinator.state.by_id["a"].past[0].failure.message
