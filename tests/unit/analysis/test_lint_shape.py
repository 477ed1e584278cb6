"""Lint of a plan's shape: hot paths, narrow places, dependencies that order nothing."""

from __future__ import annotations

from typing import Any

import pytest

from stretto.analysis.lint import lint
from stretto.model.plan import Phase, Plan, Task
from stretto.model.run import RunSettings
from unit.analysis.findings import at
from unit.analysis.plans import plan, task

SHAPES = {"hot-path", "wide-claim", "one-at-a-time", "bottleneck", "needless-dependency"}


def shapes(the_plan: Plan, **settings: object) -> list[str]:
    found = lint(the_plan, settings=RunSettings(**settings))  # type: ignore[arg-type]
    return [x.code for x in found if x.code in SHAPES]


def crowd(name: str, count: int, *needs: str, **rest: Any) -> list[Task]:
    return [task(f"{name}{i}", *needs, writes=(f"{name}{i}.py",), **rest) for i in range(count)]


def done(tasks: list[Task]) -> list[Task]:
    return [task(x.id, *x.depends_on, status="succeeded") for x in tasks]


ROW = [task("u0", "t7"), *(task(f"u{i}", f"u{i - 1}") for i in range(1, 9))]
HOT = [task(f"t{i}", writes=(f"{i}.py", "index.py")) for i in range(6)]
CHAIN = [task("t0"), *(task(f"t{i}", f"t{i - 1}") for i in range(1, 8))]
MIDDLE = [*crowd("a", 4), task("m", *(f"a{i}" for i in range(4))), *crowd("b", 4, "m")]
FULL = [task(f"t{i}", *(f"t{k}" for k in range(i))) for i in range(6)]

SAID: list[tuple[str, Plan]] = [
    ("hot-path", plan(*HOT)),
    ("wide-claim", plan(*crowd("a", 4), task("wide", writes=("**",)))),
    ("one-at-a-time", plan(*CHAIN)),
    ("one-at-a-time", plan(*CHAIN[:4], task("x", "t3", phase="q"))),
    ("bottleneck", plan(*MIDDLE)),
    (
        "bottleneck",
        plan(
            *crowd("a", 4), task("m", phase="q"), *crowd("b", 4, phase="r"),
            phases=(Phase(id="p"), Phase(id="q", depends_on=("p",)), Phase(id="r", depends_on=("q",))),
        ),
    ),
    ("needless-dependency", plan(*FULL, *crowd("x", 3))),
]  # fmt: skip

SILENT: list[tuple[str, Plan]] = [
    ("three are no crowd", plan(*HOT[:3])),
    ("hot by the plan's own word", plan(*HOT, hot_files=("index.py",))),
    ("ordered all the same", plan(*(task(x.id, *x.depends_on, writes=("index.py",)) for x in CHAIN[:4]))),
    ("others take longer", plan(*(task(f"h{x.id}", writes=x.writes) for x in HOT), *CHAIN, *ROW)),
    ("done", plan(*(task(f"t{i}", writes=("index.py",), status="succeeded") for i in range(9)))),
    ("four in a row", plan(*CHAIN[:4])),
    ("a row with one beside it", plan(*CHAIN, task("x"))),
    ("a row of which most is done", plan(*done(CHAIN[:5]), *CHAIN[5:])),
    ("first, and all else behind it", plan(task("m"), *crowd("b", 9, "m"))),
    ("last, and all else before it", plan(*crowd("a", 9), task("m", *(f"a{i}" for i in range(9))))),
    ("one goes past it", plan(*MIDDLE, task("x"))),
    ("few before it", plan(*MIDDLE[2:4], task("m", "a2", "a3"), *MIDDLE[5:])),
    ("few that others imply", plan(*FULL[:4], *crowd("x", 3))),
    ("a smaller part of them", plan(*FULL, *crowd("x", 3), *crowd("y", 7, "x0", "x1", "x2"))),
    ("`after` implies nothing", plan(task("a"), task("b", after=("a",)), *crowd("u", 12, "a", "b"))),
    ("wide, and behind the others", plan(*crowd("a", 4), task("w", "a0", "a1", "a2", "a3", writes=("**",)))),
    ("a circle", plan(*FULL, task("x", "y"), task("y", "x"))),
]  # fmt: skip


