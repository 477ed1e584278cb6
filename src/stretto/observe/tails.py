"""The last line that each running attempt has printed, read bit by bit through the port RunReader."""

from __future__ import annotations

import re
from collections.abc import Iterable

from stretto.errors import StateError
from stretto.observe.cells import flat
from stretto.ports import RunReader

CHUNKS = 4
"""So many chunks of one log are read at a time; a flood of output holds up nobody."""
LONGEST = 4096
"""Bytes of a line that are looked at."""
_ENDS = re.compile(rb"[\r\n]+")

Attempt = tuple[str, int]


class Tails:
    """Last lines by (task, attempt); for as long as they are asked for."""

    def __init__(self, reader: RunReader) -> None:
        self._reader = reader
        self._offsets: dict[Attempt, int] = {}
        self._rest: dict[Attempt, bytes] = {}
        self.lines: dict[Attempt, str] = {}
        """The last line that says something, of the attempts that were looked at last."""

    def look(self, attempts: Iterable[Attempt]) -> bool:
        """Read on in the logs of these; whether any line is another one now."""
        before = self.lines
        self.lines = {one: said for one in attempts if (said := self._read(one) or before.get(one, ""))}
        for gone in before.keys() - self.lines.keys():
            self._offsets.pop(gone, None)
            self._rest.pop(gone, None)
        return self.lines != before

    def _read(self, attempt: Attempt) -> str:
        """The latest line in what is new, also one that is not finished yet; empty when nothing is, and for a log that
        cannot be read: that holds up no view."""
        try:
            return self._read_on(attempt)
        except StateError:
            return ""

    def _read_on(self, attempt: Attempt) -> str:
        if attempt not in self._offsets:
            self._offsets[attempt] = self._near_the_end(attempt)
        said = ""
        for _ in range(CHUNKS):
            chunk = self._reader.log(*attempt, self._offsets[attempt])
            if not chunk:
                break
            self._offsets[attempt] += len(chunk)
            *whole, rest = _ENDS.split(self._rest.get(attempt, b"") + chunk)
            self._rest[attempt] = rest[-LONGEST:]
            for line in reversed((*whole[-20:], rest)):
                if text := flat(line[:LONGEST].decode("utf-8", "replace")):
                    said = text
                    break
        return said

    def _near_the_end(self, attempt: Attempt) -> int:
        """An offset not far from the end of what has been written so far: a long log is not read from its start."""
        low, high = 0, 1 << 16
        if not self._reader.log(*attempt, high):
            return 0
        while self._reader.log(*attempt, high):
            low, high = high, high * 2
        while high - low > 1 << 16:
            middle = (low + high) // 2
            low, high = (middle, high) if self._reader.log(*attempt, middle) else (low, middle)
        return max(0, low - LONGEST)
