"""What an agent answered: the JSON object in its text, its decision, and its word on every point of the checklist."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from stretto.analysis.wording import listed, quoted, shown
from stretto.model.excerpt import legible
from stretto.model.plan import Value
from stretto.recipes.discovery.checklist import POINTS

_FENCED: Final = re.compile(
    r"^[ \t]*(?P<fence>`{3,}|~{3,})[^\n`]*\n(?P<body>.*?)^[ \t]*(?P=fence)`*[ \t]*$", re.M | re.S
)
_MOST_WORDS: Final = 2_000
"""Characters of a reason that are kept."""
_KEYS: Final = ("decision", "reason", "checklist", "plan")
_BYTE: Final = re.compile(r" \(byte (\d+)\)$")


class Judged(Value, frozen=True, kw_only=True):
    """One point of the checklist, as the answer has it."""

    point: str
    holds: bool
    why: str


class Answer(Value, frozen=True, kw_only=True):
    """A whole answer. Its plan has not been looked at."""

    decision: Literal["yes", "no"]
    reason: str
    points: tuple[Judged, ...]
    """All sixteen, in their order."""
    plan: Mapping[str, Any] | None = None
    """None with a no."""


class Unsound(Exception):
    """An answer that cannot be taken; `faults` are sentences that tell whoever gave it what to put right."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(dict.fromkeys(faults))


def understood(text: str) -> Answer:
    """The answer in a text, whatever stands around it. Raises Unsound."""
    value = _object(text)
    faults: list[str] = []
    decision = value.get("decision")
    if isinstance(decision, bool):
        decision = "yes" if decision else "no"
    word = decision.strip().lower() if isinstance(decision, str) else ""
    if word not in ("yes", "no"):
        faults.append(f'`decision` is "yes" or "no", not {_said(decision)}')
    reason = _words(value.get("reason"))
    if not reason:
        faults.append("`reason` is missing: say in a sentence or two what speaks for the decision")
    points = tuple(_points(value.get("checklist"), faults))
    plan = value.get("plan")
    if word == "yes":
        if not isinstance(plan, dict):
            faults.append(f"the decision is yes, so `plan` has to be an object, not {_said(plan)}")
        if open := [judged.point for judged in points if not judged.holds]:
            holds = "does" if len(open) == 1 else "do"
            faults.append(
                f"the decision is yes, but {listed(open)} {holds} not hold: order the tasks that they are about, or "
                "give them other files, until they do; else the decision is no"
            )
    if more := [key for key in value if key not in _KEYS]:
        faults.append(f"an answer has no {listed(more)}: it has {listed(_KEYS)}")
    if faults:
        raise Unsound(faults)
    yes = word == "yes" and isinstance(plan, dict)
    return Answer(decision="yes" if yes else "no", reason=reason, points=points, plan=plan if yes else None)


def _object(text: str) -> dict[str, Any]:
    """The first of the texts that could be the answer and is one. Raises Unsound."""
    faults: list[str] = []
    if not text.strip():
        raise Unsound(["there is nothing in it"])
    for body, line in _candidates(text):
        try:
            value = msgspec.json.decode(body.encode())
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            if "{" in body:
                faults.append(f"it is no JSON: {_placed(str(error), body, line)}")
            continue
        if isinstance(value, dict) and {"decision", "checklist"} & value.keys():
            return value
        faults.append(f"it is JSON, but no object with {listed(_KEYS)}")
    raise Unsound(faults[-1:] or ["there is no JSON object in it"])


def _candidates(text: str) -> Iterator[tuple[str, int]]:
    """(text, the line it begins on): all of it, what stands between fences, and what from the first brace to the last.

    The last fences come first, for an answer stands at the end of what was thought about it."""
    fenced = [(found["body"], text.count("\n", 0, found.start("body")) + 1) for found in _FENCED.finditer(text)]
    first, last = text.find("{"), text.rfind("}")
    if text.strip().startswith("{"):
        yield text, 1
    yield from reversed(fenced)
    if 0 <= first < last and not fenced:
        yield text[first : last + 1], text.count("\n", 0, first) + 1


def _placed(message: str, body: str, line: int) -> str:
    """The decoder's message with a line in place of a byte."""
    if (found := _BYTE.search(message)) is None:
        return message
    before = body.encode()[: int(found[1])].decode(errors="replace")
    column = len(before) - (before.rfind("\n") + 1) + 1
    return f"{message[: found.start()]} (line {line + before.count(chr(10))}, column {column})"


def _points(value: object, faults: list[str]) -> Iterator[Judged]:
    if not isinstance(value, dict):
        faults.append(
            f"`checklist` is an object with an entry for each of the {len(POINTS)} points, not {_said(value)}"
        )
        return
    missing = []
    for point in POINTS:
        match value.get(point.id):
            case None:
                missing.append(point.id)
            case {"holds": bool() as holds, "why": str() as why} if _words(why):
                yield Judged(point=point.id, holds=holds, why=_words(why))
            case _:
                faults.append(f'`checklist`: {quoted(point.id)} should be {{"holds": true or false, "why": "…"}}')
    if missing:
        faults.append(f"`checklist` says nothing of {listed(missing, len(POINTS))}")
    known = {point.id for point in POINTS}
    if more := [key for key in value if key not in known]:
        faults.append(f"`checklist` has no point {listed(more)}")


def _words(value: object) -> str:
    return " ".join(legible(value).split())[:_MOST_WORDS] if isinstance(value, str) else ""


def _said(value: object) -> str:
    return "absent" if value is None else quoted(shown(str(value), 40))
