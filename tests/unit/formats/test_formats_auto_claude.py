"""Auto-Claude plans: our samples of every dialect, then the real ones, each of whose checks was read by eye."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stretto.analysis.graph import build, cycle, levels
from stretto.errors import PlanError
from stretto.formats.auto_claude.reader import claimed
from stretto.formats.load import Loaded, load
from stretto.model.plan import Check, Phase, Task
from unit.formats.corpus import needs_corpus, real, sample


def tasks(name: str) -> dict[str, Task]:
    return {task.id: task for task in load(sample(f"auto-claude/{name}")).plan.tasks}


def plan(subtask: dict[str, object], **more: object) -> Loaded:
    phase = {"id": "p", "parallel_safe": True, "subtasks": [{"id": "a", "description": "Do it", **subtask}]}
    return load("plan", json.dumps({"feature": "F", "workflow_type": "simple", "phases": [phase], **more}).encode())


def only(subtask: dict[str, object], **more: object) -> Task:
    return plan(subtask, **more).plan.tasks[0]


def test_phases_by_number() -> None:
    loaded = load(sample("auto-claude/numbers.json"))
    assert loaded.plan.name == "Bicycle shed"
    assert loaded.plan.phases == (
        Phase(id="1", title="Ground"),
        Phase(id="2", title="Walls", depends_on=("1",), parallel=False),
        Phase(id="3", title="Roof", depends_on=("2",), parallel=False),
        Phase(id="4", title="Party", parallel=False),
    )
    assert [(task.id, task.writes, task.effect, task.status) for task in loaded.plan.tasks] == [
        ("1.10", ("plans/ground.md",), "changes", "succeeded"),
        ("level-again", ("plans/ground.md",), "changes", "pending"),
        ("wall", ("plans/*-wall.md",), "changes", "pending"),
        ("roof", None, "any", "running"),
    ]


def test_phases_by_name_or_number_and_all_the_spellings() -> None:
    loaded = load(sample("auto-claude/names.json"))
    assert [(x.id, x.depends_on, x.parallel) for x in loaded.plan.phases] == [
        ("type", (), False),
        ("print", ("type",), True),
        ("sell", ("print",), False),
    ]
    found = {task.id: task for task in loaded.plan.tasks}
    assert list(found) == ["cast", "sort", "proof", "run", "shop"], "chunks beside subtasks are a copy"
    assert found["sort"].depends_on == ("cast",)
    assert found["run"].depends_on == ("proof",)
    assert found["cast"].writes == ("letters/", "docs/letters.md")
    assert (found["cast"].estimate_s, found["sort"].estimate_s) == (5 * 3600, 1800)
    assert (found["cast"].priority, found["sort"].priority) == (1, 3)
    assert build(loaded.plan).dangling == ()
    lines = sample("auto-claude/names.json").read_text().splitlines()
    for name, text in {
        "task:run:depends_on:0": '"proof"',
        "task:cast:writes:1": '"docs/letters.md (new)"',
        "phase:sell:depends_on:0": "7",
        "task:cast:estimated_hours": '"4-6"',
    }.items():
        place = loaded.places[name]
        assert lines[place.line - 1][place.column - 1 :].startswith(text), name


def silent_phase(second: str) -> Loaded:
    tasks = f'[{{"id": "a", "description": "x"}}, {{"id": "b", "description": "x"{second}}}]'
    text = f'{{"feature": "f", "phases": [{{"id": "p", "name": "P", "subtasks": {tasks}}}]}}'
    return load("implementation_plan.json", text.encode())


@pytest.mark.parametrize("second", ["", ', "depends_on": ["q"]'])
def test_r1_4_absent_parallel_safe_is_false_and_said(second: str) -> None:
    loaded = silent_phase(second)
    assert [(x.code, x.severity) for x in loaded.findings] == [("parallel-unsaid", "info")]
    assert levels(build(loaded.plan))[:2] == [0, 1]


def test_r1_4_a_phase_whose_tasks_name_each_other_is_not_said_to_be_a_chain() -> None:
    assert silent_phase(', "depends_on": ["a"]').findings == ()


def test_r5_4_verification_by_type() -> None:
    found = {id: task.verify for id, task in tasks("checks.json").items()}

    def command(text: str, **more: object) -> Check:
        return Check(command=text, pipefail=True, **more)  # type: ignore[arg-type]

    assert found["plain"] == (command("make test"),)
    assert found["token"] == (command("t a && echo OK || echo NO", expected="OK"),)
    assert found["several"] == (command("make a", timeout_s=120.0), command("make b", timeout_s=120.0))
    assert found["untyped"] == (command("make test"),)
    assert found["none"] == found["null"] == found["absent"] == ()
    assert found["list"][0] == command("make a")
    asked = {id: checks[-1].instructions for id, checks in found.items() if checks and checks[-1].kind == "approval"}
    assert set(asked) == {"masked", "outside", "empty", "api", "browser", "manual", "words", "list"}
    assert asked["api"] == "Check by api:\nRequest: GET\nOpen: http://localhost/x\nExpected status: 200"
    assert asked["browser"] == (
        "Check by browser:\nOpen: http://localhost/\nCheck:\n- a\n- b\nCommand to try: make e2e"
    )
    assert (asked["manual"], asked["words"], asked["list"]) == ("Read it", "Read it twice", "Read")
    assert "make test || echo NO" in asked["masked"]
    assert asked["empty"] == "look at it"
    findings = load(sample("auto-claude/checks.json")).findings
    assert [(x.code, x.tasks) for x in findings] == [
        ("masked-check", ("masked",)),
        ("check-leaves-workspace", ("outside",)),
        ("no-command", ("empty",)),
    ]


@pytest.mark.parametrize(
    ("expected", "token"),
    [("OK", "OK"), (" OK ", "OK"), ("Build succeeds", None), ("", None), (3, "3"), (True, None), (None, None)],
)
def test_r5_4_only_one_token_is_compared(expected: object, token: str | None) -> None:
    task = only({"verification": {"type": "command", "command": "make", "expected": expected}})
    assert task.verify == (Check(command="make", pipefail=True, expected=token),)


def test_the_prompt_is_self_contained() -> None:
    task = only(
        {
            "title": "A title",
            "service": "web",
            "notes": "Mind the gap",
            "spec_content": "# Spec\nLine",
            "details": {"steps": ["one", {"two": "x\ny"}], "flag": True, "none": None},
            "files_to_modify": ["a.py"],
            "patterns_from": ["b.py"],
            "files_to_reference": "c.py",
            "acceptance_criteria": ["It works"],
            "verification": {"type": "command", "command": "make test", "expected": "all well"},
            "updated_at": "yesterday",
        },
        workflow_rationale="Because.",
        final_acceptance=["Everybody is happy"],
        verification_strategy={"acceptance_criteria": ["No errors"]},
    )
    for text in (
        *(
            "# F",
            "Because.",
            "A title",
            "Do it",
            "web",
            "Mind the gap",
            "# Spec\nLine",
            "- one",
            "a.py",
            "b.py",
            "c.py",
        ),
        *("c.py", "It works", "`make test` (expected: all well)", "Everybody is happy", "No errors", "flag: yes"),
    ):
        assert text in task.prompt
    assert "yesterday" not in task.prompt
    assert task.title == "A title"


def test_notes_of_a_completed_subtask_are_told_as_the_past() -> None:
    assert "earlier attempt" in only({"notes": "Did it", "status": "completed"}).prompt
    assert "earlier attempt" not in only({"notes": "Try this"}).prompt


def test_an_id_is_no_prompt() -> None:
    with pytest.raises(PlanError, match="has no `description`"):
        only({"description": "  ", "files_to_modify": ["a"]})


@pytest.mark.parametrize(
    ("word", "status"),
    [
        *(("not_started", "pending"), ("Not Started", "pending"), ("blocked", "pending"), (None, "pending")),
        *(("in-progress", "running"), ("done", "succeeded"), ("COMPLETED", "succeeded"), ("failed", "failed")),
        *(("skipped", "skipped"), ("canceled", "cancelled")),
    ],
)
def test_status_words(word: str | None, status: str) -> None:
    assert only({"status": word}).status == status
    assert plan({"status": word}).findings == ()


@pytest.mark.parametrize("word", ["splendid", 5, [], {}])
def test_an_unknown_status_is_pending_and_said(word: object) -> None:
    loaded = plan({"status": word})
    assert loaded.plan.tasks[0].status == "pending"
    assert [x.code for x in loaded.findings] == ["unknown-status"]


@pytest.mark.parametrize(
    ("raw", "claim"),
    [
        ("src/a.py", "src/a.py"),
        ("./src//a.py", "src/a.py"),
        ("src/a.py (add a handler)", "src/a.py"),
        ("src/a.py - add a handler", "src/a.py"),
        ("`src/a.py`", "src/a.py"),
        ("src/a.py:10-20", "src/a.py"),
        ("src\\win\\a.py", "src/win/a.py"),
        ("app/(auth)/[id]/page.tsx", "app/(auth)/[id]/page.tsx"),
        (".cards/{glyph}-x.bop/", ".cards/*-x.bop/"),
        ("db/<timestamp>_users.sql", "db/*_users.sql"),
        ("src/{a,b}.ts", "src/*.ts"),
        ("src/...", "src/**"),
        ("My Documents/read me.md", "My Documents/read me.md"),
        ("Makefile", "Makefile"),
        ("/etc/passwd", None),
        ("../other/a.py", None),
        ("~/a", None),
        ("C:\\a", None),
        ("all the test files", None),
        ("", None),
        ("a\tb", None),
    ],
)
def test_r2_3a_paths_as_people_write_them(raw: str, claim: str | None) -> None:
    assert claimed(raw) == claim


def test_r2_4_one_vague_path_makes_the_scope_unknown() -> None:
    loaded = plan({"files_to_modify": ["a.py", "all the tests"]})
    assert loaded.plan.tasks[0].writes is None
    assert loaded.plan.tasks[0].effect == "any"
    assert [x.code for x in loaded.findings] == ["vague-path"]


def test_wrong_types_are_found_all_at_once() -> None:
    text = """{"feature": "F", "phases": [
  {"id": {}, "subtasks": 5},
  {"depends_on": [[]], "parallel_safe": "yes", "subtasks": [
    7,
    {"id": [], "description": "d"},
    {"description": "d", "files_to_modify": [1]},
    {"id": "a", "description": "d", "verification": 5, "dependencies": {}},
    {"id": "", "description": "d"}]}]}"""
    with pytest.raises(PlanError) as caught:
        load("p", text.encode())
    assert [(x.location.line, x.location.column) for x in caught.value.findings if x.location] == [
        *((2, 10), (2, 26), (3, 19), (3, 41), (4, 5), (5, 12), (6, 5), (6, 46), (7, 53), (7, 72), (8, 12)),
    ]


REAL = {
    "acgs2-001.json": (5, 33, 0, 0, 5),
    "bop-011.json": (4, 5, 4, 1, 2),
    "bop-012.json": (1, 8, 8, 0, 1),
    "bop-023.json": (6, 15, 12, 3, 1),
    "bop-029.json": (7, 20, 0, 20, 1),
    "claude-agent-ui-003.json": (3, 13, 0, 0, 5),
    "claude-agent-ui-005.json": (0, 0, 0, 0, 0),
    "claude-agent-ui-014.json": (7, 20, 6, 14, 6),
    "west-rashod-003.json": (2, 8, 5, 3, 2),
}
"""Phases, tasks, checks that are run, checks that are asked, tasks of unknown scope."""


@needs_corpus
@pytest.mark.parametrize("path", real(), ids=lambda path: path.name)
def test_real_plans(path: Path) -> None:
    loaded = load(path)
    checks = [check for task in loaded.plan.tasks for check in task.verify]
    assert REAL[path.name] == (
        len(loaded.plan.phases),
        len(loaded.plan.tasks),
        sum(check.kind == "command" for check in checks),
        sum(check.kind == "approval" for check in checks),
        sum(task.writes is None for task in loaded.plan.tasks),
    )
    graph = build(loaded.plan)
    assert graph.dangling == ()
    assert cycle(graph) is None
    assert all(x.severity != "error" for x in loaded.findings)
    lines = path.read_text().splitlines()
    for task in loaded.plan.tasks:
        assert len(task.prompt) > 100
        place = loaded.places[f"task:{task.id}:id"]
        assert lines[place.line - 1][place.column - 1 :].startswith(f'"{task.id}"')


_LIST = "cargo run --bin bop -- list --state pending --json | jq -r '.[] | select(.id == \"{0}\") | .id'"
_CARDS = (
    *("watchpaths-dispatcher", "jj-gitignore-audit", "bop-serve", "bop-doctor-checks", "e2e-factory-test"),
    *("adapter-stress-test", "model-routing"),
)
_BOP = "cd /Users/studio/bop && cargo build -p bop "
_BADGE = "https://github.com/ryanmaclean/bop/actions/workflows/ci.yml/badge.svg"
JUDGED = {
    # The word that is compared settles `|| echo`: a failure prints another one.
    "test ! -f .github/workflows/ai-coding-job.yml && echo 'OK' || echo 'FAIL'": "OK",
    "grep -q 'runs-on: ubuntu-latest' .github/workflows/ci.yml "
    "&& grep -q 'cargo test && cargo clippy' .github/workflows/ci.yml && echo 'OK' || echo 'FAIL'": "OK",
    f"grep -q '![CI]({_BADGE})' README.md && echo 'OK' || echo 'FAIL'": "OK",
    "grep -q '@dagrejs/dagre' src/web/manager/utils/auto-layout.ts && echo 'OK' || echo 'FAIL'": "OK",
    "grep -q 'QueryClientProvider' src/web/main.tsx && echo 'OK' || echo 'FAIL'": "OK",
    "grep -q 'useQuery' src/web/manager/hooks/useFlows.ts && echo 'OK' || echo 'FAIL'": "OK",
    "grep -q 'useQuery' src/web/manager/hooks/useAgents.ts && echo 'OK' || echo 'FAIL'": "OK",
    # `jq` is green whatever it selects; the word is what proves it.
    **{_LIST.format(card): card for card in _CARDS},
    # The exit status is the whole answer.
    "test $(cargo run --bin bop -- list --state pending --json | jq '. | length') -ge 7": "",
    "cargo build --package bop-core": "",
    "cargo build --package bop-cli": "",
    "make check": "",
    # `pipefail` tells of a red build in front of `head`; that its end is cut off is said.
    "cd frontend && npm run build 2>&1 | head -20": "",
    # A word that is not the whole last line: R5.4 compares it all the same, so this can be red, never wrongly green.
    "npm list @dagrejs/dagre": "@dagrejs/dagre@1.1.8",
    "npm list @tanstack/react-query": "@tanstack/react-query@5.90.16",
    # All of these look at one person's own checkout, not at the workspace; a person is asked.
    _BOP + "2>&1 | tail -5": "?",
    _BOP + "&& echo 'q' | timeout 3 ./target/debug/bop ui 2>&1; echo exit=$?": "?",
    "cd /Users/studio/bop && INSTA_UPDATE=new cargo test -p bop -- ui 2>&1 | tail -10": "?",
    "cd /Users/studio/bop && make check 2>&1 | tail -20": "?",
    "test -f /Users/studio/bop/output/result.md && wc -l /Users/studio/bop/output/result.md": "?",
}
"""Every command of the real plans: the word that is compared, nothing, or `?` where a person is asked."""


@needs_corpus
def test_r5_4_every_real_command_was_read_by_eye() -> None:
    found: dict[str, str] = {}
    for path in real():
        subtasks = [x for phase in json.loads(path.read_text())["phases"] for x in phase["subtasks"]]
        for subtask, task in zip(subtasks, load(path).plan.tasks, strict=True):
            if command := subtask.get("verification", {}).get("command"):
                (check,) = task.verify
                found[command] = "?" if check.kind == "approval" else check.expected or ""
                assert check.pipefail is (check.kind == "command")
                assert command in (check.command or check.instructions)
    assert found == JUDGED


def test_r1_2_groups_of_the_summary_are_held_against_what_phases_wait_for() -> None:
    phases = [
        {"id": f"p{n}", "phase": n + 1, "depends_on": needs, "subtasks": [{"id": f"t{n}", "description": "Do it"}]}
        for n, needs in enumerate([[], ["p0"], ["p1"], ["p0"]])
    ]

    def told(*groups: list[object]) -> list[tuple[str, int]]:
        summary = {"parallelism": {"parallel_groups": [{"phases": group, "reason": "x"} for group in groups]}}
        loaded = load("plan", json.dumps({"feature": "F", "phases": phases, "summary": summary}, indent=1).encode())
        return [(x.message, x.location.line) for x in loaded.findings if x.code == "groups-differ" and x.location]

    assert told(["p1", "p3"], ["p2", "p3"], ["p0", "gone"]) == []
    ((message, line),) = told(["p1", "p3"], ["p2", "p0"], [2, 3])
    assert "'p0' and 'p2' parallel, but the second waits for the first, and 1 more like that" in message
    assert line > 50
    assert load("plan", json.dumps({"feature": "F", "phases": phases, "summary": {"parallelism": [1]}}).encode()).plan