@pytest.mark.parametrize(("code", "the_plan"), SAID, ids=[f"{n}-{code}" for n, (code, _) in enumerate(SAID)])
def test_a_shape_that_costs_is_told_once(code: str, the_plan: Plan) -> None:
    assert shapes(the_plan) == [code]


@pytest.mark.parametrize("the_plan", [x for _, x in SILENT], ids=[x for x, _ in SILENT])
def test_nothing_is_said_of_a_shape_that_costs_nothing(the_plan: Plan) -> None:
    assert shapes(the_plan) == []


def only(the_plan: Plan, code: str, **rest: object) -> tuple[str, str]:
    (found,) = [x for x in lint(the_plan, **rest) if x.code == code]  # type: ignore[arg-type]
    return found.message, found.hint


def test_r2_1_a_hot_path_is_told_with_its_price() -> None:
    message, hint = only(plan(*HOT), "hot-path")
    assert message == (
        "tasks take turns at `index.py` (6 tasks): the plan takes about 1 h 12 min with 5 at once,"
        " 24 min if they did not"
    )
    assert "`hot_files`" in hint
    assert "hot_files" not in only(plan(*HOT, format="spec-kit"), "hot-path")[1], "a plan of others cannot say it"


def test_r2_5_where_overlaps_run_together_no_path_is_hot() -> None:
    assert shapes(plan(*HOT), conflicts="allow") == []


def test_with_one_place_nothing_is_hot() -> None:
    assert shapes(plan(*HOT), parallel=1) == []


def test_several_hot_paths_are_told_together_the_hottest_first() -> None:
    names = ("a", "b", "c", "d", "e")
    many = [task(f"t{i}", writes=tuple(f"{x}.py" for x in names[: 1 + i])) for i in range(8)]
    message, _ = only(plan(*many), "hot-path", places={"task:t0": at(3), "task:t0:writes:0": at(3, 9)})
    assert message.startswith(
        "tasks take turns at `a.py` (8 tasks), `b.py` (7 tasks), `c.py` (6 tasks) and 2 more paths: "
    )


def test_what_is_done_does_not_count() -> None:
    assert only(plan(*done(CHAIN[:2]), *CHAIN[2:]), "one-at-a-time")[0].startswith(
        "no two of the 6 tasks that are left can run at once"
    )


def test_r1_4_a_chain_that_is_none_of_its_tasks_doing_is_told_by_its_price_alone() -> None:
    chained = plan(*(task(f"t{i}") for i in range(6)), phases=(Phase(id="p", parallel=False),))
    assert shapes(chained) == []
    assert "chain-cost" in {x.code for x in lint(chained)}


def test_a_bottleneck_is_told_with_what_hangs_on_it() -> None:
    message, _ = only(plan(*MIDDLE), "bottleneck")
    assert message == "nothing can run beside `m`: it waits for 4 tasks, and 4 tasks wait for it"


def test_needless_dependencies_are_counted_and_the_first_are_named() -> None:
    message, hint = only(plan(*FULL), "needless-dependency")
    assert message == (
        "10 of 15 dependencies between tasks order nothing, because others imply them:"
        " `t2` on `t0`, `t3` on `t0`, `t3` on `t1` and 7 more"
    )
    assert "prompt" in hint


def test_large_plans_are_spared() -> None:
    wide = [task(f"t{i}", writes=("index.py",)) for i in range(10_001)]
    assert shapes(plan(*wide)) == []


def test_r2_1_a_wide_claim_is_told_with_its_price() -> None:
    message, hint = only(plan(*crowd("a", 4), task("wide", writes=("**",))), "wide-claim")
    assert message == (
        "`**` of `wide` holds what 4 other tasks claim, so they take turns: the plan takes about 24 min with 5 at once,"
        " 12 min if they did not"
    )
    assert "really changes" in hint
    assert shapes(plan(*HOT, task("wide", writes=("**",)))) == ["hot-path", "wide-claim"]
    assert shapes(plan(*crowd("a", 4), task("wide", writes=("**",))), conflicts="allow") == []
