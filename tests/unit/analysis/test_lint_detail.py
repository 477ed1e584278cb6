"""Lint of what a plan leaves unsaid: tasks that are a title, estimates that are missing."""

from __future__ import annotations

import pytest

from stretto.analysis.lint import lint
from stretto.model.plan import Check, Finding, Plan, Task
from unit.analysis.plans import plan, task

LONG = "Write the page about opening hours, with a table of the holidays of each canton"


def found(the_plan: Plan, code: str, **rest: object) -> Finding | None:
    return next((x for x in lint(the_plan, **rest) if x.code == code), None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "bare",
    [
        task("a", prompt="Add tests"),
        task("a", prompt="Fix the login page"),
        task("a", prompt="", title="Refactor"),
        task("a", prompt="# Shop\n\n## Your task\n\nAdd tests\n", title="Tests"),
        task("a", prompt="# Add tests\n", title="Add tests"),
        task("a", prompt="修复登录页面"),
        task("a", prompt="Add tests", writes=()),
    ],
)
def test_a_title_alone_is_no_prompt(bare: Task) -> None:
    told = found(plan(bare, format="auto-claude"), "bare-task")
    assert told is not None
    assert told.severity == "info"
    assert told.tasks == ("a",)


@pytest.mark.parametrize(
    "good",
    [
        task("a", prompt=LONG),
        task("a", prompt="Add tests for the parser of dates in src/dates.py"),
        task("a", prompt="Add tests", writes=("tests/test_dates.py",)),
        task("a", prompt="Add tests", verify=(Check(command="make test"),)),
        task("a", prompt="Add tests", context=("design.md",)),
        task("a", prompt="Add tests", artifacts=("report.html",)),
        task("a", prompt="", prompt_file="prompts/a.md"),
        task("a", prompt="Add tests", status="succeeded"),
        task("a", prompt="写一页关于每个州假期开放时间的说明,并附上一张表格"),
        task("a", prompt="# Shop\n\nOpen daily but on Mondays, in winter from ten\n\n## Your task\n\nAdd tests"),
        task("a", prompt=""),
    ],
)
def test_words_files_checks_and_context_say_enough(good: Task) -> None:
    assert found(plan(good), "bare-task") is None


def test_bare_tasks_are_told_in_one_finding() -> None:
    many = plan(*(task(f"t{i}", prompt=f"Part {i}") for i in range(5)), task("u", prompt=LONG))
    told = found(many, "bare-task")
    assert told is not None
    assert told.message == (
        "5 tasks are no more than a title, without files, checks or context:"
        " `t0` (Part 0), `t1` (Part 1), `t2` (Part 2) and 2 more"
    )
    assert len(told.tasks) == 5


def test_a_template_of_prompts_may_say_the_rest() -> None:
    bare = task("a", prompt="Add tests")
    assert found(plan(bare, prompt_template="prompt.md.j2"), "bare-task") is None


def test_who_does_not_go_by_prompts_needs_none() -> None:
    two = plan(task("a", prompt="Add tests"), task("b", prompt="Add docs"))
    told = found(two, "bare-task", goes_by_prompt=lambda task: task.id == "b")
    assert told is not None
    assert told.tasks == ("b",)


def timed(said: int, silent: int) -> Plan:
    some = [task(f"t{i}", estimate_s=600.0) for i in range(said)]
    return plan(*some, *(task(f"u{i}") for i in range(silent)))


def test_tasks_without_an_estimate_are_told_where_most_have_one() -> None:
    told = found(timed(8, 2), "missing-estimate")
    assert told is not None
    assert told.message == (
        "`u0` and `u1` have no estimate, so 12 min is assumed; the other 8 tasks have one, half of them 10 min or more"
    )
    assert told.tasks == ("u0", "u1")


@pytest.mark.parametrize(("said", "silent"), [(0, 9), (2, 1), (9, 0), (4, 3), (1, 8)])
def test_estimates_are_nobody_s_duty(said: int, silent: int) -> None:
    assert found(timed(said, silent), "missing-estimate") is None


def test_what_is_done_needs_no_estimate() -> None:
    tasks = timed(8, 0).tasks
    assert found(plan(*tasks, task("u", status="succeeded")), "missing-estimate") is None
