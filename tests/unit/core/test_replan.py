"""Another plan for a run that has begun (R8.4)."""

from __future__ import annotations

from typing import Literal

import msgspec
import pytest

from stretto.core.events import (
    PlanChanged,
    RequestReceived,
    RunResumed,
    StopRequested,
    TasksCancelled,
    TasksRetried,
    decode,
    encode,
)
from stretto.core.explain import explain
from stretto.core.recovery import outstanding, replay
from stretto.core.requests import refuse
from stretto.model.plan import Check, Phase, Task
from stretto.model.run import RunSettings
from stretto.testing.tables import Told, phase, spelled, task

ONE = RunSettings(parallel=1, agent="fake")


def answered(commands: list[str]) -> bool:
    assert commands[0] in ("r: yes", "r: no")
    return commands[0] == "r: yes"


def test_r8_4_unstarted_tasks_may_be_added_changed_and_dropped() -> None:
    run = Told(task("a"), task("b", "a"), task("c", "a"), settings=ONE)
    assert run.replanned(task("a"), task("b", "a", priority=1), task("n", "b")) == [
        "r: yes",
        "take b n",
        "tell replanned",
    ]
    assert run.states() == {"a": "ready", "b": "pending", "n": "pending", "c": "cancelled"}
    assert run.reason("c") == "gone from the plan"
    for name in ("a", "b"):
        run.through(name)
    assert run.through("n")[-1] == "end succeeded"  # what is gone counts for nothing


def test_r8_4_what_has_landed_stays_as_it_landed() -> None:
    run = Told(task("a", writes=("old",)), task("b", "a"), task("x"))
    run.through("a")
    run.through("x")
    assert answered(run.replanned(task("a", writes=("new",)), task("b", "a")))
    records = run.coordinator.state.by_id
    assert (run.state("a"), records["a"].task.writes) == ("succeeded", ("old",))
    assert run.state("x") == "succeeded"


def test_r8_4_nobody_waits_for_what_is_gone() -> None:
    run = Told(task("a"), task("b"), task("c", "p", phase="q"))
    run.replanned(task("a"), task("c", "p", phase="q"))
    run.through("a")
    assert run.asking == ["c"]


def test_r1_4_a_chain_closes_over_what_is_gone_and_takes_the_order_of_the_new_plan() -> None:
    chain = (phase("p", parallel=False),)
    run = Told(task("a"), task("b"), task("c"), task("d"), phases=chain)
    run.replanned(task("a"), task("d"), task("n"), task("c"), phases=chain)
    for name, after in (("a", "d"), ("d", "n"), ("n", "c")):
        assert run.through(name)[-1] == f"ask {after}#1"


def test_r8_4_what_could_start_and_has_to_wait_now_waits() -> None:
    run = Told(task("a"), task("b"), settings=ONE)
    assert (run.state("a"), run.state("b")) == ("ready", "ready")
    run.replanned(task("a"), task("b", "a"))
    assert run.state("b") == "pending"
    assert explain(run.coordinator, "b").reasons[0].tasks == ("a",)
    run.granted("a")
    run.finished("a")
    assert run.landed("a") == ["ask b#1"]


def test_r9_2_a_start_that_has_asked_for_its_grant_gives_its_place_back() -> None:
    run = Told(task("a"), task("b"))
    assert run.asking == ["a", "b"]
    run.replanned(task("a"), task("b", "a"))
    assert run.asking == ["a"]
    assert run.granted("b") == ["release b#1"]
    run.through("a")
    assert run.asking == ["b"] and run.attempt("b") == 2


@pytest.mark.parametrize("way", ["changed", "gone", "late"])
@pytest.mark.parametrize("state", ["running", "gating", "landing", "person"])
def test_r8_4_what_is_in_flight_changes_only_by_force(state: str, way: str) -> None:
    b = msgspec.structs.replace(task("b", phase="q"), verify=(Check(command="true"),))
    run = Told(
        task("a", phase="r"),
        b,
        phases=(phase("r"), phase("e"), phase("q", "e")),
        settings=RunSettings(parallel=5, agent="fake", on_approval="wait"),
    )
    run.granted("b")
    if state != "running":
        run.finished("b")
    if state != "running" and state != "gating":
        run.gated("b", "ask" if state == "person" else "green")
    new: tuple[Task, ...] = {
        "changed": (msgspec.structs.replace(b, prompt="else"),),
        "gone": (),
        "late": (b, task("first", phase="e")),
    }[way]
    phases = (phase("r"), phase("e"), phase("q", "e"))
    before = run.states()
    assert run.replanned(task("a", phase="r"), *new, phases=phases) == ["r: no"]
    assert run.states() == before
    commands = run.replanned(task("a", phase="r"), *new, phases=phases, force=True)
    assert answered(commands)
    if state == "running":
        assert "cancel b#1" in commands
        run.ended("b")
    elif state == "landing":
        run.landed("b")  # its batch was out of everyone's hands: landed wins (R6.1a)
        assert run.state("b") == "succeeded"
        return
    assert run.state("b") == {"changed": "ready", "gone": "cancelled", "late": "pending"}[way]
    assert run.asking.count("b") == (way == "changed")


def test_r8_4_what_failed_and_has_changed_is_tried_again_and_what_fell_with_it_too() -> None:
    run = Told(task("a", attempts=1), task("b", "a"), task("c", attempts=1))
    for name in ("a", "c"):
        run.granted(name)
        run.failed(name)
    assert run.coordinator.state.ended == "failed"
    run.replanned(
        msgspec.structs.replace(task("a", attempts=1), prompt="better"), task("b", "a"), task("c", attempts=1)
    )
    assert run.states() == {"a": "ready", "b": "pending", "c": "failed"}
    assert run.when(RunResumed(at=99.0)) == ["ask a#2"]


