"""Lint: a table of small wrong plans, each with exactly the findings it deserves; and large and odd ones."""

from __future__ import annotations

import ast
import itertools
import re
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given

from stretto.analysis.lint import lint, ok
from stretto.analysis.lint_names import unknown_ids
from stretto.analysis.subject import CODES
from stretto.formats.load import load
from stretto.model.plan import Check, Defaults, Location, Phase, Plan, PlanGates, Setup
from unit.analysis.findings import at, codes, only
from unit.analysis.plans import P, Q, plan, plans, task
from unit.analysis.test_lint_contracts import SAID as CONTRACTS
from unit.analysis.test_lint_shape import SAID as SHAPED

ROOT = Path(__file__).parents[3]
PAGE, SRC = ROOT / "docs" / "findings.md", ROOT / "src" / "stretto"


GOOD = plan(task("a", writes=("a",)), task("b", "a", writes=("b",)))
WRONG: list[tuple[str, Plan]] = [
    ("ambiguous-id", plan(task("p"), task("x", "p", phase="q"))),
    ("bad-number", plan(task("a", priority=9))),
    ("bad-number", plan(task("a", attempts=0))),
    ("bad-number", plan(task("a", timeout_s=0.0))),
    ("bad-number", plan(task("a", timeout_s=float("nan")))),
    ("bad-number", plan(task("a", estimate_s=float("inf")))),
    ("bad-number", plan(task("a"), phases=(Phase(id="p", max_parallel=0),))),
    ("bare-task", plan(task("a", prompt="Add tests"))),
    ("chain-cost", plan(task("a"), task("b"), phases=(Phase(id="p", parallel=False),))),
    ("claim-outside", plan(task("a", writes=("../x",)))),
    ("claim-outside", plan(task("a", artifacts=("/tmp/x",)))),
    ("cycle", plan(task("a", "b"), task("b", "a"))),
    ("cycle", plan(task("a", "p"))),
    ("cycle", plan(task("a", after=("b",)), task("b", "a"))),
    ("duplicate-id", plan(task("a"), task("a"))),
    ("duplicate-id", plan(task("a"), phases=(P, P))),
    ("empty-check", plan(task("a", verify=(Check(command=" "),)))),
    ("empty-check", plan(task("a"), gates=PlanGates(verify=(Check(),)))),
    ("empty-phase", plan(task("a"), phases=(P, Q))),
    ("empty-plan", plan()),
    ("missing-estimate", plan(*(task(f"t{i}", estimate_s=None if i == 5 else 60.0) for i in range(6)))),
    ("missing-prompt", plan(task("a", prompt=" \n", title="A"))),
    ("missing-prompt", plan(task("a", prompt=""), format="auto-claude")),
    ("needless-conflict", plan(task("a", conflicts_with=("c",)), task("b", "a"), task("c", "b"))),
    ("needless-conflict", plan(task("a"), task("b", after=("a",), conflicts_with=("a",)))),
    ("needless-conflict", plan(task("a"), task("b"), task("c", "p", phase="q", conflicts_with=("p",)))),
    ("odd-id", plan(task("a\nb"))),
    ("odd-id", plan(task(" "))),
    ("overlap", plan(task("a", writes=("x",)), task("b", writes=("X",)))),
    ("parallel-anyway", plan(task("a"), task("b", "a"), task("c"), phases=(Phase(id="p", parallel=False),))),
    ("self-conflict", plan(task("a", conflicts_with=("a",)))),
    ("self-conflict", plan(task("p", conflicts_with=("p",)), task("b"))),
    ("self-dependency", plan(task("a", "a"))),
    ("self-dependency", plan(task("a"), phases=(Phase(id="p", depends_on=("p",)),))),
    ("similar-id", plan(task("API.1"), task("api-1"))),
    ("similar-id", plan(task("step"), task("step."))),
    ("similar-id", plan(task("caf\u00e9"), task("cafe\u0301"))),
    ("similar-id", plan(task("a", phase="Foo"), task("b", phase="foo"))),
    ("unknown-id", plan(task("a", "nobody"))),
    ("unknown-id", plan(task("a", after=("nobody",)))),
    ("unknown-id", plan(task("a", conflicts_with=("p", "nobody")))),
    ("unknown-id", plan(task("a"), phases=(Phase(id="p", depends_on=("nobody",)),))),
    ("unknown-id", plan(task("a", phase="nowhere"), task("b"), phases=(P,))),
    ("unsupported", plan(task("a"), phases=(Phase(id="p", on_failure="rollback"),))),
    ("unsupported", plan(task("a"), defaults=Defaults(on_failure="rollback"))),
]


