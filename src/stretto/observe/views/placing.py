"""Where the boxes of a picture go: columns by level, few crossings, arrows as straight as they can be.

The classic layered drawing in its four steps (Sugiyama, Tagawa, Toda 1981): columns; a bend in every column that an
arrow passes; an order within each column by the middle of the neighbours, swept to and fro; heights that move each box
as little as possible from the middle of its neighbours (least squares under an order: pool adjacent violators).
"""

from __future__ import annotations

import itertools
from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence

from stretto.model.plan import Value
from stretto.observe.views.picture import Picture

_ORDER_SWEEPS = 12
_HEIGHT_SWEEPS = 10


class Sizes(Value, frozen=True, kw_only=True):
    """In pixels."""

    wide: float
    """Of a column of boxes."""
    narrow: float
    """Of a column with nothing but ends of phases and bends."""
    gap: float
    """Between columns."""
    heights: Mapping[str, float]
    """Of each kind of box; a bend is `bend`."""
    above: float
    """Free room above each thing in a column."""


class Placed(Value, frozen=True, kw_only=True):
    """Middles of the boxes, and for each arrow and line the columns it passes on its way, in pixels."""

    columns: tuple[tuple[float, float], ...]
    """Left edge and width of each."""
    column_of: tuple[int, ...]
    middles: tuple[tuple[float, float], ...]
    bends: tuple[tuple[tuple[float, float, float], ...], ...]
    """Of each arrow, and then of each line between two that are kept apart: where it enters a column, where it leaves
    it, and at which height."""
    width: float
    height: float


def place(shown: Picture, sizes: Sizes) -> Placed:
    """All boxes placed within `width` x `height`, from 0."""
    columns, column_of, narrow = _columns(shown)
    kinds = [box.kind for box in shown.boxes]
    chains, links = _chains(shown, columns, column_of, kinds)
    _untangle(columns, links)
    heights = [sizes.heights[kind] + sizes.above for kind in kinds]
    y = _heights(columns, links, heights)
    x, edges = 0.0, []
    for n in range(len(columns)):
        wide = sizes.narrow if n in narrow else sizes.wide
        edges.append((x, wide))
        x += wide + sizes.gap
    top = min((y[i] - heights[i] / 2 for i in range(len(y))), default=0.0)
    y = [each - top for each in y]
    middle = [edges[n][0] + edges[n][1] / 2 for n in column_of]
    return Placed(
        columns=tuple(edges),
        column_of=tuple(column_of[: len(shown.boxes)]),
        middles=tuple((middle[i], y[i]) for i in range(len(shown.boxes))),
        bends=tuple(tuple((*_sides(edges[column_of[i]]), y[i]) for i in chain[1:-1]) for chain in chains),
        width=max(0.0, x - sizes.gap),
        height=max((y[i] + heights[i] / 2 for i in range(len(y))), default=0.0),
    )


def _sides(column: tuple[float, float]) -> tuple[float, float]:
    return column[0], column[0] + column[1]


def _columns(shown: Picture) -> tuple[list[list[int]], list[int], set[int]]:
    """Members of each column, the column of each box, and which columns have no real box.

    The end of a phase stands between the last level of its tasks and the first that waits for it."""
    stuck = 1 + max((box.level for box in shown.boxes), default=0)
    at = []
    for box in shown.boxes:
        level = box.level if box.level >= 0 else stuck
        at.append(2 * level - 1 if box.kind == "end" else 2 * level)
    used = sorted(set(at))
    number = {old: new for new, old in enumerate(used)}
    columns: list[list[int]] = [[] for _ in used]
    for i in sorted(range(len(at)), key=lambda i: (shown.boxes[i].group or 0, i)):
        columns[number[at[i]]].append(i)
    return columns, [number[x] for x in at], {number[x] for x in used if x % 2}


def _chains(
    shown: Picture, columns: list[list[int]], column_of: list[int], kinds: list[str]
) -> tuple[list[list[int]], list[list[list[int]]]]:
    """Each arrow or line as a chain of neighbours in columns side by side, with new things, bends, in between; and for
    each thing its neighbours to the left and to the right."""
    links: list[list[list[int]]] = [[[], []] for _ in column_of]
    chains = []
    for first, then in [(x.first, x.then) for x in shown.arrows] + [(x.first, x.then) for x in shown.apart]:
        chain = [first]
        for column in range(column_of[first] + 1, column_of[then]):
            columns[column].append(len(column_of))
            chain.append(len(column_of))
            column_of.append(column)
            kinds.append("bend")
            links.append([[], []])
        chain.append(then)
        chains.append(chain)
        if column_of[first] < column_of[then]:  # an arrow of a cycle is drawn, and moves nothing
            for left, right in itertools.pairwise(chain):
                links[left][1].append(right)
                links[right][0].append(left)
    return chains, links


def _untangle(columns: list[list[int]], links: Sequence[Sequence[Sequence[int]]]) -> None:
    best, fewest = [list(column) for column in columns], _crossings(columns, links)
    for sweep in range(_ORDER_SWEEPS):
        if not fewest:
            break
        side = sweep % 2  # first from left to right, by the neighbours to the left
        order = columns if not side else columns[::-1]
        for before, column in itertools.pairwise(order):
            rank = {node: n for n, node in enumerate(before)}
            own = {node: n for n, node in enumerate(column)}
            middles = {node: _middle([rank[x] for x in links[node][side]], own[node]) for node in column}
            column.sort(key=lambda node: (middles[node], own[node]))
        now = _crossings(columns, links)
        if now < fewest:
            best, fewest = [list(column) for column in columns], now
    columns[:] = best


def _middle(ranks: Sequence[int], otherwise: float) -> float:
    return sum(ranks) / len(ranks) if ranks else otherwise


def _crossings(columns: Sequence[Sequence[int]], links: Sequence[Sequence[Sequence[int]]]) -> int:
    found = 0
    for column, after in itertools.pairwise(columns):
        rank = {node: n for n, node in enumerate(after)}
        seen: list[int] = []
        for node in column:
            ends = sorted(rank[x] for x in links[node][1])
            found += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return found


def _heights(
    columns: Sequence[Sequence[int]], links: Sequence[Sequence[Sequence[int]]], heights: Sequence[float]
) -> list[float]:
    y = [0.0] * len(heights)
    for column in columns:
        _settle(column, [0.0] * len(column), heights, y)
    for sweep in range(_HEIGHT_SWEEPS):
        side = sweep % 2
        for column in columns if not side else columns[::-1]:
            wanted = [_middle([y[x] for x in links[node][side]], y[node]) for node in column]  # type: ignore[misc]
            _settle(column, wanted, heights, y)
    return y


def _settle(column: Sequence[int], wanted: Sequence[float], heights: Sequence[float], y: list[float]) -> None:
    """Put each thing as near to where it wants to be as the things above and below it allow."""
    offset, offsets = 0.0, []
    for before, node in zip((None, *column), column, strict=False):
        offset += 0.0 if before is None else (heights[before] + heights[node]) / 2
        offsets.append(offset)
    blocks: list[tuple[float, int]] = []
    for want, off in zip(wanted, offsets, strict=True):
        value, count = want - off, 1
        while blocks and blocks[-1][0] > value:
            other, members = blocks.pop()
            value = (value * count + other * members) / (count + members)
            count += members
        blocks.append((value, count))
    settled = [value for value, count in blocks for _ in range(count)]
    for node, value, off in zip(column, settled, offsets, strict=True):
        y[node] = value + off
