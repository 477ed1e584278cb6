"""The front of a run: has the terminal, shows what happens, passes signals on (R8.2).

It holds nothing of the run. When it dies, the control pipe closes and the engine drains.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from types import FrameType

from stretto.cli import terminal
from stretto.core import events as ev
from stretto.core.coordinator import Coordinator
from stretto.engine.home import RunHome
from stretto.engine.launch import engine_argv, start
from stretto.engine.reader import SqliteReader
from stretto.observe.console import Console
from stretto.ports import Recorded

LOOK_S = 0.1
"""How often the journal is looked at, in seconds."""
KILLED = 3


def follow(home: RunHome, *, json: bool, after: int = 0) -> int:
    """Start the run's engine and stay with it to its end; the exit code of the run (R11).

    Events up to `after` are not shown."""
    show = _Json(after) if json else _Text(after)
    log_from = home.engine_log.stat().st_size if home.engine_log.exists() else 0
    reader = SqliteReader(home)
    seen = 0

    def catch_up() -> None:
        nonlocal seen
        batch = list(reader.events(seen))
        seen += len(batch)
        show.notify(batch)

    here = "--wait" if terminal.is_interactive() else "--exit"  # whether somebody can approve, now and not then
    with start(home, argv=[*engine_argv(home), here]) as warden, _signals(_Control(warden, told=not json)):
        while True:
            try:
                code = warden.wait(LOOK_S)
            except subprocess.TimeoutExpired:
                catch_up()
            else:
                catch_up()
                break
    return _end(home, KILLED if code < 0 else code, log_from, show)


def _end(home: RunHome, code: int, log_from: int, show: _Show) -> int:
    said, ended = _said(home, log_from), show.coordinator.state.ended
    if ended is not None and code in (0, 1, 4, 130):
        show.end(lands=home.launch().land_at_end)
        return code
    if ended is None and code == KILLED and not said:
        _complain("the engine was killed", f"stretto resume {home.run}")
    else:
        _complain(said or f"the engine ended with {code}", f"see {home.engine_log}, then: stretto resume {home.run}")
    return code


def _complain(message: str, hint: str) -> None:
    with contextlib.suppress(OSError):
        print(f"error: {message}\nhint: {hint}", file=sys.stderr)


def _said(home: RunHome, log_from: int) -> str:
    """The engine's own last word: what it printed about an error, or the last line of a traceback."""
    with home.engine_log.open("rb") as log:
        log.seek(log_from)
        lines = [line.strip() for line in log.read().decode(errors="replace").splitlines() if line.strip()]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return (errors or lines or [""])[-1]


# --- output ------------------------------------------------------------------------------------------------------


class _Show:
    """Prints as long as anybody reads; the run goes on when nobody does."""

    def __init__(self) -> None:
        self._deaf = False

    def _print(self, text: str) -> None:
        if self._deaf:
            return
        try:
            print(text, flush=True)
        except OSError:
            self._deaf = True
            terminal.silence()

    @property
    def coordinator(self) -> Coordinator:
        raise NotImplementedError

    def notify(self, batch: list[Recorded]) -> None:
        raise NotImplementedError

    def end(self, *, lands: bool) -> None:
        """After the last event. `lands`: what has succeeded is landed now."""


class _Text(_Show):
    def __init__(self, after: int) -> None:
        super().__init__()
        paint, width = terminal.paint(sys.stdout), terminal.width(sys.stdout)
        self._console = Console(self._print, paint=paint, width=width, quiet_until=after)

    @property
    def coordinator(self) -> Coordinator:
        return self._console.coordinator

    def notify(self, batch: list[Recorded]) -> None:
        self._console.notify(batch)

    def end(self, *, lands: bool) -> None:
        for text in self._console.summary(lands=lands):
            self._print(text)


class _Json(_Show):
    def __init__(self, after: int) -> None:
        super().__init__()
        self._after = after
        self._coordinator = Coordinator()

    @property
    def coordinator(self) -> Coordinator:
        return self._coordinator

    def notify(self, batch: list[Recorded]) -> None:
        for recorded in batch:
            self._coordinator.handle(recorded.event)
            if recorded.seq > self._after:
                self._print(f'{{"seq":{recorded.seq},{ev.encode(recorded.event)[1:].decode()}')


# --- signals -----------------------------------------------------------------------------------------------------


class _Control:
    """What a signal to the front means to the run: the first interrupt drains, the second cancels."""

    def __init__(self, warden: subprocess.Popen[bytes], *, told: bool) -> None:
        """`told`: what the run says of itself is shown, so it need not be said here."""
        self._warden, self._told = warden, told
        self._interrupts = 0

    def handle(self, number: int, frame: FrameType | None) -> None:
        self._interrupts += number == signal.SIGINT
        if number == signal.SIGTERM or self._interrupts > 1:
            self._send(b"cancel\n", "" if self._told else "stopping now: what runs is being ended, its work saved")
        elif number == signal.SIGHUP:
            self._send(b"drain\n", "")
        else:
            what = "" if self._told else "stopping: what runs may finish, nothing more starts; "
            self._send(b"drain\n", f"{what}Ctrl-C once more ends what runs, too")

    def _send(self, word: bytes, told: str) -> None:
        with contextlib.suppress(OSError):
            assert self._warden.stdin is not None
            self._warden.stdin.write(word)
        with contextlib.suppress(OSError):
            sys.stderr.write(f"\n{told}\n" if told else "\n")  # the terminal has just printed ^C


@contextlib.contextmanager
def _signals(control: _Control) -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    # nohup wants a hang-up ignored. An interrupt is heard all the same: a shell starts every background job deaf to it.
    deaf = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    heard = [number for number in numbers if not (deaf and number == signal.SIGHUP)]
    before = {number: signal.signal(number, control.handle) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
