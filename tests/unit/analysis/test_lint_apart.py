"""Lint: tasks that conflict with themselves, or with those that they are ordered with anyway."""

from __future__ import annotations

from hypothesis import given
from msgspec.structs import replace

from stretto.analysis.apart import kept_apart
from stretto.analysis.estimate import estimate
from stretto.analysis.graph import build
from stretto.analysis.lint import lint
from stretto.analysis.lint_apart import ordered_anyway, with_itself
from stretto.model.plan import Phase, Plan
from unit.analysis.findings import at, only
from unit.analysis.plans import P, Q, plan, plans, task


def test_a_task_that_conflicts_with_itself_is_told_where_it_says_so() -> None:
    told = only(
        plan(task("a", conflicts_with=("b", "a")), task("b")), "self-conflict",
        places={"task:a": at(1), "task:a:conflicts_with:1": at(3)},
    )  # fmt: skip
    assert (told.severity, told.tasks, told.location) == ("warning", ("a",), at(3))
    assert "`a` conflicts with itself" in told.message and "remove it from its own `conflicts_with`" in told.hint


def test_a_conflict_that_dependencies_settle_is_told_where_it_is_said() -> None:
    told = only(
        plan(task("a"), task("b", "a"), task("x"), task("c", "b", conflicts_with=("x", "a"))), "needless-conflict",
        places={"task:c": at(1), "task:c:conflicts_with:1": at(4)},
    )  # fmt: skip
    assert (told.severity, told.tasks, told.location) == ("info", ("c",), at(4))
    assert told.message == "task `c` conflicts with `a`, but its dependencies keep them apart already"


def test_a_phase_is_settled_when_all_of_it_is() -> None:
    waiting = Phase(id="q", depends_on=("p",))
    first = task("a", conflicts_with=("q",))
    assert only(plan(first, task("b", phase="q"), phases=(P, waiting)), "needless-conflict").tasks == ("a",)
    assert lint_apart(plan(first, task("b", "a", phase="q"), task("c", phase="q"), phases=(P, Q))) == []
    chain = Phase(id="p", parallel=False)
    own = plan(task("a", conflicts_with=("p",)), task("b"), phases=(chain,))
    assert "needless-conflict" in [found.code for found in lint(own)]


def test_what_a_reader_says_of_the_whole_phase_is_no_ones_fault() -> None:
    alone = task("b", "a", conflicts_with=("p",))
    assert lint_apart(plan(task("a"), alone)) == ["needless-conflict"]
    assert lint_apart(plan(task("a"), alone, format="ccpm")) == []


def test_what_is_done_orders_nobody_and_is_in_nobodys_way() -> None:
    over_done = plan(task("a"), task("b", "a", status="succeeded"), task("c", "b", conflicts_with=("a",)))
    with_done = plan(task("a", status="succeeded"), task("c", "a", conflicts_with=("a",)))
    assert [lint_apart(each) for each in (over_done, with_done)] == [[], []]


def test_a_task_counts_where_a_phase_has_its_name() -> None:
    both = plan(task("q", phase="r"), task("b", phase="q"), task("c", "q", conflicts_with=("q",)))
    assert lint_apart(both) == ["needless-conflict"]


def test_in_a_circle_nobody_looks() -> None:
    assert lint_apart(plan(task("a", "b", conflicts_with=("b",)), task("b", "a"))) == []


def test_where_many_are_conflicted_with_nobody_looks_and_it_stays_fast() -> None:
    many = [
        task(f"t{i}", *([f"t{i - 1}"] if i else []), conflicts_with=(f"t{i - 1}",) if i else ()) for i in range(9000)
    ]
    assert lint_apart(plan(*many)) == []
    assert len(lint_apart(plan(*many[:2000]))) == 1999


@given(plans())
def test_what_is_needless_changes_nothing_when_it_is_left_out(the_plan: Plan) -> None:
    found = {each.tasks[0]: each.message for each in lint(the_plan, rules=(ordered_anyway,))}
    tasks = [
        replace(each, conflicts_with=tuple(x for x in each.conflicts_with if f"`{x}`" not in found.get(each.id, "")))
        for each in the_plan.tasks
    ]
    without = replace(the_plan, tasks=tuple(tasks))
    graph, took = build(the_plan), [1.0 + i for i in range(len(tasks))]
    bare, said = (estimate(each, graph, took) for each in (without, the_plan))
    # What is said once more may lead to a better bound, which is not always the best.
    assert replace(bare, lower_bound_s=said.lower_bound_s) == said
    assert not found or list(kept_apart(without)) != list(kept_apart(the_plan))
    assert list(lint(without, rules=(ordered_anyway, with_itself))) == []


def lint_apart(the_plan: Plan) -> list[str]:
    return [found.code for found in lint(the_plan, rules=(ordered_anyway, with_itself))]
