"""What people and prompts get to see of a program's output or of a file: a part of it, without control characters."""

from __future__ import annotations

import re
import unicodedata
from typing import BinaryIO

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
_OVERWRITTEN = re.compile(r"^[^\n]*\r(?!\n|$)", re.MULTILINE)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def legible(text: str) -> str:
    """`text` without terminal sequences, overwritten progress lines, control and direction characters."""
    return _CONTROL.sub("", _OVERWRITTEN.sub("", _ESCAPES.sub("", text)))


def is_text(text: str) -> bool:
    """Whether it can be written down as it stands: what the system hands us may hold bytes that are not UTF-8."""
    return text.isprintable() or not any("\ud800" <= sign <= "\udfff" for sign in text)


def clip(text: str, limit: int) -> str:
    """At most `limit` characters of `text`, from its end: programs say last what went wrong."""
    return text if len(text) <= limit else "…" + text[len(text) - limit + 1 :] if limit > 1 else ""


def head(text: str, limit: int) -> str:
    """At most `limit` characters of `text`, from its beginning; no sign is torn from the accents that follow it."""
    if len(text) <= limit:
        return text
    end = max(0, limit - 1)
    while end and (_clings(text[end]) or text[end - 1] == _JOINER):
        end -= 1
    return text[:end] + "…" if limit > 0 else ""


_JOINER = "\u200d"


def _clings(sign: str) -> bool:
    """Whether it is shown as a part of the sign before it."""
    return unicodedata.category(sign) in ("Mn", "Mc", "Me") or sign == _JOINER or "\U0001f3fb" <= sign <= "\U0001f3ff"


def ending(stream: BinaryIO, *, after: int = 0, lines: int = 30, limit: int = 3000) -> str:
    """The last lines of a log that is open for reading, from byte `after` on; never more than `limit` characters."""
    end = stream.seek(0, 2)
    stream.seek(max(after, end - 4 * limit))
    text = legible(stream.read(4 * limit).decode("utf-8", "replace"))
    return clip("\n".join(line.rstrip() for line in text.strip().split("\n")[-lines:]), limit)
