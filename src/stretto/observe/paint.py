"""Text for people: colour where it is wanted, widths that hold, nothing that could confuse a terminal."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Literal

from stretto.model.excerpt import legible

Colour = Literal["bold", "dim", "red", "green", "yellow", "blue", "cyan", "magenta"]
_CODES: Mapping[Colour, int] = {
    "bold": 1, "dim": 2, "red": 31, "green": 32, "yellow": 33, "blue": 34, "magenta": 35, "cyan": 36,
}  # fmt: skip
STATE_COLOURS: Mapping[str, Colour] = {
    "pending": "dim", "ready": "dim", "running": "cyan", "gating": "blue", "landing": "blue", "waiting": "yellow",
    "succeeded": "green", "failed": "red", "skipped": "yellow", "cancelled": "yellow", "draining": "yellow",
    "paused": "yellow", "stopped": "yellow", "stopping": "yellow", "killed": "red",
}  # fmt: skip
AGES_S = 100 * 365 * 86400.0
"""What is longer is told as no number: a clock was wrong, or a journal is damaged."""


class Paint:
    """Colours text, or leaves it as it is."""

    def __init__(self, on: bool) -> None:
        self.on = on

    def __call__(self, text: str, colour: Colour | None) -> str:
        return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if self.on and colour is not None and text else text

    def state(self, name: str, width: int = 0) -> str:
        return self(fit(name, width) if width else name, STATE_COLOURS.get(name))


def line(text: str) -> str:
    """The first line of a text that came from outside, fit to be printed."""
    return next((part.strip() for part in legible(text).splitlines() if part.strip()), "")


def width_of(text: str) -> int:
    """Columns that a text takes in a terminal."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def cut(text: str, width: int) -> str:
    """At most `width` columns; what is cut off is shown by an ellipsis."""
    if width <= 0:
        return ""
    room = text[: width + 1]  # a column has one character at least, but for those that combine
    if len(room) == len(text) and width_of(text) <= width:
        return text
    while width_of(room) >= width:
        room = room[:-1]
    return room + "…"


def fit(text: str, width: int) -> str:
    """Exactly `width` columns."""
    text = cut(text, width)
    return text + " " * (width - width_of(text))


def span(seconds: float) -> str:
    """A duration in few characters: `0.4s`, `12s`, `3m20s`, `2h05m`, `3d04h`; of a damaged journal also `>100y`."""
    if not seconds < AGES_S:
        return ">100y"
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02}m"
    return f"{whole // 86400}d{whole % 86400 // 3600:02}h"


def clock(seconds: float) -> str:
    """Time since the start: `00:12`, `1:02:03`."""
    if not seconds < AGES_S:
        return span(seconds)
    whole = int(max(0.0, seconds))
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute:02}:{second:02}"


def moment(at: float, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """Seconds since the epoch as a time in UTC; one that no calendar has as the number that it is."""
    try:
        return time.strftime(form, time.gmtime(at))
    except (OverflowError, ValueError, OSError):
        return f"{at:g}"


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
