"""The time of the server under test."""

from __future__ import annotations


class Clock:
    """A time in Unix seconds that only moves when told."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now
