"""Overlaps: against brute force on random plans, and by hand on shapes that matter."""

from __future__ import annotations

import itertools

from hypothesis import given, settings

from stretto.analysis.conflicts import Conflict, conflicts, meetings
from stretto.analysis.globs import overlap
from stretto.analysis.graph import build, remaining, topological
from stretto.model.plan import Phase, Plan
from unit.analysis.plans import plan, plans, task


def found(the_plan: Plan) -> dict[str, tuple[str, ...]]:
    return {conflict.path: conflict.tasks for conflict in conflicts(the_plan, build(the_plan))}


def ancestors(the_plan: Plan) -> list[set[int]]:
    graph = remaining(the_plan, build(the_plan))
    before: list[set[int]] = [set() for _ in graph.names]
    for node in topological(graph):
        for other in (*graph.needs[node], *graph.after[node]):
            before[node] |= before[other] | {other}
    return before


@given(plans())
@settings(max_examples=500)
def test_r2_1_every_unordered_overlap_is_found_and_nothing_else(the_plan: Plan) -> None:
    before = ancestors(the_plan)
    pairs = {
        (a.id, b.id)
        for (i, a), (k, b) in itertools.combinations(enumerate(the_plan.tasks), 2)
        if i not in before[k] and k not in before[i] and "succeeded" not in (a.status, b.status)
        if any(overlap(x, y) for x in a.writes or () for y in b.writes or ())
    }
    reported = conflicts(the_plan, build(the_plan))
    for pair in pairs:
        assert any(set(pair) <= set(conflict.tasks) for conflict in reported), pair
    for conflict in reported:
        assert len(conflict.tasks) > 1
        for one in conflict.tasks:
            assert any((one, x) in pairs or (x, one) in pairs for x in conflict.tasks), (conflict, one)


@given(plans())
def test_r2_1_meetings_are_exactly_the_overlaps(the_plan: Plan) -> None:
    exclusive = set()
    for meeting in meetings(the_plan):
        exclusive |= {frozenset(p) for p in itertools.combinations(meeting.owners, 2)}
        exclusive |= {frozenset(p) for p in itertools.product(meeting.owners, meeting.inside)}
    left = [(i, t) for i, t in enumerate(the_plan.tasks) if t.status != "succeeded"]
    assert exclusive == {
        frozenset((i, k))
        for (i, a), (k, b) in itertools.combinations(left, 2)
        if any(overlap(x, y) for x in a.writes or () for y in b.writes or ())
    }


def test_tasks_in_order_do_not_conflict() -> None:
    assert found(plan(task("a", writes=("x",)), task("b", "a", writes=("x",)), task("c", "b", writes=("x",)))) == {}


def test_only_those_that_nothing_orders_are_named() -> None:
    fork = plan(task("a", writes=("x",)), task("b", "a", writes=("x",)), task("c", "a", writes=("./x",)))
    assert found(fork) == {"x": ("b", "c")}


def test_order_through_phases_and_chains_counts() -> None:
    tasks = (task("a", phase="one", writes=("x",)), task("b", phase="two", writes=("x",)))
    assert found(plan(*tasks)) == {"x": ("a", "b")}
    assert found(plan(*tasks, phases=(Phase(id="one"), Phase(id="two", depends_on=("one",))))) == {}
    same = (task("a", writes=("x",)), task("b", writes=("x",)))
    assert found(plan(*same, phases=(Phase(id="p", parallel=False),))) == {}


def test_a_wide_claim_names_itself_once() -> None:
    wide = plan(task("a", writes=("SRC/**",)), *(task(f"t{i}", writes=(f"src/{i}.py",)) for i in range(3)))
    assert found(wide) == {"SRC/**": ("a", "t0", "t1", "t2")}


def test_r2_5_hot_files_do_not_exclude() -> None:
    both = (task("a", writes=("pkg/package-lock.json", "x")), task("b", writes=("pkg/package-lock.json", "x")))
    assert found(plan(*both, hot_files=("**/package-lock.json",))) == {"x": ("a", "b")}
    assert found(plan(task("a", writes=("*.lock",)), task("b", writes=("*.lock",)), hot_files=("*.lock",))) == {}


def test_finished_tasks_and_tasks_that_can_never_start_are_left_out() -> None:
    done = plan(task("a", writes=("x",), status="succeeded"), task("b", writes=("x",)))
    assert found(done) == {}
    circle = plan(task("a", "b", writes=("x",)), task("b", "a", writes=("x",)))
    assert found(circle) == {}


def test_what_is_done_orders_nothing() -> None:
    through = plan(task("a", writes=("x",)), task("b", "a", status="succeeded"), task("c", "b", writes=("x",)))
    assert found(through) == {"x": ("a", "c")}


def test_a_crowd_on_one_path_is_answered_exactly() -> None:
    """More owners than are asked about at a time: a chain of 10,000 with a fork at its end, and no recursion."""
    chain = [task("t0", writes=("x",)), *(task(f"t{i}", f"t{i - 1}", writes=("x",)) for i in range(1, 10_000))]
    assert found(plan(*chain)) == {}
    assert found(plan(*chain, task("u", "t9000", writes=("x",)))) == {
        "x": (*(f"t{i}" for i in range(9001, 10_000)), "u")
    }


def test_refused_patterns_do_not_stop_the_question() -> None:
    odd = plan(*(task(f"t{i}", writes=("", "../x", "/etc", "a\x00b")) for i in range(2)))
    assert set(found(odd)) == {"", "../x", "/etc", "a\x00b"}
    assert conflicts(plan(), build(plan())) == ()
    assert Conflict(path="x", tasks=("a",)).tasks == ("a",)
