"""Pieces of sentences: names from somebody's plan, lists and durations, fit for one line of text."""

from __future__ import annotations

from collections.abc import Sequence


def shown(text: str, limit: int = 60) -> str:
    """The text on one line, without anything a terminal would obey, and not longer than `limit` characters."""
    clean = "".join(c if c.isprintable() else "\ufffd" for c in text)
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def quoted(text: str) -> str:
    return f"`{shown(text)}`"


def listed(names: Sequence[str], most: int = 5) -> str:
    """`a`, `b` and 3 more; a name that stands twice is told once."""
    names = tuple(dict.fromkeys(names))
    head = [quoted(name) for name in names[:most]]
    if len(names) > most:
        return f"{', '.join(head)} and {len(names) - most} more"
    return " and ".join([", ".join(head[:-1]), head[-1]]) if len(head) > 1 else "".join(head)


def counted(number: int, thing: str) -> str:
    """`1 task`, `2,000 tasks`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def spoken(seconds: float) -> str:
    """`45 s`, `12 min`, `1 h 30 min`, `2 d 4 h`: the two largest units that matter."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes = round(whole / 60)
    days, rest = divmod(minutes, 24 * 60)
    hours, left = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (left, "min")]
    first = next(i for i, (count, _) in enumerate(parts) if count)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count)
