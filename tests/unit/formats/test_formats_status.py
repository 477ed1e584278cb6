"""R6.4: statuses written into a plan file change nothing else in it."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest

from stretto.errors import PlanError
from stretto.formats.auto_claude.status import write_statuses
from stretto.formats.load import load
from unit.formats.corpus import needs_corpus, real, sample

WRITTEN = {
    "succeeded": "succeeded",
    "failed": "failed",
    "running": "running",
    "pending": "pending",
    "skipped": "pending",
    "cancelled": "pending",
}
PLANS = sorted(path for path in sample("auto-claude").iterdir()) + real()


def statuses(data: bytes) -> dict[str, str]:
    return {task.id: task.status for task in load("plan", data).plan.tasks}


def plan(states: list[str | None], **more: object) -> bytes:
    subtasks = [{"id": str(i), "description": "d", **({"status": x} if x else {})} for i, x in enumerate(states)]
    return json.dumps({"feature": "F", "phases": [{"id": "p", "subtasks": subtasks}], **more}).encode()


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.name)
def test_r6_4_what_is_written_reads_back(path: Path) -> None:
    data, chance = path.read_bytes(), random.Random(7)
    ids = list(statuses(data))
    for _ in range(12):
        wanted = {id: chance.choice(list(WRITTEN)) for id in ids}
        written = write_statuses(data, wanted)
        assert statuses(written) == {id: WRITTEN[status] for id, status in wanted.items()}
        assert write_statuses(written, wanted) == written


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.name)
def test_r6_4_nothing_to_say_changes_nothing(path: Path) -> None:
    data = path.read_bytes()
    assert write_statuses(data, {}) == data
    assert write_statuses(data, statuses(data)) == data
    assert write_statuses(data, {"nobody": "succeeded"}) == data


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.name)
def test_r6_4_every_byte_but_the_statuses_stays(path: Path) -> None:
    data = path.read_bytes()
    written = write_statuses(data, dict.fromkeys(statuses(data), "failed"))

    def without(text: bytes) -> bytes:
        return re.sub(rb',?\s*"(?:status|planStatus)"\s*:\s*"[^"]*"', b"", text)

    assert without(written) == without(data)
    assert (written == data) is (not statuses(data))


def test_exact_bytes_one_line() -> None:
    data = sample("auto-claude/one-line.json").read_bytes()
    expected = data.replace(b'"b","status":"pending"', b'"b","status":"failed"')
    expected = expected.replace(b'\xc3\xa9"}', b'\xc3\xa9","status":"completed"}')
    expected = expected.replace(b'"backlog","planStatus":"pending"', b'"in_progress","planStatus":"in_progress"')
    assert write_statuses(data, {"a": "succeeded", "b": "failed"}) == expected


def test_exact_bytes_windows() -> None:
    data = sample("auto-claude/crlf.json").read_bytes()
    expected = data.replace(b'"d"\r\n', b'"d",\r\n\t\t\t"status": "completed"\r\n')
    assert write_statuses(data, {"a": "succeeded"}) == expected


def test_a_byte_order_mark_stays() -> None:
    data = b"\xef\xbb\xbf" + plan(["pending"])
    assert write_statuses(data, {"0": "succeeded"}) == data.replace(b"pending", b"completed")


def test_a_lone_id_gets_its_status_in_the_same_style() -> None:
    data = b'{"feature": "F", "phases": [{"subtasks": [{ "id" : 1.10 }]}]}'
    assert b'[{ "id" : 1.10, "status" : "failed" }]' in write_statuses(data, {"1.10": "failed"})


def test_null_and_other_words_are_replaced_where_they_say_something_else() -> None:
    data = plan(["done", "Not Started", "blocked"])
    assert write_statuses(data, {"0": "succeeded", "1": "pending", "2": "cancelled"}) == data
    assert b'"failed"' in write_statuses(data.replace(b'"done"', b"null"), {"0": "failed"})


@pytest.mark.parametrize(
    ("before", "now", "keys", "expected"),
    [
        ("pending", "running", ("backlog", None), ("in_progress", None)),
        ("pending", "succeeded", ("x", "y"), ("ai_review", "review")),
        ("completed", "failed", ("done", "completed"), ("in_progress", "in_progress")),
        ("completed", "pending", ("in_progress", "in_progress"), ("backlog", "pending")),
        ("failed", "pending", ("human_review", "review"), ("human_review", "review")),
        ("completed", "succeeded", ("done", "completed"), ("done", "completed")),
        ("pending", "succeeded", (None, None), (None, None)),
    ],
)
def test_r6_4_the_plan_statuses_follow_as_upstream_derives_them(
    before: str, now: str, keys: tuple[str | None, str | None], expected: tuple[str | None, str | None]
) -> None:
    """None: the file has no such key, and gets none."""
    more = {key: word for key, word in zip(("status", "planStatus"), keys, strict=True) if word}
    written = json.loads(write_statuses(plan([before], **more), {"0": now}))
    assert (written.get("status"), written.get("planStatus")) == expected


def test_r6_4_work_that_was_signed_off_goes_to_people() -> None:
    data = plan(["completed", "pending"], status=None, qa_signoff={"status": "approved"})
    assert json.loads(write_statuses(data, {"1": "succeeded"}))["status"] == "human_review"
    assert json.loads(write_statuses(data, {"1": "running"}))["status"] == "in_progress"


@pytest.mark.parametrize(
    ("now", "word"),
    [
        (["succeeded", "succeeded"], "completed"),
        (["succeeded", "pending"], "in_progress"),
        (["failed", "pending"], "in_progress"),
        (["pending", "pending"], "pending"),
    ],
)
def test_phase_statuses_follow(now: list[str], word: str) -> None:
    data = plan(["in_progress", "in_progress"]).replace(b'"id": "p"', b'"id": "p", "status": "?"')
    written = json.loads(write_statuses(data, {str(i): x for i, x in enumerate(now)}))
    assert written["phases"][0]["status"] == word


def test_times_are_not_touched() -> None:
    data = plan(["pending"], updated_at="then", last_updated="then")
    assert write_statuses(data, {"0": "succeeded"}).count(b'"then"') == 2


def test_a_broken_file_is_refused() -> None:
    with pytest.raises(PlanError):
        write_statuses(b'{"phases": [', {})


@needs_corpus
def test_the_real_plans_are_there() -> None:
    assert len(real()) == 9


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("plan.json", {"feature": "F", "workflow_type": "simple", "phases": [
            {"id": "p", "parallel_safe": True, "subtasks": [{"id": "a", "description": "x", "status": "wobbly"}]}]},
            "pending, in_progress, completed, failed, skipped or cancelled"),
        ("plan.json", {"epicId": "e", "name": "E", "sprints": [{"id": "s", "name": "S", "status": "wobbly"}]},
            "not_started, in_progress, completed, failed, cancelled or deferred"),
        ("plan.json", {"appName": "A", "phases": [
            {"number": 1, "name": "P", "domain": "feature", "features": ["x"], "status": "wobbly"}]},
            "pending, in-progress, completed, failed or skipped"),
        ("plan.json", {"master": {"tasks": [{"id": 1, "title": "t", "dependencies": [], "status": "wobbly"}]}},
            "pending, in-progress, done, cancelled or deferred"),
        ("plan.json", [{"id": "b-1", "title": "t", "issue_type": "task", "status": "wobbly"}],
            "open, in_progress, closed, blocked or tombstone"),
        ("parallel.json", {"plan_name": "P", "parallelization_level": "level_3", "achievements": [
            {"achievement_id": "1.1", "title": "t", "dependencies": [], "status": "wobbly"}]},
            "not_started, subplan_created, execution_created, complete, failed or skipped"),
    ],
)  # fmt: skip
def test_a_status_that_nobody_knows_is_named(file: str, text: object, words: str) -> None:
    found = [x for x in load(file, json.dumps(text).encode()).findings if x.code == "unknown-status"]
    assert len(found) == 1
    assert "is 'wobbly', which is no word that is known; it counts as " in found[0].message
    assert found[0].hint == f"write {words}"


@pytest.mark.parametrize(
    ("file", "text", "marks"),
    [
        ("tasks.md", "# Tasks: F\n\n## Phase 1: A\n\n- [?] T001 Make src/a.py\n- [ ] T002 b\n",
            "[ ] (to be done) or [x] (done)"),
        ("tasks.md", "# Implementation Plan\n\n- [?] 1. Make a\n  - _Requirements: 1.1_\n- [ ] 2. b\n",
            "[ ] (to be done), [-] (begun) or [x] (done)"),
        ("todo.md", "# List\n\n- [?] a\n- [ ] b\n", "[ ] (to be done), [x] (done), [-] (dropped) or [>] (put off)"),
    ],
)  # fmt: skip
def test_a_mark_that_nobody_knows_is_named(file: str, text: str, marks: str) -> None:
    (found,) = [x for x in load(file, text.encode()).findings if x.code == "unknown-status"]
    assert found.message.startswith("[?] of task ")
    assert found.message.endswith("is no mark that is known; it counts as to be done")
    assert found.hint == f"write {marks}"
