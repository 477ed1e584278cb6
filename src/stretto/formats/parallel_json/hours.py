"""Hours of a `parallel.json`: numbers, and words such as "4-6" and "~3h"."""

from __future__ import annotations

import re

from stretto.formats.reading import MAX_SECONDS, duration_s

_HOURS = re.compile(
    r"[~≈<]?\s*(\d{1,6}(?:\.\d{1,6})?)\s*(?:(?:-|–|—|to)\s*[~≈<]?(\d{1,6}(?:\.\d{1,6})?))?\s*(h|hrs?|hours?|m|min|minutes?)?",
    re.IGNORECASE,
)


def estimate_s(value: object) -> float | None:
    """Seconds of hours; the middle of a range such as "4-6"."""
    if isinstance(value, str):
        found = _HOURS.fullmatch(value.strip()) if len(value) < 60 else None
        if found is None:
            return None
        hours = (float(found[1]) + float(found[2] or found[1])) / 2
        seconds: float | None = hours * (60.0 if (found[3] or "h").casefold().startswith("m") else 3600.0)
    else:
        number = duration_s(value)
        seconds = None if number is None else number * 3600.0
    return seconds if seconds is not None and 0 < seconds <= MAX_SECONDS else None
