"""Follows a run that has an engine of its own, to its end or until nobody wants to look any more (R8.3).

Looking changes nothing. What is asked for at the keyboard goes through the inbox, as from any other process.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
import uuid
from collections.abc import Iterator
from types import FrameType

from stretto.cli import terminal
from stretto.cli.place import View
from stretto.cli.showing import Show, Statuses, showing
from stretto.core.events import StopRequested
from stretto.engine.journal import SqliteInbox
from stretto.engine.reader import SqliteReader
from stretto.observe.disguise import Disguise
from stretto.observe.live import Key, is_stopping
from stretto.observe.snapshot import condition
from stretto.observe.words import counted

LOOK_S = 0.1
"""How often the journal is looked at, in seconds."""
INTERRUPTED = 130


def watch(view: View, *, json: bool) -> int:
    """Until the run has ended (0), `q` (0), or an interrupt (130); none of them touches the run."""
    reader = SqliteReader(view.home)
    steers: tuple[Key, ...] = () if "STRETTO_TASK" in os.environ else ("stop",)  # nobody steers from inside an attempt
    keys: tuple[Key, ...] = (*steers, "quit", "scroll", "help")
    shown = contextlib.nullcontext(Statuses(reader)) if json else showing(reader, after=view.last, keys=keys)
    with shown as show, _interrupts() as interrupts:
        ended = _follow(view, reader, show, interrupts)
    if ended:
        show.end(lands=False)
    else:
        show.leave()
        terminal.say(f"{view.home.run} goes on: {counted(show.coordinator.state)}", json=json)
    return INTERRUPTED if interrupts else 0


def _follow(view: View, reader: SqliteReader, show: Show, interrupts: list[int]) -> bool:
    """Whether it has come to the end of the run."""
    stop = Stop(view)
    disguise, seen = Disguise(), 0
    while True:
        engine = reader.engine()  # before the events: what an engine has written, it wrote before it let go
        batch = list(reader.events(seen))
        seen += len(batch)
        show.notify(disguise(batch))
        state = show.coordinator.state
        if engine is None and (state.ended is not None or condition(state, None, time.time()) == "killed"):
            return True
        if said := stop.refused():
            show.note(said)
        asked = show.wait(LOOK_S)
        if "quit" in asked or interrupts:
            return False
        if "stop" in asked:
            if engine is None:
                show.note("no engine runs it: there is nothing to stop")
            else:
                stop.ask(now=is_stopping(state))


class Stop:
    """The wish to stop, from the keyboard of somebody who only looks."""

    def __init__(self, view: View) -> None:
        self._journal = view.home.journal
        self._request = ""

    def ask(self, *, now: bool) -> None:
        self._request = uuid.uuid4().hex
        with contextlib.closing(SqliteInbox(self._journal)) as inbox:
            inbox.put(StopRequested(at=time.time(), now=now), request=self._request)

    def refused(self) -> str:
        """Why the run does not do it; empty as long as nothing has been said against it."""
        if not self._request:
            return ""
        with contextlib.closing(SqliteInbox(self._journal)) as inbox:
            answer = inbox.answered(self._request)
        if answer is None:
            return ""
        self._request = ""
        return "" if answer[0] else answer[1]


@contextlib.contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Interrupts are collected in here, so that nothing is left half drawn."""
    found: list[int] = []

    def heard(number: int, frame: FrameType | None) -> None:
        found.append(number)

    before = signal.signal(signal.SIGINT, heard)
    try:
        yield found
    finally:
        signal.signal(signal.SIGINT, before)
