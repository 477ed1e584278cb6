"""What an answer is worth: found in any text, held against the checklist, real readers, lint and the question."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.formats.load import load
from stretto.model.plan import Check, Phase, Plan, Task
from stretto.recipes.discovery.answer import Unsound, understood
from stretto.recipes.discovery.checklist import POINTS
from stretto.recipes.discovery.found import Found, judged
from stretto.recipes.discovery.question import Breadth, Question, Shape, prompt
from unit.recipes.answers import achievement, answer, as_text, checklist, own, parallel, part, task

TEXT = "# PLAN\n\nTask 1: all of it\n"


def ask(breadth: Breadth = 3, shape: Shape = "stretto", *ids: str) -> Question:
    return Question(
        name="PLAN.md",
        text=TEXT,
        breadth=breadth,
        about={1: "1.1", 2: "2", 3: ""}[breadth],
        shape=shape,
        tasks=tuple((id, id) for id in ids),
    )


def judge(text: str, question: Question | None = None, original: Plan | None = None) -> Found:
    question = question or ask()
    name = "/nowhere/plan.json" if question.shape == "stretto" else "/nowhere/parallel.json"
    return judged(text, question, lambda data: load(name, data), original)


def faults(text: str, question: Question | None = None) -> str:
    with pytest.raises(Unsound) as unsound:
        judge(text, question)
    return "\n".join(unsound.value.faults)


def order(found: Found) -> dict[str, tuple[str, ...]]:
    assert found.plan is not None
    return {task.id: task.depends_on for task in found.plan.tasks}


# --- a yes and a no ------------------------------------------------------------------------------------------------


def test_a_good_answer_is_a_plan() -> None:
    found = judge(as_text(answer(own())))
    assert (found.answer.decision, found.answer.reason, len(found.answer.points)) == ("yes", "For a reason.", 16)
    assert order(found) == {"1.1": (), "1.2": (), "2.1": ("1.1", "1.2")}
    assert found.plan is not None and found.plan.tasks[0].writes == ("src/1.1/**",)
    assert found.plan.tasks[0].estimate_s == 4 * 3600


def test_a_no_has_reasons_and_no_plan() -> None:
    found = judge(as_text(answer(None, "no", "chain", "files")))
    assert (found.answer.decision, found.plan) == ("no", None)
    assert [one.point for one in found.answer.points if not one.holds] == ["files", "chain"]
    assert judge(as_text(answer(own(task("a", "b")), "no"))).plan is None, "its plan is not even looked at"


def test_a_no_may_have_points_that_all_hold() -> None:
    """It may be too small."""
    assert judge(as_text(answer(None, "no"))).answer.decision == "no"


def test_a_parallel_json_is_read_by_its_own_reader() -> None:
    found = judge(as_text(answer(parallel())), ask(3, "parallel.json"))
    assert order(found) == {"1.1": (), "1.2": (), "2.1": ("1.1", "1.2")}
    assert found.plan is not None and found.plan.format == "parallel-json"


# --- where in a text it stands -------------------------------------------------------------------------------------

GOOD = as_text(answer(own()))


@pytest.mark.parametrize(
    "text",
    [
        f"\ufeff{GOOD}".lstrip("\ufeff"),
        f"  \n{GOOD}\n\n",
        f"I thought.\n\n```json\n{GOOD}\n```\n\nThat is it.",
        f"```\n{GOOD}\n```",
        f"~~~~json\n{GOOD}\n~~~~",
        f'First:\n```json\n{{"decision": "maybe"}}\n```\nNo, rather:\n```json\n{GOOD}\n```\n',
        f"```json\n{GOOD}\n```\nIt can be checked so:\n```sh\nstretto check plan.json\n```\n",
        f"Here it is: {GOOD} I hope that helps.",
        f"1. The answer:\n\n   ```json\n{GOOD}\n   ```\n",
    ],
)
def test_it_is_found_whatever_stands_around_it(text: str) -> None:
    assert order(judge(text)) == {"1.1": (), "1.2": (), "2.1": ("1.1", "1.2")}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "there is nothing in it"),
        ("I cannot do that.", "no JSON object"),
        ("[1, 2]", "no JSON object"),
        ('{"decision": "yes",,}', "it is no JSON"),
        ('Well:\n```json\n{"decision": "yes",\n "x" 1}\n```\n', "line 4, column"),
        ("```json\n[1]\n```", "no object with `decision`"),
        ('{"name": "x", "tasks": []}', "no object with `decision`"),
        (GOOD[:-40], "it is no JSON"),
        ("{" * 100_000, "it is no JSON"),
        ('{"decision": NaN}', "it is no JSON"),
    ],
)
def test_what_is_no_answer_is_said(text: str, told: str) -> None:
    assert told in faults(text)


@given(st.text(alphabet=st.sampled_from('{}[]"`~:,\n \\\x00é\ud800x'), max_size=60))
def test_any_text_is_an_answer_or_has_faults(text: str) -> None:
    try:
        understood(text)
    except Unsound as unsound:
        assert unsound.faults


@pytest.mark.parametrize("breadth", [1, 2, 3])
@pytest.mark.parametrize("shape", ["stretto", "parallel.json"])
def test_a_prompt_that_is_repeated_is_no_answer(breadth: Breadth, shape: Shape) -> None:
    question = ask(breadth, shape)
    assert faults(prompt(question), question)


# --- its parts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"decision": "perhaps"}, '`decision` is "yes" or "no", not `perhaps`'),
        ({"decision": None}, "`decision`"),
        ({"reason": " "}, "`reason` is missing"),
        ({"reason": ["x"]}, "`reason` is missing"),
        ({"plan": None}, "`plan` has to be an object, not absent"),
        ({"plan": []}, "`plan` has to be an object"),
        ({"checklist": None}, "`checklist` is an object"),
        ({"checklist": checklist() | {"state": True}}, "`checklist`: `state` should be"),
        ({"checklist": checklist() | {"state": {"holds": "yes", "why": "x"}}}, "`checklist`: `state` should be"),
        ({"checklist": checklist() | {"state": {"holds": True, "why": ""}}}, "`checklist`: `state` should be"),
        ({"checklist": checklist() | {"luck": {"holds": True, "why": "x"}}}, "no point `luck`"),
        ({"checklist": {}}, "says nothing of `state`, `files`"),
        ({"checklist": checklist("files")}, "`files` does not hold"),
        ({"checklist": checklist("files", "races")}, "`files` and `races` do not hold"),
        ({"confidence": 1}, "an answer has no `confidence`"),
    ],
)
def test_each_part_has_its_form(change: dict[str, Any], told: str) -> None:
    assert told in faults(as_text(answer(own()) | change))


def test_all_faults_are_told_at_once() -> None:
    told = faults(as_text({"decision": "maybe", "checklist": {"files": 1}}))
    assert all(word in told for word in ("`decision`", "`reason`", "`files` should be", "says nothing of `state`"))


@pytest.mark.parametrize("point", [point.id for point in POINTS])
def test_a_yes_needs_every_point(point: str) -> None:
    less = {key: value for key, value in checklist().items() if key != point}
    assert f"says nothing of `{point}`" in faults(as_text(answer(own()) | {"checklist": less}))
    assert f"`{point}` does not hold" in faults(as_text(answer(own(), "yes", point)))


# --- its plan ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        (own(task("a", "b"), task("b", "a"), task("c")), "circle of dependencies"),
        (own(task("a", "z"), task("b")), "`z`, which is not in this plan"),
        (own(task("a"), task("a")), "`a`"),
        (own(task("a", prompt="", title=""), task("b")), "`a`"),
        (own(task("a", writes=["../x"]), task("b")), "../x"),
        (own(task("a", estimate="soon"), task("b")), "estimate"),
        (own(task("a"), task("b", "a"), task("c", "b")), "no two tasks of the plan can run at the same time"),
        (own(task("a")), "no two tasks of the plan can run at the same time"),
        (own(task("a", writes=["x/**"]), task("b", writes=["x/y.py"])), "`a` and `b` write `x/y.py`"),
        ({"name": "n", "tasks": "all"}, "tasks"),
        ({"name": "n"}, "the plan"),
        ({"tasks": [task("a"), task("b")]}, "name"),
        (own() | {"setup": {"run": ["rm -rf /"]}}, "the plan may not have `setup`"),
        (own() | {"gates": {"verify": ["true"]}}, "the plan may not have `gates`"),
        (own(task("a", verify=["true"]), task("b")), "task `a` may not have `verify`"),
        (own(task("a", agent="shell: rm -rf /"), task("b")), "task `a` may not have `agent`"),
        (own(task("a", prompt_file="/etc/passwd"), task("b")), "task `a` may not have `prompt_file`"),
        (own(task("a", dependson=[]), task("b")), "task `a` may not have `dependson`"),
        ({"name": "n", "phases": [{"id": "p", "on_failure": "stop", "tasks": []}]}, "phase `p` may not have"),
        (parallel(), "the plan may not have"),
    ],
)
def test_a_plan_that_cannot_be_taken_is_told_with_what_to_put_right(plan: Any, told: str) -> None:
    assert told in faults(as_text(answer(plan)))


def test_tasks_that_share_a_file_may_be_ordered_or_it_may_be_hot() -> None:
    shared = {"writes": ["x.py"]}
    assert judge(as_text(answer(own(task("a", **shared), task("b", "a", **shared), task("c"))))).plan
    assert judge(as_text(answer(own(task("a", **shared), task("b", **shared), hot_files=["x.py"])))).plan


def test_phases_of_an_answer_count() -> None:
    phases = [{"id": "p", "tasks": [task("a"), task("b")]}, {"id": "q", "depends_on": ["p"], "tasks": [task("c")]}]
    found = judge(as_text(answer({"name": "n", "phases": phases})))
    assert found.plan is not None and [task.phase for task in found.plan.tasks] == ["p", "p", "q"]


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        (parallel(level=2), '`parallelization_level` should be "level_3"'),
        (parallel(achievement("1.1", "2.1"), achievement("2.1", "1.1"), achievement("3.1")), "circle"),
        (parallel(achievement("1.1", "9.9"), achievement("2.1")), "`9.9`"),
        (parallel(achievement("1.1"), achievement("1.2", "1.1")), "no two tasks"),
        (parallel(achievement("1.1", validation_script="rm -rf /"), achievement("1.2")), "may not have `validation_"),
        (parallel(scripts=[]), "the plan may not have `scripts`"),
        (own(), "the plan may not have"),
    ],
)
def test_so_is_a_parallel_json(plan: Any, told: str) -> None:
    assert told in faults(as_text(answer(plan)), ask(3, "parallel.json"))


def test_breadth_one_is_one_achievement_in_parts() -> None:
    question = ask(1, "parallel.json")
    whole = achievement("1.1", sub_executions=[part("1.1.1"), part("1.1.2")])
    assert order(judge(as_text(answer(parallel(whole, level=1))), question)) == {"1.1.1": (), "1.1.2": ()}
    for wrong in (
        (achievement("1.1", sub_executions=[part("1.1.1")]),),
        (achievement("1.1"), achievement("1.2")),
        (achievement("2.1", sub_executions=[part("2.1.1"), part("2.1.2")]),),
    ):
        assert "one achievement, `1.1`, with two or more" in faults(
            as_text(answer(parallel(*wrong, level=1))), question
        )
    assert order(judge(as_text(answer(own(task("1.1.1"), task("1.1.2")))), ask(1))) == {"1.1.1": (), "1.1.2": ()}


def test_breadth_two_is_one_priority() -> None:
    question = ask(2, "parallel.json")
    both = (achievement("2.1"), achievement("2.2"))
    assert judge(as_text(answer(parallel(*both, level=2))), question).plan
    told = faults(as_text(answer(parallel(*both, achievement("1.1"), level=2))), question)
    assert "`1.1`: not of priority `2`" in told
    assert judge(as_text(answer(parallel(*both, achievement("x", priority=2), level=2))), question).plan


def test_what_the_document_has_of_other_priorities_is_not_asked_about() -> None:
    question = Question(name="x", text=TEXT, breadth=2, about="2", outside=("1.1",))
    assert judge(as_text(answer(own(task("2.1"), task("2.2")))), question).plan
    told = faults(as_text(answer(own(task("2.1"), task("1.1")))), question)
    assert "`1.1`: not of priority `2`" in told


def paths(tree: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to every value of a tree."""
    yield path
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in entries:
        yield from paths(value, (*path, key))


ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 1e300, "", "\ud83d", "x\0y", "1.1", "../x", [], [[]], {}, {"id": {}}, ["a", 1]]
)
ANSWERS = {
    ask(): answer(own()),
    ask(3, "parallel.json"): answer(parallel()),
    ask(1, "parallel.json"): answer(
        parallel(achievement("1.1", sub_executions=[part("1.1.1"), part("1.1.2")]), level=1)
    ),
    ask(2, "parallel.json"): answer(parallel(achievement("2.1"), achievement("2.2"), level=2)),
}


