"""stretto's own format: the same plan from YAML, TOML and JSON; every mistake at its place, all at once."""

from __future__ import annotations

import re

import pytest

from stretto.errors import PlanError
from stretto.formats.load import Loaded, load
from stretto.formats.reading import duration_s
from stretto.model.plan import Check, Defaults, Finding, Phase, PlanGates, Setup, Task
from unit.formats.corpus import ROOT, sample

_EXAMPLES = re.findall(r"```(?:yaml|toml)\n(.*?)```", (ROOT / "docs/plan.md").read_text(), re.DOTALL)


def findings(text: str) -> list[Finding]:
    try:
        return list(load("plan.yaml", text.encode()).findings)
    except PlanError as error:
        return list(error.findings)


def brief(text: str) -> list[tuple[str, int, int]]:
    return [(x.code, x.location.line, x.location.column) for x in findings(text) if x.location]


def one(task: str) -> Loaded:
    return load("plan.yaml", f"name: n\ntasks:\n  - {task}\n".encode())


def test_every_key() -> None:
    plan = load(sample("stretto/full.yaml")).plan
    assert plan.name == "full"
    assert plan.isolation == "worktree"
    assert plan.format == "stretto"
    assert plan.defaults == Defaults(agent=("first", "second"), timeout_s=900, attempts=2, on_failure="stop")
    assert plan.setup == Setup(copy=(".env.test",), link=("node_modules/",), run=("npm ci",))
    assert plan.gates == PlanGates(
        verify=(Check(command="make test"), Check(command="make count", expected="12", timeout_s=90))
    )
    assert (plan.keep, plan.hot_files) == (("logs/",), ("CHANGELOG.md",))
    assert plan.prompt_template == "docs/prompt.md"
    assert plan.phases == (
        Phase(id="1.10", title="First", parallel=False, max_parallel=3, on_failure="continue"),
        Phase(id="second", depends_on=("1.10",)),
    )
    style = ("docs/style.md",)
    assert plan.tasks == (
        Task(id="no", phase="1.10", prompt="Say no", context=style, writes=("a/**", "b.txt"), effect="changes"),
        Task(
            id="2024-01-02",
            phase="1.10",
            prompt_file="p.md",
            context=(*style, "x.md"),
            artifacts=("out.bin",),
            effect="artifact",
            critical=True,
        ),
        Task(
            id="last",
            phase="second",
            title="The last",
            prompt="Two\nlines\n",
            context=style,
            depends_on=("no", "second-to-none"),
            after=("2024-01-02",),
            writes=(),
            verify=(Check(kind="approval", instructions="Is it good?"),),
            agent=("third",),
            priority=1,
            optional=True,
            timeout_s=5400,
            attempts=5,
            estimate_s=172800,
            carry=True,
        ),
    )


@pytest.mark.parametrize("syntax", ["toml", "json"])
def test_the_same_plan_in_every_syntax(syntax: str) -> None:
    assert load(sample(f"stretto/full.{syntax}")).plan == load(sample("stretto/full.yaml")).plan


@pytest.mark.parametrize("syntax", ["yaml", "toml", "json"])
def test_places(syntax: str) -> None:
    path = sample(f"stretto/full.{syntax}")
    lines = path.read_text().splitlines()
    places = load(path).places
    expected = {
        "task:no:writes:1": "b.txt",
        "task:last:priority": "1",
        "task:last:depends_on:1": "second-to-none",
        "task:last:verify:0": "{",
        "phase:second:depends_on:0": "1.10",
        "phase:1.10:max_parallel": "3",
    }
    for name, text in expected.items():
        place = places[name]
        assert lines[place.line - 1][place.column - 1 :].lstrip("'\"").startswith(text), name
    defaults = {f"defaults:{key}" for key in ("agent", "timeout", "attempts", "on_failure")}
    assert {"plan", "phase:1.10", "phase:second", "task:no", "task:2024-01-02", "task:last", *defaults} == set(places)
    assert "task:nobody" not in places
    assert places["task:last:keys:that:are:not:there"] == places["task:last"]


