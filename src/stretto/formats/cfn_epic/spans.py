"""Durations as people write them into epics, "3-4 days" or "30 minutes": the least and the most, in seconds."""

from __future__ import annotations

import re

from stretto.formats.cfn_epic.outline import Node
from stretto.formats.reading import MAX_SECONDS

HOUR_S = 3600.0
DAY_S = 8 * HOUR_S
"""A day of work; a week has five of them, and a month four weeks."""

Span = tuple[float, float]

_UNITS_S = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), HOUR_S),
    **dict.fromkeys(("d", "day", "days"), DAY_S),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), 5 * DAY_S),
    **dict.fromkeys(("month", "months"), 20 * DAY_S),
}
_NUMBER = r"(\d{1,6}(?:\.\d{1,6})?)"
_SPAN = re.compile(rf"(?<![\w.]){_NUMBER}\s*(?:(?:-|–|—|to)\s*{_NUMBER})?\s*\+?\s*-?([a-z]+)\b", re.IGNORECASE)
_BARE = re.compile(rf"\s*{_NUMBER}\s*(?:(?:-|–|—|to)\s*{_NUMBER})?\s*")
_MAX_TEXT = 200

_TEXTS = (
    *("durationestimate", "estimatedduration", "duration", "sprintduration", "estimatedtime", "estimatedeffort"),
    *("effort", "effortestimate", "estimate", "timeestimate", "expectedduration"),
)
_NUMBERS = {
    **dict.fromkeys(("estimatedminutes", "durationminutes"), 60.0),
    **dict.fromkeys(("estimatedhours", "efforthours", "durationhours", "hours"), HOUR_S),
    **dict.fromkeys(("estimateddays", "durationdays", "effortestimatedays", "sprintdurationdays"), DAY_S),
    **dict.fromkeys(("estimatedweeks", "durationweeks", "sprintdurationweeks", "estimateddurationweeks"), 5 * DAY_S),
}


def spans_in(text: str) -> list[Span]:
    """Every duration that stands in a text, in order."""
    found = []
    for number, until, unit in _SPAN.findall(text[:_MAX_TEXT]):
        unit_s = _UNITS_S.get(unit.casefold())
        low_s = float(number) * (unit_s or 0)
        high_s = float(until) * (unit_s or 0) if until else low_s
        if 0 < low_s <= high_s <= MAX_SECONDS:
            found.append((low_s, high_s))
    return found


def span_of(node: Node) -> Span | None:
    """How long a sprint or a part of it says that it takes."""
    for key, unit_s in _NUMBERS.items():
        if key in node.keys and (span := _counted(node.get(key), unit_s)) is not None:
            return span
    for key in _TEXTS:
        value = node.get(key) if key in node.keys else None
        if isinstance(value, str) and (found := _SPAN.match(value.lstrip("~≈ "))):
            spans = spans_in(found[0])
            if spans:
                return spans[0]
    return None


def _counted(value: object, unit_s: float) -> Span | None:
    """A number of units, or a range of them as text."""
    if isinstance(value, str) and len(value) < _MAX_TEXT:
        if not (found := _BARE.fullmatch(value)):
            return next(iter(spans_in(value)), None)
        low, high = float(found[1]), float(found[2] or found[1])
    elif isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < MAX_SECONDS:
        low = high = float(value)
    else:
        return None
    return (low * unit_s, high * unit_s) if 0 < low <= high and high * unit_s <= MAX_SECONDS else None


def said(span: Span) -> str:
    """`14 days`, `3-4 days`, `90 minutes`."""
    units = ((DAY_S, "days"), (HOUR_S, "hours"), (60.0, "minutes"))
    unit_s, unit = next((x for x in units if span[1] >= x[0]), units[-1])
    low, high = (f"{x / unit_s:.1f}".removesuffix(".0") for x in span)
    return f"{low} {unit if low != '1' else unit[:-1]}" if low == high else f"{low}-{high} {unit}"
