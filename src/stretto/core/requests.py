"""What people may ask of a run, and when the answer is no (R8.3a). Pure: asking changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from stretto.core.events import (
    SettingsChanged,
    StopRequested,
    TaskApproved,
    TaskRejected,
    TasksCancelled,
    TasksRetried,
    Wish,
)
from stretto.core.state import State
from stretto.model.run import FINAL_STATES


def refuse(state: State, wish: Wish) -> str | None:
    """Why the wish cannot be granted; None when it can. A wish for several tasks is granted whole or not at all."""
    match wish:
        case StopRequested():
            return "the run has already ended" if state.ended is not None else None
        case SettingsChanged():
            return None if wish.parallel >= 1 else "at least one place is needed"
        case TasksCancelled():
            return _unknown(state, wish.tasks) or _first(
                f"{task!r} has already {state.by_id[task].state}"
                for task in wish.tasks
                if state.by_id[task].state in FINAL_STATES
            )
        case TasksRetried():
            if not wish.tasks:
                return None if fallen(state) else "nothing has failed; `stretto resume` goes on with the rest"
            return _unknown(state, wish.tasks) or _first(
                f"{task!r} is {state.by_id[task].state}; only what failed or fell with a failure is tried again"
                for task in wish.tasks
                if state.by_id[task].state not in ("failed", "skipped", "cancelled")
            )
        case TaskApproved() | TaskRejected():
            unknown = _unknown(state, (wish.task,))
            if unknown is None and state.by_id[wish.task].wait != "person":
                return f"{wish.task!r} does not wait for approval; it is {state.by_id[wish.task].state}"
            return unknown
        case _:
            assert_never(wish)


def fallen(state: State) -> tuple[str, ...]:
    """Everything that failed, and what fell with it; empty when nothing has failed (R8.4)."""
    return tuple(record.id for record in state.tasks if record.state in ("failed", "skipped", "cancelled"))


def _unknown(state: State, tasks: tuple[str, ...]) -> str | None:
    return _first(f"there is no task {task!r} in this run" for task in tasks if task not in state.by_id)


def _first(reasons: Iterator[str]) -> str | None:
    return next(reasons, None)