@pytest.mark.parametrize(
    ("text", "written"),
    [("1.10", "1.10"), ("007", "007"), ("yes", "yes"), ("2024-01-02", "2024-01-02"), ("0x1F", "0x1F"), ("é 𝔘", "é 𝔘")],
)
def test_ids_stay_as_written(text: str, written: str) -> None:
    loaded = load("p", f"name: n\ntasks: [{{id: {text}}}, {{id: b, depends_on: {text}, after: [{text}]}}]".encode())
    assert loaded.plan.tasks[0].id == loaded.plan.tasks[1].depends_on[0] == loaded.plan.tasks[1].after[0] == written
    assert f"task:{written}" in loaded.places


def test_r5_1_default_effect() -> None:
    def effect(task: str) -> str | None:
        return one(f"{{id: a, {task}}}").plan.tasks[0].effect

    assert effect("prompt: x") is None  # whoever does it decides
    assert effect("writes: [a]") == "changes"
    assert effect("writes: []") == "any"
    assert effect("artifacts: [a]") == "artifact"
    assert effect("writes: [a], artifacts: [b]") == "changes"
    assert effect("writes: [a], effect: any") == "any"


def test_r2_3a_absent_writes_is_unknown_and_empty_is_nothing() -> None:
    assert one("{id: a}").plan.tasks[0].writes is None
    assert one("{id: a, writes: []}").plan.tasks[0].writes == ()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        *((90, 90), (0.5, 0.5), ("90s", 90), ("15m", 900), ("1h30m", 5400), ("2d", 172800), ("1.5h", 5400)),
        *(
            ("90", 90),
            ("1h 30m", 5400),
            ("1h30", None),
            ("", None),
            ("soon", None),
            ("-5m", None),
            (True, None),
            ("5m1h", None),
        ),
        *(("5 x", None), (float("nan"), None), (float("inf"), None), ([], None), ("s", None), ("9" * 200, None)),
    ],
)
def test_durations(value: object, seconds: float | None) -> None:
    assert duration_s(value) == seconds


@pytest.mark.parametrize(
    "text",
    [
        *("frozen: [a]", "landing: {}", "budget: 5", "gates: {confidence: 0.75}"),
        *("gates: {consensus: {reviewers: 3}}", "gates: {review: true}"),
    ],
)
def test_r8_7_plan_keys_not_built_yet(text: str) -> None:
    found = findings(f"name: n\n{text}\ntasks: [{{id: a}}]\n")
    assert [(x.code, x.severity, x.unsupported) for x in found] == [("unsupported", "error", True)]
    assert "not supported yet" in found[0].message
    assert found[0].location
    assert found[0].location.line == 2


@pytest.mark.parametrize(
    "text",
    [
        *("resources: {db: 1}", "run_if: failed"),
        *("not_before: 12:00", "runs_on: gpu", "session: chain", "budget: 1"),
    ],
)
def test_r8_7_task_keys_not_built_yet(text: str) -> None:
    found = findings(f"name: n\nphases:\n- id: p\n  tasks:\n  - id: a\n    {text}\n")
    assert [(x.code, x.unsupported) for x in found] == [("unsupported", True)]
    assert "task 'a'" in found[0].message


def test_r8_7_phase_keys_not_built_yet() -> None:
    found = findings("name: n\nphases:\n- id: p\n  fallback: sequential\n  tasks: []\n")
    assert [(x.code, x.unsupported) for x in found] == [("unsupported", True)]


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("nmae: x\nname: n\ntasks: []", (1, 1), "did you mean `name`?"),
        ("name: n\ntasks: [{id: a, depend_on: b}]", (2, 17), "did you mean `depends_on`?"),
        ("name: n\nphases: [{id: a, tasks: [], paralel: true}]", (2, 29), "did you mean `parallel`?"),
        ("name: n\ntasks: []\nsetup: {cpoy: x}", (3, 9), "did you mean `copy`?"),
        ("name: n\ntasks: []\ndefaults: {qqq: 1}", (3, 12), "it may have: agent, attempts, on_failure, timeout"),
        ("name: n\ntasks: [{id: a, verify: [{run: x, excepted: y}]}]", (2, 35), "did you mean `expected`?"),
    ],
)
def test_unknown_keys(text: str, place: tuple[int, int], hint: str) -> None:
    (found,) = findings(text)
    assert found.code == "unknown-key"
    assert found.severity == "error"
    assert found.location
    assert (found.location.line, found.location.column) == place
    assert found.hint == hint


