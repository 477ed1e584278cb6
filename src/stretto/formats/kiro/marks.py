"""The marks below a task: `_Requirements: 1.1_`, `_Depends: 2.1_`, `_Boundary: Cart_`, `_Blocked: why_`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from stretto.model.plan import Value

ID = r"\d{1,6}(?:\.\d{1,6}){0,5}[a-z]?(?![\w]|\.\d)"
"""A task's number. Deeper ones are no number: nobody writes them."""

_KEYS = {
    "needs": r"depends|depends\s+on|dependency|dependencies|depend|blocked\s+by|prerequisites?|依赖|依存",
    "requirements": r"requirements?|reqs?|validates|spec|requisitos|anforderungen|exigences|要件|需求|要求|요구사항",
    "boundary": r"boundary",
    "blocked": r"blocked",
}
_MARK = re.compile(
    r"^[ \t]*(?:[-*+][ \t]+)?[_*]{0,3}(?:"
    + "|".join(f"(?P<{name}>{words})" for name, words in _KEYS.items())
    + r")[ \t]*[_*]{0,3}[ \t]*[:：][_*]{0,3}[ \t]*(?P<value>[^\r\n]*)",
    re.IGNORECASE | re.MULTILINE,
)
_ANY_MARK = re.compile(r"^[ \t]*(?:[-*+][ \t]+)?(?:_\w[\w ]{0,40}:|\*\*(?:Property|Validates)\b).*", re.MULTILINE)
_SAYS = re.compile(
    r"^[ \t]*[-*+][ \t]+[_*]{0,3}(?:depends\s+on|blocked\s+by)[ \t]+(?P<value>[^\r\n]*)"
    r"|[(\[](?:depends\s+on|depends:?|after|requires|blocked\s+by|needs)[ \t]+(?P<inline>[^()\[\]\r\n]*)[)\]]",
    re.IGNORECASE | re.MULTILINE,
)
_ASIDE = re.compile(r"[(（][^()（）]*[)）]")
_PIECE = re.compile(r"[^,;、，&+]+")
_NAMED = re.compile(
    rf"[\s`*_]*(?:tasks?\s*)?#?(?P<first>{ID})[`*_]*(?:\s*(?:-|–|—|~|to|through|\.\.+)\s*[`*_]*(?P<last>{ID}))?[\s`*_.]*",
    re.IGNORECASE,
)
_NONE = frozenset(
    {"", "none", "nothing", "n/a", "na", "no", "nil", "なし", "无", "無", "нет", "keine", "ninguna", "없음"}
)
_TRIM = " \t\r`*_.-–—"
_REQUIREMENT = re.compile(
    r"(?<![\w.-])(?:(?:R|REQ|AC)-?)?(?P<first>\d{1,6}(?:\.\d{1,6})*)(?:\s*[-–—~]\s*(?P<last>\d{1,6}(?:\.\d{1,6})*))?(?!\w)",
    re.IGNORECASE,
)


class Reference(Value, frozen=True, kw_only=True):
    """A number, a name or a path that a task gives, and where."""

    name: str
    until: str = ""
    """The other end of a range."""
    start: int
    end: int


class Marks(Value, frozen=True, kw_only=True):
    """What a task says of itself."""

    needs: tuple[Reference, ...] = ()
    says_needs: bool = False
    """It says what it waits for, be it nothing."""
    foreign: tuple[Reference, ...] = ()
    """What it waits for and is no task of a list, such as a piece of another feature."""
    requirements: tuple[Reference, ...] = ()
    boundary: tuple[str, ...] = ()
    blocked: bool = False


def marks_of(text: str, pieces: Sequence[tuple[int, int]]) -> Marks:
    """What is said in these pieces of the text."""
    needs: list[Reference] = []
    foreign: list[Reference] = []
    requirements: list[Reference] = []
    boundary: list[str] = []
    says = blocked = False
    for start, end in pieces:
        for found in _MARK.finditer(text, start, end):
            value, at = found["value"].rstrip(" \t*_"), found.start("value")
            if found["needs"]:
                says = True
                plain = found["needs"].casefold() in ("depends", "depend")
                read(value, at, needs, foreign if plain else None)
            elif found["requirements"]:
                requirements += _requirements(value, at)
            elif found["boundary"]:
                boundary += (name for each in re.split(r"[,、，;]", value) if (name := each.strip(" `*_")))
            elif "_" in found[0][: found.start("blocked") - found.start()]:
                blocked = True
        for found in _SAYS.finditer(text, start, end):
            group = "inline" if found["inline"] is not None else "value"
            says = read(found[group], found.start(group), needs, None) or says
    return Marks(
        needs=tuple(needs),
        says_needs=says,
        foreign=tuple(foreign),
        requirements=tuple(requirements),
        boundary=tuple(dict.fromkeys(boundary)),
        blocked=blocked,
    )


def read(value: str, at: int, needs: list[Reference], foreign: list[Reference] | None) -> bool:
    """Take the tasks that a list names; what else it names goes to `foreign`. Whether there were any."""
    before = len(needs)
    plain = _ASIDE.sub(lambda x: " " * len(x[0]), re.sub(r"\band\b", "  ,", value))
    for piece in _PIECE.finditer(plain):
        if found := _NAMED.fullmatch(piece[0]):
            start = at + piece.start()
            needs.append(
                Reference(
                    name=found["first"],
                    until=found["last"] or "",
                    start=start + found.start("first"),
                    end=start + (found.end("last") if found["last"] else found.end("first")),
                )
            )
        elif foreign is not None and piece[0].strip(_TRIM).casefold() not in _NONE:
            foreign.append(Reference(name=piece[0].strip(_TRIM), start=at + piece.start(), end=at + piece.end()))
    return len(needs) > before


def _requirements(value: str, at: int) -> Iterator[Reference]:
    plain = _ASIDE.sub(lambda x: " " * len(x[0]), value)
    for found in _REQUIREMENT.finditer(plain):
        yield Reference(name=found["first"], until=found["last"] or "", start=at + found.start(), end=at + found.end())


def without_marks(body: str) -> str:
    """The words of a task without the lines that only point elsewhere."""
    return _ANY_MARK.sub("", _MARK.sub("", body))


def spread(first: str, last: str) -> Iterable[str]:
    """The numbers of a range within one parent, at most 200 of them; of any other range its ends."""
    parent, _, low = first.rpartition(".")
    other, _, high = last.rpartition(".")
    if (
        last
        and parent == (other or parent)
        and low.isdecimal()
        and high.isdecimal()
        and 0 <= int(high) - int(low) < 200
    ):
        dot = f"{parent}." if parent else ""
        return [f"{dot}{n}" for n in range(int(low), int(high) + 1)]
    return [first, last] if last else [first]
