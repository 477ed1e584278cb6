"""How much of everything fits: characters divided among texts that are longer together than their room."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stretto.model.excerpt import head

LEAST = 200
"""Fewer characters of a text than these say nothing: it is left out instead."""
_TRIES = 12


def share(sizes: Sequence[int], room: int) -> list[int]:
    """What each gets of `room`: all that it wants, or as much as every other one that wants more."""
    given = [0] * len(sizes)
    left = room
    for rest, i in enumerate(sorted(range(len(sizes)), key=lambda i: (sizes[i], i))):
        given[i] = min(sizes[i], max(0, left) // (len(sizes) - rest))
        left -= given[i]
    return given


def fit(
    write: Callable[[Sequence[int]], str], sizes: Sequence[int], room: int, *, whole: bool = False
) -> tuple[str, int]:
    """A text of at most `room` characters, and how many of all `sizes` are not in it; ("", …) when none is so short.

    `write` gets a share for each of the first texts, the most important ones, and leaves the others out. With
    `whole` a text is there or not, and never cut."""
    count = len(sizes)
    while True:
        wanted = sizes[:count]
        least = sum(wanted) if whole else sum(min(size, LEAST) for size in wanted)
        inside = min(sum(wanted), room)
        for n in range(_TRIES):
            if inside < least:
                break
            given = share(wanted, inside)
            text = write(given)
            if len(text) <= room:
                return text, sum(sizes) - sum(given)
            inside -= max(len(text) - room, 2 << n)  # a text that ends with a line may stay the same for a while
        if not count:
            return "", sum(sizes)
        count -= max(1, count // 4)


def cut(text: str, limit: int) -> str:
    """The beginning of `text`, to the end of a line where that costs little."""
    if len(text) <= limit:
        return text
    first = head(text, limit)
    end = first.rfind("\n") + 1
    return first[:end] if end > limit * 3 // 4 else first
