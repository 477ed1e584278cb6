"""The front of a run: starts its engine, follows it, and passes on what signals and keys ask for (R8.2).

It holds nothing of the run. When it dies, the control pipe closes and the engine drains, unless it was told before
that it is on its own: `detach`.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from stretto.cli import terminal
from stretto.cli.showing import Events, Show, showing
from stretto.core.events import RunResumed
from stretto.core.state import State
from stretto.engine.disposal import withdraw
from stretto.engine.home import RunHome
from stretto.engine.launch import NOT_FREE, engine_argv, is_detachment, start
from stretto.engine.reader import SqliteReader
from stretto.errors import InternalError, RunLeased, StateError
from stretto.observe.disguise import Disguise
from stretto.observe.live import Key, is_stopping

LOOK_S = 0.1
"""How often the journal is looked at, in seconds."""
BEGINS_S = 30.0
"""How long an engine that is left to itself may take to begin, before it is left without a word from it."""
KILLED = 3
KEYS: tuple[Key, ...] = ("stop", "detach", "scroll", "help")


def follow(
    home: RunHome,
    *,
    json: bool,
    after: int = 0,
    shows: contextlib.AbstractContextManager[Show] | None = None,
    tell: Callable[[State], None] = lambda state: None,
) -> int | None:
    """Start the run's engine and stay with it to its end: the exit code of the run (R11). None: it was detached.

    Events up to `after` are not shown; 0: the run has just been written down, and is removed again where another one
    has its folder. `shows`: in place of the usual ways to show a run. `tell` hears of the run's state whenever
    something has happened."""
    log_from = _size(home)
    reader = SqliteReader(home)
    here = "--wait" if terminal.is_interactive() else "--exit"  # whether somebody can approve, now and not then
    warden = start(home, argv=[*engine_argv(home), here])
    usual = contextlib.nullcontext(Events(after)) if json else None
    with shows or usual or showing(reader, after=after, keys=KEYS, alive=lambda: True) as show:
        control = Control(warden, show)
        try:
            with control.signals():
                code = _stay(reader, warden, control, show, tell)
        finally:
            control.let_go()
    if code is None:
        show.leave()
        terminal.say(f"{home.run} goes on in the background")
        _ways_back(home)
        return None
    return _end(home, KILLED if code < 0 else code, log_from, show, new=not after)


def detach(home: RunHome, *, json: bool, after: int = 0) -> int:
    """Start the run's engine and leave it to itself as soon as it has begun; `after` as in `follow`."""
    log_from = _size(home)
    reader = SqliteReader(home)
    warden = start(home, argv=[*engine_argv(home), "--exit"], attached=False)
    deadline = time.monotonic() + BEGINS_S
    code = None
    while code is None and time.monotonic() < deadline:
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = warden.wait(LOOK_S)
        if any(isinstance(recorded.event, RunResumed) for recorded in reader.events(after)):
            break
    else:
        if code is not None:
            return _complain_of(home, KILLED if code < 0 else code, log_from, new=not after)
    if json:
        import msgspec

        told = {"run": home.run, "branch": home.launch().branch or None, "engine": reader.engine()}
        print(msgspec.json.encode(told).decode())
    else:
        terminal.say(f"{home.run} runs in the background")
        _ways_back(home)
    return 0


def _stay(
    reader: SqliteReader,
    warden: subprocess.Popen[bytes],
    control: Control,
    show: Show,
    tell: Callable[[State], None],
) -> int | None:
    disguise, seen = Disguise(), 0
    while True:
        code = warden.poll()  # before the journal is read: what an engine has written, it wrote before it ended
        batch = list(reader.events(seen))
        seen += len(batch)
        show.notify(disguise(batch))
        if batch:
            tell(show.coordinator.state)
        if code is not None:
            return code
        if control.detached and (any(is_detachment(one.event) for one in batch) or control.is_late):
            return None
        for key in show.wait(LOOK_S):
            match key:
                case "stop":
                    control.interrupt(again=is_stopping(show.coordinator.state))
                case "detach":
                    control.detach()
                case _:
                    pass


def _ways_back(home: RunHome) -> None:
    terminal.commands(f"stretto status {home.run} --watch", f"stretto stop {home.run}")
    if home.launch().land_at_end:
        terminal.say("nobody lands it at its end; when it has ended:")
        terminal.commands(f"stretto land {home.run}")


