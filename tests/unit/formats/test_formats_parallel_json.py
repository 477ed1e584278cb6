"""`parallel.json`: levels, parts, priorities, prompts, and what it says twice."""

from __future__ import annotations

import json

import pytest

from stretto.errors import PlanError
from stretto.formats.load import Loaded, load
from unit.formats.corpus import sample
from unit.formats.parallel_json import codes, needs, one, phases, read, tasks

HEAD = b'{"plan_name": "P", "parallelization_level": "level_3", "achievements": '


# The levels.


def test_level_1_splits_achievements() -> None:
    loaded = load(sample("parallel-json/splits.json"))
    assert (loaded.plan.name, loaded.plan.format) == ("WEATHER-STATION", "parallel-json")
    assert phases(loaded) == {"priority-1": (), "1.2": (), "2.1": ("1.2",), "priority-3": ()}
    assert needs(loaded) == {
        "1.1": (), "1.2.1": ("1.1",), "1.2.2": ("1.1",), "1.2.3": ("1.2.1", "1.2.2", "1.1"),
        "2.1.1": ("1.1",), "2.1.2": ("2.1.1",), "3.1": ("2.1",),
    }  # fmt: skip
    assert {id: task.phase for id, task in tasks(loaded).items() if task.phase == "2.1"} == {
        "2.1.1": "2.1", "2.1.2": "2.1",
    }  # fmt: skip
    assert {id for id, task in tasks(loaded).items() if task.status == "succeeded"} == {"1.1", "1.2.1"}
    assert codes(loaded)["set-aside"] == ("2.2",)
    assert loaded.places["task:1.2.2"].line == 24
    assert loaded.places["task:1.2.3:depends_on:2"].line == 19, "where the achievement says so"


def test_level_2_runs_priorities_in_order() -> None:
    loaded = load(sample("parallel-json/priorities.json"))
    assert phases(loaded) == {
        "priority-1": (), "priority-2": ("priority-1",), "priority-3": ("priority-2",),
    }  # fmt: skip
    assert needs(loaded) == {"1.1": (), "1.2": (), "2.1": ("1.2",), "3.1": ("2.1",)}
    assert {id: (task.phase, task.priority) for id, task in tasks(loaded).items()} == {
        "1.1": ("priority-1", 1), "1.2": ("priority-1", 1), "2.1": ("priority-2", 2), "3.1": ("priority-3", 3),
    }  # fmt: skip
    assert "A member has a card." in tasks(loaded)["1.2"].prompt, "said in its group alone"


def test_level_2_chains_what_is_left() -> None:
    loaded = read(one("1.1"), one("2.1", status="skipped"), one("3.1"), one("7.1"), level="level_2")
    assert phases(loaded) == {"priority-1": (), "priority-3": ("priority-1",), "priority-7": ("priority-3",)}
    assert [task.priority for task in loaded.plan.tasks] == [1, 3, 5]


def test_level_2_with_parts_waits_for_each_of_them() -> None:
    parts = [{"execution_id": "1.1.1", "title": "a"}, {"execution_id": "1.1.2", "title": "b"}]
    loaded = read(one("1.1", sub_executions=parts), one("1.2", dependencies=["1.1"]), one("2.1"), level="level_2")
    assert needs(loaded) == {"1.1.1": (), "1.1.2": (), "1.2": ("1.1.1", "1.1.2"), "2.1": ()}
    assert phases(loaded) == {"priority-1": (), "priority-2": ("priority-1",)}


def test_level_3_looks_at_dependencies_alone() -> None:
    loaded = load(sample("parallel-json/crlf-bom.json"))
    assert loaded.plan.name == "Bicycle Café"
    assert phases(loaded) == {"priority-1": (), "priority-2": (), "priority-9": ()}
    assert needs(loaded) == {"1.1": (), "1.12": (), "11.2": ("1.1", "1.12"), "DOC": ("11.2", "1.1")}
    assert codes(loaded)["achievement-id"] == ("DOC",)
    assert (
        loaded.places["task:DOC:depends_on:0"].column
        == loaded.data.decode("utf-8-sig").split("\r\n")[7].index('"11.2"') + 1
    )
    assert "Keep it short." in tasks(loaded)["1.1"].prompt


@pytest.mark.parametrize("level", ["level_1", "Level 1", 1, "LEVEL-1", "1"])
def test_a_level_in_other_words(level: object) -> None:
    assert "odd-level" not in codes(read(one(), level=level))