@given(st.sampled_from(list(ANSWERS)), st.data())
def test_an_answer_with_anything_anywhere_is_taken_or_has_faults(question: Question, data: st.DataObject) -> None:
    tree = json.loads(as_text(ANSWERS[question]))
    for _ in range(data.draw(st.integers(1, 3))):
        *way, last = data.draw(st.sampled_from([path for path in paths(tree) if path]))
        holder = tree
        for key in way:
            holder = holder[key]
        holder[last] = deepcopy(data.draw(ODD))
    try:
        found = judge(as_text(tree), question)
    except Unsound as unsound:
        assert unsound.faults and all(map(str.strip, unsound.faults))
    else:
        assert (found.plan is None) == (found.answer.decision == "no")


# --- of a plan -----------------------------------------------------------------------------------------------------

ORIGINAL = Plan(
    name="original",
    format="task-master",
    phases=(Phase(id="main"),),
    tasks=(
        Task(id="a", phase="main", title="A", prompt="Do a", verify=(Check(kind="command", command="test -e a"),)),
        Task(id="b", phase="main", title="B", prompt="Do b", depends_on=("a",), agent=("claude",), writes=("b.py",)),
        Task(id="c", phase="main", title="C", prompt="Do c", depends_on=("b",), estimate_s=60.0),
    ),
)


