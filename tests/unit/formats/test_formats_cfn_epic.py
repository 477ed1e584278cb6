"""CFN epics: dialects, order, claims, checks, durations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stretto.errors import PlanError
from stretto.formats.cfn_epic.spans import DAY_S, said, spans_in
from stretto.formats.load import load
from stretto.model.plan import Finding
from unit.formats.corpus import needs_corpus, real, sample
from unit.formats.epics import SAMPLES, codes, only, read, sprint, tasks, waits


def refusal(**keys: object) -> tuple[Finding, ...]:
    with pytest.raises(PlanError) as caught:
        read(**keys)
    return caught.value.findings


# The dialects


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_every_dialect_is_known_and_every_task_has_a_prompt(path: Path) -> None:
    plan = load(path).plan
    assert plan.format == "cfn-epic"
    assert len({task.id for task in plan.tasks}) == len(plan.tasks)
    for task in plan.tasks:
        assert task.prompt.startswith(f"# {plan.name}\n")
        assert "## Your task" in task.prompt
        assert task.title


def test_flat_sprints_and_their_inner_phases() -> None:
    loaded = load(sample("cfn-epic/flat.json"))
    plan, found = loaded.plan, tasks(loaded)
    assert [(x.id, x.depends_on, x.parallel) for x in plan.phases] == [
        ("sprint-0", (), False),
        ("sprint-1", (), True),
        ("sprint-2", ("sprint-0",), True),
        ("sprint-3", ("sprint-2", "sprint-1"), True),
    ]
    assert list(found) == [
        "sprint-0/phase-0.1", "sprint-0/phase-0.2", "sprint-1/phase-1.1", "sprint-2/phase-2.1", "sprint-3",
    ]  # fmt: skip
    assert found["sprint-0/phase-0.1"].writes == ("desk/loans.py", "tests/test_loans.py")
    assert found["sprint-3"].writes == ("desk/remind.py",)
    assert [x.command for x in found["sprint-2/phase-2.1"].verify] == ["test -f desk/lend.py"]
    assert found["sprint-0/phase-0.1"].estimate_s == 3.5 * DAY_S / 2
    assert loaded.places["task:sprint-0/phase-0.2"].line == 28
    assert loaded.places["phase:sprint-3:depends_on:1"].line == 72


def test_the_prompt_has_what_is_said_of_the_epic_the_sprint_and_the_part() -> None:
    prompt = tasks(load(sample("cfn-epic/flat.json")))["sprint-0/phase-0.2"].prompt
    for piece in (
        "Members borrow books at a desk",
        "Objectives:\n- Every loan has a due date",
        "Quality gates:\n- loop_3_confidence: 0.75",
        "## Sprint: Store of loans",
        "## Your task: Due dates",
        "What to do:\n- Reckon due dates",
        "Deliverables:\n- desk/dates.py",
        "Acceptance criteria:\n- Sundays do not count",
        "Other agents do the other parts of this sprint:\n- Table of loans",
    ):
        assert piece in prompt
    assert "The desk" not in prompt.replace("at a desk", "")  # authors and dates help nobody


def test_sprints_within_phases_have_ids_relative_to_them() -> None:
    loaded = load(sample("cfn-epic/nested.json"))
    assert waits(loaded) == {
        "phase-1-seats/sprint-1": (),
        "phase-1-seats/sprint-2": ("phase-1-seats/sprint-1",),
        "phase-2-booking/sprint-1": ("phase-1-seats/sprint-2",),
        "phase-2-booking/sprint-2": ("phase-2-booking/sprint-1",),
        "sprint-9": ("phase-2-booking/sprint-1", "phase-1-seats/sprint-2"),
    }
    assert tasks(loaded)["phase-1-seats/sprint-2"].writes == ("room/map.py",)
    assert "planning/phase-1-seats.md" in tasks(loaded)["phase-1-seats/sprint-1"].prompt
    assert [x.message for x in loaded.findings] == ["sprint-3: put off in this plan: not part of the run"]


def test_deliverables_with_ids_are_tasks_and_numbers_are_read_as_they_stand() -> None:
    loaded = load(sample("cfn-epic/snake.json"))
    found = tasks(loaded)
    assert list(found) == ["1.1/1.1.1", "1.1/1.1.2", "1.10/a", "1.10/b", "1.10/c", "2.1"]
    assert waits(loaded)["2.1"] == ("1.10",)
    assert found["1.1/1.1.1"].writes == ("index/cutter.py",)
    assert (found["1.1/1.1.1"].effect, found["1.1/1.1.2"].effect, found["2.1"].effect) == ("changes", "any", "any")
    assert (found["1.1/1.1.1"].priority, found["1.10/a"].priority) == (1, 3)
    lists = next(x for x in loaded.plan.phases if x.id == "1.10")
    assert (lists.parallel, lists.max_parallel) == (True, 2)
    assert found["1.10/a"].estimate_s == 1.5 * 5 * DAY_S / 3


def test_a_sprint_that_lists_deliverables_in_words_is_one_task() -> None:
    loaded = load(sample("cfn-epic/authority.json"))
    assert {id: task.status for id, task in tasks(loaded).items()} == {
        "1.1": "succeeded", "1.2": "succeeded", "2.1": "pending", "2.2": "pending",
    }  # fmt: skip
    assert waits(loaded) == {"1.1": (), "1.2": ("1.1",), "2.1": ("1.2",), "2.2": ("2.1",)}
    assert tasks(loaded)["1.2"].writes == ("hours/holidays.txt",)
    assert "'Sprint 2.1 - sign is there' as '2.1'" in only(loaded, "dependency-guessed").message


def test_tasks_name_each_other_by_ids_of_their_sprint() -> None:
    loaded = load(sample("cfn-epic/wrapped.json"))
    assert {id: task.depends_on for id, task in tasks(loaded).items()} == {
        "phase-0-stamps/sprint-0-1/task-1": (),
        "phase-0-stamps/sprint-0-1/task-2": ("phase-0-stamps/sprint-0-1/task-1",),
        "sprint-0-2/task-1": (),
        "phase-1-books/sprint-0-1/task-1": ("sprint-0-2/task-1",),
    }
    assert all(phase.parallel for phase in loaded.plan.phases)
    hours = [task.estimate_s and task.estimate_s / 3600 for task in loaded.plan.tasks]
    assert hours == [20, 20, 3, None]


def test_phases_without_sprints_and_a_header_apart() -> None:
    loaded = load(sample("cfn-epic/header.json"))
    found = tasks(loaded)
    assert loaded.plan.name == "Move the maps"
    assert {id: (task.phase, task.status) for id, task in found.items()} == {
        "phase-1/1.1": ("phase-1", "succeeded"),
        "phase-1/1.2": ("phase-1", "pending"),
        "phase-2/2.2": ("phase-2", "pending"),
    }
    assert waits(loaded) == {"phase-1": (), "phase-2": ("phase-1",)}
    assert [x.kind for x in found["phase-2/2.2"].verify] == ["approval"]
    assert "gloves" in found["phase-2/2.2"].verify[0].instructions


def test_a_map_of_dependencies_for_the_whole_epic() -> None:
    assert waits(load(sample("cfn-epic/steps.json"))) == {
        "top-shelves": (), "low-shelves": ("top-shelves",), "floor": (),
    }  # fmt: skip


@needs_corpus
@pytest.mark.parametrize("path", real("004-cfn-epics"), ids=lambda path: path.name)
def test_real_epics_have_no_mistakes(path: Path) -> None:
    loaded = load(path)
    assert loaded.plan.format == "cfn-epic"
    assert not [x for x in loaded.findings if x.severity == "error"]
    assert {"unknown-status", "dependency-in-words"}.isdisjoint(codes(loaded))


# Which files are epics


@pytest.mark.parametrize(
    ("tree", "format"),
    [
        ({"sprints": [{"id": "a", "name": "A"}], "name": "E"}, "cfn-epic"),
        ({"phases": [{"id": "p", "sprints": [{"id": "a", "name": "A"}]}]}, "cfn-epic"),
        ({"epic": {"id": "e"}, "phases": [{"id": "p", "tasks": [{"id": "t", "name": "T"}]}]}, "cfn-epic"),
        ({"name": "n", "phases": [{"id": "p", "tasks": [{"id": "t", "prompt": "x"}]}]}, "stretto"),
        ({"feature": "f", "phases": [{"id": "p", "subtasks": [{"id": "t", "description": "x"}]}]}, "auto-claude"),
        ({"tasks": [{"id": 1, "title": "x", "dependencies": []}]}, "task-master"),
    ],
)  # fmt: skip
def test_the_content_decides_and_no_other_format_is_taken(tree: object, format: str) -> None:
    assert load("implementation-plan.json", json.dumps(tree).encode()).plan.format == format


def test_an_epic_without_sprints_is_told_so() -> None:
    assert refusal()[0].code == "missing-key"
    (misspelt,) = refusal(sprint=[])
    assert (misspelt.code, misspelt.hint) == ("unknown-key", "did you mean `sprints`?")


@pytest.mark.parametrize("wrong", [{}, "x", 3, [1], [["a"]], [None, {"id": "a", "name": "A"}]])
def test_sprints_of_another_shape_are_told(wrong: object) -> None:
    found = refusal(sprints=wrong)[0]
    assert found.code == "wrong-type"
    assert found.location is not None


def test_an_entry_of_another_shape_is_never_left_out_silently() -> None:
    assert refusal(sprints=[sprint("a", tasks=[{"id": "t", "name": "T"}, "and this"])])[0].code == "wrong-type"


def test_an_id_is_no_prompt() -> None:
    assert refusal(sprints=[{"id": "a"}])[0].code == "missing-key"


# Order


@pytest.mark.parametrize(
    "name",
    ["sprint-1.1", "Sprint 1.1", "SPRINT_1.1", "1.1", " sprint-1.1 ", "phase-1/sprint-1.1", "Store", "store",
     "phase-1-core/sprint-1.1", {"id": "sprint-1.1"}, {"sprintId": "sprint-1.1", "type": "hard"}],
)  # fmt: skip
def test_r1_5_names_of_sprints_are_read_however_they_are_spelled(name: object) -> None:
    one = {"sprintId": "sprint-1.1", "name": "Store", "dependencies": []}
    two = {"sprintId": "s2", "name": "Two", "dependencies": [name]}
    phases = [
        {"id": "phase-1-core", "dependencies": [], "sprints": [one]},
        {"id": "phase-2", "dependencies": [], "sprints": [two]},
    ]
    loaded = read(phases=phases)
    assert waits(loaded)["s2"] == ("sprint-1.1",)
    assert not loaded.findings


@pytest.mark.parametrize("nothing", [None, [], "none", "None", "N/A", "", [None], {"infrastructure": ["A server"]}])
def test_nothing_to_wait_for_in_many_words(nothing: object) -> None:
    loaded = read(sprints=[sprint("a"), {"id": "b", "name": "B", "dependencies": nothing}])
    assert waits(loaded) == {"a": (), "b": ()}


def test_several_names_in_one_text() -> None:
    loaded = read(sprints=[sprint("a"), sprint("b"), {"id": "c", "name": "C", "dependencies": "a, b"}])
    assert waits(loaded)["c"] == ("a", "b")


def test_r1_5_an_unknown_name_stays_and_a_sentence_is_told_to_the_agent() -> None:
    needs = ("b-typo", "The new server is up and running")
    loaded = read(sprints=[sprint("a", *needs), sprint("b")])
    assert waits(loaded)["a"] == ("b-typo",)
    assert only(loaded, "dependency-in-words").location is not None
    assert "It builds on:\n- The new server is up and running" in tasks(loaded)["a"].prompt


def test_who_waits_for_itself_is_left_to_lint_and_for_its_own_phase_is_nothing() -> None:
    phases = [{"id": "p", "dependencies": [], "sprints": [sprint("a", "a"), sprint("b", "p")]}]
    assert waits(read(phases=phases)) == {"a": ("a",), "b": ()}


def test_across_phases_from_waits_for_to() -> None:
    phases = [
        {"id": "phase-1", "dependencies": [], "sprints": [sprint("sprint-1.1")]},
        {"id": "phase-2", "dependencies": [], "sprints": [sprint("sprint-2.1"), sprint("sprint-2.2")]},
    ]
    across = [{"from": "phase-2/sprint-2.2", "to": "phase-1/sprint-1.1", "description": "needs it"}]
    loaded = read(phases=phases, crossPhaseDependencies=across)
    assert waits(loaded) == {"sprint-1.1": (), "sprint-2.1": (), "sprint-2.2": ("sprint-1.1",)}
    assert refusal(phases=phases, crossPhaseDependencies=[{"from": "sprint-2.2"}])[0].code == "missing-key"
    wrong = read(phases=phases, crossPhaseDependencies=[{"from": "sprint-9.9", "to": "sprint-1.1"}])
    assert only(wrong, "unknown-id").severity == "error"


def test_r1_2_a_phase_is_waited_for_by_its_last_sprints() -> None:
    phases = [
        {"id": "p1", "dependencies": [], "sprints": [sprint("a"), sprint("b", "a"), sprint("c", "a")]},
        {"id": "p2", "dependencies": ["p1"], "sprints": [sprint("d"), sprint("e", "d")]},
    ]
    assert waits(read(phases=phases)) == {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c"), "e": ("d",)}


def test_two_wide_phases_meet_in_a_join() -> None:
    wide = [[sprint(f"s{n}-{i}") for i in range(101)] for n in range(2)]
    phases = [
        {"id": "p0", "dependencies": [], "sprints": wide[0]},
        {"id": "p1", "dependencies": ["p0"], "sprints": wide[1]},
    ]
    loaded = read(phases=phases)
    assert waits(loaded)["s1-7"] == ("p0",)
    assert len(waits(loaded)["p0"]) == 101


def test_without_any_dependencies_the_order_of_the_file_counts() -> None:
    bare = [{"id": id, "name": id} for id in "abc"]
    loaded = read(sprints=bare)
    assert waits(loaded) == {"a": (), "b": ("a",), "c": ("b",)}
    assert only(loaded, "order-of-file").severity == "info"
    assert waits(read(sprints=[sprint("a"), sprint("b"), bare[2]])) == {"a": (), "b": (), "c": ()}


def test_what_tasks_say_across_sprints_is_order_enough() -> None:
    def named(id: str, *needs: str) -> dict[str, object]:
        return {"id": id, "name": id, "dependencies": list(needs)}

    parts = {"a": named("t1"), "b": named("t2", "t1"), "c": named("t3")}
    loaded = read(sprints=[{"id": id, "tasks": [part]} for id, part in parts.items()])
    assert waits(loaded) == {"a": (), "b": (), "c": ()}
    assert tasks(loaded)["b/t2"].depends_on == ("a/t1",)


def test_r1_4_parts_are_a_chain_unless_something_says_otherwise() -> None:
    parts = [{"id": "x", "name": "X"}, {"id": "y", "name": "Y"}]
    chain, wide = (
        read(sprints=[sprint("a", tasks=parts)]),
        read(sprints=[sprint("a", tasks=parts, parallelizable=True)]),
    )
    assert [x.parallel for x in (*chain.plan.phases, *wide.plan.phases)] == [False, True]
    assert "order-of-file" in codes(chain)
    assert "order-of-file" not in codes(wide)


def test_limits_of_agents_in_a_sprint() -> None:
    parts = [{"id": x, "name": x, "dependencies": []} for x in "xyz"]
    loaded = read(sprints=[sprint("a", tasks=parts)], resource_limits={"max_agents_per_sprint": 2, "memory": "2GB"})
    assert loaded.plan.phases[0].max_parallel == 2
    assert "`memory`" in only(loaded, "not-enforced").message
    assert "max_agents_per_sprint" not in only(loaded, "not-enforced").message


# Claims and checks


@pytest.mark.parametrize(
    ("keys", "writes"),
    [
        ({"deliverables": ["src/a.ts", "docs/b.md (new)", "A good mood"]}, ("src/a.ts", "docs/b.md")),
        ({"deliverables": ["A good mood"]}, None),
        ({"deliverables": [{"name": "x", "path": "src/a.ts"}, {"name": "src/b.ts"}]}, ("src/a.ts", "src/b.ts")),
        ({"files": "src/a.ts", "test": "tests/a.test.sh"}, ("src/a.ts", "tests/a.test.sh")),
        ({"files": ["src/redis/*.js", "LICENSE"]}, ("src/redis/*.js", "LICENSE")),
        ({"affectedFiles": {"new": ["a.py"], "old": ["b.py"]}}, ("a.py", "b.py")),
        ({"files": ["/etc/passwd", "../x.py"]}, None),
        ({"description": "Change src/a.ts"}, None),
    ],
)  # fmt: skip
def test_claims_are_listed_files_and_deliverables_that_are_paths(keys: dict[str, object], writes: object) -> None:
    (task,) = read(sprints=[sprint("a", **keys)]).plan.tasks
    assert task.writes == writes
    assert task.effect == ("any" if writes is None else "changes")


def test_commands_are_checks_and_thresholds_are_words() -> None:
    gates = {"consensus": 0.9, "commands": ["npm test"]}
    masked = sprint("a", validation={"testCommand": "make a || true"}, quality_gates={"x": 1})
    loaded = read(sprints=[masked], quality_gates=gates)
    assert [x.command for x in loaded.plan.gates.verify] == ["npm test"]
    assert [x.kind for x in loaded.plan.tasks[0].verify] == ["approval"]
    assert "masked-check" in codes(loaded)
    assert only(loaded, "not-enforced").message.endswith("`consensus`")


@pytest.mark.parametrize(
    "text",
    ["Look at it manually", "manual", "Manual review of the page", "Try it by  hand", "A human review of the text"],
)
def test_a_validation_in_words_that_names_a_hand_asks_a_person(text: str) -> None:
    for value in (text, [text]):
        loaded = read(sprints=[sprint("a", validation=value)])
        (check,) = loaded.plan.tasks[0].verify
        assert (check.kind, check.instructions) == ("approval", text)
        assert "not-enforced" not in codes(loaded)


@pytest.mark.parametrize(
    "text", ["All tests pass", "No manual steps are left", "Runs without manual help", "The user manual is complete"]
)
def test_any_other_validation_in_words_is_told_as_not_enforced(text: str) -> None:
    loaded = read(sprints=[sprint("a", validation=text), sprint("b", verification=["none", text])])
    assert [task.verify for task in loaded.plan.tasks] == [(), ()]
    told = only(loaded, "not-enforced")
    assert (told.severity, told.tasks) == ("info", ())
    assert told.message == f"checks in plain words are not enforced: {text!r}"
    assert told.location is not None
    assert "validation" in loaded.plan.tasks[0].prompt.casefold()


def test_nobody_is_asked_where_an_epic_or_a_phase_of_sprints_wants_a_hand() -> None:
    inner = {"id": "p", "name": "P", "gate": "Go by hand", "sprints": [sprint("a", validation={"type": "manual"})]}
    loaded = read(phases=[inner], validation="Look at it manually")
    assert [len(task.verify) for task in loaded.plan.tasks] == [1]
    told = only(loaded, "not-enforced")
    assert told.message == "checks in plain words are not enforced: 'Look at it manually', 'Go by hand'"


def test_the_check_of_a_sprint_is_at_its_last_task_or_nowhere() -> None:
    def names(parts: list[dict[str, object]]) -> tuple[dict[str, int], list[str]]:
        loaded = read(sprints=[sprint("a", tasks=parts, test_command="make a")])
        return {id: len(task.verify) for id, task in tasks(loaded).items()}, codes(loaded)

    x: dict[str, object] = {"id": "x", "name": "X", "dependencies": []}
    assert names([x, {"id": "y", "name": "Y", "dependencies": ["x"]}])[0] == {"a/x": 0, "a/y": 1}
    found, told = names([x, {"id": "y", "name": "Y", "dependencies": []}])
    assert found == {"a/x": 0, "a/y": 0}
    assert "check-without-place" in told


# Durations


@pytest.mark.parametrize(
    ("text", "days"),
    [("3-4 days", [(3, 4)]), ("2 weeks", [(10, 10)]), ("1 month", [(20, 20)]), ("4 hours", [(0.5, 0.5)]),
     ("1.5–2 d", [(1.5, 2)]), ("4 days (parallel) vs 10 days (sequential)", [(4, 4), (10, 10)]), ("4-6 phases", []),
     ("soon", []), ("5-3 days", []), ("9" * 400 + " days", [])],
)  # fmt: skip
def test_durations(text: str, days: list[tuple[float, float]]) -> None:
    assert [(low / DAY_S, high / DAY_S) for low, high in spans_in(text)] == days


def test_durations_in_words() -> None:
    spans = ((90, 90), (20, 30), (480, 960), (480, 480))
    assert [said((x * 60.0, y * 60.0)) for x, y in spans] == ["1.5 hours", "20-30 minutes", "1-2 days", "1 day"]


@pytest.mark.parametrize(
    ("keys", "hours"),
    [({"duration": "1 day"}, 8), ({"estimatedHours": 3}, 3), ({"estimated_hours": "2-4"}, 3),
     ({"duration_days": 1.5}, 12), ({"duration": 3}, None), ({"estimatedHours": 1e300}, None),
     ({"effort": "1 sprint"}, None)],
)  # fmt: skip
def test_estimates_are_the_middle(keys: dict[str, object], hours: float | None) -> None:
    (task,) = read(sprints=[sprint("a", **keys)]).plan.tasks
    assert task.estimate_s == (None if hours is None else hours * 3600)


def test_a_sprint_shares_what_its_parts_leave() -> None:
    parts = [{"id": "x", "name": "X", "estimatedHours": 4}, {"id": "y", "name": "Y"}, {"id": "z", "name": "Z"}]
    loaded = read(sprints=[sprint("a", tasks=parts, duration="1 day")])
    assert [task.estimate_s for task in loaded.plan.tasks] == [4 * 3600, 2 * 3600, 2 * 3600]
