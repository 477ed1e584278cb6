"""A page that is walked: its commands are typed into a terminal, one after the other, and what it shows is compared.

Each block of the page is a step. A line above it may say what is special there:

    <!-- exit 3 -->      the last command of the block ends with 3, and not with 0
    <!-- live -->        it asks before it begins to draw; it is told yes, and goes on
    <!-- screen -->      what the terminal shows then, at some moment
    <!-- elsewhere -->   typed into another terminal meanwhile
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence

from e2e.terminals import Terminal
from e2e.toy import until
from stretto.model.plan import Value

LEFT_OUT = "…"
PROMPT = re.compile(r"\[(\d+)\]\$")
_BLOCK = re.compile(r"(?:^<!-- ([a-z]+)(?: (\d+))? -->\n)?^```(console|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MASKS = (
    (re.compile(r"\b([a-z]+)-\d{6}-\d{4}-[0-9a-f]{8}"), r"\1-RUN"),
    (re.compile(r"\b(?=[a-f]*\d)[0-9a-f]{7,40}\b"), "COMMIT"),
    (re.compile(r"\babout (?:to end|\S+ left)"), "about TIME left"),
    (re.compile(r"\b(?:\d+m)?\d+(?:\.\d)?s\b|\b\d\d:\d\d\b"), "TIME"),
    (re.compile(r"\b\d+(?:\.\d)? (?:[kMG]?B)\b"), "SIZE"),
    (re.compile(r"\b\d+\.\d times as fast"), "N times as fast"),
)
"""What is never the same twice."""


class Step(Value, frozen=True, kw_only=True):
    """A block of the page."""

    line: int
    """Where it begins."""
    mark: str = ""
    code: int = 0
    commands: tuple[tuple[str, tuple[str, ...]], ...]
    """Each with what it prints. A block without a command goes on with what the one before it prints."""


def steps(page: str) -> list[Step]:
    return [
        Step(
            line=page.count("\n", 0, found.start(4)) + 1,
            mark=found[1] or "",
            code=int(found[2] or 0),
            commands=tuple(_commands(found[4].splitlines(), typed=found[3] == "console")),
        )
        for found in _BLOCK.finditer(page)
    ]


def _commands(lines: Sequence[str], *, typed: bool) -> Iterator[tuple[str, tuple[str, ...]]]:
    command, shown = "", list[str]()
    for line in lines:
        if typed and line.startswith("$ "):
            if command:
                yield command, tuple(shown)
            command, shown = line[2:], []
        else:
            shown.append(line)
    yield command, tuple(shown)


def plain(lines: Sequence[str]) -> list[str]:
    """Lines as they are compared: without what is never the same twice, and whatever they are indented by."""
    told = [" ".join(line.split()) for line in lines]
    for mask, word in _MASKS:
        told = [mask.sub(word, line) for line in told]
    while told and not told[0]:
        del told[0]
    while told and not told[-1]:
        del told[-1]
    return told


def fits(shown: Sequence[str], printed: Sequence[str]) -> bool:
    """Whether that was printed, where any lines may stand for one that says that some are left out."""
    pattern = "".join("(?:.*\n)*?" if line == LEFT_OUT else re.escape(line) + "\n" for line in plain(shown))
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in plain(printed))) is not None


class Walker:
    """Somebody who goes through a page with a terminal and a second one."""

    def __init__(self, terminal: Terminal, env: Mapping[str, str]) -> None:
        self._terminal, self._env = terminal, env
        self._read = 0
        """Lines of the terminal that have been compared."""
        self.printed: list[str] = []
        """Everything that was ever seen, for whoever looks for hints in it."""

    def walk(self, step: Step) -> None:
        """Do what the step shows. Raises AssertionError, with what was printed, where it goes another way."""
        where = f"line {step.line}"
        if step.mark == "screen":
            ((_, shown),) = step.commands
            until(lambda: fits(shown, self._terminal.screen()), f"{where}: such a screen", 30)
            return
        if step.mark == "elsewhere":
            self._elsewhere(step)
            return
        for number, (command, shown) in enumerate(step.commands, 1):
            last = number == len(step.commands)
            if command:
                self._read = len(self._terminal.history())
                self._terminal.type(command)
            code, printed = self._begun() if last and step.mark == "live" else self._ended()
            self.printed += printed
            told = "\n".join(printed)
            assert code == (step.code if last else 0), f"{where}: {command}: exit {code}\n{told}"
            assert fits(shown, printed), f"{where}: {command}: printed\n{told}"

    def _begun(self) -> tuple[int, list[str]]:
        """Say yes where it asks; no code yet, and what it has printed until then."""
        lines = self._until(_asks)
        printed, self._read = lines[self._read :], len(lines)
        self._terminal.press("Enter")
        return 0, printed

    def _ended(self) -> tuple[int, list[str]]:
        """Wait for its end, and say yes wherever it asks: the code, and what it has printed."""
        lines = self._until(lambda line: PROMPT.fullmatch(line) is not None or _asks(line))
        while _asks(lines[-1]):
            asked = len(lines)
            self._terminal.press("Enter")
            lines = self._until(lambda line: PROMPT.fullmatch(line) is not None or _asks(line), beyond=asked)
        printed = lines[self._read : -1]
        self._read = len(lines)
        return int(lines[-1].strip("[]$")), printed

    def _until(self, seen: Callable[[str], bool], *, beyond: int = 0) -> list[str]:
        """All lines, as soon as there is more than has been read and the last one is such a line."""

        def more() -> list[str] | None:
            lines = self._terminal.history()
            return lines if len(lines) > max(self._read, beyond) and seen(lines[-1]) else None

        return list(until(more, f"the end of a command; the screen: {self._terminal.screen()}"))

    def _elsewhere(self, step: Step) -> None:
        script = "set -e\n" + "\n".join(command for command, _ in step.commands)
        done = subprocess.run(["bash", "-c", script], env=self._env, capture_output=True, text=True, timeout=60)
        assert done.returncode == step.code, f"line {step.line}: exit {done.returncode}\n{done.stdout}{done.stderr}"


def _asks(line: str) -> bool:
    return line.endswith("[Y/n]")