@pytest.mark.parametrize("level", [None, "level_4", "cross", 0, 12, [], {}, True, "x" * 999])
def test_no_level_is_read_as_the_third(level: object) -> None:
    loaded = read(one("1.1"), one("2.1"), level=level)
    assert [x.severity for x in loaded.findings if x.code == "odd-level"] == ["warning"]
    assert phases(loaded) == {"priority-1": (), "priority-2": ()}


# What waits for what.


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (["1.1"], ("1.1",)),
        ("1.1, 1.2", ("1.1", "1.2")),
        ([1.1, None, "Achievement 1.2"], ("1.1", "1.2")),
        ([{"achievement_id": "1.2", "reason": "x"}], ("1.2",)),
        ("None", ()),
        (None, ()),
        (["1.1", "1.1"], ("1.1",)),
    ],
)
def test_dependencies_in_every_shape(value: object, found: tuple[str, ...]) -> None:
    assert needs(read(one("1.1"), one("1.2"), one("2.1", dependencies=value)))["2.1"] == found


def test_numbers_as_ids_are_spelled_as_in_the_file() -> None:
    data = HEAD + b'[{"achievement_id": 1.10, "title": "a"}]}'
    assert [task.id for task in load("p.json", data).plan.tasks] == ["1.10"]


def test_a_twin_waits_for_its_own_dependencies() -> None:
    loaded = read(one("1.1"), one("1.2", dependencies=["1.1"]), one("1.2"))
    assert [task.depends_on for task in loaded.plan.tasks] == [(), ("1.1",), ()]
    assert (loaded.places["task:1.2"], loaded.places["task:1.2#2"]) and "task:1.2#3" not in loaded.places


def test_across_priorities_from_waits_for_to() -> None:
    rows = [{"from_achievement": "1.1", "to_achievement": "2.1"}, {"from": "1.1", "to": ["2.1", "2.2"]}]
    assert needs(read(one("1.1"), one("2.1"), one("2.2"), cross_priority_dependencies=rows))["1.1"] == ("2.1", "2.2")


def test_r1_5_an_unknown_achievement_is_an_error() -> None:
    loaded = read(one("1.1"), cross_priority_dependencies=[{"from_achievement": "9.9", "to_achievement": "1.1"}])
    assert [(x.code, x.severity) for x in loaded.findings if x.code == "unknown-id"] == [("unknown-id", "error")]


def test_achievements_of_groups_alone() -> None:
    groups = [{"priority": 2, "achievements": [one("5.1"), "1.1"]}, {"priority": 1, "achievements": [one("5.2")]}]
    loaded = read(one("1.1"), level="level_2", priority_groups=groups)
    assert {task.id: task.phase for task in loaded.plan.tasks} == {
        "1.1": "priority-2", "5.1": "priority-2", "5.2": "priority-1",
    }  # fmt: skip
    assert phases(loaded) == {"priority-2": ("priority-1",), "priority-1": ()}


def test_groups_and_achievements_below_their_names() -> None:
    plan = {
        "plan_name": "P", "parallelization_level": "level_2",
        "achievements": {"1.1": {"title": "a"}, "1.2": {"title": "b", "dependencies": ["1.1"]}},
        "priority_groups": {"priority_2": ["1.2"], "1": {"achievements": ["1.1"]}},
    }  # fmt: skip
    loaded = load("p.json", json.dumps(plan).encode())
    assert needs(loaded) == {"1.1": (), "1.2": ("1.1",)}
    assert phases(loaded) == {"priority-1": (), "priority-2": ("priority-1",)}


@pytest.mark.parametrize(
    ("priority", "phase", "urgency"),
    [
        (1, "priority-1", 1),
        ("P2", "priority-2", 2),
        ("high", "priority-2", 2),
        (9, "priority-9", 5),
        (0, "priority-0", 1),
        *((other, "priority-4", 4) for other in ("odd", None, True, 10**30)),
    ],
)
def test_priorities(priority: object, phase: str, urgency: int) -> None:
    task = read(one("4.1", priority=priority)).plan.tasks[0]
    assert (task.phase, task.priority) == (phase, urgency)


