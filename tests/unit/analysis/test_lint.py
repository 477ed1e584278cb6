"""Lint: a table of small wrong plans, each with exactly the findings it deserves; and large and odd ones."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from stretto.analysis.graph import build, remaining, topological
from stretto.analysis.lint import lint, ok
from stretto.analysis.subject import CODES
from stretto.formats.load import load
from stretto.model.plan import Check, Defaults, Finding, Location, Phase, Plan, PlanGates, Setup
from stretto.model.run import RunSettings
from unit.analysis.plans import plan, plans, task

ROOT = Path(__file__).parents[3]
PAGE, SRC = ROOT / "docs" / "findings.md", ROOT / "src" / "stretto"


def codes(the_plan: Plan, **rest: Any) -> list[str]:
    return sorted(x.code for x in lint(the_plan, **rest) if x.code != "unknown-scope")


def only(the_plan: Plan, code: str, **rest: Any) -> Finding:
    found = [x for x in lint(the_plan, **rest) if x.code != "unknown-scope"]
    assert [x.code for x in found] == [code]
    return found[0]


def at(line: int, column: int = 1) -> Location:
    return Location(file="plan.yaml", line=line, column=column)


P, Q = Phase(id="p"), Phase(id="q")
GOOD = plan(task("a", writes=("a",)), task("b", "a", writes=("b",)))

WRONG: list[tuple[str, Plan]] = [
    ("ambiguous-id", plan(task("p"), task("x", "p", phase="q"))),
    ("bad-number", plan(task("a", priority=9))),
    ("bad-number", plan(task("a", attempts=0))),
    ("bad-number", plan(task("a", timeout_s=0.0))),
    ("bad-number", plan(task("a", timeout_s=float("nan")))),
    ("bad-number", plan(task("a", estimate_s=float("inf")))),
    ("bad-number", plan(task("a"), phases=(Phase(id="p", max_parallel=0),))),
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
    ("missing-prompt", plan(task("a", prompt=" \n", title="A"))),
    ("missing-prompt", plan(task("a", prompt=""), format="auto-claude")),
    ("odd-id", plan(task("a\nb"))),
    ("odd-id", plan(task(" "))),
    ("overlap", plan(task("a", writes=("x",)), task("b", writes=("X",)))),
    ("parallel-anyway", plan(task("a"), task("b", "a"), task("c"), phases=(Phase(id="p", parallel=False),))),
    ("self-dependency", plan(task("a", "a"))),
    ("self-dependency", plan(task("a"), phases=(Phase(id="p", depends_on=("p",)),))),
    ("similar-id", plan(task("API.1"), task("api-1"))),
    ("similar-id", plan(task("a", phase="Foo"), task("b", phase="foo"))),
    ("unknown-id", plan(task("a", "nobody"))),
    ("unknown-id", plan(task("a", after=("nobody",)))),
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
    ]
    tracked = plan(task("a"), setup=Setup(link=("src",)))
    seen = {x.code for _, wrong in WRONG for x in lint(wrong)} | {
        x.code for each in others for x in lint(each, exists=lambda path: False, present=lambda path: False)
    }
    seen |= {x.code for x in lint(tracked, tracked=lambda path: True)}
    assert code in seen


def codes_in_source() -> set[str]:
    """Codes that readers and lint give to their findings: the first text or the `code` of the calls that make them."""
    makers = {"Finding", "finding", "mistake", "report", "refuse", "_refuse", "_note", "_stop"}
    found: set[str] = set()
    for path in (path for part in ("analysis", "formats", "cli") for path in (SRC / part).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            given: list[ast.expr] = []
            match node:
                case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in makers:
                    named = [x.value for x in node.keywords if x.arg == "code"]
                    given = named or ([] if name in ("_note", "_stop") else node.args[:1])
                case ast.Assign(targets=[ast.Name(id="code")]):
                    given = [node.value]
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


def test_r1_5_a_cycle_is_printed_whole_and_once() -> None:
    circle = plan(task("x"), task("a", "c"), task("b", "a"), task("c", "b"), task("behind", "c"))
    found = only(circle, "cycle")
    assert "`a` → `b` → `c` → `a`" in found.message
    assert found.tasks == ("a", "b", "c")


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


@pytest.mark.parametrize(
    ("written", "meant"), [("shcema", "schema"), ("Schema", "schema"), ("user_api", "user-api"), ("zzz", "")]
)
def test_unknown_ids_are_guessed(written: str, meant: str) -> None:
    found = only(plan(task("schema"), task("user-api"), task("c", written)), "unknown-id")
    assert found.hint == (f"did you mean `{meant}`?" if meant else "")


def test_r1_2_a_phase_waits_for_phases_only() -> None:
    found = only(plan(task("a"), phases=(Phase(id="p", depends_on=("a",)),)), "unknown-id")
    assert "it is a task" in found.hint


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
                for a, b in itertools.permutations(re.findall("`(.+?)`", group), 2):
                    assert place[a] not in behind[place[b]]


def test_r8_7_rollback_is_told_once_at_its_place() -> None:
    phase = "{id: p, tasks: [{id: a, prompt: x}],\n  on_failure: rollback}"
    text = f"name: n\ndefaults: {{on_failure: rollback}}\nphases:\n- {phase}\n"
    loaded = load("plan.yaml", text.encode())
    found = [*loaded.findings, *lint(loaded.plan, loaded.places)]
    assert [(x.code, x.location and x.location.line) for x in found] == [("unsupported", 2), ("unsupported", 5)]


BAD_PATHS = ["/etc/passwd", "../secret.txt", "a/../../x", ".git/config", "sub/.GIT/x", "~/x", "a\nb", "", " "]


@pytest.mark.parametrize("path", BAD_PATHS)
@pytest.mark.parametrize("field", ["setup:copy", "setup:link", "keep", "hot_files"])
def test_r7_1_paths_outside_the_repository(field: str, path: str) -> None:
    its = ("fine/x", path)
    match field.split(":"):
        case ["setup", word]:
            wrong = plan(task("a"), setup=Setup(**{word: its}))
        case _:
            wrong = plan(task("a"), **{field: its})
    found = only(wrong, "path-outside", places={f"plan:{field}:1": at(3), f"plan:{field}:0": at(2)})
    assert found.location == at(3)
    assert f"in `{field.replace(':', '.')}`" in found.message
    assert not ok([found])


def test_r7_1_what_set_up_may_and_may_not_name() -> None:
    assert (
        codes(plan(task("a"), setup=Setup(copy=(".env", "./a/b/", "[id]/x"), link=("..x",)), keep=("logs/**",))) == []
    )
    assert codes(plan(task("a"), setup=Setup(copy=(".",), link=("./",)))) == ["path-outside"] * 2
    assert codes(plan(task("a"), keep=(":(top)x",))) == ["path-outside"]
    assert codes(plan(task("a"), keep=("**",), hot_files=("**/*.md", "!x"))) == []


def test_r7_1_set_up_brings_what_is_there_and_not_tracked() -> None:
    asked: list[str] = []

    def present(path: str) -> bool:
        asked.append(path)
        return path != "gone"

    wrong = plan(
        task("a"), setup=Setup(copy=("x", "gone", "src/a.py"), link=("src",)), keep=("gone",), hot_files=("src",)
    )
    places = {f"plan:setup:{x}": at(n) for n, x in enumerate(("copy:0", "copy:1", "copy:2", "link:0"), 1)}
    found = lint(wrong, places, present=present, tracked=lambda path: path.startswith("src"))
    assert [(x.code, x.location) for x in found] == [
        ("setup-missing", at(2)), ("setup-tracked", at(3)), ("setup-tracked", at(4)),
    ]  # fmt: skip
    assert asked == ["x", "gone"]


@pytest.mark.parametrize("syntax", ["yaml", "toml", "json"])
def test_r7_1_a_file_tells_where_its_paths_are_wrong(syntax: str) -> None:
    text = {
        "yaml": "name: n\nkeep:\n- ok\n- ../x\nsetup:\n  copy: /etc\ntasks: [{id: a, prompt: x}]\n",
        "toml": 'name = "n"\n\nkeep = ["ok",\n "../x"]\n[setup]\ncopy = "/etc"\n[[tasks]]\nid = "a"\nprompt = "x"\n',
        "json": '{"name": "n", "tasks": [{"id": "a"}],\n"keep": [\n"ok",\n"../x"],\n"setup": {\n"copy": "/etc"}}',
    }[syntax]
    loaded = load("plan", text.encode())
    found = [x for x in lint(loaded.plan, loaded.places) if x.code == "path-outside"]
    assert [x.location and x.location.line for x in found] == [4, 6]


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
    assert single.message.startswith("`a` does not say what files it writes, and may run beside")
    assert "run alone" in lint(silent, settings=RunSettings(conflicts="serialize-unknown"))[0].message
    assert lint(plan(task("a"))) == ()


def test_r8_7_files_are_asked_for_once_and_named_once() -> None:
    asked: list[str] = []

    def exists(path: str) -> bool:
        asked.append(path)
        return path == "there.md"

    files = plan(
        task("a", prompt_file="there.md", context=("gone.md",), writes=()), task("b", context=("gone.md",), writes=())
    )
    (found,) = lint(files, exists=exists)
    assert sorted(asked) == ["gone.md", "there.md"]
    assert (found.code, found.tasks) == ("missing-file", ("a", "b"))


def test_r8_7_the_template_of_prompts_has_to_be_there() -> None:
    (found,) = lint(
        Plan(name="n", format="stretto", phases=(P,), tasks=(task("a", writes=()),), prompt_template="house.md"),
        {"plan": at(1), "plan:prompt_template": at(2, 18)},
        exists=lambda path: False,
    )
    assert (found.code, found.location) == ("missing-file", at(2, 18))
    assert "`house.md`" in found.message


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
    assert codes(plan(*tasks)) == ["odd-id", "similar-id"], "one turns the direction of text; three spell a-b"
    circle = plan(task("x" * 500, "a\u202eb"), task("a\u202eb", "x" * 500))
    message = next(x.message for x in lint(circle) if x.code == "cycle")
    assert len(message) < 300
    assert message.isprintable()


def test_a_chain_and_a_circle_of_ten_thousand() -> None:
    chain = [task("t0", "t9999", writes=()), *(task(f"t{i}", f"t{i - 1}", writes=()) for i in range(1, 10_000))]
    found = only(plan(*chain), "cycle")
    assert len(found.tasks) == 10_000
    assert len(found.message) < 1000
    assert lint(plan(task("t0", writes=()), *chain[1:])) == ()


def test_a_large_plan_with_nothing_wrong() -> None:
    big = plan(*(task(f"t{i}", *([f"t{i // 2}"] if i else []), writes=(f"src/{i}.py",)) for i in range(20_000)))
    assert lint(big) == ()
