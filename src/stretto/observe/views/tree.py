"""A plan as a tree of lines: chains run on, branches stand below, and what else a task waits for stands beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stretto.observe.layout import flow
from stretto.observe.paint import width_of
from stretto.observe.views.picture import Box, Picture

_NAMES = 4
_DEEPEST = 0.5
"""Of the width: branches that stand further to the right begin at the left again."""


def tree(shown: Picture, width: int) -> Iterator[str]:
    """Lines of `width` columns. Each box stands once, below the last of those that it waits for; those on or behind a
    cycle come last."""
    waits: list[list[int]] = [[] for _ in shown.boxes]
    for arrow in shown.arrows:
        waits[arrow.then].append(arrow.first)
    below: list[list[int]] = [[] for _ in shown.boxes]
    names: list[str] = []
    roots: list[int] = []
    for i, box in enumerate(shown.boxes):
        before = [x for x in waits[i] if shown.boxes[x].level >= 0 <= box.level]
        above = max(before, key=lambda x: (shown.boxes[x].level, x), default=None)
        (roots if above is None else below[above]).append(i)
        names.append(_name(box, [shown.boxes[x] for x in waits[i] if x != above]))
    roots.sort(key=lambda i: shown.boxes[i].level < 0)
    # Each entry: where a chain begins, what stands before its first line, and before its further ones and branches.
    left: list[tuple[int, str, str]] = [(root, "", "") for root in reversed(roots)]
    while left:
        node, first, rest = left.pop()
        chain = [node]
        while len(below[chain[-1]]) == 1:
            chain += below[chain[-1]]
        lines = flow([names[i] for i in chain], " → ", max(1, width - width_of(rest) - 4))
        yield first + lines[0]
        branches = below[chain[-1]]
        yield from (f"{rest}{'│' if branches else ' '}   {text}".rstrip() for text in lines[1:])
        if width_of(rest) > width * _DEEPEST and branches:
            yield f"{rest}└─ … further down"
            left[:0] = [(branch, "", "") for branch in reversed(branches)]
            continue
        left += [
            (branch, f"{rest}{'└' if last else '├'}─ ", f"{rest}{' ' if last else '│'}  ")
            for branch, last in reversed([(x, n + 1 == len(branches)) for n, x in enumerate(branches)])
        ]


def _name(box: Box, others: Sequence[Box]) -> str:
    if box.kind == "end":  # which says by itself what it waits for
        return f"(all of {box.name})"
    name = f"{box.name} ✓" if box.done else box.name
    also = [f"all of {x.name}" if x.kind == "end" else x.name for x in others]
    if len(also) > _NAMES:
        also[_NAMES - 1 :] = [f"{len(also) - _NAMES + 1} more"]
    return f"{name} (also after {', '.join(also)})" if also else name