def bare(id: str, *depends_on: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "depends_on": list(depends_on), **more}


def test_tasks_of_a_plan_keep_what_they_are_and_get_another_order() -> None:
    found = own(bare("a", writes=["a.py"], estimate="1h"), bare("b"), bare("c", "a", "b"))
    plan = judge(as_text(answer(found)), ask(3, "stretto", "a", "b", "c"), ORIGINAL).plan
    assert plan is not None
    a, b, c = plan.tasks
    assert (plan.name, a.depends_on, b.depends_on, c.depends_on) == ("original", (), (), ("a", "b"))
    assert (a.prompt, a.verify, a.writes, a.estimate_s) == ("Do a", ORIGINAL.tasks[0].verify, ("a.py",), 3600.0)
    assert (b.agent, b.writes, c.estimate_s) == (("claude",), ("b.py",), 60.0)


@pytest.mark.parametrize(
    ("ids", "told"),
    [
        (("a", "b"), "the plan lacks `c`, which the document has"),
        (("a", "b", "c", "d"), "the plan has `d`, which the document does not have"),
    ],
)
def test_no_task_of_a_plan_is_lost_and_none_is_made_up(ids: tuple[str, ...], told: str) -> None:
    with pytest.raises(Unsound, match=told):
        judge(as_text(answer(own(*map(bare, ids)))), ask(3, "stretto", "a", "b", "c"), ORIGINAL)


def test_the_answer_of_the_page_is_taken() -> None:
    page = (Path(__file__).parents[3] / "docs" / "discovery.md").read_text()
    (shown,) = [block.split("\n```")[0] for block in page.split("```json\n")[1:]]
    assert json.loads(shown)["decision"] == "yes"
    assert order(judge(shown)) == {"1.1": (), "1.2": (), "2.1": ("1.1", "1.2")}