@pytest.mark.parametrize(("code", "wrong"), WRONG, ids=[f"{n}-{code}" for n, (code, _) in enumerate(WRONG)])
def test_each_mistake_is_found_and_nothing_else(code: str, wrong: Plan) -> None:
    found = only(wrong, code)
    assert found.severity == CODES[code]
    assert found.message
    assert found.unsupported == (code == "unsupported")
    assert ok([found]) == (CODES[code] != "error")


def test_a_good_plan_has_nothing_said_about_it() -> None:
    assert lint(GOOD) == ()
    assert ok(())


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_can_be_seen(code: str) -> None:
    others = [
        plan(task("a"), task("b")),
        plan(task("a", prompt_file="nowhere.md")),
        plan(task("a"), task("b", "a", phase="q"), task("c", "b"), phases=(Phase(id="p", on_failure="rollback"), Q)),
        plan(task("a"), setup=Setup(copy=("../x", "gone"))),
        *(the_plan for _, the_plan in SHAPED),
        *CONTRACTS,
    ]
    tracked = plan(task("a"), setup=Setup(link=("src",)))
    seen = {x.code for _, wrong in WRONG for x in lint(wrong)} | {
        x.code for each in others for x in lint(each, exists=lambda path: False, present=lambda path: False)
    }
    seen |= {x.code for x in lint(tracked, tracked=lambda path: True)}
    assert code in seen


