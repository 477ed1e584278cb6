"""Changes put into a plan's own file: every one can be said in our own format, however it is written, and nothing else
changes; what cannot be said is refused, and nothing breaks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stretto.analysis.changes import changed
from stretto.formats.amend import amended
from stretto.formats.load import load
from stretto.formats.native_text import as_json, as_yaml
from stretto.model.change import AddHotFile, AddNeeds, AddWrites, Change, DropNeed, MakeParallel, SplitTask, UseContract
from stretto.model.plan import Plan
from unit.analysis.plans import plans
from unit.formats.corpus import everything, is_plan
from unit.formats.test_formats_native_text import any_plan


def possible(plan: Plan) -> Iterator[Change]:
    """Every change that may be made of such a plan, with texts that need quotes."""
    for phase in plan.phases:
        yield MakeParallel(phase=phase.id)
        yield from (DropNeed(phase=phase.id, on=on) for on in dict.fromkeys(phase.depends_on))
    yield AddHotFile(path="a: [b]/#c.md")
    for i, task in enumerate(plan.tasks):
        if task.writes is None:
            yield AddWrites(task=task.id, writes=("src/x: y.py", "yes"))
        if i:
            yield AddNeeds(task=task.id, needs=tuple({x.id: None for x in plan.tasks[:i] if x.id != task.id}))
        for other in task.depends_on:
            if task.depends_on.count(other) == 1 and any(x.id == other for x in plan.tasks):
                yield UseContract(task=task.id, provider=other, contract="no")
        paths = tuple(dict.fromkeys(task.writes or ()))
        if len(paths) > 1 and len(paths) == len(task.writes or ()):
            waiting = tuple(x.id for x in plan.tasks if task.id in x.depends_on)
            yield SplitTask(
                task=task.id, id="1.10", keeps=paths[:1], gives=paths[1:], estimate_s=5400.0, waiting=waiting
            )


def compact(plan: Plan) -> str:
    return json.dumps(json.loads(as_json(plan)))


def flowing(plan: Plan) -> str:
    """YAML on one line."""
    return "# a plan\nname: x\nphases: " + json.dumps(json.loads(as_json(plan))["phases"]) + "\n"


def crlf(plan: Plan) -> str:
    return as_yaml(plan).replace("\n", "\r\n")


@pytest.mark.parametrize("write", [as_yaml, as_json, compact, flowing, crlf])
@given(plan=plans(5))
@settings(max_examples=20)
def test_every_change_can_be_said_in_our_own_format(write: Callable[[Plan], str], plan: Plan) -> None:
    data = write(plan).encode()
    plan = load("plan", data).plan
    for change in possible(plan):
        after = amended("plan", data, [change])
        assert after is not None, change
        wanted, got = changed(plan, [change]), load("plan", after).plan
        assert [(x.id, x.writes, set(x.depends_on), x.uses, x.provides) for x in got.tasks] == [
            (x.id, x.writes, set(x.depends_on), x.uses, x.provides) for x in wanted.tasks
        ]
        assert [(x.id, x.parallel, x.depends_on) for x in got.phases] == [
            (x.id, x.parallel, x.depends_on) for x in wanted.phases
        ]
        lost = [line for line in data.splitlines() if line not in after.splitlines()]
        assert b"\n" not in data.rstrip() or write is flowing or len(lost) <= 10


@pytest.mark.parametrize("write", [as_yaml, as_json])
@given(plan=any_plan(), data=st.data())
@settings(max_examples=30)
def test_whatever_the_texts_are_it_is_said_right_or_not_at_all(
    write: Callable[[Plan], str], plan: Plan, data: st.DataObject
) -> None:
    text = write(plan).encode()
    known = list(possible(load("plan", text).plan))
    change = data.draw(st.sampled_from(known))
    after = amended("plan", text, [change])
    assert after is None or load("plan", after).plan.tasks is not None


@pytest.mark.parametrize("path", [x for x in everything() if is_plan(x)], ids=lambda path: path.name)
def test_real_plans_take_what_their_format_has_words_for(path: object) -> None:
    data = path.read_bytes()  # type: ignore[attr-defined]
    plan = load(str(path), data).plan
    said = [amended(str(path), data, [change]) for change in list(possible(plan))[:4]]
    if plan.format == "stretto":
        assert None not in said
    if plan.format == "auto-claude" and len(plan.tasks) > 1:
        assert any(said)


def test_comments_and_spacing_stay() -> None:
    text = (
        b"name: n   # the name\nphases:\n- id: p\n  tasks: [{id: a, prompt: x}]\n- id: q  # why\n"
        b"  depends_on: [ p , p2 ]   # both\n  tasks:\n  -   id: b\n      prompt: |\n        a: b\n\n        c\n"
        b"      writes:\n        - one  # first\n        # between\n        - two\n- {id: p2, tasks: []}\n"
    )
    loosened = amended("plan", text, [DropNeed(phase="q", on="p")])
    assert loosened == text.replace(b"[ p , p2 ]", b"[ p2 ]")
    more = amended("plan", text, [AddNeeds(task="b", needs=("a",))])
    assert more == text.replace(b"id: b\n", b"id: b\n      depends_on: [a]\n")
    split = SplitTask(task="b", id="c", keeps=("one",), gives=("two",), estimate_s=60.0, waiting=())
    halves = amended("plan", text, [split])
    assert halves is not None
    assert [(x.id, x.writes, x.prompt) for x in load("plan", halves).plan.tasks] == [
        ("a", None, "x"), ("b", ("one",), "a: b\n\nc\n"), ("c", ("two",), "a: b\n\nc\n"),
    ]  # fmt: skip


def test_what_an_anchor_shares_is_left_alone() -> None:
    shared = (
        b"name: n\ntasks:\n- {id: a, prompt: x, depends_on: &d [c]}\n- {id: b, prompt: x, depends_on: *d}\n"
        b"- {id: c, prompt: x}\n"
    )
    assert amended("plan", shared, [AddNeeds(task="b", needs=("a",))]) is None
