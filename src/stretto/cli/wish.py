"""Leaves a wish for a run, and says what became of it (R8.3)."""

from __future__ import annotations

import contextlib
import time
import uuid

from stretto.cli.place import View
from stretto.core.events import RequestReceived, Wish
from stretto.core.requests import refuse
from stretto.engine.journal import SqliteInbox
from stretto.engine.reader import SqliteReader
from stretto.errors import StateError

PATIENCE_S = 10.0
"""How long an engine may take to answer."""


def put(view: View, wish: Wish) -> str:
    """Leave the wish; what to tell the person. Raises StateError when the run refuses it."""
    request = uuid.uuid4().hex
    with contextlib.closing(SqliteInbox(view.home.journal)) as inbox:
        if view.engine is None and (why := _refusal(view, inbox, wish)) is not None:
            raise StateError(why, hint=f"stretto status {view.home.run}")
        inbox.put(wish, request=request)
        answer = _answer(view, inbox, request) if view.engine is not None else None
    if answer is None:
        return f"noted; it counts from the next `stretto resume {view.home.run}` on"
    accepted, why = answer
    if not accepted:
        raise StateError(why or "the run refused", hint=f"stretto status {view.home.run}")
    return "done"


def _refusal(view: View, inbox: SqliteInbox, wish: Wish) -> str | None:
    """What the run would say, after the wishes that were left before this one."""
    for earlier in inbox.waiting():
        view.coordinator.handle(RequestReceived(at=earlier.at, request=earlier.id, wish=earlier.wish))
    return refuse(view.state, wish)


def _answer(view: View, inbox: SqliteInbox, request: str) -> tuple[bool, str] | None:
    """The engine's word; None when it has gone meanwhile."""
    reader = SqliteReader(view.home)
    deadline = time.monotonic() + PATIENCE_S
    while (answer := inbox.answered(request)) is None:
        if reader.engine() is None:
            return inbox.answered(request)
        if time.monotonic() > deadline:
            raise StateError(
                f"the engine of {view.home.run} has not answered within {PATIENCE_S:g} s; the wish stays with it",
                hint=f"stretto status {view.home.run}",
            )
        time.sleep(0.05)
    return answer
