"""Lint of claims: overlaps, and tasks that claim nothing (R2)."""

from __future__ import annotations

from stretto.analysis.lint import lint
from stretto.model.run import RunSettings
from unit.analysis.findings import only
from unit.analysis.plans import plan, task


def test_r2_5_overlaps_weigh_what_the_policy_says() -> None:
    both = plan(task("a", writes=("x",)), task("b", writes=("x",)))
    assert only(both, "overlap").tasks == ("a", "b")
    assert only(both, "overlap", settings=RunSettings(conflicts="refuse")).severity == "error"
    assert only(both, "overlap", settings=RunSettings(conflicts="allow")).severity == "warning"


def test_a_path_whose_tasks_are_partly_ordered_is_told_once() -> None:
    partly = plan(task("a", writes=("x",)), task("b", "a", writes=("x",)), task("c", writes=("x",)))
    told = only(partly, "overlap")
    assert set(told.tasks) == {"a", "b", "c"}
    assert "no dependency orders all of them" in told.message


def test_overlaps_beyond_counting_are_summed_up() -> None:
    many = plan(*(task(f"t{i}", writes=(f"f{i // 2}",)) for i in range(1000)))
    found = lint(many)
    assert len(found) == 201
    assert "300 more paths" in "".join(x.message for x in found)
    assert {id for x in found for id in x.tasks} == {t.id for t in many.tasks}


def test_r2_4_unknown_scope_is_told_once() -> None:
    silent = plan(task("a"), task("b"), task("c", writes=()))
    (found,) = lint(silent)
    assert (found.code, found.severity, found.tasks) == ("unknown-scope", "info", ("a", "b"))
    (single,) = lint(plan(task("a"), task("b", writes=())))
    assert single.message.startswith("`a` does not say which files it writes, and may run beside")
    assert "run alone" in lint(silent, settings=RunSettings(conflicts="serialize-unknown"))[0].message
    (twice,) = [x for x in lint(plan(task("a"), task("c"), task("c"))) if x.code == "unknown-scope"]
    assert twice.message.startswith("`a` and `c` do not say")
    (again,) = [x for x in lint(plan(task("c"), task("c"))) if x.code == "unknown-scope"]
    assert again.message.startswith("`c` does not say which files it writes, and may run")
    assert lint(plan(task("a"))) == ()
