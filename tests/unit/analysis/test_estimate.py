"""Expected times: bounds that hold for every plan, and small plans worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stretto.analysis.bound import lower_bound
from stretto.analysis.conflicts import meetings
from stretto.analysis.estimate import Estimate, critical_path, durations, enough, estimate, schedule
from stretto.analysis.graph import build, remaining
from stretto.model.plan import Phase, Plan
from unit.analysis.plans import plan, plans, task


def times(the_plan: Plan, places: int = 5, default_s: float = 10.0) -> Estimate:
    return estimate(the_plan, build(the_plan), durations(the_plan, default_s), places)


def best(the_plan: Plan) -> float:
    return times(the_plan, places=100).lower_bound_s


def path(the_plan: Plan) -> tuple[str, ...]:
    return critical_path(the_plan, build(the_plan), durations(the_plan))


@given(plans(), st.integers(1, 4))
@settings(max_examples=400)
def test_every_schedule_keeps_its_bounds(the_plan: Plan, places: int) -> None:
    got, lengths = times(the_plan, places, 2.0), durations(the_plan, 2.0)
    assert got.sequential_s == sum(lengths), "every task that is left runs, and once"
    assert got.lower_bound_s <= got.parallel_s <= got.sequential_s
    assert sum(lengths) / places <= got.parallel_s
    assert got == times(the_plan, places, 2.0)
    by_id = {t.id: length for t, length in zip(the_plan.tasks, lengths, strict=True)}
    on_path = critical_path(the_plan, build(the_plan), lengths)
    assert sum(by_id[id] for id in on_path) <= got.lower_bound_s
    assert got.peak_width <= sum(t.status != "succeeded" for t in the_plan.tasks)


@given(plans())
def test_one_place_is_one_after_the_other(the_plan: Plan) -> None:
    assert times(the_plan, 1).parallel_s == times(the_plan, 1).sequential_s


def test_an_empty_plan() -> None:
    assert times(plan()) == Estimate(sequential_s=0, parallel_s=0, lower_bound_s=0, speedup=1, peak_width=0)
    assert path(plan()) == ()


def test_a_diamond() -> None:
    diamond = plan(
        task("a", estimate_s=10), task("b", "a", estimate_s=20), task("c", "a", estimate_s=5),
        task("d", "b", "c", estimate_s=1),
    )  # fmt: skip
    assert times(diamond) == Estimate(sequential_s=36, parallel_s=31, lower_bound_s=31, speedup=36 / 31, peak_width=2)
    assert path(diamond) == ("a", "b", "d")


def test_r10_1_the_most_urgent_comes_first() -> None:
    """With two places: by longest chain 3 rounds, in plan order 4."""
    tasks = [task(f"s{i}") for i in range(3)] + [task("l0"), task("l1", "l0"), task("l2", "l1")]
    assert times(plan(*tasks), 2).parallel_s == 30


def test_r2_1_claims_are_honoured() -> None:
    same = [task(f"t{i}", writes=("x",)) for i in range(4)]
    assert times(plan(*same)) == Estimate(sequential_s=40, parallel_s=40, lower_bound_s=40, speedup=1, peak_width=1)
    wide = [task("w", writes=("src/",)), *(task(f"t{i}", writes=(f"src/{i}",)) for i in range(4))]
    assert times(plan(*wide)).parallel_s == 20
    assert times(plan(*wide)).peak_width == 4


def test_r1_2_who_conflicts_takes_turns_and_the_others_do_not() -> None:
    pair = plan(task("a", conflicts_with=("b",)), task("b"), task("c"))
    assert times(pair).parallel_s == 20
    assert times(pair).peak_width == 2
    one = plan(task("hub"), *(task(f"t{i}", conflicts_with=("hub",)) for i in range(3)))
    assert (times(one).parallel_s, times(one).peak_width) == (20, 3)
    alone = plan(task("a"), task("b"), task("alone", conflicts_with=("p",)), task("d", phase="q"))
    assert (times(alone).parallel_s, times(alone).peak_width) == (20, 3)


def test_r1_2_the_best_time_promises_nothing_that_conflicts_forbid() -> None:
    """One waits for both that conflict, and one of these for another: they run one after the other in between."""
    pair = [task("a", "first", conflicts_with=("b",)), task("b", "first")]
    assert best(plan(task("first"), *pair, task("last", "a", "b"))) == 40
    three = [task("a", conflicts_with=("b", "c")), task("b", conflicts_with=("c",)), task("c")]
    assert best(plan(*three)) == 30
    assert best(plan(*three[:2], task("c", conflicts_with=("d",)), task("d"))) == 30
    assert best(plan(task("a", conflicts_with=("p",)), task("b"), task("c"))) == 20
    assert best(plan(task("a", conflicts_with=("p",)), task("b", conflicts_with=("p",)), task("c"))) == 30
    assert best(plan(task("x", phase="q", conflicts_with=("p",)), task("b"), task("c"))) == 20
    assert best(plan(task("a", conflicts_with=("b",)), task("b", status="succeeded"))) == 10


def test_r10_1_the_best_time_knows_of_paths_and_of_places_of_a_phase() -> None:
    same = [task(f"t{i}", "first", writes=("x",)) for i in range(3)]
    assert best(plan(task("first"), *same, task("last", *(each.id for each in same)))) == 50
    assert best(plan(*(task(f"t{i}") for i in range(4)), phases=(Phase(id="p", max_parallel=2),))) == 20


@given(plans(), st.integers(1, 9))
def test_r10_1_no_run_is_shorter_than_the_best_time(the_plan: Plan, places: int) -> None:
    graph, took, met = build(the_plan), durations(the_plan, 7.0), meetings(the_plan)
    bound = lower_bound(the_plan, remaining(the_plan, graph), took, met)
    assert bound <= schedule(the_plan, graph, took, places, met).end_s + 1e-6


def test_places_of_a_phase() -> None:
    tasks = [task(f"t{i}") for i in range(4)]
    assert times(plan(*tasks, phases=(Phase(id="p", max_parallel=2),))).parallel_s == 20


def test_r1_4_a_chain_takes_turns() -> None:
    tasks = [task(f"t{i}") for i in range(4)]
    assert times(plan(*tasks, phases=(Phase(id="p", parallel=False),))).parallel_s == 40


def test_finished_tasks_cost_nothing_and_hold_nobody_up() -> None:
    half = plan(task("a"), task("b", "a", status="succeeded"), task("c", "b"))
    assert times(half) == Estimate(sequential_s=20, parallel_s=10, lower_bound_s=10, speedup=2, peak_width=2)
    assert path(half) in {("a",), ("c",)}


def test_tasks_on_a_cycle_are_left_out() -> None:
    assert times(plan(task("a", "b"), task("b", "a"), task("c"))).sequential_s == 10
    assert path(plan(task("a", "b"), task("b", "a"))) == ()


@pytest.mark.parametrize("odd", [-5.0, float("nan"), float("inf")])
def test_odd_estimates_count_as_none(odd: float) -> None:
    assert durations(plan(task("a", estimate_s=odd), task("b", estimate_s=3.0))) == [720.0, 3.0]


def test_a_chain_of_ten_thousand() -> None:
    chain = plan(task("t0"), *(task(f"t{i}", f"t{i - 1}") for i in range(1, 10_000)))
    assert times(chain).parallel_s == 100_000
    assert len(path(chain)) == 10_000


def test_r2_1_nobody_is_forgotten_in_a_queue() -> None:
    """Many locks, few places: whoever is called and cannot start passes the call on."""
    tasks = [task(f"t{i}", writes=(f"f{i % 3}", f"f{(i + 1) % 3}", f"g{i % 5}")) for i in range(40)]
    crowd = plan(*tasks)
    run = schedule(crowd, build(crowd), durations(crowd, 1.0), 7, meetings(crowd))
    assert run.work_s == 40


@given(plans(9))
@settings(max_examples=200)
def test_enough_places_are_nearly_as_good_as_many(the_plan: Plan) -> None:
    graph, took_s = build(the_plan), durations(the_plan, 2.0)
    found = enough(the_plan, graph, took_s, 8)
    best, got = (schedule(the_plan, graph, took_s, n, meetings(the_plan)) for n in (8, found))
    assert 1 <= found <= 8
    assert got.end_s <= 1.05 * best.end_s
    assert found == 1 or schedule(the_plan, graph, took_s, found - 1, meetings(the_plan)).end_s > got.end_s


@given(plans(9), st.integers(1, 4))
@settings(max_examples=200)
def test_a_schedule_tells_when_each_task_begins(the_plan: Plan, places: int) -> None:
    graph, took_s = build(the_plan), durations(the_plan, 2.0)
    run = schedule(the_plan, graph, took_s, places, meetings(the_plan))
    for i, each in enumerate(the_plan.tasks):
        began = run.began_s[i]
        assert (began is None) == (each.status == "succeeded")
        for other in graph.waits()[i]:
            if began is not None and not graph.is_join(other) and (before := run.began_s[other]) is not None:
                assert before + took_s[other] <= began
    ends = [began + took_s[i] for i, began in enumerate(run.began_s) if began is not None]
    assert run.end_s == max(ends, default=0.0)
