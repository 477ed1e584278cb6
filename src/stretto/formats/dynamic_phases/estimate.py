"""How long a phase is said to take: `3-4 min`, `Instant`, `1h`, or a number of minutes."""

from __future__ import annotations

import re

from stretto.formats.reading import MAX_SECONDS

_NUMBER = r"(\d{1,6}(?:\.\d{1,6})?)"
_UNIT = r"(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)(?![a-z])\.?"
_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
_SPAN = re.compile(rf"{_NUMBER}\s*(?:{_UNIT})?\s*(?:-|–|—|to)\s*{_NUMBER}\s*(?:{_UNIT})?")
_PARTS = re.compile(rf"(?:{_NUMBER}\s*{_UNIT}[\s,]*)+")
_PART = re.compile(rf"{_NUMBER}\s*{_UNIT}")
_ROUGHLY = re.compile(r"^(?:[~≈<>]|about|around|approx\.?|approximately|up to|est\.?)\s*")
_AT_ONCE = {"instant", "instantly", "instantaneous", "immediate", "immediately"}
_AT_ONCE_S = 1.0
_MAX_TEXT = 60


def estimate_s(value: object) -> float | None:
    """Seconds; of a range such as `3-4 min` the middle. None for what is no time."""
    seconds = _seconds(value)
    return seconds if seconds is not None and 0 < seconds <= MAX_SECONDS else None


def _seconds(value: object) -> float | None:
    match value:
        case bool():
            return None
        case int() | float():
            return value * _UNITS_S["m"] if abs(value) < MAX_SECONDS else None
        case str() if len(value) <= _MAX_TEXT:
            text = _ROUGHLY.sub("", value.strip().casefold()).strip()
        case _:
            return None
    if text in _AT_ONCE:
        return _AT_ONCE_S
    if span := _SPAN.fullmatch(text):
        unit = span[4] or span[2] or "m"
        return (float(span[1]) * _unit_s(span[2] or unit) + float(span[3]) * _unit_s(unit)) / 2
    if _PARTS.fullmatch(text):
        return sum(float(part[1]) * _unit_s(part[2]) for part in _PART.finditer(text))
    return float(text) * _UNITS_S["m"] if re.fullmatch(_NUMBER, text) else None


def _unit_s(unit: str) -> float:
    return _UNITS_S[unit[0]]
