"""The circuit breaker of an agent (R4)."""

from __future__ import annotations

import msgspec
import pytest

from stretto.core.breaker import BLAMES
from stretto.core.events import AttemptGated, Noticed, RunResumed
from stretto.core.explain import explain
from stretto.core.retry import RULES
from stretto.model.plan import Check, Task
from stretto.model.run import FailureKind, RunSettings
from stretto.testing.tables import Told, task

ONE_BY_ONE = RunSettings(parallel=1, agent="fake", attempts=1)
SIX = [task(name) for name in "abcdef"]


def by(agent: str, id: str) -> Task:
    return msgspec.structs.replace(task(id), agent=(agent,))


def test_r4_five_tasks_in_a_row_open_the_breaker_and_pause_the_run() -> None:
    run = Told(*SIX, settings=ONE_BY_ONE)
    for name in "abcd":
        run.granted(name)
        assert run.failed(name)[0] == f"release {name}#1"
    run.granted("e")
    assert "end paused" in run.failed("e")
    state = run.coordinator.state
    assert run.states()["f"] == "ready"
    assert "agent 'fake' failed on 5 tasks in a row" in state.ended_reason and "'e'" in state.ended_reason
    (first, *_) = explain(run.coordinator, "f").reasons
    assert first.code == "breaker" and first.message in state.ended_reason


def test_r4_a_resume_lets_the_agent_in_again_and_counts_from_nothing() -> None:
    run = Told(*SIX, settings=ONE_BY_ONE)
    for name in "abcde":
        run.granted(name)
        run.failed(name)
    assert run.when(RunResumed(at=run.later())) == ["ask f#1"]
    run.granted("f")
    assert run.failed("f") == ["release f#1", "end failed"]


def test_r4_tries_of_one_task_count_once() -> None:
    run = Told(task("a", attempts=9), task("b"), settings=RunSettings(parallel=1, agent="fake"))
    for _ in range(8):
        run.granted("a")
        assert "end paused" not in run.failed("a")
    assert run.coordinator.state.streaks == {"fake": ("a",)}


def test_r4_whatever_finishes_in_between_speaks_for_the_agent() -> None:
    run = Told(*SIX, settings=ONE_BY_ONE)
    for name in "abcd":
        run.granted(name)
        run.failed(name)
    run.granted("e")
    run.finished("e")
    run.landed("e")
    run.granted("f")
    assert run.failed("f") == ["release f#1", "end failed"]


def test_r4_an_attempt_in_flight_that_finishes_closes_the_breaker() -> None:
    run = Told(*SIX, task("g"), settings=RunSettings(parallel=6, agent="fake", attempts=1))
    for name in "abcdef":
        run.granted(name)
    for name in "abcde":
        run.failed(name)
    assert run.granted("g") == ["release g#1"]
    assert "ask g#2" in run.finished("f")


def test_r4_other_agents_go_on_and_a_second_choice_steps_in() -> None:
    tasks = [*(by("bad", name) for name in "abcde"), by("good", "x"), task("y"), by("bad", "z")]
    tasks[6] = msgspec.structs.replace(tasks[6], agent=("bad", "good"))
    run = Told(*tasks, settings=ONE_BY_ONE)
    for name in "abcde":
        run.granted(name)
        run.failed(name)
    run.through("x")
    run.granted("y")
    assert run.coordinator.state.by_id["y"].agent == "good"
    run.finished("y")
    assert run.landed("y") == ["end paused"]
    assert run.states()["z"] == "ready"


@pytest.mark.parametrize("kind", sorted(RULES))
def test_r4_only_what_may_be_its_own_fault_counts(kind: FailureKind) -> None:
    run = Told(*SIX, settings=ONE_BY_ONE)
    run.granted("a")
    run.failed("a", kind)
    assert run.coordinator.state.streaks == ({"fake": ("a",)} if kind in BLAMES else {})


def test_r4_a_check_that_cannot_run_is_not_the_agents_fault() -> None:
    run = Told(msgspec.structs.replace(task("a"), verify=(Check(command="true"),)), settings=ONE_BY_ONE)
    run.granted("a")
    run.finished("a")
    run.when(AttemptGated(at=run.later(), task="a", attempt=1, verdict="red", error=True))
    assert run.coordinator.state.streaks == {}


def test_r4_without_a_number_there_is_no_breaker() -> None:
    run = Told(*SIX, settings=msgspec.structs.replace(ONE_BY_ONE, breaker=0))
    for name in "abcdef":
        run.granted(name)
        last = run.failed(name)
    assert last == ["release f#1", "end failed"]
    assert not [event for event in run.events if isinstance(event, Noticed)]


def test_r4_the_defaults_second_choice_steps_in_for_tasks_that_name_nobody() -> None:
    run = Told(*SIX, settings=msgspec.structs.replace(ONE_BY_ONE, fallbacks=("other",)))
    for name in "abcde":
        run.granted(name)
        run.failed(name)
    run.granted("f")
    assert run.coordinator.state.by_id["f"].agent == "other"
