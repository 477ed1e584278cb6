"""Dynamic phase plans: states read and written back, times, and what there is to say of a whole plan."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from stretto.analysis.lint import lint
from stretto.errors import PlanError
from stretto.formats.dynamic_phases.estimate import estimate_s
from stretto.formats.load import load
from unit.formats.corpus import sample
from unit.formats.test_formats_dynamic_phases import SAMPLES, codes, found, plan, read, tasks

# --- states ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "state"),
    [
        *(("pending", "pending"), ("in-progress", "running"), ("in_progress", "running"), ("In Progress", "running")),
        *(("completed", "succeeded"), ("failed", "failed"), (None, "pending")),
    ],
)
def test_statuses(status: str | None, state: str) -> None:
    loaded = read({"status": status})
    assert tasks(loaded)["1"].status == state
    assert not codes(loaded) & {"unknown-status", "status-differs"}


@pytest.mark.parametrize("status", ["whatever", 7, ["completed"]])
def test_an_unknown_status_counts_as_pending(status: object) -> None:
    loaded = read({"status": status})
    assert (tasks(loaded)["1"].status, found(loaded, "unknown-status").severity) == ("pending", "warning")


def test_the_lists_count_where_a_phase_says_nothing() -> None:
    loaded = read({}, {}, {}, completedPhaseNumbers=[1, "2"], failedPhaseNumbers=[3.0])
    assert [x.status for x in loaded.plan.tasks] == ["succeeded", "succeeded", "failed"]
    assert "status-differs" not in codes(loaded)


@pytest.mark.parametrize(
    ("status", "completed", "failed", "state"),
    [
        ("pending", [1], [], "pending"),
        ("completed", [], [], "succeeded"),
        ("completed", [1], [1], "succeeded"),
        ("failed", [], [], "failed"),
        ("in-progress", [], [1], "running"),
    ],
)
def test_a_phase_counts_before_the_lists(status: str, completed: list[int], failed: list[int], state: str) -> None:
    loaded = read({"status": status}, completedPhaseNumbers=completed, failedPhaseNumbers=failed)
    assert tasks(loaded)["1"].status == state
    assert (found(loaded, "status-differs").severity, found(loaded, "status-differs").tasks) == ("info", ("1",))


def test_numbers_of_no_phase_are_told() -> None:
    loaded = read({"status": "completed"}, completedPhaseNumbers=[1, 8])
    assert found(loaded, "status-differs").message.startswith("the plan's lists of numbers name `8`")


WRITTEN = {"succeeded": "succeeded", "failed": "failed", "running": "running"}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_r6_4_what_is_written_reads_back_and_the_rest_stays(path: Path) -> None:
    data, chance = path.read_bytes(), random.Random(5)
    loaded = load("x", data)
    write = loaded.write_statuses
    assert write is not None
    states = {task.id: task.status for task in loaded.plan.tasks}
    assert write(data, {}) == write(data, states) == write(data, {"nobody": "failed"}) == data
    for _ in range(30):
        wanted = {id: chance.choice([*WRITTEN, "pending", "skipped", "cancelled"]) for id in states}
        written = write(data, wanted)
        again = load("x", written)
        assert {x.id: x.status for x in again.plan.tasks} == {id: WRITTEN.get(x, "pending") for id, x in wanted.items()}
        assert write(written, wanted) == written
        assert "status-differs" not in codes(again)
        assert without_states(written) == without_states(data)


def without_states(data: bytes) -> object:
    kept = {"status", "completedPhaseNumbers", "failedPhaseNumbers", "currentPhaseNumber"}
    return json.loads(
        data.decode("utf-8-sig"), object_hook=lambda x: {key: value for key, value in x.items() if key not in kept}
    )


def written(data: bytes, states: dict[str, str]) -> bytes:
    write = load("x", data).write_statuses
    assert write is not None
    return write(data, states)


def test_r6_4_lists_in_the_files_own_spacing() -> None:
    data = sample("dynamic-phases/bakery.json").read_bytes()
    expected = data.replace(b'"currentPhaseNumber": 3', b'"currentPhaseNumber": 4')
    expected = expected.replace(b'    1,\n    2\n  ],\n  "fail', b'    1,\n    2,\n    3\n  ],\n  "fail')
    expected = expected.replace(b'"failedPhaseNumbers": []', b'"failedPhaseNumbers": [\n    5\n  ]')
    head, fifth = expected.split(b'"number": 5,')
    front, third = head.split(b'"number": 3,')
    third = third.replace(b'"status": "pending"', b'"status": "completed"', 1)
    fifth = fifth.replace(b'"status": "pending"', b'"status": "failed"', 1)
    expected = front + b'"number": 3,' + third + b'"number": 5,' + fifth
    assert written(data, {"3": "succeeded", "5": "failed"}) == expected
    back = written(expected, {"3": "pending", "5": "pending"})
    assert back == data


def test_r6_4_a_plan_in_one_line() -> None:
    data = sample("dynamic-phases/answer.json").read_bytes()
    expected = data.replace(b'"status":"failed"', b'"status":"completed"')
    expected = expected.replace(b'"completedPhaseNumbers":[]', b'"completedPhaseNumbers":[1,2]')
    expected = expected.replace(b'"failedPhaseNumbers":[1]', b'"failedPhaseNumbers":[]')
    expected = expected.replace(b'"Alarm form"]', b'"Alarm form"],"status":"completed"')
    expected = expected.replace(b'"currentPhaseNumber":0', b'"currentPhaseNumber":3')
    assert written(data, {"1": "succeeded", "2": "succeeded"}) == expected


def test_r6_4_windows() -> None:
    data = sample("dynamic-phases/stored-crlf.json").read_bytes()
    expected = data.replace(b'"features": [ ], "dependencyNames"', b'"features": [ ], "dependencyNames"')
    expected = expected.replace(b'"Notes" ] }\r\n', b'"Notes" ], "status": "completed" }\r\n')
    expected = expected.replace(b"[ 1.0 ]", b"[ 1.0, 4 ]").replace(b'[\r\n\t\t\t\t"4"\r\n\t\t\t]', b"[]")
    assert written(data, {"4": "succeeded"}) == expected
    assert b'[\r\n\t\t\t\t"4",\r\n\t\t\t\t2\r\n\t\t\t]' in written(data, {"2": "failed"})


def test_r6_4_an_empty_list_gets_the_spacing_of_the_first_other_one() -> None:
    data = b'{"phases": [{"number": 1, "features": [ "a",  "b" ], "testCriteria": [\n"c"\n]}'
    data += b', {"number": 2, "name": "n", "features": []}],'
    after = written(data + b' "failedPhaseNumbers": []}', {"1": "failed", "2": "failed"})
    assert after.endswith(b' "failedPhaseNumbers": [ 1,  2 ]}')


@pytest.mark.parametrize(
    ("now", "states", "current"),
    [
        (0, {"1": "running"}, 1),
        (1, {"1": "succeeded"}, 2),
        (1, {"1": "succeeded", "3": "running"}, 3),
        (1, {"1": "failed", "2": "succeeded"}, 1),
        (1, {"1": "succeeded", "2": "succeeded", "3": "succeeded"}, 4),
        (0, {}, 0),
        ("1", {"1": "succeeded"}, "1"),
        (None, {"1": "succeeded"}, None),
    ],
)
def test_r6_4_the_number_whose_turn_it_is_follows(now: object, states: dict[str, str], current: object) -> None:
    data = plan({}, {}, {}, currentPhaseNumber=now)
    assert json.loads(written(data, states))["currentPhaseNumber"] == current


def test_r6_4_a_file_without_lists_gets_none() -> None:
    assert set(json.loads(written(plan({}), {"1": "succeeded"}))) == {"appName", "phases"}


def test_r6_4_what_is_skipped_stays_so_and_is_passed_over() -> None:
    data = plan({}, {"status": "skipped"}, {}, currentPhaseNumber=1)
    after = json.loads(written(data, {"1": "succeeded"}))
    assert [x.get("status") for x in after["phases"]] == ["completed", "skipped", None]
    assert after["currentPhaseNumber"] == 3


@pytest.mark.parametrize("number", ["\u0663", "9" * 5000, "2.50", "x\\y", -1, 2.5, 10**20])
def test_r6_4_odd_numbers_are_listed_so_that_they_read_back(number: object) -> None:
    data = plan({"number": number}, {}, currentPhaseNumber=0, completedPhaseNumbers=[], failedPhaseNumbers=[])
    (id, _) = tasks(load("x", data))
    after = written(data, {id: "failed", "2": "succeeded"})
    again = load("x", after)
    assert {x.id: x.status for x in again.plan.tasks} == {id: "failed", "2": "succeeded"}
    assert "status-differs" not in codes(again)


def test_a_broken_file_is_refused() -> None:
    write = read({}).write_statuses
    assert write is not None
    with pytest.raises(PlanError):
        write(b'{"phases": [', {})
    assert write(b"[]", {"1": "succeeded"}) == b"[]"


# --- times and remarks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("3-4 min", 210.0), ("2–3 min", 150.0), ("5 to 7 minutes", 360.0), ("10 minutes", 600.0), ("Instant", 1.0)),
        *(("1h", 3600.0), ("1h 30m", 5400.0), ("1h30m", 5400.0), ("~ 2 hours", 7200.0), ("30s", 30.0)),
        *(("1 hour, 5 min", 3900.0), ("30 s - 1 min", 45.0), ("1-2 days", 129600.0), ("< 5 min", 300.0)),
        *(("4", 240.0), (4, 240.0), (1.5, 90.0)),
        *((0, None), (-3, None), (True, None), (None, None), ("soon", None), ("", None), ("1e9", None), ([], None)),
        *(("9" * 50, None), ("999999 weeks", None), (10**400, None)),
    ],
)  # fmt: skip
def test_times(text: object, seconds: float | None) -> None:
    assert estimate_s(text) == seconds


def test_a_total_that_is_not_the_number_of_phases() -> None:
    finding = found(read({}, {}, totalPhases=5), "phase-count")
    assert (finding.severity, finding.message) == ("warning", "`totalPhases` is the number 5, but the plan has 2")
    assert "phase-count" not in codes(read({}, {}, totalPhases="2"))


def test_phases_without_features() -> None:
    finding = found(read({"features": []}, {"features": None}, {"features": "One"}), "no-features")
    assert (finding.severity, finding.tasks) == ("warning", ("1", "2"))
    assert "no-features" not in codes(read({"features": [], "featureDetails": [{"originalFeature": {"name": "x"}}]}))


def test_phases_that_are_too_large() -> None:
    loaded = read({"estimatedTokens": 24_000}, {"estimatedTokens": 24_001}, {"estimatedTokens": "x"})
    assert (found(loaded, "large-phase").severity, found(loaded, "large-phase").tasks) == ("info", ("2",))


def test_two_phases_of_one_number_are_an_error_with_a_place() -> None:
    loaded = read({}, {"number": "1"})
    (finding,) = (x for x in lint(loaded.plan, loaded.places) if x.code == "duplicate-id")
    assert finding.location is not None
    assert finding.location.column > 50
