"""The terminal as a screen that is drawn again and again, and the keys that are pressed meanwhile.

What is drawn is on the terminal's second page, so what stood there before is there again afterwards, however often its
size has changed, and nothing is left behind. A frame is one write; lines that are the same are not written again.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import termios
from collections.abc import Callable, Iterator, Sequence
from types import FrameType, TracebackType
from typing import Any, TextIO

from stretto.cli import terminal

FALLBACK = (80, 24)
_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"
"""What is between them is shown at once; who does not know them ignores them."""
_ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l"
"""The second page, no cursor, and lines that end where the screen does."""
_LEAVE = "\x1b[H\x1b[J\x1b[?7h\x1b[?25h\x1b[?1049l"
"""It is left empty: where its size has changed, tmux keeps what does not fit the first page's."""
_NAMES = {
    b"\x1b[A": "up", b"\x1b[B": "down", b"\x1bOA": "up", b"\x1bOB": "down", b"\x1b[5~": "page up",
    b"\x1b[6~": "page down", b"\x1b[H": "home", b"\x1b[F": "end", b"\x1b[1~": "home", b"\x1b[4~": "end",
    b"\x1b": "escape", b"\x0c": "redraw",
}  # fmt: skip
_DEADLY = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)

Handler = Callable[[int, FrameType | None], Any] | int | None


class Screen:
    """Takes the terminal for as long as it is entered, and gives it back as it was.

    `gone` is set when nobody is there any more to write to."""

    def __init__(self, out: TextIO, keys: TextIO | None) -> None:
        """`keys`: where they are read, if that is a terminal."""
        self.gone = False
        self.changed = True
        """Everything has to be drawn anew: the size is another one, or somebody else has written meanwhile."""
        self._out = out.fileno()
        self._keys = keys.fileno() if keys is not None and keys.isatty() else None
        self._tty = self._out if self._keys is None else self._keys
        self._before: list[Any] | None = None
        """The terminal's own mode, once it has been asked for."""
        self._taken = False
        self._lines: list[str] = []
        self._handlers: dict[int, Handler] = {}
        self._wake: tuple[int, int] | None = None

    @property
    def reads_keys(self) -> bool:
        return self._keys is not None

    def size(self) -> tuple[int, int]:
        """(columns, lines) that may be drawn on. The last column stays free: not every terminal agrees on it."""
        try:
            columns, lines = os.get_terminal_size(self._out)
        except OSError:
            columns, lines = FALLBACK
        return max(1, (columns or FALLBACK[0]) - 1), lines or FALLBACK[1]

    def __enter__(self) -> Screen:
        sys.stdout.flush()
        read, write = os.pipe()
        os.set_blocking(read, False)
        os.set_blocking(write, False)
        self._wake = read, write
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        for number in (signal.SIGWINCH, signal.SIGCONT):
            self._handle(number, self._anew)
        self._handle(signal.SIGCHLD, lambda number, frame: None)  # to be woken by it
        self._handle(signal.SIGTSTP, self._suspend)
        for number in _DEADLY:
            if signal.getsignal(number) is signal.SIG_DFL:
                self._handle(number, self._die)
        self._take()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._give()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(-1)
        for end in self._wake or ():
            os.close(end)
        self._wake = None

    def draw(self, lines: Sequence[str]) -> None:
        """Show these lines and nothing else; while the terminal is somebody else's, nothing happens."""
        if self.gone or not self._is_ours():
            return
        self._take()
        changed, self.changed = self.changed, False
        known = [] if changed else self._lines
        out = [f"\x1b[{n}H{text}\x1b[K" for n, text in enumerate(lines, 1) if n > len(known) or text != known[n - 1]]
        if changed or len(lines) < len(known):
            out.append(f"\x1b[{len(lines) + 1}H\x1b[J" if len(lines) < self.size()[1] else "")
        self._lines = list(lines)
        if any(out):
            self._write("".join((_BEGIN, *out, _END)))

    def wait(self, timeout_s: float) -> list[str]:
        """Until a key is pressed or a signal comes, but not for longer; the keys by their names."""
        assert self._wake is not None
        listen = [self._wake[0]]
        if self._keys is not None and self._taken and self._is_ours():
            listen.append(self._keys)
        ready, _, _ = select.select(listen, [], [], timeout_s)
        if self._wake[0] in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake[0], 4096)
        return list(self._pressed()) if self._keys in ready else []

    def _pressed(self) -> Iterator[str]:
        assert self._keys is not None
        try:
            data = os.read(self._keys, 4096)
        except OSError:
            data = b""
        if not data:
            self._keys = None  # nobody types there any more
        while data:
            sequence = next((known for known in _NAMES if data.startswith(known)), data[:1])
            if sequence == b"\x1b" and len(data) > 1:
                return  # a key of which we know nothing
            yield _NAMES.get(sequence) or sequence.decode("latin-1")
            data = data[len(sequence) :]

    # --- the terminal -----------------------------------------------------------------------------------------------

    def _is_ours(self) -> bool:
        """Whether we are in the foreground; who is not would be stopped for a try."""
        return terminal.in_foreground(self._out)

    def _take(self) -> None:
        if self._taken or not self._is_ours():
            return
        with contextlib.suppress(termios.error):
            self._before = self._before or termios.tcgetattr(self._tty)
            mode = termios.tcgetattr(self._tty)
            mode[3] &= ~(termios.ECHO | (0 if self._keys is None else termios.ICANON))
            termios.tcsetattr(self._tty, termios.TCSADRAIN, mode)
        self._write(_ENTER)
        self._taken = self.changed = True

    def _give(self) -> None:
        if not self._taken:
            return
        self._taken = False
        self._write(_LEAVE)
        if self._before is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self._tty, termios.TCSADRAIN, self._before)

    def _write(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        try:
            while data and not self.gone:
                data = data[os.write(self._out, data) :]
        except OSError:
            self.gone = True
            terminal.silence()

    # --- signals ----------------------------------------------------------------------------------------------------

    def _handle(self, number: int, handler: Handler) -> None:
        self._handlers.setdefault(number, signal.signal(number, handler))

    def _anew(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGCONT:
            self._taken = False  # whoever was in front meanwhile has set the terminal for itself
        self.changed = True

    def _suspend(self, number: int, frame: FrameType | None) -> None:
        """Ctrl-Z: the run goes on, we do not; the terminal is the shell's."""
        self._give()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.signal(number, self._suspend)

    def _die(self, number: int, frame: FrameType | None) -> None:
        self._give()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
