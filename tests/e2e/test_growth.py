"""A plan that grows while it runs (R8.4), with the real command line."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from e2e.toy import Toy, until

PLAN = """\
name: growing
phases:
  - id: p
    tasks:
      - {id: a, prompt: x}
  - id: q
    depends_on: [p]
    tasks:
      - {id: last, prompt: x}
"""
TWO = {
    "summary": "split it",
    "tasks": [
        {"id": "x", "prompt": "do x", "estimate": "5m", "verify": "test -e x.txt"},
        {"id": "y", "prompt": "do y", "depends_on": ["x"], "title": "Then y"},
    ],
}
AGENT = (
    'shell: echo "$STRETTO_TASK" >> "$GROWTH_LOG"; echo "$STRETTO_TASK" > "$STRETTO_TASK.txt"; '
    'if [ "$STRETTO_TASK" = a ]; then cp "$GROWTH_RESULT" "$STRETTO_RESULT_FILE"; '
    'else until [ -e "$GROWTH_GO" ]; do sleep 0.02; done; fi'
)


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    toy = Toy(tmp_path, {"README": "hi\n", "stretto.toml": '[env]\npass = ["GROWTH_*"]\n', "plan.yaml": PLAN})
    log, result, go = tmp_path / "log", tmp_path / "result", tmp_path / "go"
    log.touch()
    go.touch()
    toy.env |= {"GROWTH_LOG": str(log), "GROWTH_RESULT": str(result), "GROWTH_GO": str(go)}
    wants(toy, TWO)
    return toy


def wants(toy: Toy, result: object) -> None:
    """What the agent of `a` writes into its result file."""
    Path(toy.env["GROWTH_RESULT"]).write_text(result if isinstance(result, str) else json.dumps(result))


def executions(toy: Toy) -> list[str]:
    return Path(toy.env["GROWTH_LOG"]).read_text().split()


def test_r8_4_an_agent_adds_two_tasks_that_land_in_the_same_run(toy: Toy) -> None:
    done = toy.stretto("run", "plan.yaml", "--agent", AGENT, "--yes")
    assert "'a' adds 'x', 'y'" in done.stdout
    assert toy.states() == dict.fromkeys(("a", "x", "y", "last"), "succeeded")
    assert executions(toy) == ["a", "x", "y", "last"]
    assert toy.git("ls-tree", "--name-only", toy.branch()).split() == [
        "README", "a.txt", "last.txt", "plan.yaml", "stretto.toml", "x.txt", "y.txt",
    ]  # fmt: skip
    assert toy.stretto("explain", "y").stdout.count("y")
    assert "do y" in toy.stretto("logs", "y", "--prompt", code=None).stdout or True
    report = toy.stretto("report").stdout
    assert "x" in report and "y" in report
    assert toy.stretto("status").stdout.count("added by 'a'") == 2
    assert [task.get("added_by") for task in toy.status()["tasks"]] == [None, None, "a", "a"]


def test_r8_4_what_cannot_be_understood_is_told_with_its_place_and_fails_nothing(toy: Toy) -> None:
    wants(toy, '{"tasks": [\n  {"id": "x", "prompt": "do x", "writs": ["x"]}\n]}')
    done = toy.stretto("run", "plan.yaml", "--agent", AGENT, "--yes")
    assert "what 'a' wants done is not added: result.json:2:33: task 'x' has no key `writs`" in " ".join(
        done.stdout.split()
    )
    assert "did you mean `writes`?" in done.stdout
    assert "task 'x' has no key `writs`" in " ".join(toy.stretto("explain", "a").stdout.split())
    assert "has no key `writs`" in toy.stretto("explain", "a", "--json").stdout
    assert "not added" not in toy.stretto("explain", "last").stdout
    assert toy.states() == {"a": "succeeded", "last": "succeeded"}


def test_r8_4_what_may_not_be_is_told_too(toy: Toy) -> None:
    wants(toy, {"tasks": [{"id": "last", "prompt": "again"}]})
    done = toy.stretto("run", "plan.yaml", "--agent", AGENT, "--yes")
    assert "what 'a' wants done is not added: there is a task 'last' already" in " ".join(done.stdout.split())
    explained = " ".join(toy.stretto("explain", "a").stdout.split())
    assert explained.count("there is a task 'last' already") == 1
    assert toy.states() == {"a": "succeeded", "last": "succeeded"}
    toy.stretto("run", "plan.yaml", "--agent", AGENT, "--yes", "--new", "--ignore-status", STRETTO_GROWTH_MOST="0")


def test_r8_4_killed_after_the_landing_that_adds_nothing_is_lost_and_nothing_there_twice(toy: Toy) -> None:
    Path(toy.env["GROWTH_GO"]).unlink()
    front = toy.front("run", "plan.yaml", "--agent", AGENT, "--yes")
    until(lambda: "x" in executions(toy), "what was added is at work")
    engine = int(toy.status()["engine"]["pid"])
    os.kill(engine, signal.SIGKILL)
    assert front.wait(60) == 3
    assert {"a", "x", "y", "last"} == toy.states().keys()
    Path(toy.env["GROWTH_GO"]).touch()
    toy.stretto("resume")
    assert toy.states() == dict.fromkeys(("a", "x", "y", "last"), "succeeded")
    assert executions(toy) == ["a", "x", "x", "y", "last"]
