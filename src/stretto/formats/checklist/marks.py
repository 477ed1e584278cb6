"""What stands in a check box, and what headings say of all boxes below them.

GitHub knows `[ ]` and `[x]`. The others are conventions: where a list explains its own marks, that counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

State = Literal["open", "done", "dropped", "later", "unknown"]

MARKS: dict[str, State] = {
    **dict.fromkeys((" ", "", "~", "/", ".", "⏳", "🔄", "🚧"), "open"),
    **dict.fromkeys(("x", "X", "✓", "✔", "✅", "☑"), "done"),
    "-": "dropped",
    **dict.fromkeys((">", "<"), "later"),
}
_SAID: dict[str, State] = {
    **dict.fromkeys(
        ("todo", "to do", "not started", "not yet started", "pending", "open", "planned", "not done"), "open"
    ),
    **dict.fromkeys(("incomplete", "unstarted", "in progress", "wip", "doing", "started", "ongoing", "active"), "open"),
    **dict.fromkeys(
        ("partial", "partially done", "partially complete", "current", "in review", "needs review"), "open"
    ),
    **dict.fromkeys(("done", "complete", "completed", "finished", "implemented"), "done"),
    **dict.fromkeys(("blocked", "blocker", "waiting", "on hold", "paused", "deferred", "postponed", "later"), "later"),
    **dict.fromkeys(("scheduled", "forwarded", "future"), "later"),
    **dict.fromkeys(("cancelled", "canceled", "dropped", "abandoned", "skipped", "skip", "obsolete"), "dropped"),
    **dict.fromkeys(("won t do", "wont do", "not needed", "not applicable", "n a", "removed", "superseded"), "dropped"),
    **dict.fromkeys(("deprecated", "rejected", "no longer needed"), "dropped"),
}
_REMARK = re.compile(r"[(\[:;,/=–—|.]|\s-+\s")
_DROPPED = re.compile(
    r"(?:out of scope|not in scope|non[- ]goals?|won['’]?t (?:do|fix)|wontfix|rejected|cancell?ed|dropped|abandoned)\b",
    re.IGNORECASE,
)
_LATER = re.compile(
    r"(?:deferred|postponed|on hold|ice ?box|parking lot|parked|some ?day(?:\s*/\s*maybe)?|not now)\b", re.IGNORECASE
)
_CRITERIA = re.compile(
    r"(?:(?:acceptance|success|exit|completion|done|passing) criteri(?:a|on)|acceptance|definition of done|dod"
    r"|done when|acceptance (?:tests|checks|checklist))\b",
    re.IGNORECASE,
)
_SIGNS = re.compile(r"[\W_]+|\d+(?:\.\d+)*[.)]?\s+")


def state_of(mark: str, own: Mapping[str, State]) -> State:
    """What a mark means; `own`: what the list itself says of its marks."""
    return own.get(mark) or MARKS.get(mark, "unknown")


def explained(words: str) -> State | None:
    """What the words of a legend's line say that its box means; None: they are the words of a task."""
    head = _REMARK.split(words.strip("*_`~ "), maxsplit=1)[0]
    return _SAID.get(" ".join(re.findall(r"[^\W\d_]+", head.casefold()))) if len(head) < 40 else None


@lru_cache(maxsize=1_000)
def set_aside(title: str) -> State | None:
    """Whether a heading says that what stands below it is not to be done."""
    at = _first_word(title)
    return "dropped" if _DROPPED.match(title, at) else "later" if _LATER.match(title, at) else None


@lru_cache(maxsize=1_000)
def are_criteria(title: str) -> bool:
    """Whether a heading says that what stands below it is to hold in the end, and is no work of its own."""
    return _CRITERIA.match(title, _first_word(title)) is not None


def _first_word(title: str) -> int:
    """Behind emoji, numbers and marks."""
    at = 0
    while found := _SIGNS.match(title, at):
        at = found.end()
    return at