def test_r8_4_what_a_person_has_cancelled_stays_so_and_what_was_gone_may_come_back() -> None:
    run = Told(task("a"), task("b"), task("c"))
    run.when(TasksCancelled(at=1.0, tasks=("b",)))
    run.replanned(task("a"), msgspec.structs.replace(task("b"), prompt="else"))
    assert run.states() == {"a": "ready", "b": "cancelled", "c": "cancelled"}
    assert run.when(TasksRetried(at=5.0, tasks=("c",))) == []
    run.replanned(task("a"), task("b"), task("c"))
    assert run.states() == {"a": "ready", "b": "cancelled", "c": "ready"}


def test_r8_4_what_was_dropped_while_it_ran_and_is_back_is_done_again() -> None:
    run = Told(task("a"), task("b"))
    run.granted("b")
    run.replanned(task("a"), force=True)
    run.replanned(task("a"), task("b"), force=True)
    run.ended("b")
    assert run.state("b") == "ready" and run.attempt("b") == 2


@pytest.mark.parametrize("isolation", ["worktree", "none"])
def test_r2_2_what_is_still_at_work_keeps_what_it_was_begun_with(isolation: Literal["worktree", "none"]) -> None:
    in_place = RunSettings(agent="fake", parallel=5, isolation=isolation)
    run = Told(task("a", writes=("old",), conflicts_with=("x",)), task("x", writes=("x",)), settings=in_place)
    run.granted("a")
    others = (task("x", writes=("x",)), task("b", writes=("old",)), task("c", writes=("new",)))
    run.replanned(*others, task("a", writes=("new",)), force=True)
    assert run.asking == ["c"]  # `a` writes there only when it is begun again
    assert explain(run.coordinator, "b").reasons[0].tasks == ("a",)
    assert explain(run.coordinator, "x").reasons[0].tasks == ("a",)
    run.ended("a")
    assert run.asking == ["x", "b", "c"] and run.state("a") == "ready"


def test_r10_3_in_a_shared_folder_a_new_plan_may_move_who_writes_nothing() -> None:
    run = Told(task("a"), settings=RunSettings(agent="fake", parallel=5, isolation="none"))
    run.granted("a")
    run.replanned(task("n"), task("a"), task("u", writes=None))
    assert run.asking == ["n"]
    message = explain(run.coordinator, "u").reasons[0].message
    assert message == "it may touch any file, and in the same folder is at work 'a' (running)"


def test_r8_4_what_was_to_make_room_waits_for_what_a_new_plan_puts_before_it() -> None:
    run = Told(task("a"), task("b"))
    run.granted("b")
    run.when(StopRequested(at=run.later(), now=True))
    run.replanned(task("a"), task("b", "a"), force=True)
    run.ended("b")
    assert run.state("b") == "pending"


def test_r8_4_a_new_task_opens_a_finished_run_again_and_no_stopped_one() -> None:
    run = Told(task("a"))
    assert run.through("a")[-1] == "end succeeded"
    assert run.replanned(task("a"), task("b", "a")) == ["r: yes", "take b", "tell replanned"]
    assert run.when(RunResumed(at=9.0)) == ["ask b#1"]
    run.when(StopRequested(at=10.0, now=True))
    assert run.granted("b")[-1] == "end stopped"
    run.replanned(task("a"), task("b", "a"), task("c"))
    assert run.coordinator.state.ended == "stopped"


def test_r8_4_what_the_run_has_added_to_itself_stays() -> None:
    run = Told(task("a"), task("b", "a"))
    run.through("a", proposed=(task("x"),))
    run.replanned(task("a"), task("b", "a"), task("n", "x"))
    assert run.states() == {"a": "succeeded", "b": "ready", "n": "pending", "x": "ready"}


@pytest.mark.parametrize(
    ("tasks", "phases", "why"),
    [
        ((), (), "the new plan has no tasks"),
        ((task("a"), task("a")), (), "there is more than one task 'a'"),
        ((task("a", "nobody"),), (), "'a' names 'nobody', which is not in the new plan"),
        ((task("a", "b"),), (), "'a' names 'b', which is not in the new plan"),
        ((task("a"), task("b"), task("x", "y")), (), "'x' names 'y', which is not in the new plan"),
        ((task("a", "b"), task("b", "a")), (), "tasks would wait for each other"),
        ((task("a"),), (phase("p", "nowhere"),), "phase 'p' waits for 'nowhere', which is not in the new plan"),
    ],
)
def test_r8_3a_a_plan_that_cannot_be_is_refused_purely(
    tasks: tuple[Task, ...],
    phases: tuple[Phase, ...],
    why: str,
) -> None:
    run = Told(task("a"), task("b"), settings=ONE)
    assert run.replanned(*tasks, phases=phases) == ["r: no"]
    assert run.states() == {"a": "ready", "b": "ready"}
    state = run.coordinator.state
    asked = run.events[-1]
    change = asked.wish if isinstance(asked, RequestReceived) else None
    assert isinstance(change, PlanChanged) and why in (refuse(state, change) or "")


def test_r8_1_a_replay_is_exact_and_what_is_owed_is_known() -> None:
    run = Told(task("a", writes=("f",)), task("b", writes=("f",)), task("c", "a"))
    run.granted("a")
    run.replanned(task("n", writes=("f",)), task("b", writes=("f",)), task("a", writes=("f",)))
    events = [decode(encode(event)) for event in run.events]
    again, mine = replay(events).steps, run.coordinator.steps
    assert (again.state, again.readiness, again.admission) == (mine.state, mine.readiness, mine.admission)
    assert [spelled(c) for c in outstanding(mine.state)] == ["ask a#1"]
    run.finished("a")
    assert run.landed("a") == ["ask n#1"]
