"""The fewest edges that say the same."""

from __future__ import annotations

from hypothesis import given, settings
from msgspec.structs import replace

from stretto.analysis.graph import build
from stretto.analysis.reduction import reduced
from stretto.model.plan import Plan
from unit.analysis.plans import plan, plans, task


def reach(waits: list[tuple[int, ...]]) -> list[set[int]]:
    """Everything in front of each node, by walking."""
    found = []
    for node in range(len(waits)):
        seen: set[int] = set()
        front = list(waits[node])
        while front:
            if (other := front.pop()) not in seen:
                seen.add(other)
                front += waits[other]
        found.append(seen)
    return found


@given(plans(12))
@settings(max_examples=200)
def test_what_waits_for_what_stays_the_same_and_no_edge_is_left_over(the_plan: Plan) -> None:
    graph = build(the_plan)
    kept = reduced(graph)
    whole = reach(list(graph.waits()))
    assert reach(kept) == whole
    for node, waits in enumerate(kept):
        for other in waits:
            assert not any(other in whole[third] for third in waits if third != other), (node, other)


def test_a_cycle_keeps_its_edges() -> None:
    graph = build(plan(task("a", "c"), task("b", "a"), task("c", "b"), task("d", "c", "a"), task("e")))
    assert reduced(graph)[:5] == list(graph.needs[:5])


def test_a_wait_for_an_end_counts_like_any_other() -> None:
    graph = build(plan(task("a"), replace(task("b"), after=("a",)), replace(task("c", "b"), after=("a",))))
    assert reduced(graph)[:3] == [(), (0,), (1,)]
