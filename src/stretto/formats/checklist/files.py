"""The files that a task says it will touch: a guess from its words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stretto.formats.named_paths import named_paths

_FIELD = re.compile(
    r"^[ \t]*(?:[-*+][ \t]+)?(?:\*\*|__|`)?(?:(?:changed|affected|touched|target|new|modified)[ \t]+)?files?"
    r"(?:[ \t]+(?:to|touched|changed|affected)\b[^\n:]{0,20})?(?:\*\*|__|`)?:",
    re.IGNORECASE | re.MULTILINE,
)
"""`**Files:**` and the like."""
_OTHER_FIELD = re.compile(
    r"[ \t]*(?:[-*+][ \t]+)?(?:\*\*|__)[^*\n]+(?:\*\*|__)?:|[ \t]*#|[ \t]*(?:[-*+]|\d+[.)])[ \t]+\[.?\]"
)
_BULLET = re.compile(r"[ \t]*[-*+][ \t]")
_PLACE = re.compile(r"(?<=\w)((?::\d+(?:[-–,]\d+)*)+)`")


def claims_of(text: str) -> Iterator[tuple[str, int, int]]:
    """Claims in order, each with the offsets of its path. Of words that have a field for files, that is all."""
    spans = [(0, len(text))]
    if ":" in text:  # else there is neither a field nor a place
        text = _PLACE.sub(lambda found: "`" + " " * len(found[1]), text)  # `a.py:12` is a place in a.py
        spans = list(_fields(text)) or spans
    for start, end in spans:
        for path, first, last in named_paths(text[start:end]):
            yield path, start + first, start + last


def _fields(text: str) -> Iterator[tuple[int, int]]:
    """Where the fields for files are: the line of each, and the bullets below it."""
    for field in _FIELD.finditer(text):
        end = _line_end(text, field.end())
        while end < len(text):
            after = _line_end(text, end)
            line = text[end:after]
            if line.strip() and (_OTHER_FIELD.match(line) or not _BULLET.match(line)):
                break
            end = after
        yield field.start(), end


def _line_end(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1
