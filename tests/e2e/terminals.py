"""A real terminal to type into and to look at: tmux, with a server of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType

from e2e.toy import Toy, until


class Terminal:
    """A shell in a terminal of that size, in the toy's repository. On failure the test sees what stood there."""

    def __init__(self, tmux: Path, toy: Toy, columns: int = 80, lines: int = 24) -> None:
        self._tmux = str(tmux)
        self._folder = tempfile.mkdtemp(prefix="tmux-")  # a socket's path must be short
        self._env = {
            **toy.env, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "PS1": "$ ", "SHELL": "/bin/sh",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }  # fmt: skip
        self._env.pop("TMUX", None)
        self._call(
            "new-session", "-d", "-s", "toy", "-x", str(columns), "-y", str(lines), "-c", str(toy.repository),
            "exec /bin/bash --norc --noprofile -i",
        )  # fmt: skip
        self._call("set-option", "-g", "status", "off")
        self._call("resize-window", "-t", "toy", "-x", str(columns), "-y", str(lines))
        self.until("$")

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._call("kill-server")
        shutil.rmtree(self._folder, ignore_errors=True)

    def type(self, line: str) -> None:
        self._call("send-keys", "-t", "toy", "-l", line)
        self.press("Enter")

    def press(self, *keys: str) -> None:
        """Keys by the names that tmux has for them."""
        self._call("send-keys", "-t", "toy", *keys)

    def resize(self, columns: int, lines: int) -> None:
        self._call("resize-window", "-t", "toy", "-x", str(columns), "-y", str(lines))

    def screen(self) -> list[str]:
        """What can be seen."""
        return self._lines()

    @property
    def is_broken(self) -> bool:
        """Whether the terminal has broken any line that can be seen in two."""
        return len(self._lines("-J")) != len(self._lines())

    def colours(self) -> str:
        return self._call("capture-pane", "-t", "toy", "-p", "-e")

    def history(self) -> list[str]:
        """Everything that was ever printed, also what has scrolled away; lines that were broken are whole."""
        return self._lines("-J", "-S", "-")

    def _lines(self, *how: str) -> list[str]:
        text = self._call("capture-pane", "-t", "toy", "-p", *how)
        return [line.rstrip() for line in text.rstrip().split("\n")]

    def until(self, *words: str) -> list[str]:
        """Wait until one line of the screen has all of these; the screen, and none that is being drawn just now."""

        def seen() -> list[str] | None:
            lines = self.screen()
            there = any(all(word in text for word in words) for text in lines)
            return lines if there and lines == self.screen() else None

        try:
            return list(until(seen, f"{words} on the screen"))
        except AssertionError as error:
            raise AssertionError(f"{error}\n" + "\n".join(self.history())) from None

    @property
    def second_page(self) -> bool:
        """Whether somebody draws there now."""
        return self._ask("#{alternate_on}") == "1"

    @property
    def cursor(self) -> bool:
        return self._ask("#{cursor_flag}") == "1"

    @property
    def wraps(self) -> bool:
        return self._ask("#{wrap_flag}") == "1"

    def modes(self) -> set[str]:
        """What `stty` says of it, but for its size."""
        done = subprocess.run(
            ["stty", "-F", self._ask("#{pane_tty}"), "-a"], capture_output=True, text=True, check=True
        )
        return {word for word in done.stdout.replace(";", " ").split() if not word.isdigit()}

    def _ask(self, what: str) -> str:
        return self._call("display-message", "-t", "toy", "-p", what).strip()

    def _call(self, *words: str) -> str:
        done = subprocess.run(
            [self._tmux, "-u", "-S", f"{self._folder}/s", "-f", "/dev/null", *words],
            env=self._env, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, f"tmux {words}: {done.stderr}"
        return done.stdout
