"""docs/machines.md as data: what it promises of a condition is what the tests ask for, so it cannot rot."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "machines.md"
PROVEN: set[str] = set()
"""Conditions that a test has been written for."""
T = TypeVar("T", bound=Callable[..., Any])


class Row(NamedTuple):
    condition: str
    happens: str
    message: str


def rows() -> Iterator[Row]:
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 3 and not cells[0].startswith("---") and cells[0] != "condition":
            yield Row(*cells)


def proves(*conditions: str) -> Callable[[T], T]:
    """The test shows what the page says of these conditions."""
    PROVEN.update(conditions)

    def keep(test: T) -> T:
        return test

    return keep


def assert_told(condition: str, said: str) -> None:
    """Whether that text has the messages that the page promises; `…` on the page stands for anything."""
    row = next(row for row in rows() if row.condition == condition)
    messages = re.findall(r"`([^`]+)`", row.message)
    assert messages, f"the page promises no message for {condition!r}"
    flat = " ".join(said.split())
    for message in messages:
        pattern = ".*".join(re.escape(part) for part in message.split("…"))
        assert re.search(pattern, flat), f"{message!r} is not in: {said}"


def needs(found: bool, what: str) -> None:
    """Skip, by name, where the machine cannot play a condition."""
    if not found:
        pytest.skip(f"cannot be played here: {what}")