def codes_in_source() -> set[str]:
    """Codes that readers and lint give to their findings: the first text or the `code` of the calls that make them, and
    the keys of tables of kinds."""
    makers = {"Finding", "finding", "mistake", "report", "_report", "refuse", "_refuse", "_note", "_stop"}
    found: set[str] = set()
    for path in (path for part in ("analysis", "formats", "recipes", "cli") for path in (SRC / part).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            given: list[ast.expr] = []
            match node:
                case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in makers:
                    named = [x.value for x in node.keywords if x.arg == "code"]
                    given = named or ([] if name in ("_note", "_stop") else node.args[:1])
                case ast.Assign(targets=[ast.Name(id="code")]):
                    given = [node.value]
                case ast.Dict(values=[ast.Call(func=ast.Name(id="_Kind")), *_]):
                    given = [key for key in node.keys if key is not None]
                case ast.arguments():
                    given = [x for a, x in zip(node.kwonlyargs, node.kw_defaults, strict=True) if x and a.arg == "code"]
            choices = [y for x in given for y in ([x.body, x.orelse] if isinstance(x, ast.IfExp) else [x])]
            found |= {x.value for x in choices if isinstance(x, ast.Constant) and isinstance(x.value, str)}
    return {code for code in found if re.fullmatch(r"[a-z]+(-[a-z]+)*", code)}


def test_the_page_and_the_codes_are_the_same() -> None:
    sections = re.findall(r"^## (\S+)\n\n\*(Error|Warning|Info)\b", PAGE.read_text(), re.MULTILINE)
    page = {code: severity.lower() for code, severity in sections}
    assert len(page) == len(re.findall(r"^## ", PAGE.read_text(), re.MULTILINE))
    assert {code: page[code] for code in CODES} == dict(CODES)
    assert list(page) == sorted(page)
    assert set(page) == codes_in_source()


OTHERWISE = "name a task or a phase of this plan, or leave it out"


def test_nobody_is_told_to_wait_for_themselves() -> None:
    assert only(plan(task("step-1"), task("step-2", "step-9")), "unknown-id").hint == "did you mean `step-1`?"
    assert only(plan(task("step-2", "step-9")), "unknown-id").hint == OTHERWISE


@pytest.mark.parametrize(
    ("written", "meant"), [("shcema", "schema"), ("Schema", "schema"), ("user_api", "user-api"), ("zzz", "")]
)
def test_unknown_ids_are_guessed(written: str, meant: str) -> None:
    found = only(plan(task("schema"), task("user-api"), task("c", written)), "unknown-id")
    assert found.hint == (f"did you mean `{meant}`?" if meant else OTHERWISE)


def test_names_of_conflicts_are_looked_up_in_a_table_that_is_made_once() -> None:
    many = [task(f"t{n}", conflicts_with=("p",)) for n in range(10_000)]
    began = time.process_time()
    assert lint(plan(*many), rules=[unknown_ids]) == ()
    assert time.process_time() - began < 2


def test_r1_2_a_phase_waits_for_phases_only() -> None:
    found = only(plan(task("a"), phases=(Phase(id="p", depends_on=("a",)),)), "unknown-id")
    assert "it is a task" in found.hint


def test_r8_7_rollback_is_told_once_at_its_place() -> None:
    phase = "{id: p, tasks: [{id: a, prompt: x, writes: [a]}],\n  on_failure: rollback}"
    text = f"name: n\ndefaults: {{on_failure: rollback}}\nphases:\n- {phase}\n"
    loaded = load("plan.yaml", text.encode())
    found = [*loaded.findings, *lint(loaded.plan, loaded.places)]
    assert [(x.code, x.location and x.location.line) for x in found] == [("unsupported", 2), ("unsupported", 5)]


def test_of_two_with_one_id_both_places_are_told() -> None:
    twice = plan(task("a"), task("b"), task("a"))
    found = only(twice, "duplicate-id", places={"task:a": at(3), "task:a#2": at(9)})
    assert (found.location, found.message) == (at(9), "there is more than one task `a`; the first is at plan.yaml:3:1")
    assert only(twice, "duplicate-id").message == "there is more than one task `a`"


def test_findings_point_into_the_file() -> None:
    places: Mapping[str, Location] = {
        "plan": at(1), "task:a": at(3), "task:a:writes:1": at(4, 9), "task:a#2": at(7), "task:b": at(9),
        "task:b:depends_on:0": at(10, 5), "phase:p": at(2),
    }  # fmt: skip
    wrong = plan(
        task("a", writes=("ok", "../x"), verify=(Check(),)), task("a", writes=()), task("b", "nobody", writes=()),
        gates=PlanGates(verify=(Check(),)),
    )  # fmt: skip
    assert [(x.code, x.location) for x in lint(wrong, places)] == [
        ("empty-check", at(1)),
        ("empty-check", at(3)),
        ("claim-outside", at(4, 9)),
        ("duplicate-id", at(7)),
        ("unknown-id", at(10, 5)),
    ]
    assert all(x.location is None for x in lint(wrong))


@given(plans())
def test_any_plan_is_answered_in_the_same_words(the_plan: Plan) -> None:
    assert lint(the_plan) == lint(the_plan)


ODD = ["задача 1", "../../etc", "a/b", "a b", "x" * 500, "x:y:z", "🎼", "a\u202eb", "-rf", "'; drop", "#2"]


def test_odd_ids_are_no_trouble() -> None:
    tasks = [task(ODD[0]), *(task(b, a) for a, b in itertools.pairwise(ODD))]
    assert codes(plan(*tasks)) == ["odd-id", "one-at-a-time", "similar-id"], (
        "one turns the direction of text; three spell a-b"
    )
    circle = plan(task("x" * 500, "a\u202eb"), task("a\u202eb", "x" * 500))
    message = next(x.message for x in lint(circle) if x.code == "cycle")
    assert len(message) < 300
    assert message.isprintable()


def test_a_chain_and_a_circle_of_ten_thousand() -> None:
    chain = [task("t0", "t9999", writes=()), *(task(f"t{i}", f"t{i - 1}", writes=()) for i in range(1, 10_000))]
    found = only(plan(*chain), "cycle")
    assert len(found.tasks) == 10_000
    assert len(found.message) < 1000
    assert codes(plan(task("t0", writes=()), *chain[1:])) == ["one-at-a-time"]


def test_a_large_plan_with_nothing_wrong() -> None:
    big = plan(*(task(f"t{i}", *([f"t{i // 2}"] if i else []), writes=(f"src/{i}.py",)) for i in range(20_000)))
    assert lint(big) == ()
