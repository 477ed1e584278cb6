"""Giving a run up: what it holds stays, nobody goes on with it, and it can be taken back."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from e2e.toy import Toy, until

PLAN = """
name: two
tasks:
  - {id: a, prompt: write a.txt hi, writes: [a.txt]}
  - {id: b, prompt: "write b.txt half\\nwait GO", writes: [b.txt], depends_on: [a]}
"""


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    return Toy(tmp_path, {"README": "hi\n", "p.yaml": PLAN.replace("GO", str(tmp_path / "go"))})


def killed(toy: Toy) -> str:
    """A run whose engine died when `a` had landed and `b` was half done; its name."""
    front = toy.front("run", "p.yaml", "--agent", "scripted")
    until(lambda: list(toy.state.glob("*/worktrees/*/*/b.txt")), f"b is half done; said: {toy.said()}")
    os.kill(toy.status()["engine"]["pid"], signal.SIGKILL)
    assert front.wait(timeout=60) == 3
    until(lambda: not toy.processes(), "all of it is gone")
    return str(toy.status()["run"])


def test_r6_4_an_abandoned_run_is_in_nobodys_way_and_its_work_stays(toy: Toy) -> None:
    run = killed(toy)
    said = toy.stretto("run", "p.yaml", "--agent", "scripted", code=3).stderr
    assert f"stretto abandon {run}" in said
    toy.stretto("abandon", "--yes")
    assert toy.status()["state"] == "abandoned"
    assert toy.git("show", f"refs/stretto/{run}/task/b-3e23e816/1:b.txt") == "half\n", "its work is safe"
    assert toy.git("show", f"stretto/{run}:a.txt") == "hi\n"
    (toy.root / "go").touch()
    again = toy.stretto("run", "p.yaml", "--agent", "scripted")
    assert "building on" not in again.stdout
    assert toy.states() == {"a": "succeeded", "b": "succeeded"}
    assert toy.git("log", "--format=%s", f"main..{toy.branch()}", "--", "a.txt"), "a was done again, not built on"


def test_r6_4_landings_of_an_abandoned_run_are_not_built_on(toy: Toy) -> None:
    (toy.root / "go").touch()
    toy.stretto("run", "p.yaml", "--agent", "scripted")
    run = toy.status()["run"]
    assert "building on them" in toy.stretto("run", "p.yaml", "--agent", "scripted").stdout
    toy.stretto("abandon", run)
    dry = toy.stretto("run", "p.yaml", "--agent", "scripted", "--dry-run").stdout
    assert "building on" not in dry
    toy.stretto("run", "p.yaml", "--agent", "scripted")
    assert toy.status()["run"] != run


@pytest.mark.parametrize("verb", [["resume"], ["land"], ["retry", "b"], ["cancel", "b"]], ids=lambda words: words[0])
def test_r6_4_whoever_would_go_on_is_told_how_to_take_it_back(toy: Toy, verb: list[str]) -> None:
    run = killed(toy)
    toy.stretto("abandon")
    said = toy.stretto(*verb, code=3).stderr
    assert f"{run} has been abandoned" in said
    assert f"stretto abandon {run} --undo" in said


def test_r6_4_an_abandoned_run_that_is_taken_back_goes_on_from_its_saved_work(toy: Toy) -> None:
    run = killed(toy)
    told = json.loads(toy.stretto("abandon", "--json").stdout)
    assert (told["run"], told["state"]) == (run, "abandoned")
    assert [(one["task"], one["attempt"]) for one in told["saved"]] == [("b", 1)]
    assert "already" in toy.stretto("abandon").stdout
    assert "stretto clean" in toy.stretto("status").stdout
    assert "abandoned" in toy.stretto("runs").stdout
    assert "abandoned" in toy.stretto("explain", "b").stdout
    toy.stretto("abandon", "--undo")
    toy.stretto("abandon", "--undo", code=3)
    (toy.root / "go").touch()
    toy.stretto("resume")
    assert toy.states() == {"a": "succeeded", "b": "succeeded"}


def test_r6_4_a_living_run_and_a_delivered_one_are_not_abandoned(toy: Toy) -> None:
    front = toy.front("run", "p.yaml", "--agent", "scripted")
    until(lambda: toy.states().get("b") == "running", f"b runs; said: {toy.said()}")
    assert "stretto stop" in toy.stretto("abandon", code=3).stderr
    (toy.root / "go").touch()
    assert front.wait(timeout=60) == 0
    toy.stretto("land")
    assert "nothing to give up" in toy.stretto("abandon", code=3).stderr
    assert toy.status()["state"] == "succeeded"


def test_r6_4_who_names_no_run_means_one_that_is_unfinished_not_one_that_was_given_up(toy: Toy) -> None:
    older = killed(toy)
    toy.stretto("run", "p.yaml", "--agent", "scripted", "--new", "--only", "a", "--ignore-status")
    given_up = str(toy.status()["run"])
    toy.stretto("abandon")
    assert toy.status()["run"] == older != given_up
    assert "already" in toy.stretto("abandon").stdout, "it is not the next one's turn"
    head = toy.git("rev-parse", "HEAD")
    assert given_up in toy.stretto("land", code=3).stderr
    assert toy.git("rev-parse", "HEAD") == head, "nor does the user's branch move to a run that nobody has named"
    (toy.root / "go").touch()
    toy.stretto("resume")
    assert set(toy.states(older).values()) == {"succeeded"}
    assert toy.status()["run"] == given_up, "nothing is unfinished any more"
