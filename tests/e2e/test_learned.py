"""Two runs of one repository: what the first has shown, the second heeds, and says so before it starts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from e2e.toy import Toy

AGENT = "shell: test $(wc -c < $STRETTO_PROMPT_FILE) -lt 4000 || sleep 1.5; echo x > $STRETTO_TASK.txt"
"""The more it is told the longer it takes, as with any agent."""
LONG = "x" * 5000


def plan(toy: Toy, name: str, *tasks: tuple[str, str], **more: Any) -> str:
    """Write a plan of (id, prompt)."""
    path = toy.root / f"{name}.json"
    members = [{"id": id, "prompt": prompt, "writes": [f"{id}.txt"], **more} for id, prompt in tasks]
    path.write_text(json.dumps({"name": name, "phases": [{"id": "p", "tasks": members}]}))
    return str(path)


def events(toy: Toy, *words: str) -> list[dict[str, Any]]:
    said = toy.stretto("run", *words, "--yes", "--json", "--base", "HEAD").stdout
    return [json.loads(line) for line in said.splitlines()]


def starts(told: list[dict[str, Any]]) -> list[str]:
    return [event["task"] for event in told if event["kind"] == "AttemptStarted"]


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    return Toy(tmp_path, {"README": "hi\n"})


def test_r10_1_the_second_run_starts_with_what_took_long_in_the_first(toy: Toy) -> None:
    first = plan(toy, "first", *[(f"s{i}", "short") for i in range(3)], *[(f"l{i}", LONG) for i in range(3)])
    told = events(toy, first, "--agent", AGENT, "-j", "6")
    assert told[0]["expected_s"] == {}, "there was nothing to learn from"
    assert {event["agent"] for event in told if event["kind"] == "AttemptStarted"} == {"shell"}

    second = plan(toy, "second", ("quick", "brief"), ("slow", LONG.replace("x", "y")))
    ask = ("--agent", AGENT, "-j", "1")
    preview = json.loads(toy.stretto("run", second, *ask, "--dry-run", "--json").stdout)
    said = toy.stretto("run", second, *ask, "--dry-run").stdout
    assert "as earlier runs have shown for 2 tasks" in said and "assumed" not in said
    told = events(toy, second, *ask)
    expected = told[0]["expected_s"]
    assert set(expected) == {"quick", "slow"} and expected["quick"] < expected["slow"] < 60.0
    assert preview["estimate"]["sequential_s"] == pytest.approx(sum(expected.values()))
    assert starts(told) == ["slow", "quick"]

    other = plan(toy, "third", ("quick", "brief"), ("slow", LONG))
    told = events(toy, other, "--agent", AGENT.replace("sleep 1.5", "true"), "-j", "1")
    assert told[0]["expected_s"] == {}, "another command of the same name has shown nothing"
    assert starts(told) == ["quick", "slow"]

    estimated = plan(toy, "fourth", ("quick", "brief"), ("slow", LONG), estimate="1h")
    told = events(toy, estimated, *ask)
    assert (told[0]["expected_s"], starts(told)) == ({}, ["quick", "slow"])


def test_r10_1_damaged_runs_teach_nothing_and_harm_nothing(toy: Toy) -> None:
    told = events(toy, plan(toy, "first", *[(f"s{i}", "short") for i in range(3)]), "--agent", AGENT)
    (journal,) = toy.state.glob("*/runs/*/journal.sqlite3")
    journal.write_bytes(b"not a journal")
    second = plan(toy, "second", ("quick", "brief"))
    told = events(toy, second, "--agent", AGENT)
    assert told[0]["expected_s"] == {}
    assert toy.states() == {"quick": "succeeded"}