def test_ids_of_parts() -> None:
    parts = [{"execution_id": "1.1.1", "title": "a"}, {"id": 2, "title": "b", "dependencies": ["1", "1.1"]}, "c"]
    loaded = read(one("1.1", sub_executions=parts))
    assert needs(loaded) == {"1.1.1": (), "1.1.2": ("1.1.1",), "1.1.3": ()}
    assert tasks(loaded)["1.1.3"].title == "c"


# What the file says.


@pytest.mark.parametrize(
    ("hours", "found"),
    [
        *((4, 4), (2.5, 2.5), ("4-6", 5), ("4-6h", 5), ("~3", 3), ("2 to 4 hours", 3), ("0.5 h", 0.5), ("30 min", 0.5)),
        *((other, None) for other in (None, "", "a day", 0, -1, True, [4], 10**30)),
    ],
)
def test_hours(hours: object, found: float | None) -> None:
    loaded = read(one(estimated_hours=hours))
    assert loaded.plan.tasks[0].estimate_s == (None if found is None else found * 3600)
    assert ("unread-estimate" in codes(loaded)) == (found is None and hours not in (None, "", 0))


def test_a_number_beyond_all_bounds_is_told() -> None:
    data = HEAD + b'[{"achievement_id": "1.1", "title": "a", "estimated_hours": 1e400}]}'
    try:
        assert "unread-estimate" in codes(load("p.json", data))
    except PlanError as error:
        assert error.findings


@pytest.mark.parametrize(
    ("script", "command", "guessed"),
    [
        ("python3 checks/a.py --all", "python3 checks/a.py --all", False),
        ("`make check`", "make check", False),
        ("checks/a.py", "python3 checks/a.py", True),
        ("a.sh", "bash a.sh", True),
        ("Look at the page", None, False),
        ("checks/a.txt", None, False),
        (["make"], None, False),
        ("makeup is fine", None, False),
    ],
)
def test_validation_scripts(script: object, command: str | None, guessed: bool) -> None:
    loaded = read(one(validation_script=script))
    task = loaded.plan.tasks[0]
    assert [check.command for check in task.verify] == ([] if command is None else [command])
    assert all(check.pipefail for check in task.verify)
    assert ("guessed-check" in codes(loaded)) is guessed
    assert "How it is checked:" in task.prompt


def test_a_check_that_proves_nothing_is_asked_of_a_person() -> None:
    loaded = read(one(validation_script="python3 a.py || true"))
    assert [check.kind for check in loaded.plan.tasks[0].verify] == ["approval"]
    assert "masked-check" in codes(loaded)


def test_every_key_that_says_something_is_told_and_none_that_keeps_count() -> None:
    entry = one(description="Say it.", files_hint=["a.py"], executor="e1", actual_hours=77, multi_executor_strategy="x")
    prompt = read(entry, notes="Mind the gap.").plan.tasks[0].prompt
    assert all(word in prompt for word in ("# P\n", "Do 1.1", "Say it.", "a.py", "Mind the gap."))
    assert not any(word in prompt for word in ("e1", "77", "multi"))


def test_a_bare_title_is_told() -> None:
    loaded = read(one("1.1"), one("1.2", description="More."), one("1.3", status="complete"))
    assert codes(loaded)["bare-title"] == ("1.1",)


def test_what_says_nothing_is_an_error() -> None:
    with pytest.raises(PlanError, match="has no `title`"):
        read({"achievement_id": "1.1"})
    with pytest.raises(PlanError, match="has no `achievement_id`"):
        read({"title": "x"})


@pytest.mark.parametrize(
    "entry", [one(status="done"), one(status="COMPLETE"), one(status="Completed"), one(status="approved")]
)
def test_done_in_the_file(entry: dict[str, object]) -> None:
    assert read(entry).plan.tasks[0].status == "succeeded"


@pytest.mark.parametrize(
    "word", ["not_started", "subplan_created", "execution_created", "in_progress", "failed", None, "  "]
)
def test_to_be_done_in_the_file(word: object) -> None:
    loaded = read(one(status=word))
    assert (loaded.plan.tasks[0].status, "unknown-status" in codes(loaded)) == ("pending", False)


@pytest.mark.parametrize("word", ["halfway", 3, [], {}])
def test_unknown_statuses(word: object) -> None:
    loaded = read(one(status=word))
    assert (loaded.plan.tasks[0].status, codes(loaded)["unknown-status"]) == ("pending", ("1.1",))


