"""The insides of a real run, also of one that is at work, at any point of its journal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from e2e.held import Held
from e2e.toy import until

SETTINGS = """
[agents.worker]
command = 'echo $STRETTO_TASK > $STRETTO_TASK.txt; until [ -e "$MARK/go" ]; do sleep 0.02; done'
env = {API = "s3cret"}
[env]
pass = ["MARK"]
"""
PLAN = "name: p\ntasks:\n  - {id: a, prompt: x, writes: [a.txt]}\n  - {id: b, prompt: x, depends_on: [a]}\n"


@pytest.fixture
def toy(tmp_path: Path) -> Held:
    return Held(tmp_path, {"README": "hi\n", "stretto.toml": SETTINGS, "p.yaml": PLAN})


def test_a_run_at_work_shows_what_it_holds_and_no_secret(toy: Held) -> None:
    front = toy.front("run", "p.yaml", "--agent", "worker")
    until(lambda: toy.states().get("a") == "running", f"a runs; said: {toy.said()}")
    told = json.loads(toy.stretto("inspect", "--json").stdout)
    assert told["state"]["claims"] == {"a": ["a.txt"]}
    assert told["engine"]["pid"]
    assert told["processes"]["alive"]
    assert told["launch"]["agents"]["worker"]["env"] == {"API": "…"}
    assert f"refs/stretto/{told['run']}/base" in told["refs"]
    assert told["sizes"]["journal.sqlite3"] > 0
    page = toy.stretto("inspect").stdout
    assert "s3cret" not in page
    assert "none alive" not in page
    toy.go()
    assert front.wait(timeout=60) == 0


def test_the_journal_is_told_and_its_past_can_be_seen(toy: Held) -> None:
    toy.go()
    toy.stretto("run", "p.yaml", "--agent", "worker")
    lines = toy.stretto("inspect", "--events").stdout.splitlines()
    assert [int(text.split()[0]) for text in lines] == list(range(1, len(lines) + 1))
    assert lines[0].split()[3] == "RunStarted"
    landed = next(int(text.split()[0]) for text in lines if "BatchLanded" in text)
    told = json.loads(toy.stretto("inspect", "--at", str(landed), "--json").stdout)
    assert [task["state"] for task in told["state"]["tasks"]] == ["succeeded", "ready"]
    assert (
        json.loads(toy.stretto("inspect", "--at", str(landed - 1), "--json").stdout)["state"]["counts"]["landing"] == 1
    )
    only = toy.stretto("inspect", "--events", "--task", "b").stdout.splitlines()
    assert only
    assert all(" b " in text for text in only)
    both = json.loads(toy.stretto("inspect", "--events", "--json", "--task", "b").stdout)
    assert [event["seq"] for event in both["events"]] == [int(text.split()[0]) for text in only]
    assert "events 1 to" in toy.stretto("inspect", "--at", "9999", code=2).stderr
    assert "there is no task" in toy.stretto("inspect", "--task", "c", code=2).stderr
