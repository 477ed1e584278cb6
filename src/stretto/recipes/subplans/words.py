"""Pieces of a Markdown text by their headings and labels, for papers that are filled from other papers."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import Literal

from stretto.model.plan import Value

Topic = Literal["goal", "deliverables", "approach", "criteria", "tests", "bookkeeping", "other"]

_TOPICS: tuple[tuple[Topic, re.Pattern[str]], ...] = (
    (
        "bookkeeping",
        re.compile(r"^(?:depend|blocks?$|blocked|estimat|time$|title$|status|priority|files?$|related|enables)"),
    ),
    ("goal", re.compile(r"\b(?:goals?|objectives?|purpose|description|why)\b")),
    ("deliverables", re.compile(r"\b(?:deliverables?|outputs?|artifacts?|produces)\b")),
    ("criteria", re.compile(r"\b(?:success|criteria|acceptance|definition of done|done when|expected results?)\b")),
    ("tests", re.compile(r"\b(?:tests?|testing|validation|verification)\b")),
    ("approach", re.compile(r"\b(?:approach|steps|strategy|implementation|instructions|plan of work|phases|how)\b")),
)
_LABEL = re.compile(
    r"(?P<indent>[ \t]*)(?:[-*+][ \t]+)?\*\*(?P<label>[^*\n]{1,80}?):?\*\*[ \t]*(?P<rest>(?:\([^)\n]*\))?[ \t]*:.*)$"
)
_LABEL_INSIDE = re.compile(r"(?P<indent>[ \t]*)(?:[-*+][ \t]+)?\*\*(?P<label>[^*\n]{1,80}?):\*\*(?P<rest>.*)$")
_ASIDE = re.compile(r"^[ \t]*(?:\([^)\n]*\)[ \t]*)?:?[ \t]*")
"""Behind a label: a remark in brackets, and the colon."""
_HEADING = re.compile(r"(#{1,6})[ \t]+(.+)")
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})")
_RULE = re.compile(r"[ \t]*([-*_])(?:[ \t]*\1){2,}[ \t]*")
_ITEM = re.compile(r"(?P<indent>[ \t]*)(?:[-*+]|\d+[.)])[ \t]+(?:\[[ xX]\][ \t]+)?(?P<text>.+)")
_KEY = re.compile(r"([A-Z][^\n:]{0,60}):")
_LONGEST = 12_000


class Piece(Value, frozen=True, kw_only=True):
    label: str
    """Empty for what stands before the first label."""
    topic: Topic
    body: str


def labelled(text: str) -> tuple[Piece, ...]:
    """A section by its labels in bold (`- **Goal**: …`) and its headings."""
    return tuple(_pieces(text, labels=True))


def headed(text: str) -> tuple[Piece, ...]:
    """A whole paper by its headings of the second level."""
    return tuple(_pieces(text, labels=False))


def told_pieces(text: str) -> tuple[Piece, ...]:
    """What a plan file says, by its lines that are a label with a colon (`Steps:`) below an empty line."""
    pieces, label, body, fence, free = list[Piece](), "", list[str](), "", True
    for line in text.splitlines():
        fence, inside = _fenced(line, fence)
        if free and not inside and (found := _KEY.fullmatch(line)):
            pieces.append(_piece(label, body))
            label, body = found[1], []
        else:
            body.append(line)
        free = not line.strip()
    return (*pieces, _piece(label, body))


def of_topic(pieces: Sequence[Piece], *topics: Topic) -> str:
    """Everything that is said on these, clipped."""
    text = "\n\n".join(piece.body for piece in pieces if piece.topic in topics and piece.body)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def items(text: str) -> tuple[str, ...]:
    """The outermost items of a list, each on one line."""
    found = [(len(match["indent"].expandtabs(4)), match["text"].strip()) for match in _outside_code(text)]
    least = min((indent for indent, _ in found), default=0)
    return tuple(line for indent, line in found if indent == least)


def _outside_code(text: str) -> Iterator[re.Match[str]]:
    fence = ""
    for line in text.splitlines():
        fence, inside = _fenced(line, fence)
        if not inside and (match := _ITEM.fullmatch(line)):
            yield match


def _fenced(line: str, fence: str) -> tuple[str, bool]:
    """(the fence that is open behind this line, whether the line is code or a fence)."""
    mark = _FENCE.match(line)
    if fence:
        return ("" if mark and mark[1].startswith(fence) else fence), True
    return (mark[1], True) if mark else ("", False)


def _pieces(text: str, *, labels: bool) -> Iterator[Piece]:
    label, body, outer, fence = "", list[str](), 0, ""
    for line in text.splitlines():
        fence, inside = _fenced(line, fence)
        heading = None if inside else _HEADING.fullmatch(line)
        found = None
        if labels and not inside:
            found = _LABEL.fullmatch(line) or _LABEL_INSIDE.fullmatch(line)
            if found and label and len(found["indent"].expandtabs(4)) > outer:
                found = None  # a part of what is being said
        if found or (heading and (labels or len(heading[1]) <= 2)):
            yield _piece(label, body)
            outer = len(found["indent"].expandtabs(4)) if found else 0
            label, rest = (found["label"], _ASIDE.sub("", found["rest"])) if found else (_title(heading), "")
            body = [rest.strip()] if rest.strip() else []
        elif inside or not _RULE.fullmatch(line):
            body.append(line)
    yield _piece(label, body)


def _title(heading: re.Match[str] | None) -> str:
    """That of the whole paper counts as bookkeeping, as do the lines below it."""
    return "" if heading is None else "Title" if len(heading[1]) == 1 else heading[2].rstrip().rstrip("#").rstrip()


def _piece(label: str, body: Sequence[str]) -> Piece:
    first, rest = (body[0], body[1:]) if body else ("", ())
    text = "\n".join(filter(None, (first.strip(), textwrap.dedent("\n".join(rest)).rstrip()))).strip("\n")
    if body and first.startswith((" ", "\t")):
        text = textwrap.dedent("\n".join(body)).strip("\n")
    plain = re.sub(r"[^\w\s]+", " ", label).strip().casefold()
    topic: Topic = next((topic for topic, pattern in _TOPICS if pattern.search(plain)), "other")
    return Piece(label=re.sub(r"[*_`]+", "", label).strip(), topic=topic, body=re.sub(r"\n{3,}", "\n\n", text))
