"""Leaves a wish for a run, and says what became of it (R8.3)."""

from __future__ import annotations

import contextlib
import time
import uuid

from stretto.cli import place
from stretto.cli.place import View
from stretto.core.events import StopRequested, TaskApproved, TaskRejected, TasksCancelled, TasksRetried, Wish
from stretto.core.requests import refuse
from stretto.engine.abandonment import refuse_abandoned
from stretto.engine.home import RunHome
from stretto.engine.journal import SqliteInbox
from stretto.engine.reader import SqliteReader
from stretto.errors import StateError

PATIENCE_S = 10.0
"""How long an engine may take to answer."""
DONE = "done"
"""What is said of a wish that an engine has granted."""


def put(view: View, wish: Wish) -> str:
    """Leave the wish; what to tell the person. Raises StateError when the run refuses it."""
    view.must_not_be_cleaned()
    refuse_abandoned(view.state)
    request = uuid.uuid4().hex
    with contextlib.closing(SqliteInbox(view.home.journal)) as inbox:
        if view.engine is None and (why := _refusal(view, wish)) is not None:
            raise _no(view, wish, why)
        inbox.put(wish, request=request)
        answer = _answer(view, inbox, request, wish) if view.engine is not None else None
    if answer is None:
        return f"noted; it counts from the next `stretto resume {view.home.run}` on"
    accepted, why = answer
    if not accepted:
        raise _no(view, wish, why or "the run refused")
    return DONE


def _no(view: View, wish: Wish, why: str) -> StateError:
    several = isinstance(wish, TasksCancelled | TasksRetried) and len(wish.tasks) > 1
    word = "cancelled" if isinstance(wish, TasksCancelled) else "tried again"
    return StateError(f"{why}; so none of them is {word}" if several else why, hint=f"stretto status {view.home.run}")


def _refusal(view: View, wish: Wish) -> str | None:
    """What the run would say, after the wishes that were left before this one."""
    before, then = view.asked()
    why = refuse(then.state, wish)
    if why is None or refuse(view.state, wish) is not None:
        return why
    for earlier in before:
        match wish, earlier:
            case TaskApproved() | TaskRejected(), TaskApproved() | TaskRejected() if earlier.task == wish.task:
                word = "yes" if isinstance(earlier, TaskApproved) else "no"
                return f"{wish.task!r} has been answered already: {word}, which counts from the next resume on"
    return f"this has been asked for already, or goes against what has: {why}"


def _answer(view: View, inbox: SqliteInbox, request: str, wish: Wish) -> tuple[bool, str] | None:
    """The engine's word; None when it has gone meanwhile, and the wish is good for the next one."""
    reader = SqliteReader(view.home)
    deadline = time.monotonic() + PATIENCE_S
    while (answer := inbox.answered(request)) is None:
        if reader.engine() is None:
            return inbox.answered(request) or _unheard(view.home, inbox, request, wish)
        if time.monotonic() > deadline:
            raise StateError(
                f"the engine of {view.home.run} has not answered within {PATIENCE_S:g} s; the wish stays with it",
                hint=f"stretto status {view.home.run}",
            )
        time.sleep(0.05)
    return answer


def _unheard(home: RunHome, inbox: SqliteInbox, request: str, wish: Wish) -> tuple[bool, str] | None:
    """What must be said for an engine that went without a word, in the very moment in which it was asked."""
    left = place.view(home)
    if left is not None and left.engine is None:
        wishes, then = left.asked()
        if isinstance(wish, StopRequested):
            inbox.answer(request, accepted=False, why="nothing runs any more: its engine has ended")
        elif wish not in wishes:
            why = refuse(left.state, wish) or refuse(then.state, wish)
            inbox.answer(request, accepted=False, why=why or "it goes against what has been asked for before")
    return inbox.answered(request)