@pytest.mark.parametrize(
    ("keys", "own"),
    [
        ("files claims paths scope", "writes"),
        ("deps dependencies needs requires blocked_by blockedBy", "depends_on"),
        ("description instructions details", "prompt"),
        ("name", "title"),
        ("tests checks gates verification", "verify"),
    ],
)
def test_words_of_other_tools(keys: str, own: str) -> None:
    for key in keys.split():
        (found,) = findings(f"name: n\ntasks: [{{id: a, prompt: p, {key}: x}}]")
        assert (found.code, found.hint) == ("unknown-key", f"did you mean `{own}`?")


def test_words_of_other_tools_in_a_phase() -> None:
    hints = [x.hint for x in findings("name: n\nphases: [{id: a, tasks: [], name: x, needs: b, files: c}]")]
    assert hints[:2] == ["did you mean `title`?", "did you mean `depends_on`?"]
    assert "writes" not in hints[2]


def test_wrong_types_all_at_once() -> None:
    text = """\
name: [n]
keep: {a: b}
defaults: {timeout: soon, attempts: 0, on_failure: explode}
setup: run
hot_files: [1, {}]
phases:
  - id: {}
    depends_on: [[]]
    parallel: maybe
    max_parallel: 1.5
    tasks:
      - id: ''
        prompt: [x]
        prompt_file: {}
        writes: [a, [b]]
        verify: [[], '', {}, {run: a, approval: b}, {run: a, expected: two words}]
        priority: 9
        optional: 1
        timeout: -1
        effect: nothing
        agent: ['']
      - just text
    title: 3.50
  - 7
gates: [make]
"""
    assert brief(text) == [
        ("wrong-type", 1, 7),
        ("wrong-type", 2, 7),
        ("wrong-type", 3, 21),
        ("wrong-value", 3, 37),
        ("wrong-type", 3, 52),
        ("wrong-type", 4, 8),
        ("wrong-type", 5, 16),
        ("wrong-type", 7, 9),
        ("wrong-type", 8, 18),
        ("wrong-type", 9, 15),
        ("wrong-type", 10, 19),
        ("wrong-value", 12, 13),
        ("wrong-type", 13, 17),
        ("wrong-type", 14, 22),
        ("wrong-type", 15, 21),
        ("wrong-type", 16, 18),
        ("wrong-type", 16, 22),
        ("wrong-value", 16, 26),
        ("wrong-value", 16, 30),
        ("wrong-value", 16, 72),
        ("wrong-value", 17, 19),
        ("wrong-type", 18, 19),
        ("wrong-value", 19, 18),
        ("wrong-type", 20, 17),
        ("wrong-value", 21, 17),
        ("wrong-type", 22, 9),
        ("wrong-type", 24, 5),
        ("wrong-type", 25, 8),
    ]


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("name: n", "missing-key", "the plan has no `phases`"),
        ("tasks: []", "missing-key", "the plan has no `name`"),
        ("name: n\ntasks: [{prompt: x}]", "missing-key", "task 1 has no `id`"),
        ("name: n\nphases: [{tasks: []}]", "missing-key", "phase 1 has no `id`"),
        ('{"name": "n", "tasks": [{"id": null, "prompt": "x"}]}', "missing-key", "task 1 has no `id`"),
        ('{"name": "n", "phases": [{"id": null, "tasks": []}]}', "missing-key", "phase 1 has no `id`"),
        ("name: n\ntasks: [{id: ' '}]", "wrong-value", "`id` of task 1 is empty"),
        ("name: n\ntasks: [{id: }]", "wrong-type", "`id` of task 1 should be an id, not nothing"),
        ('name: n\ntasks: [{id: "a\\tb"}]', "wrong-value", "`id` of task 1 has a control character in it: '\\t'"),
        ('{"name": "n", "tasks": [{"id": true}]}', "wrong-type", "`id` of task 1 should be an id, not true"),
        ("name: n\ntasks: [{id: a, prompt: x, prompt_file: y}]", "wrong-value", "stands beside `prompt`"),
        ("name: n\ntasks: []\nphases: []", "wrong-value", "`tasks` of the plan stands beside `phases`"),
        ("name: n\ntasks: [{id: a, effect: chnages}]", "wrong-type", "should be changes or artifact or any"),
    ],
)
def test_what_leaves_no_plan(text: str, code: str, message: str) -> None:
    with pytest.raises(PlanError, match=re.escape(message)) as caught:
        load("plan.yaml", text.encode())
    assert caught.value.findings[0].code == code


