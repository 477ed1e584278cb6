"""Where people's text goes, and how."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TextIO

from stretto.observe.layout import advice, wrap
from stretto.observe.paint import Paint

WIDTH = 80


def paint(stream: TextIO) -> Paint:
    """Colours only for a terminal that has not said NO_COLOR."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return Paint(stream.isatty() and not plain)


def width(stream: TextIO) -> int | None:
    """Columns of the terminal; None where lines may be of any length."""
    return shutil.get_terminal_size((WIDTH, 24)).columns if stream.isatty() else None


def can_draw(stream: TextIO) -> bool:
    """Whether it is a terminal in the foreground on which a screen can be drawn."""
    if not stream.isatty() or not in_foreground(stream.fileno()):
        return False
    return stream.encoding.lower().replace("-", "") == "utf8" and _has_second_page(os.environ.get("TERM", ""))


def _has_second_page(term: str) -> bool:
    """Whether what stands on the terminal can be put away and be shown again; one that nobody knows is a new one."""
    if term in ("", "dumb"):
        return False
    try:
        import curses

        curses.setupterm(term, 1)
        return curses.tigetstr("smcup") is not None
    except (ImportError, curses.error):
        return True


def in_foreground(terminal: int) -> bool:
    """Whether the shell lets us have the terminal now; where nobody divides it up, it is ours."""
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return True


def people(json: bool) -> TextIO:
    """With `--json` nothing but JSON goes to standard output."""
    return sys.stderr if json else sys.stdout


def silence() -> None:
    """Whoever read our output has gone: what is still buffered, and what comes, goes nowhere and fails nothing."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(text: str, *, json: bool = False, label: str = "") -> None:
    """A sentence; in a terminal it is wrapped between words. `label` says what it is, such as a warning."""
    stream = people(json)
    first, *more = wrap(text, width(stream), first=f"{label}: " if label else "")
    if label:
        first = paint(stream)(label, "yellow") + first[len(label) :]
    print("\n".join((first, *more)), file=stream, flush=True)


def hint(text: str, *, json: bool = False) -> None:
    """What to do, below what went wrong: each of its lines begins a line, and a command is never broken."""
    stream = people(json)
    print("\n".join(advice(text, width(stream))), file=stream, flush=True)


def commands(*texts: str, json: bool = False) -> None:
    """What the person may type next, whole."""
    for text in texts:
        print(f"  {text}", file=people(json), flush=True)


def user() -> str:
    """Who sits here; empty where the system does not know."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def is_interactive() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str, *, default: bool) -> bool:
    """A yes or no from the person at the terminal; the end of input is a no."""
    choices = "[Y/n]" if default else "[y/N]"
    while True:
        print(f"{question} {choices} ", end="", file=sys.stderr, flush=True)
        answer = sys.stdin.readline()
        if not answer:
            print(file=sys.stderr)
            return False
        match answer.strip().lower():
            case "":
                return default
            case "y" | "yes":
                return True
            case "n" | "no":
                return False
