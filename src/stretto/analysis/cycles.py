"""Nodes of any graph that wait for each other: the knots, the shortest way round in one, and how it is told."""

from __future__ import annotations

from collections.abc import Sequence

from stretto.analysis.graph import Graph
from stretto.analysis.wording import quoted

_SHOWN = 40
"""A longer cycle is cut in the middle of a message."""


def knots(nodes: Sequence[int], waits: Sequence[Sequence[int]]) -> list[list[int]]:
    """Strongly connected components of more than one node, each in rising order (Tarjan, with a stack of its own)."""
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    open_nodes: list[int] = []
    is_open: set[int] = set()
    found: list[list[int]] = []
    for root in nodes:
        if root in number:
            continue
        work = [(root, iter(waits[root]))]
        number[root] = low[root] = len(number)
        open_nodes.append(root)
        is_open.add(root)
        while work:
            node, others = work[-1]
            for other in others:
                if other not in number:
                    number[other] = low[other] = len(number)
                    open_nodes.append(other)
                    is_open.add(other)
                    work.append((other, iter(waits[other])))
                    break
                if other in is_open:
                    low[node] = min(low[node], number[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == number[node]:
                    knot = [open_nodes.pop()]
                    while knot[-1] != node:
                        knot.append(open_nodes.pop())
                    is_open.difference_update(knot)
                    if len(knot) > 1:
                        found.append(sorted(knot))
    return sorted(found)


def shortest_cycle(knot: Sequence[int], waits: Sequence[Sequence[int]]) -> list[int]:
    """The shortest cycle through the first node of a knot, from there on, each before the one that waits for it."""
    inside, start = set(knot), knot[0]
    came_from: dict[int, int] = {}
    queue = [start]
    for node in queue:  # grows while it is walked
        for other in waits[node]:
            if other == start and node != start:
                loop = [node]
                while loop[-1] != start:
                    loop.append(came_from[loop[-1]])
                return [start, *loop[:-1]]
            if other in inside and other not in came_from and other != start:
                came_from[other] = node
                queue.append(other)
    raise AssertionError("a knot has a cycle through each of its nodes")


def spelled(graph: Graph, nodes: Sequence[int]) -> str:
    names = [f"phase {quoted(graph.names[i])}" if graph.is_join(i) else quoted(graph.names[i]) for i in nodes]
    if len(names) > _SHOWN:
        cut = _SHOWN // 2
        names[cut:-cut] = [f"({len(names) - 2 * cut:,} more)"]
    return " → ".join(names)
