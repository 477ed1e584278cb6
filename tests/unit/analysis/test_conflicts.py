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
    reported = told(the_plan)
    assert len(dict(reported)) == len(reported)
    return dict(reported)


def told(the_plan: Plan) -> list[tuple[str, tuple[str, ...]]]:
    return [(conflict.path, conflict.tasks) for conflict in conflicts(the_plan, build(the_plan))]


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
        assert set(itertools.combinations(conflict.tasks, 2)) <= pairs, conflict
    assert len(set(reported)) == len(reported)


@given(plans())
@settings(max_examples=300)
def test_r2_1_all_tasks_of_an_entry_touch_its_path_and_none_waits_for_another(the_plan: Plan) -> None:
    before = ancestors(the_plan)
    place = {x.id: i for i, x in enumerate(the_plan.tasks)}
    for conflict in conflicts(the_plan, build(the_plan)):
        claims = {id: the_plan.tasks[place[id]].writes or () for id in conflict.tasks}
        assert any(conflict.path in writes for writes in claims.values())
        assert all(any(overlap(conflict.path, x) for x in writes) for writes in claims.values()), conflict
        for one, other in itertools.combinations(conflict.tasks, 2):
            assert any(overlap(x, y) for x in claims[one] for y in claims[other]), conflict
            assert place[one] not in before[place[other]], conflict
            assert place[other] not in before[place[one]], conflict


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


def test_a_wide_claim_meets_each_file_within_by_itself() -> None:
    wide = plan(task("a", writes=("SRC/**",)), *(task(f"t{i}", writes=(f"src/{i}.py",)) for i in range(3)))
    assert found(wide) == {f"src/{i}.py": ("a", f"t{i}") for i in range(3)}


def test_all_who_hold_one_path_stand_together() -> None:
    wide = (task("a", writes=("x",)), task("b", writes=("x/**",)), task("c", writes=("x/*.py",)))
    both = (task("d", writes=("x/y.py",)), task("e", writes=("x/y.py",)))
    assert dict(told(plan(*wide, *both)))["x/y.py"] == ("a", "b", "c", "d", "e")


def test_wider_claims_that_do_not_meet_each_other_stand_apart() -> None:
    """A literal folder meets only globs rooted in it, even if both hold one file."""
    apart = plan(task("a", writes=("x",)), task("b", writes=("**/*.py",)), task("c", writes=("x/y.py",)))
    assert told(apart) == [("x/y.py", ("a", "c")), ("x/y.py", ("b", "c"))]


def test_globs_that_meet_different_parts_of_a_third_stand_apart() -> None:
    apart = plan(task("a", writes=("x/a*",)), task("b", writes=("x/b*",)), task("c", writes=("x/*.py",)))
    assert {frozenset(tasks) for _, tasks in told(apart)} == {frozenset("ac"), frozenset("bc")}


def test_a_wide_claim_over_very_many_files_is_told_in_full() -> None:
    many = plan(task("a", writes=("src/**",)), *(task(f"t{i}", writes=(f"src/{i}.py",)) for i in range(20_000)))
    assert told(many) == [(f"src/{i}.py", ("a", f"t{i}")) for i in range(20_000)]


def test_a_large_crowd_without_order_is_one_entry() -> None:
    crowd = [task(f"t{i}", writes=("x",)) for i in range(10_000)]
    assert found(plan(*crowd)) == {"x": tuple(x.id for x in crowd)}


def test_very_many_pairs_are_cut_short_for_each_path_alike() -> None:
    heads = {f"{c}0": task(f"{c}0", writes=("x", "y")) for c in "ab"}
    chains = [task(f"{c}{i}", f"{c}{i - 1}", writes=("x", "y")) for c in "ab" for i in range(1, 800)]
    reported = told(plan(*heads.values(), *chains))
    assert 400_000 < sum(len(tasks) for _, tasks in reported) < 501_000
    assert {path for path, _ in reported} == {"x", "y"}


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
    assert sorted(told(plan(*chain, task("u", "t9000", writes=("x",))))) == [
        ("x", (f"t{i}", "u")) for i in range(9001, 10_000)
    ]


def test_refused_patterns_do_not_stop_the_question() -> None:
    odd = plan(*(task(f"t{i}", writes=("", "../x", "/etc", "a\x00b")) for i in range(2)))
    assert set(found(odd)) == {"", "../x", "/etc", "a\x00b"}
    assert conflicts(plan(), build(plan())) == ()
    assert Conflict(path="x", tasks=("a",)).tasks == ("a",)
