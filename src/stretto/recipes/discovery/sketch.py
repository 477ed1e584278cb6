"""How large a document is, by its own words: which pieces of work it names, and how many hours they take."""

from __future__ import annotations

import re
from typing import Final

from stretto.model.plan import Value

_NAMED: Final = re.compile(
    r"^[\s>#*+\-\[\]xX_|]{0,24}(?:\d{1,3}[.)]\s+)?[*_]{0,2}"
    r"(?P<kind>Achievement|Subtask|Task|Step|Story|Milestone|Sprint|Phase|Feature|Ticket)"
    r"[\s#*_]{1,4}(?P<id>\d{1,4}(?:\.\d{1,4}){0,3}[a-z]?)\b(?P<rest>.*)$",
    re.IGNORECASE,
)
"""A line that begins with a piece of work: a heading, an entry of a list, or words in bold."""
_HOURS: Final = re.compile(
    r"(?<![\w.])(?P<low>\d{1,5}(?:\.\d{1,3})?)(?:\s*(?:-|–|—|to)\s*(?P<high>\d{1,5}(?:\.\d{1,3})?))?\s*"
    r"(?P<unit>hours?|hrs?|h|minutes?|mins?|days?|weeks?)\b",
    re.IGNORECASE,
)
_ABOUT_TIME: Final = re.compile(r"estimat|effort|duration|time", re.IGNORECASE)
_IN_ALL: Final = re.compile(r"\b(?:total|overall|in all)\b", re.IGNORECASE)
_UNITS: Final = {"h": 1.0, "m": 1 / 60, "d": 8.0, "w": 40.0}
"""Hours of work by the first letter of the unit."""
_LEVEL: Final = r"(?:P?\d{1,3}|critical|urgent|highest|high|medium|normal|lowest|low|must|should|could)"
_PRIORITY: Final = re.compile(
    rf"\bpriorit(?:y|ies)\b[^\w\n]{{1,8}}(?P<after>{_LEVEL}\b(?:(?:,? and |,? or |[,/] ?){_LEVEL}\b){{0,20}})"
    rf"|\b(?P<before>{_LEVEL})[ -]priority\b|\b(?P<short>P\d)\b",
    re.IGNORECASE,
)
"""Words that a document has for priorities: `Priority: high`, `priorities 1 and 2`, `P1`."""
_ONE: Final = re.compile(_LEVEL, re.IGNORECASE)
_NEAR: Final = 6
"""So many lines below a piece of work its hours may stand."""
_LONGEST: Final = 2_000
"""Characters of a line that are looked at."""


class Piece(Value, frozen=True, kw_only=True):
    """A piece of work that a document names."""

    kind: str
    id: str
    hours: float | None = None
    """The upper end of what the document says."""
    priority: str = ""
    """Empty where nobody can tell."""


class Sketch(Value, frozen=True, kw_only=True):
    """What can be told of a document without understanding it."""

    pieces: tuple[Piece, ...] = ()
    """Of the kind that it names most of, each id once, as it names them first."""
    hours: float | None = None
    """Of all of them, at most; None where that is not told of each, nor in all."""


def sketch(text: str) -> Sketch:
    """Look through a document. Whoever counts otherwise than it has no pieces here, and nothing is known."""
    lines = [line[:_LONGEST] for line in text.splitlines()]
    kinds: dict[str, dict[str, float | None]] = {}
    total: float | None = None
    for i, line in enumerate(lines):
        if found := _NAMED.match(line):
            pieces = kinds.setdefault(found["kind"].lower(), {})
            if pieces.get(found["id"]) is None:
                pieces[found["id"]] = _hours(found["rest"]) or _below(lines[i + 1 : i + 1 + _NEAR])
        elif total is None and _IN_ALL.search(line):
            total = _hours(line)
    if not kinds:
        return Sketch(hours=total)
    kind, pieces = max(kinds.items(), key=lambda entry: len(entry[1]))
    each = [hours for hours in pieces.values() if hours is not None]
    hours = sum(each) if len(each) == len(pieces) else total
    return Sketch(
        pieces=tuple(Piece(kind=kind, id=id, hours=took, priority=_priority(id)) for id, took in pieces.items()),
        hours=hours,
    )


def priorities(text: str) -> tuple[str, ...]:
    """The priorities that a text names, in lines or in a column of a table: each once, as `same_priority` has it."""
    found: dict[str, None] = {}
    column: int | None = None
    for line in (line[:_LONGEST] for line in text.splitlines()):
        cells = [cell.strip(" \t*_`:-") for cell in line.strip().strip("|").split("|")] if "|" in line else []
        heads = [cell.casefold() for cell in cells]
        names = [cells[column]] if column is not None and column < len(cells) else []
        column = heads.index("priority") if "priority" in heads else column if cells else None
        for match in _PRIORITY.finditer(line):
            names += _ONE.findall(match[0])
        found |= dict.fromkeys(same_priority(name) for name in names if name)
    return tuple(found)


def same_priority(name: str) -> str:
    """The name as all have it who mean the same: `P1` is 1, and `High` is high."""
    name = name.casefold()
    return name[1:] if name[:1] == "p" and name[1:].isdecimal() else name


def _priority(id: str) -> str:
    """The X of X.Y; empty where the id has no such form."""
    return id.partition(".")[0] if "." in id else ""


def _hours(text: str) -> float | None:
    found = _HOURS.search(text)
    return float(found["high"] or found["low"]) * _UNITS[found["unit"][0].lower()] if found else None


def _below(lines: list[str]) -> float | None:
    """Of the lines below a piece of work, up to the next one or a heading: the first that tells of time."""
    for line in lines:
        if _NAMED.match(line) or line.startswith("#"):
            return None
        if _ABOUT_TIME.search(line) and (hours := _hours(line)) is not None:
            return hours
    return None