def test_duplicate_ids_have_places_of_their_own() -> None:
    places = load("p", b"name: n\ntasks:\n- id: a\n- id: a\n- id: a#2\n").places
    assert [places[x].line for x in ("task:a", "task:a#2", "task:a#2#2")] == [3, 4, 5]


def test_ids_with_colons() -> None:
    places = load("p", b"name: n\ntasks:\n- {id: 'a:b', writes: [x]}\n- {id: a, writes: [y]}\n").places
    assert (places["task:a:b:writes:0"].line, places["task:a:writes:0"].line) == (3, 4)


def test_shared_values_by_anchor() -> None:
    text = b"name: n\ntasks:\n- &t {id: a, timeout: 5m, writes: &w [x]}\n- {<<: *t, id: b}\n- {id: c, writes: *w}\n"
    plan = load("p", text).plan
    assert [(t.id, t.timeout_s, t.writes) for t in plan.tasks] == [
        ("a", 300, ("x",)),
        ("b", 300, ("x",)),
        ("c", None, ("x",)),
    ]


def test_a_list_of_tasks_is_one_phase() -> None:
    plan = load("p", b"name: n\ntasks: [{id: a}, {id: b}]").plan
    assert plan.phases == (Phase(id="main"),)
    assert [task.phase for task in plan.tasks] == ["main", "main"]


def test_the_format_has_no_statuses() -> None:
    assert load("p", b"name: n\ntasks: []").write_statuses is None


@pytest.mark.parametrize("example", _EXAMPLES)
def test_every_example_in_the_reference_is_a_plan(example: str) -> None:
    loaded = load("docs/plan.md", example.encode())
    assert loaded.plan.tasks
    assert loaded.findings == ()


def test_the_reference_names_every_key() -> None:
    from stretto.formats import native

    page = (ROOT / "docs/plan.md").read_text()
    with pytest.raises(PlanError) as caught:
        load("p", b"name: n\nphases: [{id: p, qq: 1, tasks: [{id: '', qqqq: 1}]}]\nqqq: 1\n")
    known = {key for x in caught.value.findings for key in re.findall(r"[\w$]+", x.hint.partition("it may have:")[2])}
    assert len(known) > 25
    later = {**native._PLAN_NOT_YET, **native._PHASE_NOT_YET, **native._TASK_NOT_YET}
    assert [key for key in sorted(known | set(later)) if f"`{key}`" not in page] == []


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("verify: [pytest tests, true]", 'a command that reads so needs quotes: "true"'),
        ("verify: 0x1f", 'a command that reads so needs quotes: "0x1f"'),
        ("verify: [~]", 'a command that reads so needs quotes: "~"; else leave it out'),
        ("verify: ['']", "write a command there, or leave it out"),
        ("verify: [[make]]", "write the commands into one list"),
    ],
)
def test_what_is_no_command_says_what_to_do(text: str, hint: str) -> None:
    with pytest.raises(PlanError) as caught:
        load("p.yaml", f"name: n\ntasks:\n- id: a\n  prompt: x\n  {text}\n".encode())
    assert caught.value.findings[0].hint == hint


@pytest.mark.parametrize(
    ("text", "about", "hint"),
    [
        ("task: [{id: a, prompt: x}]", "the plan has no key `task`", "`tasks`"),
        ("defaults: {agent: scripted}\ntask: [{id: a, prompt: x}]", "the plan has no key `task`", "`tasks`"),
        ("tasks: []\ntask: [{id: a, prompt: x}]", "the plan has no key `task`", "`tasks`"),
        ("phase: [{id: m, tasks: [{id: a, prompt: x}]}]", "the plan has no key `phase`", "`phases`"),
        ("phases: [{id: m, task: [{id: a, prompt: x}]}]", "phase 'm' has no key `task`", "`tasks`"),
    ],
)
def test_a_misspelt_key_of_tasks_is_all_that_is_said(text: str, about: str, hint: str) -> None:
    with pytest.raises(PlanError) as caught:
        load("p.yaml", f"name: n\n{text}\n".encode())
    assert [(x.code, x.message, x.hint) for x in caught.value.findings] == [
        ("unknown-key", about, f"did you mean {hint}?")
    ]