def test_nobody_waits_for_what_is_skipped() -> None:
    parts = [{"execution_id": "1.1.1", "title": "a"}, {"execution_id": "1.1.2", "title": "b", "status": "skipped"}]
    whole = one("1.2", status="skipped", sub_executions=[{"execution_id": "1.2.1", "title": "c"}])
    loaded = read(one("1.1", sub_executions=parts), whole, one("1.3", dependencies=["1.1", "1.2"]))
    assert needs(loaded) == {"1.1.1": (), "1.3": ("1.1",)}
    assert "1.2" not in phases(loaded)


# What it says twice.


def contradiction(loaded: Loaded) -> list[str]:
    return [x.message for x in loaded.findings if x.code == "contradiction"]


def test_blocks_by_way_of_others_is_no_contradiction() -> None:
    chain = [one("1.1", blocks=["1.2", "1.3"]), one("1.2", dependencies=["1.1"]), one("1.3", dependencies=["1.2"])]
    assert contradiction(read(*chain)) == []
    assert contradiction(read(one("1.1", blocks=["2.1"]), one("2.1"), level="level_2")) == []
    assert "'1.1' says that it blocks '2.1'" in contradiction(read(one("1.1", blocks=["2.1"]), one("2.1")))[0]
    assert (
        "and 1 more of that kind" in contradiction(read(one("1.1", blocks=["1.2", "1.3"]), one("1.2"), one("1.3")))[0]
    )


@pytest.mark.parametrize("value", [3, {"a": 1}, [[]], [True], "x", None])
def test_what_is_not_read_may_be_anything(value: object) -> None:
    loaded = read(one(blocks=value, parallelizable_with=value), parallel_execution_waves=value, execution_waves=[value])
    assert [x for x in loaded.findings if x.severity == "error"] == []


def test_side_by_side_against_a_dependency() -> None:
    for key in ("parallelizable_with", "can_parallelize_with"):
        said = contradiction(read(one("1.1"), one("1.2", dependencies=["1.1"], **{key: ["1.1"]})))
        assert "should run side by side, but '1.2' waits for '1.1'" in said[0]


@pytest.mark.parametrize(
    "waves", [[["1.1", "1.2"]], [{"wave": 1, "achievements": ["1.2"]}, {"achievements": [{"achievement_id": "1.1"}]}]]
)
def test_waves_against_a_dependency(waves: object) -> None:
    assert len(contradiction(read(one("1.1"), one("1.2", dependencies=["1.1"]), parallel_execution_waves=waves))) == 1
    good = {"wave_1": ["1.1"], "wave_2": ["1.2"]}
    assert contradiction(read(one("1.1"), one("1.2", dependencies=["1.1"]), parallel_execution_waves=good)) == []


def test_a_group_against_the_own_priority() -> None:
    loaded = read(one("1.1", priority=1), priority_groups=[{"priority": 2, "achievements": ["1.1"]}])
    assert "has priority 1, and stands in the group of priority 2" in contradiction(loaded)[0]
    assert loaded.plan.tasks[0].phase == "priority-1"


# Which files are ours.


@pytest.mark.parametrize(
    "tree",
    [
        {"parallelization_level": "level_2", "achievements": "x"},
        {"plan_name": "P", "priority_groups": 3},
        {"achievements": [{"achievement_id": "1.1", "dependencies": []}]},
    ],
)
def test_broken_files_of_the_format_get_its_findings(tree: object) -> None:
    try:
        assert load("p.json", json.dumps(tree).encode()).plan.format == "parallel-json"
    except PlanError as error:
        assert error.findings[0].code != "unknown-format"


@pytest.mark.parametrize(
    "tree",
    [
        {"achievements": [{"achievement_id": "first_win", "name": "First win", "points": 10}]},
        {"achievements": []},
        {"parallelization_level": "image", "command": "x"},
    ],
)
def test_other_peoples_achievements_are_none_of_ours(tree: object) -> None:
    with pytest.raises(PlanError) as caught:
        load("p.json", json.dumps(tree).encode())
    assert caught.value.findings[0].code == "unknown-format"


def test_a_phase_of_many_achievements_is_marked_once() -> None:
    """Else a large priority would be read in quadratic time."""
    loaded = read(*(one(f"1.{n}") for n in range(2_000)))
    assert [name for name in loaded.places if name.startswith("phase:")] == ["phase:priority-1"]
    assert len(loaded.plan.tasks) == 2_000
