"""CFN epics: the execution strategy held against the graph, and statuses written back."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from stretto.formats.cfn_epic.status import write_statuses
from stretto.formats.load import load
from unit.formats.corpus import real, sample
from unit.formats.epics import SAMPLES, codes, read, sprint, waits

# The execution strategy


def differences(strategy: object, *sprints: dict[str, object]) -> list[tuple[str, str]]:
    loaded = read(sprints=list(sprints), execution_strategy=strategy)
    assert all(x.location and x.location.line for x in loaded.findings)
    return [(x.severity, x.message) for x in loaded.findings if x.code == "strategy-differs"]


CHAIN = (sprint("a", duration="1 day"), sprint("b", "a", duration="1-2 days"), sprint("c", duration="1 day"))


def test_a_strategy_that_says_what_the_graph_says_is_not_mentioned() -> None:
    groups = [{"name": "one", "sprints": ["a", "c"], "parallelizable": True, "estimated_duration": "1 day"},
              {"name": "two", "sprints": ["b"], "depends_on": []}]  # fmt: skip
    total = {"parallel": "2.5 days", "sequential": "3.5 days"}
    assert differences({"independent_groups": groups, "total_duration": total}, *CHAIN) == []


@pytest.mark.parametrize(
    ("strategy", "severity", "words"),
    [
        ([{"name": "g", "sprints": ["a", "b", "c"], "parallelizable": True}], "warning", "but b waits for another"),
        ([{"name": "g", "sprints": ["a", "b"]}], "warning", "leaves out c"),
        ([{"name": "g", "sprints": ["a", "b", "c", "d"]}], "warning", "names 'd', which is no sprint here"),
        ([{"name": "g", "sprints": ["a", "c"]}, {"name": "h", "sprints": ["b"], "depends_on": ["g"]}], "info",
         "group 'h' waits for 'g', but none of its sprints waits for c"),
        ([{"name": "g", "sprints": ["a", "b", "c"], "depends_on": ["x"]}], "warning",
         "waits for 'x', which is no group"),
        ([{"name": "g", "sprints": ["a", "b", "c"], "estimated_duration": "9 days"}], "info",
         "is said to take 9 days; its sprints take 3-4 days"),
    ],
)  # fmt: skip
def test_differences_of_groups(strategy: object, severity: str, words: str) -> None:
    ((found, message),) = differences({"independent_groups": strategy}, *CHAIN)
    assert (found, words in message) == (severity, True), message


def test_totals_are_held_against_the_critical_path() -> None:
    total = {"parallel": "1 day", "sequential": "30 days"}
    assert differences({"total_duration": total}, *CHAIN) == [
        ("info", "the strategy says 1 day parallel; the longest chain of its sprints takes 2-3 days"),
        ("info", "the strategy says 30 days sequential; its sprints one after another take 3-4 days"),
    ]


def test_a_strategy_is_never_an_order() -> None:
    groups = [{"name": "g", "sprints": ["a"]}, {"name": "h", "sprints": ["b"], "depends_on": ["g"]}]
    loaded = read(sprints=[sprint("a"), sprint("b")], execution_strategy={"independent_groups": groups})
    assert waits(loaded) == {"a": (), "b": ()}


# Statuses


def states(data: bytes) -> dict[str, str]:
    return {task.id: task.status for task in load("epic", data).plan.tasks}


@pytest.mark.parametrize(
    ("word", "state"),
    [("completed", "succeeded"), ("complete", "succeeded"), ("✅ Done", "succeeded"), ("in-progress", "running"),
     ("In Progress", "running"), ("not_started", "pending"), ("planning", "pending"), ("READY_FOR_PLANNING", "pending"),
     ("failed", "failed"), ("blocked", "pending"), ("", "pending"), (None, "pending")],
)  # fmt: skip
def test_words_for_statuses(word: object, state: str) -> None:
    loaded = read(sprints=[sprint("a", status=word)])
    assert loaded.plan.tasks[0].status == state
    assert "unknown-status" not in codes(loaded)


def test_a_word_that_nobody_knows_counts_as_pending() -> None:
    loaded = read(sprints=[sprint("a", status="purple"), sprint("b", status=7)])
    assert [x.status for x in loaded.plan.tasks] == ["pending", "pending"]
    assert codes(loaded) == ["unknown-status", "unknown-status"]


@pytest.mark.parametrize("path", [*SAMPLES, *real("004-cfn-epics")], ids=lambda path: path.name)
def test_r6_4_what_is_written_reads_back(path: Path) -> None:
    data, chance = path.read_bytes(), random.Random(path.name)
    before = states(data)
    silent = b'"status"' not in data
    for _ in range(8):
        wanted = {id: chance.choice(["succeeded", "running", "pending", "failed", "skipped"]) for id in before}
        written = write_statuses(data, wanted)
        read_back = {id: state if state in ("succeeded", "running") else "pending" for id, state in wanted.items()}
        assert states(written) == (before if silent else read_back)
        assert write_statuses(written, wanted) == written
        assert write_statuses(data, {}) == write_statuses(data, before) == data
        if silent:
            assert written == data


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_r6_4_every_byte_but_the_statuses_stays(path: Path) -> None:
    data = path.read_bytes()
    written = write_statuses(data, dict.fromkeys(states(data), "succeeded"))

    def bare(value: object) -> object:
        if isinstance(value, dict):
            return {key: bare(each) for key, each in value.items() if key != "status"}
        return [bare(x) for x in value] if isinstance(value, list) else value

    assert bare(json.loads(written.decode("utf-8-sig"))) == bare(json.loads(data.decode("utf-8-sig")))
    assert written.startswith(b"\xef\xbb\xbf") == data.startswith(b"\xef\xbb\xbf")
    assert written.count(b"\n") == written.count(b"\r\n") or b"\r" not in data


def test_r6_4_sprints_phases_and_the_epic_follow_in_the_words_of_the_file() -> None:
    data = sample("cfn-epic/nested.json").read_bytes()
    after = json.loads(write_statuses(data, {"phase-1-seats/sprint-2": "succeeded"}))
    assert [phase["status"] for phase in after["phases"]] == ["completed", "not_started", "not_started"]
    assert after["status"] == "in_progress"
    authority = sample("cfn-epic/authority.json").read_bytes()
    after = json.loads(write_statuses(authority, {"2.1": "succeeded", "2.2": "succeeded"}))
    assert [phase["status"] for phase in after["phases"]] == ["complete", "complete"]
    assert all("status" not in sprint for phase in after["phases"] for sprint in phase["sprints"])
    header = sample("cfn-epic/header.json").read_bytes()
    after = json.loads(write_statuses(header, {"phase-1/1.2": "running"}))
    assert after["phases"][0]["tasks"][1]["status"] == "in-progress"


def test_r6_4_half_a_phase_is_written_at_its_sprint() -> None:
    data = sample("cfn-epic/authority.json").read_bytes()
    written = write_statuses(data, {"2.1": "succeeded"})
    assert json.loads(written)["phases"][1]["sprints"][0]["status"] == "complete"
    assert states(written) == {"1.1": "succeeded", "1.2": "succeeded", "2.1": "succeeded", "2.2": "pending"}


def test_what_is_cancelled_holds_nobody_up_and_what_is_put_off_does() -> None:
    sprints = [sprint("a", status="cancelled"), sprint("b", "a"), sprint("c", status="deferred"), sprint("d", "c")]
    loaded = read(sprints=sprints)
    assert waits(loaded) == {"b": ()}
    assert codes(loaded) == ["set-aside"] * 3


def test_r6_4_the_last_task_of_a_sprint_gets_a_status_like_those_beside_it() -> None:
    tasks = [{"id": id, "name": id} for id in ("x", "y")]
    data = json.dumps({"epicId": "e", "sprints": [{"id": "s", "status": "pending", "tasks": tasks}]}).encode()
    half = write_statuses(data, {"s/x": "succeeded"})
    (done,) = json.loads(write_statuses(half, {"s/x": "succeeded", "s/y": "succeeded"}))["sprints"]
    assert [each.get("status") for each in (done, *done["tasks"])] == ["completed"] * 3
    (whole,) = json.loads(write_statuses(data, {"s/x": "succeeded", "s/y": "succeeded"}))["sprints"]
    assert whole["status"] == "completed" and whole["tasks"] == tasks, "the sprint says it for all"
