"""What a run looks like to whoever follows it: the live view, progress lines, or lines of JSON."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TextIO

import msgspec

from stretto.cli import terminal
from stretto.core import events as ev
from stretto.core.coordinator import Coordinator
from stretto.observe.console import Console
from stretto.observe.live import Key
from stretto.observe.snapshot import snapshot
from stretto.ports import Recorded, RunReader


class Show(Protocol):
    """Shows a run to somebody; the run goes on when nobody looks."""

    @property
    def coordinator(self) -> Coordinator:
        """The run, as far as it has been read."""
        ...

    def notify(self, batch: Sequence[Recorded]) -> None: ...

    def wait(self, timeout_s: float) -> Sequence[Key]:
        """Let time pass, but no more than that; what somebody at the keyboard has asked for meanwhile."""
        ...

    def interrupted(self, *, now: bool) -> None:
        """The run has been told to stop, or to stop `now`."""
        ...

    def note(self, text: str) -> None:
        """A word to who has just asked for something at the keyboard."""
        ...

    def leave(self) -> None:
        """The last word where the run goes on; the terminal has been given back."""
        ...

    def end(self, *, lands: bool) -> None:
        """The last word where the run has ended. `lands`: what it has done lands now."""
        ...


@contextlib.contextmanager
def showing(
    reader: RunReader, *, after: int, keys: Sequence[Key], alive: Callable[[], bool] | None = None
) -> Iterator[Show]:
    """The live view in a terminal that can draw it, else progress lines; events up to `after` are not told. `keys`:
    what may be asked for at the keyboard; `alive`: whether an engine runs it, where the reader need not be asked."""
    if not terminal.can_draw(sys.stdout):
        yield Lines(after)
        return
    from stretto.cli.live import Live
    from stretto.cli.screen import Screen

    with Screen(sys.stdout, sys.stdin) as screen:
        yield Live(
            screen,
            reader,
            after=after,
            keys=keys,
            alive=alive or (lambda: reader.engine() is not None),
            write=printer(),
        )


def printer(stream: TextIO | None = None) -> Callable[[str], None]:
    """Prints as long as anybody reads; to standard output unless a stream is given."""
    deaf = False

    def write(text: str) -> None:
        nonlocal deaf
        if deaf:
            return
        try:
            print(text, file=stream, flush=True)
        except OSError:
            deaf = True
            terminal.silence()

    return write


class _Unattended:
    """Nobody sits at a keyboard: time passes, and nobody is spoken to."""

    def wait(self, timeout_s: float) -> Sequence[Key]:
        time.sleep(timeout_s)
        return ()

    def note(self, text: str) -> None:
        pass

    def interrupted(self, *, now: bool) -> None:
        pass

    def leave(self) -> None:
        pass

    def end(self, *, lands: bool) -> None:
        pass


class Lines(_Unattended):
    """A line for everything that means something to a person."""

    def __init__(self, after: int, stream: TextIO | None = None) -> None:
        """`stream`: where the lines go; standard output unless it is given."""
        self._write = printer(stream)
        paint, width = terminal.paint(stream or sys.stdout), terminal.width(stream or sys.stdout)
        self._console = Console(self._write, paint=paint, width=width, quiet_until=after)

    @property
    def coordinator(self) -> Coordinator:
        return self._console.coordinator

    def notify(self, batch: Sequence[Recorded]) -> None:
        self._console.notify(batch)

    def interrupted(self, *, now: bool) -> None:
        """The events say what it means; where a terminal has just printed ^C, they should begin on a new line."""
        _aside("" if now else "Ctrl-C once more ends what runs, too")

    def end(self, *, lands: bool) -> None:
        for text in self._console.summary(lands=lands):
            self._write(text)


class Events(_Unattended):
    """Every event, as JSON on a line of its own."""

    def __init__(self, after: int) -> None:
        self._after, self._write = after, printer()
        self._coordinator = Coordinator()

    @property
    def coordinator(self) -> Coordinator:
        return self._coordinator

    def notify(self, batch: Sequence[Recorded]) -> None:
        for recorded in batch:
            self._coordinator.handle(recorded.event)
            if recorded.seq > self._after:
                self._write(f'{{"seq":{recorded.seq},{ev.encode(recorded.event)[1:].decode()}')

    def interrupted(self, *, now: bool) -> None:
        if now:
            _aside("stopping now: what runs is being ended, its work saved")
        else:
            _aside("stopping: what runs may finish, nothing more starts; Ctrl-C once more ends what runs, too")


class Statuses(_Unattended):
    """The whole status, as JSON on a line of its own, whenever it is another one."""

    def __init__(self, reader: RunReader) -> None:
        self._reader, self._write = reader, printer()
        self._coordinator = Coordinator()
        self._last = b""

    @property
    def coordinator(self) -> Coordinator:
        return self._coordinator

    def notify(self, batch: Sequence[Recorded]) -> None:
        for recorded in batch:
            self._coordinator.handle(recorded.event)
        status = msgspec.json.encode(snapshot(self._coordinator.state, self._reader.engine()))
        if status != self._last:
            self._last = status
            self._write(status.decode())


def _aside(text: str) -> None:
    """To the person, on standard error, where the terminal may just have printed ^C."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"\n{text}\n" if text else "\n")
