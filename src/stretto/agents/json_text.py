"""JSON as programs write it: a number that is none, or half a character, costs that value and not the rest."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec

_DIGITS = 300
"""Of a whole number, at most; no float holds more than 308."""


def decoded(text: bytes) -> Any:
    """Its value. Raises msgspec.DecodeError where it is no JSON at all."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return leniently(text)


def leniently(text: bytes) -> Any:
    """The same, slower: `None` for NaN, infinities and numbers that no float holds, `?` for half a surrogate pair."""
    try:
        value = json.loads(
            text.decode("utf-8", "replace"), strict=False,
            parse_constant=_unknown, parse_float=_fraction, parse_int=_whole,
        )  # fmt: skip
        return msgspec.json.decode(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise msgspec.DecodeError(str(error)) from error


def _unknown(constant: str) -> None:
    return None


def _fraction(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _whole(digits: str) -> int | None:
    return int(digits) if len(digits) <= _DIGITS else None
