"""The same graph with no more edges than it needs: what a picture draws, and what a plan could leave unsaid."""

from __future__ import annotations

from collections.abc import Sequence

from stretto.analysis.graph import Graph, topological


def reduced(graph: Graph) -> list[tuple[int, ...]]:
    """For each node, those it waits for that no other of them waits for already (the transitive reduction).

    Nodes on or behind a cycle keep all their edges. Takes a bit for each pair of nodes: 10,000 nodes are 12 MB."""
    waits = graph.waits()
    before = [0] * len(graph.names)
    kept: list[tuple[int, ...]] = [tuple(each) for each in waits]
    for node in topological(graph):
        implied = 0
        for other in waits[node]:
            implied |= before[other]
        kept[node] = tuple(other for other in waits[node] if not implied >> other & 1)
        before[node] = implied | _bits(waits[node])
    return kept


def _bits(nodes: Sequence[int]) -> int:
    found = 0
    for node in nodes:
        found |= 1 << node
    return found
