"""What people may ask of a run: when the answer is no (R8.3a), which is a pure question, and what a yes does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from stretto.core import readiness, replan
from stretto.core.events import (
    PlanChanged,
    SettingsChanged,
    StopRequested,
    TaskApproved,
    TaskRejected,
    TasksCancelled,
    TasksRetried,
    Wish,
)
from stretto.core.state import Doom, Drain, State, step
from stretto.core.steps import DRAIN, Steps
from stretto.model.run import FINAL_STATES, Failure, Remark


def refuse(state: State, wish: Wish) -> str | None:
    """Why the wish cannot be granted; None when it can. A wish for several tasks is granted whole or not at all."""
    if state.abandoned:
        return "the run has been abandoned"
    match wish:
        case StopRequested():
            return "the run has already ended" if state.ended is not None else None
        case SettingsChanged():
            return None if wish.parallel >= 1 else "at least one place is needed"
        case TasksCancelled():
            return _unknown(state, wish.tasks) or _first(
                f"{task!r} is {state.by_id[task].state} already"
                for task in wish.tasks
                if state.by_id[task].state in FINAL_STATES
            )
        case TasksRetried():
            if not wish.tasks:
                failed = any(record.state == "failed" for record in state.tasks)
                return None if failed else "nothing has failed; name a task to bring back what was cancelled"
            gone = (f"{task!r} is gone from the plan" for task in wish.tasks if task in state.gone)
            return (
                _unknown(state, wish.tasks)
                or _first(gone)
                or _first(
                    f"{task!r} is {state.by_id[task].state}; only what failed or fell with a failure is tried again"
                    for task in wish.tasks
                    if state.by_id[task].state not in ("failed", "skipped", "cancelled")
                )
            )
        case PlanChanged():
            return replan.refusal(state, wish)
        case TaskApproved() | TaskRejected():
            unknown = _unknown(state, (wish.task,))
            if unknown is None and state.by_id[wish.task].wait != "person":
                return f"{wish.task!r} does not wait for approval; it is {state.by_id[wish.task].state}"
            return unknown
        case _:
            assert_never(wish)


def grant(steps: Steps, wish: Wish) -> None:
    """Carry out a wish that `refuse` has nothing against."""
    state = steps.state
    match wish:
        case StopRequested():
            stop(steps, now=wish.now, by_signal=wish.by_signal)
        case TasksCancelled():
            for task in wish.tasks:
                steps.doom(state.by_id[task], Doom("cancelled", "cancelled by a person"))
        case TasksRetried():
            _retry(steps, wish.tasks)
        case SettingsChanged():
            state.parallel = wish.parallel
        case PlanChanged():
            replan.change_plan(steps, wish)
        case TaskApproved():
            record = state.by_id[wish.task]
            record.wait, record.note = "claims", f"approved by {wish.by or 'a person'}{_tail(wish.note)}"
            state.approved.append(record.index)
        case TaskRejected():
            said = f"rejected by {wish.by or 'a person'}{_tail(wish.note)}"
            record = state.by_id[wish.task]
            remarks = (Remark(check="approval", message=said),)
            steps.fail(record, Failure(kind="gate", message=said), commit=record.commit, remarks=remarks)
        case _:
            assert_never(wish)


def stop(steps: Steps, *, now: bool, by_signal: bool = False) -> None:
    """A person's word outweighs whatever else the run is drained for; said twice it changes nothing."""
    state, former = steps.state, steps.state.drain
    again = former is not None and former.outcome == "stopped"
    if former is not None:
        now, by_signal = now or former.now, by_signal or former.by_signal
    lands = former is None or former.lands
    state.drain = Drain(outcome="stopped", reason="stopped", now=now, by_signal=by_signal, lands=lands)
    if not now:
        if not again:
            steps.set_timer(DRAIN, state.at + state.settings.drain_timeout_s)
        return
    state.timers.pop(DRAIN, None)
    for record in state.tasks:
        if record.state == "running" and record.doom is None:
            steps.doom(record, Doom("ready", "interrupted"))


def _retry(steps: Steps, tasks: tuple[str, ...]) -> None:
    """These, or everything that failed, and all that was skipped start over (R8.4).

    What still stands behind a failure is skipped again. What a person cancelled comes back by name only."""
    state, named = steps.state, frozenset(tasks)
    for record in state.tasks:
        if record.state == "skipped" or record.id in named or (not tasks and record.state == "failed"):
            step(state, record, "pending", "" if record.state == "skipped" else "will be tried again")
            record.charged = record.lost = record.conflicts = record.overloaded = 0
            record.root = ""
    state.critical, state.halted, state.stopping = "", {}, ""
    if state.drain is not None and state.drain.outcome == "failed":
        state.drain = None
    steps.readiness, change = readiness.build(steps.readiness.graph, state.tasks)
    steps.follow(change)
    for record in state.tasks:
        if record.state == "failed":
            steps.halt(record)


def _tail(text: str) -> str:
    return f": {text}" if text else ""


def _unknown(state: State, tasks: tuple[str, ...]) -> str | None:
    return _first(f"there is no task {task!r} in this run" for task in tasks if task not in state.by_id)


def _first(reasons: Iterator[str]) -> str | None:
    return next(reasons, None)
