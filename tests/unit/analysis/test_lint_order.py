"""Lint of the order: cycles, atomic phases, and what chains cost (R1.3 to R1.5)."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given

from stretto.analysis.graph import build, remaining, topological
from stretto.analysis.lint import lint
from stretto.model.plan import Phase, Plan
from stretto.model.run import RunSettings
from unit.analysis.findings import at, codes, only
from unit.analysis.plans import P, Q, plan, plans, task


def test_r1_5_a_cycle_is_printed_whole_and_once() -> None:
    circle = plan(task("x"), task("a", "c"), task("b", "a"), task("c", "b"), task("behind", "c"))
    found = only(circle, "cycle")
    assert "`a` → `b` → `c` → `a`" in found.message
    assert found.tasks == ("a", "b", "c")
    assert found.hint.endswith("`behind` waits for them in vain")


def test_r1_5_every_knot_is_named() -> None:
    two = plan(task("a", "b"), task("b", "a"), task("c", "d", "a"), task("d", "c"), task("e", "d", "e"))
    assert codes(two) == ["cycle", "cycle", "self-dependency"]


def test_r1_5_cycles_through_phases_name_the_phase() -> None:
    phases = (Phase(id="one", depends_on=("two",)), Phase(id="two"))
    found = only(plan(task("a", phase="one"), task("b", "a", phase="two"), phases=phases), "cycle")
    assert "phase `two` → `a` → `b` → phase `two`" in found.message or "`a` → `b` → phase `two` → `a`" in found.message
    assert found.tasks == ("a", "b")


def test_r1_4_a_cycle_through_a_chain_says_so() -> None:
    phases = (Phase(id="p", parallel=False), Q)
    found = only(plan(task("a", "x"), task("b"), task("x", "b", phase="q"), phases=phases), "cycle")
    assert "not parallel" in found.hint


def test_r1_3a_an_outsider_between_two_members_of_an_atomic_phase() -> None:
    phases = (Phase(id="p", on_failure="rollback"), Q)
    stuck = plan(task("a"), task("b", "a", phase="q"), task("c", "b"), phases=phases)
    assert codes(stuck) == ["unsupported", "wait-cycle"]
    before = plan(task("b", phase="q"), task("a", "b"), task("c", "a"), phases=phases)
    assert codes(before) == ["unsupported"]


def test_r1_3a_two_atomic_phases_across_each_other() -> None:
    phases = tuple(Phase(id=id, on_failure="rollback") for id in "pq")
    crossed = plan(task("a"), task("b", phase="q"), task("c", "b"), task("d", "a", phase="q"), phases=phases)
    assert codes(crossed) == ["unsupported", "unsupported", "wait-cycle"]


def test_r1_4_a_chain_says_what_it_costs() -> None:
    tasks = [task(f"t{i}", estimate_s=3600.0) for i in range(4)]
    found = only(plan(*tasks, phases=(Phase(id="p", parallel=False),)), "chain-cost")
    assert "4 h with 5 at once, 1 h if they were parallel" in found.message
    claude = plan(*tasks, phases=(Phase(id="p", parallel=False),), format="auto-claude")
    assert "parallel_safe: true" in only(claude, "chain-cost").hint
    assert codes(plan(*tasks, phases=(Phase(id="p", parallel=False),)), settings=RunSettings(parallel=1)) == []
    done = [task(f"t{i}", status="succeeded") for i in range(4)]
    assert codes(plan(*done, phases=(Phase(id="p", parallel=False),))) == []


ONE_BY_ONE = Phase(id="p", parallel=False)


def test_r1_4_tasks_that_name_each_other_are_no_chain_and_that_is_said() -> None:
    fan = (task("a"), task("b", "a"), task("c", "a"), task("d"), task("e", "b", "c", "d"))
    found = only(plan(*fan, phases=(ONE_BY_ONE,)), "parallel-anyway")
    assert "none orders `a` and `d`; `b` and `c`" in found.message
    assert found.tasks == ("a", "d", "b", "c")
    assert "`parallel: true`" in found.hint
    claude = only(plan(*fan, phases=(ONE_BY_ONE,), format="auto-claude"), "parallel-anyway")
    assert "`parallel_safe: true`" in claude.hint


@pytest.mark.parametrize(
    "silent",
    [
        plan(task("a"), task("b", "a"), task("c", "b"), phases=(ONE_BY_ONE,)),
        plan(task("a", "c"), task("b", "a"), task("c"), phases=(ONE_BY_ONE,)),
        plan(task("a"), task("b", "a"), task("c"), phases=(P,)),
        plan(task("a"), task("b", "a"), task("c"), phases=(Phase(id="p", parallel=False, max_parallel=1),)),
        plan(task("a"), task("b", "a"), task("c", status="succeeded"), phases=(ONE_BY_ONE,)),
        plan(task("a"), task("x", "a", phase="q"), task("c", "x"), task("d", "a", "c"), phases=(ONE_BY_ONE, Q)),
    ],
    ids=["a chain", "another chain", "parallel", "one place", "one is done", "ordered by an outsider"],
)
def test_r1_4_where_nothing_is_side_by_side_nothing_is_said(silent: Plan) -> None:
    assert codes(silent) == []


def test_r1_4_a_done_task_holds_nobody_apart() -> None:
    tasks = (task("a", status="succeeded"), task("b", "a"), task("c"))
    assert only(plan(*tasks, phases=(ONE_BY_ONE,)), "parallel-anyway").tasks == ("b", "c")


def test_r1_4_the_cost_of_chains_speaks_of_chains_only() -> None:
    phases = (ONE_BY_ONE, Phase(id="q", parallel=False))
    tasks = (task("a"), task("b", "a"), task("c", "a"), *(task(id, phase="q") for id in "xyz"))
    cost, anyway = lint(plan(*tasks, phases=phases), {"phase:q": at(1), "phase:p": at(2), "plan": at(9)})[:2]
    assert (cost.code, anyway.code) == ("chain-cost", "parallel-anyway")
    assert cost.message.startswith("`q` runs its tasks")


@given(plans())
def test_r1_4_what_is_said_to_be_free_is_free(the_plan: Plan) -> None:
    graph = remaining(the_plan, build(the_plan))
    place = {id: i for i, id in enumerate(graph.names)}
    behind: list[set[int]] = [set() for _ in graph.names]
    for node in topological(graph):
        behind[node] = {y for x in (*graph.needs[node], *graph.after[node]) for y in (x, *behind[x])}
    for found in lint(the_plan):
        if found.code == "parallel-anyway":
            groups = found.message.partition("none orders ")[2].split("; ")
            for group in groups:
                names = re.findall("`(.+?)`", group)
                assert len(names) > 1, found.message
                for a, b in itertools.permutations(names, 2):
                    assert place[a] not in behind[place[b]]
