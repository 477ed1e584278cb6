"""Task Master's files: tags, tasks, subtasks, what is set aside, and statuses written back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stretto.analysis.lint import lint
from stretto.errors import PlanError
from stretto.formats.load import Loaded, load
from stretto.formats.task_master.status import write_statuses
from stretto.model.plan import Task
from unit.formats.corpus import sample


def tasks(loaded: Loaded) -> dict[str, Task]:
    return {task.id: task for task in loaded.plan.tasks}


def read(tasks: object) -> Loaded:
    return load("tasks.json", json.dumps({"master": {"tasks": tasks}}).encode())


def test_tasks_and_subtasks() -> None:
    loaded = load(sample("task-master/tagged.json"))
    plan, found = loaded.plan, tasks(loaded)
    assert (plan.name, plan.format) == ("master", "task-master")
    assert [(x.id, x.title) for x in plan.phases] == [("tasks", "Tasks without subtasks"), ("2", "Orders")]
    assert {id: task.depends_on for id, task in found.items()} == {
        "1": (), "2.1": ("1",), "2.2": ("2.1", "1"), "2.3": ("2.2", "1"), "3": ("2",), "7": ("3",),
    }  # fmt: skip
    assert {id for id, task in found.items() if task.status == "succeeded"} == {"1", "2.1"}
    assert {id: task.priority for id, task in found.items()} == {"1": 2, "2.1": 2, "2.2": 2, "2.3": 4, "3": 3, "7": 3}
    assert found["2.3"].writes == ("shop/log.py", "shop/orders.py")
    assert (found["2.3"].effect, found["3"].effect, found["3"].writes) == ("changes", "any", None)
    assert loaded.places["task:2.2"].line == 26
    assert loaded.places["task:2.2:depends_on:0"].column == 84


def test_a_subtask_is_told_what_its_task_says() -> None:
    found = tasks(load(sample("task-master/tagged.json")))
    prompt = found["2.3"].prompt
    assert prompt.startswith("# Orders\n\nCustomers place orders.\n\nDetails:\nAn order has lines.\n- no order without")
    assert "## Your part of it: Log\n\nEvery order" in prompt
    assert "docs/style.md" in prompt
    assert "created" not in prompt
    assert "How it will be tested:\nImport it." in found["1"].prompt


def test_what_is_cancelled_or_put_off_is_no_part_of_the_run() -> None:
    told = {x.message: x.tasks for x in load(sample("task-master/tagged.json")).findings if x.code == "set-aside"}
    assert list(told.values()) == [("4",), ("5",), ("6",)]
    assert list(told) == [
        "4: cancelled in this plan: not part of the run, and nobody waits for it",
        "5: put off in this plan: not part of the run",
        "6: waits for what is put off: not part of the run either",
    ]


def test_a_task_that_is_put_off_puts_off_who_waits_for_any_part_of_it() -> None:
    loaded = read(
        [
            {"id": 1, "title": "a", "dependencies": [], "status": "deferred", "subtasks": [{"id": 1, "title": "x"}]},
            {"id": 2, "title": "b", "dependencies": ["1.1"]},
            {"id": 3, "title": "c", "dependencies": [2]},
            {"id": 4, "title": "d", "dependencies": []},
        ]
    )
    assert list(tasks(loaded)) == ["4"]
    assert [phase.id for phase in loaded.plan.phases] == ["tasks"]


def test_a_whole_task_that_is_cancelled_holds_nobody_up() -> None:
    loaded = read(
        [
            {
                "id": 1,
                "title": "a",
                "status": "cancelled",
                "subtasks": [{"id": 1, "title": "x"}, {"id": 2, "title": "y"}],
            },
            {"id": 2, "title": "b", "dependencies": [1]},
        ]
    )
    assert tasks(loaded)["2"].depends_on == ()


def test_a_task_that_is_done_is_so_with_its_subtasks() -> None:
    loaded = read(
        [{"id": 1, "title": "a", "status": "done", "subtasks": [{"id": 1, "title": "x", "status": "pending"}]}]
    )
    assert tasks(loaded)["1.1"].status == "succeeded"


def test_a_number_in_a_subtask_is_a_sibling_before_it_is_a_task() -> None:
    parts = [
        {"id": 1, "title": "x"},
        {"id": 2, "title": "y", "dependencies": [1]},
        {"id": 3, "title": "z", "dependencies": [5]},
    ]
    loaded = read(
        [
            {"id": 1, "title": "a", "dependencies": []},
            {"id": 2, "title": "b", "subtasks": parts},
            {"id": 5, "title": "c"},
        ]
    )
    assert tasks(loaded)["2.2"].depends_on == ("2.1",)
    assert tasks(loaded)["2.3"].depends_on == ("5",)
    (finding,) = (x for x in loaded.findings if x.code == "sibling-meant")
    assert finding.severity == "info"
    assert finding.message == "a dependency of a subtask could be a sibling or a task; the sibling is meant"


@pytest.mark.parametrize(
    ("state", "name"),
    [(None, "master"), ('{"currentTag": "fatura"}', "fatura"), ('{"currentTag": "gone"}', "master"), ("{", "master")],
)
def test_the_tag_that_task_master_is_set_to(tmp_path: Path, state: str | None, name: str) -> None:
    folder = tmp_path / ".taskmaster" / "tasks"
    folder.mkdir(parents=True)
    (folder / "tasks.json").write_bytes(sample("task-master/tags.json").read_bytes())
    if state is not None:
        (folder.parent / "state.json").write_text(state)
    loaded = load(folder / "tasks.json")
    assert loaded.plan.name == name
    assert [x.code for x in loaded.findings if x.code == "other-tags"] == ["other-tags"]
    if name == "fatura":
        assert {id: task.depends_on for id, task in tasks(loaded).items()} == {
            "fatura.1.1": (), "fatura.1.2": ("fatura.1.1",), "fatura.2": ("fatura.1",),
        }  # fmt: skip


@pytest.mark.parametrize("name", ["tagged", "tags", "legacy"])
def test_r6_4_a_round_trip_changes_statuses_and_nothing_else(name: str) -> None:
    data = sample(f"task-master/{name}.json").read_bytes()
    before = load("tasks.json", data).plan.tasks
    assert write_statuses(data, {}) == data
    assert write_statuses(data, {x.id: x.status for x in before}) == data
    after = write_statuses(data, {x.id: "succeeded" for x in before})
    assert all(x.status == "succeeded" for x in load("tasks.json", after).plan.tasks)

    def without_statuses(text: bytes) -> object:
        return json.loads(text, object_hook=lambda x: {key: value for key, value in x.items() if key != "status"})

    assert without_statuses(after) == without_statuses(data)


def test_r6_4_statuses_in_the_files_own_spacing() -> None:
    data = sample("task-master/legacy.json").read_bytes()
    assert write_statuses(data, {"2": "failed", "3": "succeeded"}) == data.replace(
        b'"dependencies":[1,2]', b'"dependencies":[1,2],"status":"done"'
    )
    tagged = sample("task-master/tagged.json").read_bytes()
    done = json.loads(write_statuses(tagged, {"2.2": "succeeded", "2.3": "succeeded"}))
    assert done["master"]["tasks"][1]["status"] == "done", "all of its subtasks are"
    half = json.loads(write_statuses(tagged, {"2.2": "succeeded"}))
    assert half["master"]["tasks"][1]["status"] == "in-progress"


def test_r6_4_a_task_is_done_once_what_is_left_of_its_parts_is() -> None:
    parts = [{"id": 1, "title": "x"}, {"id": 2, "title": "y"}, {"id": 3, "title": "z", "status": "cancelled"}]
    tasks = [{"id": 2, "title": "a", "status": "pending", "subtasks": parts}, {"id": 3, "title": "b"}]
    data = json.dumps({"master": {"tasks": [*tasks]}}, indent=2).encode()
    half = json.loads(write_statuses(data, {"2.1": "succeeded", "2.2": "failed"}))
    assert half["master"]["tasks"][0]["status"] == "pending"
    after = write_statuses(data, {"2.1": "succeeded", "2.2": "succeeded"})
    whole = json.loads(after)["master"]["tasks"][0]
    assert [whole["status"], *(x.get("status") for x in whole["subtasks"])] == ["done", "done", "done", "cancelled"]
    statuses = {x.id: x.status for x in load("tasks.json", after).plan.tasks}
    assert write_statuses(after, statuses) == after, "what is cancelled stays so"
    assert after.replace(b'"status": "done"', b'"status": "pending"', 1).count(b"\n") == after.count(b"\n")


def test_r6_4_a_task_with_a_part_that_is_put_off_is_not_done() -> None:
    parts = [{"id": 1, "title": "x"}, {"id": 2, "title": "y", "status": "deferred"}]
    data = json.dumps({"tasks": [{"id": 2, "title": "a", "status": "pending", "subtasks": parts}]}).encode()
    whole = json.loads(write_statuses(data, {"2.1": "succeeded"}))["tasks"][0]
    assert [whole["status"], *(x["status"] for x in whole["subtasks"])] == ["pending", "done", "deferred"]


def test_r6_4_each_tag_has_ids_of_its_own() -> None:
    data = sample("task-master/tags.json").read_bytes()
    found = json.loads(write_statuses(data, {"fatura.1.2": "succeeded", "master.1": "succeeded"}))
    assert found["master"]["tasks"][0]["status"] == "done"
    assert [x["status"] for x in found["fatura"]["tasks"][0]["subtasks"]] == ["pending", "done"]


@pytest.mark.parametrize(
    ("task", "code"),
    [
        ({"title": "x", "dependencies": []}, "missing-key"),
        ({"id": 1, "dependencies": []}, "missing-key"),
        ({"id": 1, "title": "x", "dependencies": [[]]}, "wrong-type"),
        ({"id": {}, "title": "x", "dependencies": []}, "wrong-type"),
        ({"id": 1, "title": "x", "dependencies": [], "subtasks": "y"}, "wrong-type"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(task: object, code: str) -> None:
    with pytest.raises(PlanError) as caught:
        read([task])
    assert code in [x.code for x in caught.value.findings]
    assert all(x.location for x in caught.value.findings)


def test_an_unknown_status_is_told() -> None:
    (finding,) = read([{"id": 1, "title": "x", "dependencies": [], "status": "complet"}]).findings
    assert finding.code == "unknown-status"
    assert finding.hint == "write pending, in-progress, done, cancelled or deferred; did you mean `completed`?"


def test_what_a_task_says_wrong_is_told_once_and_not_for_each_of_its_subtasks() -> None:
    parts = [{"id": n, "title": "x"} for n in (1, 2, 3)]
    loaded = read(
        [
            {"id": 1, "title": "a", "status": "lovely", "priority": "urgent", "dependencies": [99], "subtasks": parts},
            {"id": 2, "title": "b", "status": "cancelled", "dependencies": [98], "subtasks": parts},
        ]
    )
    told = {x.code: x.message for x in loaded.findings if x.tasks == ("1.1", "1.2", "1.3")}
    unknown = "which is no word that is known; it counts as"
    assert told == {
        "unknown-id": "task '1' waits for '99', which is not in this plan",
        "unknown-status": f"`status` of task '1' is 'lovely', {unknown} pending",
        "unknown-priority": f"`priority` of task '1' is 'urgent', {unknown} medium",
    }
    assert len(loaded.findings) == 4
    assert not [x for x in lint(loaded.plan, loaded.places) if x.severity == "error"]


def test_what_is_not_there_is_told_of_a_task_that_waits_for_what_is_put_off_too() -> None:
    parts = [{"id": n, "title": "x"} for n in (1, 2)]
    loaded = read(
        [
            {"id": 1, "title": "a", "dependencies": [], "status": "deferred"},
            {"id": 2, "title": "b", "dependencies": [1, 77]},
            {"id": 3, "title": "c", "dependencies": [2, 78], "subtasks": parts},
            {"id": 4, "title": "d", "dependencies": []},
        ]
    )
    assert [task.id for task in loaded.plan.tasks] == ["4"]
    assert [(x.message, x.severity, x.tasks) for x in loaded.findings if x.code == "unknown-id"] == [
        ("task '2' waits for '77', which is not in this plan", "error", ("2",)),
        ("task '3' waits for '78', which is not in this plan", "error", ("3.1", "3.2")),
    ]
    assert all(x.location for x in loaded.findings)


def test_that_a_task_waits_for_a_subtask_of_its_own_says_nothing() -> None:
    parts = [{"id": 1, "title": "x"}, {"id": 2, "title": "y"}]
    loaded = read([{"id": 1, "title": "a", "dependencies": ["1.1", "1"], "subtasks": parts}])
    assert [task.depends_on for task in loaded.plan.tasks] == [(), ()]


@pytest.mark.parametrize(
    ("word", "priority"),
    [("critical", 1), ("HIGH", 2), (" medium ", 3), ("low", 4), (None, 3), ("", 3)],
)
def test_task_masters_own_priorities(word: object, priority: int) -> None:
    loaded = read([{"id": 1, "title": "x", "dependencies": [], "priority": word}])
    assert (loaded.plan.tasks[0].priority, loaded.findings) == (priority, ())


@pytest.mark.parametrize(("value", "said"), [("hihg", "'hihg'"), (3, "the number 3"), ([], "a list")])
def test_a_priority_that_nobody_knows_is_told(value: object, said: str) -> None:
    part = {"id": 1, "title": "y", "priority": value}
    loaded = read(
        [
            {"id": 1, "title": "x", "dependencies": [], "priority": value},
            {"id": 2, "title": "z", "priority": "high", "subtasks": [part]},
        ]
    )
    assert [task.priority for task in loaded.plan.tasks] == [3, 2]
    assert [x.message for x in loaded.findings] == [
        f"`priority` of task '1' is {said}, which is no word that is known; it counts as medium",
        f"`priority` of task '2.1' is {said}, which is no word that is known; it counts as high",
    ]
    assert {(x.code, x.severity) for x in loaded.findings} == {("unknown-priority", "warning")}
    hint = loaded.findings[0].hint
    assert hint.startswith("write critical, high, medium or low")
    assert hint.endswith("low; did you mean `high`?" if value == "hihg" else "low")


_PARTS = [{"id": 1, "title": "Table"}, {"id": 2, "title": "Api", "dependencies": [1]}]


@pytest.mark.parametrize("first", [[], _PARTS])
def test_an_id_that_two_tasks_have_is_told_once_with_both_places(first: object) -> None:
    parts = [*_PARTS, {"id": 3, "title": "Ui", "dependencies": ["1.2"], "status": "lovely"}]
    text = [
        {"id": 1, "title": "Users", "dependencies": [], "subtasks": first},
        {"id": 1, "title": "Orders", "subtasks": parts},
        {"id": 7, "title": "Mail", "dependencies": [1, "1.3"]},
    ]
    lines = ",\n".join(json.dumps(task) for task in text)
    with pytest.raises(PlanError) as caught:
        load("tasks.json", f'{{"master": {{"tasks": [\n{lines}]}}}}'.encode())
    twice, other = caught.value.findings
    assert (twice.code, twice.severity, other.code) == ("duplicate-id", "error", "unknown-status")
    assert twice.message == "the id '1' is given twice: to 'Users' at tasks.json:2:8, and to 'Orders' here"
    assert twice.location is not None
    assert (twice.location.line, twice.location.column) == (3, 8)
    assert twice.hint == "give one of the two another id, such as 8, and name that where `dependencies` mean it"


def test_an_id_that_two_subtasks_have_is_told_with_both_places() -> None:
    parts = [{"id": 1, "title": "x"}, {"id": 1, "title": "y"}, {"id": "1.1", "title": "z"}]
    with pytest.raises(PlanError) as caught:
        read([{"id": 1, "title": "a", "subtasks": parts}, {"id": 2, "title": "b", "subtasks": parts[:1]}])
    assert [x.message.partition(": ")[0] for x in caught.value.findings] == ["the id '1.1' is given twice"] * 2
    assert [x.hint.partition(", and")[0] for x in caught.value.findings] == [
        "give one of the two another id, such as 2",
        "give one of the two another id, such as 3",
    ]


def test_an_id_that_is_no_number_may_be_given_once_too() -> None:
    with pytest.raises(PlanError, match="the id 'a' is given twice") as caught:
        read([{"id": "a", "title": "x", "dependencies": []}, {"id": "a", "title": "y"}])
    assert caught.value.findings[0].hint.startswith("give one of the two another id, and")


def test_long_ids_that_begin_alike_are_not_the_same() -> None:
    parts = [{"id": f"{'b' * 65}{n}", "title": "x"} for n in "12"]
    tasks = [{"id": f"{'a' * 65}{n}", "title": "x", "dependencies": [], "subtasks": parts} for n in "12"]
    assert len(read(tasks).plan.tasks) == 4


def test_ids_of_a_tag_with_a_long_name_are_not_the_same() -> None:
    tasks = [{"id": n, "title": f"Do {n}", "dependencies": [], "subtasks": _PARTS} for n in (1, 2)]
    tags = {"t" * 60: {"tasks": tasks}, "other": {"tasks": tasks}}
    loaded = load("tasks.json", json.dumps(tags).encode())
    assert [x.id.rpartition("t.")[2] for x in loaded.plan.tasks] == ["1.1", "1.2", "2.1", "2.2"]


def test_what_is_no_id_is_not_given_twice() -> None:
    wrong = [{"id": id, "title": "x", "dependencies": []} for id in (True, [1], "\x07", "", True)]
    with pytest.raises(PlanError) as caught:
        read([{"id": 1, "title": "x", "dependencies": [], "subtasks": wrong}, *wrong])
    assert {x.code for x in caught.value.findings} == {"wrong-type", "wrong-value"}
    assert len(caught.value.findings) == 2 * len(wrong)


def test_what_a_large_task_waits_for_in_vain_names_its_subtasks_in_one_list() -> None:
    parts = [{"id": n, "title": "x"} for n in range(1, 4)]
    loaded = read([{"id": 1, "title": "a", "dependencies": [8, 9], "subtasks": parts}])
    first, second = (x for x in loaded.findings if x.code == "unknown-id")
    assert first.tasks == ("1.1", "1.2", "1.3")
    assert first.tasks is second.tasks


def test_tasks_of_other_tags_may_have_the_same_ids() -> None:
    assert "duplicate-id" not in {x.code for x in load(sample("task-master/tags.json")).findings}
