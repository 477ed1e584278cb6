"""A part of a plan keeps its order, and says what is missing."""

from __future__ import annotations

import pytest

from stretto.analysis.select import select
from stretto.errors import PlanError
from stretto.model.plan import Finding, Phase, Plan, Task


def plan(*tasks: Task, phases: tuple[Phase, ...] = (Phase(id="p"),)) -> Plan:
    return Plan(name="x", format="stretto", phases=phases, tasks=tasks)


def task(id: str, *needs: str, phase: str = "p") -> Task:
    return Task(id=id, phase=phase, depends_on=needs)


CHAIN = plan(task("a"), task("b", "a"), task("c", "b"))


def kept(p: Plan) -> dict[str, tuple[str, ...]]:
    return {t.id: t.depends_on for t in p.tasks}


def test_nothing_named_is_the_whole_plan() -> None:
    assert select(CHAIN).plan is CHAIN


def test_order_is_kept_through_what_goes() -> None:
    selection = select(CHAIN, only=["a", "c"])
    assert kept(selection.plan) == {"a": (), "c": ("a",)}
    (finding,) = selection.findings
    assert (finding.code, finding.severity, finding.tasks) == ("dependency-left-out", "warning", ("b",))


def test_what_is_done_is_not_missed() -> None:
    assert select(CHAIN, only=["c"], done=["b"]).findings == ()
    assert kept(select(CHAIN, only=["c"], done=["b"]).plan) == {"c": ()}


def test_with_deps_takes_everything_that_is_not_done() -> None:
    assert list(kept(select(CHAIN, only=["c"], with_deps=True).plan)) == ["a", "b", "c"]
    assert list(kept(select(CHAIN, only=["c"], with_deps=True, done=["a"]).plan)) == ["b", "c"]


def test_phases_are_chosen_and_needed_whole() -> None:
    two = plan(
        task("a", phase="one"),
        task("b", phase="one"),
        task("c", phase="two"),
        phases=(Phase(id="one"), Phase(id="two", depends_on=("one",))),
    )
    alone = select(two, phase="two")
    assert list(kept(alone.plan)) == ["c"]
    assert [f.tasks for f in alone.findings] == [("a", "b")]
    assert list(kept(select(two, phase="two", with_deps=True).plan)) == ["a", "b", "c"]
    assert list(kept(select(two, only=["one"]).plan)) == ["a", "b"]


def test_only_and_phase_together_mean_what_is_in_both() -> None:
    two = plan(
        task("a", phase="one"),
        task("b", phase="one"),
        task("c", phase="two"),
        phases=(Phase(id="one"), Phase(id="two")),
    )
    assert list(kept(select(two, only=["a", "c"], phase="one").plan)) == ["a"]
    with pytest.raises(PlanError, match="nothing of 'c' is in phase 'one'"):
        select(two, only=["c"], phase="one")


@pytest.mark.parametrize(
    ("only", "phase", "hint"), [(["bb"], None, "'b'"), ([], "q", "there is p"), (["zzz"], None, "there are a, b, c, p")]
)
def test_unknown_names_are_errors(only: list[str], phase: str | None, hint: str) -> None:
    with pytest.raises(PlanError) as caught:
        select(CHAIN, only=only, phase=phase)
    assert hint in caught.value.hint


def test_a_task_that_the_file_has_put_off_is_not_called_unknown() -> None:
    told = Finding(code="set-aside", severity="info", message="z: put off in this plan", hint="change its status")
    plan = Plan(name="p", format="beads", tasks=(Task(id="a", phase="p"),))
    with pytest.raises(PlanError, match="task 'z' is set aside: z: put off in this plan") as refused:
        select(plan, only=["z"], aside={"z": told})
    assert refused.value.hint == "change its status"
    with pytest.raises(PlanError, match="there is no task 'y'"):
        select(plan, only=["y"], aside={"z": told})