def _end(home: RunHome, code: int, log_from: int, show: Show, *, new: bool) -> int:
    if show.coordinator.state.ended is not None and code in (0, 1, 4, 130):
        show.end(lands=home.launch().land_at_end)
        return code
    return _complain_of(home, code, log_from, ended=show.coordinator.state.ended is not None, new=new)


def _complain_of(home: RunHome, code: int, log_from: int, *, ended: bool = False, new: bool = False) -> int:
    """`new`: nobody misses the run if it could not begin."""
    said, hint = _said(home, log_from)
    if code == 1 and not ended:  # what Python itself says at its own death: no task has anything to do with it
        code = InternalError.exit_code
    if code == NOT_FREE:
        code = RunLeased.exit_code
        if new:
            with contextlib.suppress(StateError):  # somebody resumes it just now, or the disk says no
                withdraw(home)
    if not ended and code == KILLED and not said:
        _complain("the engine was killed", f"stretto resume {home.run}")
    else:
        usual = f"see {home.engine_log}, then: stretto resume {home.run}"
        _complain(said or f"the engine ended with {code}", hint or usual)
    return code


def _complain(message: str, hint: str) -> None:
    with contextlib.suppress(OSError):
        print(f"error: {message}\nhint: {hint}", file=sys.stderr)


def _size(home: RunHome) -> int:
    """Of the engine's log, before this engine writes to it."""
    return home.engine_log.stat().st_size if home.engine_log.exists() else 0


def _said(home: RunHome, log_from: int) -> tuple[str, str]:
    """The engine's own last word and its hint: what it printed about an error, or the last line of a traceback."""
    with home.engine_log.open("rb") as log:
        log.seek(log_from)
        lines = [line.strip() for line in log.read().decode(errors="replace").splitlines() if line.strip()]
    at = max((i for i, line in enumerate(lines) if line.startswith("error: ")), default=None)
    if at is None:
        return (lines or [""])[-1], ""
    hint = next((i for i, line in enumerate(lines) if i > at and line.startswith("hint: ")), len(lines))
    return lines[at].removeprefix("error: "), "\n".join(lines[hint:]).removeprefix("hint: ")


class Control:
    """What signals and keys mean to the run: the first interrupt drains, the second cancels."""

    def __init__(self, warden: subprocess.Popen[bytes], show: Show) -> None:
        self.detached = False
        """The engine has been told that it is on its own."""
        self._warden, self._show = warden, show
        self._interrupts = 0
        self._detached_s = 0.0

    @contextlib.contextmanager
    def signals(self) -> Iterator[None]:
        """Signals are heard in here."""
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        # nohup wants a hang-up ignored. An interrupt is heard all the same: shells start background jobs deaf to it.
        deaf = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        heard = [number for number in numbers if not (deaf and number == signal.SIGHUP)]
        before: dict[int, Any] = {number: signal.signal(number, self._handle) for number in heard}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def interrupt(self, *, again: bool = False) -> None:
        """`again`: the run is stopping already, whoever has asked for it."""
        self._interrupts += 1
        now = again or self._interrupts > 1
        self._send(b"cancel\n" if now else b"drain\n")
        self._show.interrupted(now=now)

    def detach(self) -> None:
        """From here on no word and no signal reaches the run, and our end means nothing to it."""
        self._send(b"detach\n")
        self.detached, self._detached_s = True, time.monotonic()

    @property
    def is_late(self) -> bool:
        """The engine has not said that it heard; but the word is in its pipe."""
        return time.monotonic() - self._detached_s > BEGINS_S

    def let_go(self) -> None:
        """Close the pipe: the engine drains, unless it is detached or has ended."""
        if self._warden.stdin is not None:
            self._warden.stdin.close()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        match number:
            case signal.SIGINT:
                self.interrupt()
            case signal.SIGTERM:
                self._send(b"cancel\n")
                self._show.interrupted(now=True)
            case _:
                self._send(b"drain\n")

    def _send(self, word: bytes) -> None:
        if not self.detached:
            with contextlib.suppress(OSError):
                assert self._warden.stdin is not None
                self._warden.stdin.write(word)
