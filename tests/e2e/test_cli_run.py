"""The command line from a plan file to a landed result, with real git and real processes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.toy import Toy

WRITE_OWN_FILE = "shell: echo $STRETTO_TASK > $STRETTO_TASK.txt"
GATES = """\
name: gates
defaults: {attempts: 1}
phases:
  - id: p
    tasks:
      - {id: a, prompt: x, writes: [a.txt], verify: ["test -s a.txt"]}
      - {id: b, prompt: x, writes: [b.txt], verify: ["false"]}
      - {id: c, prompt: x, writes: [c.txt], verify: ["grep -q c c.txt"]}
"""
TWO = """\
name: two
phases:
  - id: p
    tasks:
      - {id: a, prompt_file: a.md, context: [notes.md], writes: [a.txt]}
      - {id: b, prompt: write b.txt hello, writes: [b.txt], depends_on: [a]}
"""


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    toy = Toy(tmp_path, {"README": "hi\n"})
    (tmp_path / "gates.yaml").write_text(GATES)
    (tmp_path / "two.yaml").write_text(TWO)
    (tmp_path / "a.md").write_text("write a.txt from a file\n")
    (tmp_path / "notes.md").write_text("as it was at the start\n")
    return toy


def test_one_red_gate_and_the_others_land(toy: Toy) -> None:
    """The acceptance check 1-gates, and what every verb says of it."""
    toy.stretto("run", "../gates.yaml", "--agent", WRITE_OWN_FILE, "--yes", code=1)
    assert toy.states() == {"a": "succeeded", "b": "failed", "c": "succeeded"}
    assert toy.git("ls-tree", "--name-only", toy.branch()).split() == ["README", "a.txt", "c.txt"]
    assert toy.git("status", "--porcelain") == ""
    assert "exit status 1" in toy.stretto("explain", "b").stdout
    assert [
        past["failure"]["kind"] for past in json.loads(toy.stretto("explain", "b", "--json").stdout)["attempts"]
    ] == ["gate"]
    (row,) = json.loads(toy.stretto("runs", "--json").stdout)
    assert (row["state"], row["counts"]["failed"]) == ("failed", 1)
    assert toy.stretto("resume", code=1).stdout.startswith(row["run"])


def test_r6_3_run_and_land(toy: Toy) -> None:
    toy.stretto("run", "../two.yaml", "--agent", "scripted", "--yes", "--land")
    assert (toy.repository / "a.txt").read_text() == "from a file\n"
    assert (toy.repository / "b.txt").read_text() == "hello\n"
    assert toy.git("status", "--porcelain") == ""
    assert "already" in toy.stretto("land").stdout


def test_r8_7_texts_are_read_once_and_kept(toy: Toy) -> None:
    agent = "shell: cp $STRETTO_PROMPT_FILE $STRETTO_TASK.txt; echo later > ../../notes.md || true"
    toy.stretto("run", "../two.yaml", "--agent", agent, "--only", "a", "--yes")
    prompt = toy.git("show", f"{toy.branch()}:a.txt")
    assert "write a.txt from a file" in prompt
    assert "as it was at the start" in prompt


def test_dry_run_writes_nothing(toy: Toy) -> None:
    before = toy.git("for-each-ref")
    done = toy.stretto("run", "../two.yaml", "--agent", "scripted", "--dry-run")
    assert "a → b" in done.stdout
    told = json.loads(toy.stretto("run", "../two.yaml", "--agent", "scripted", "--dry-run", "--json").stdout)
    assert told["levels"] == [["a"], ["b"]]
    assert toy.git("for-each-ref") == before
    assert toy.status() == {}


def test_json_of_a_run_is_one_event_a_line(toy: Toy) -> None:
    done = toy.stretto("run", "../two.yaml", "--agent", "scripted", "--json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[0]["kind"] == "RunStarted"
    assert all(event["at"] > 0 for event in events)
    assert sum(event["kind"] == "BatchLanded" for event in events) == 2
    assert "level 1" in done.stderr


def test_r6_4_landings_of_an_earlier_run_are_built_on(toy: Toy) -> None:
    toy.stretto("run", "../gates.yaml", "--agent", WRITE_OWN_FILE, "--only", "a,c")
    again = toy.stretto("run", "../gates.yaml", "--agent", WRITE_OWN_FILE, "--only", "a", "--yes")
    assert "1 task of the earlier run" in again.stdout or "2 tasks of the earlier run" in again.stdout
    assert "nothing is left to do" in again.stdout
    fresh = toy.stretto("run", "../gates.yaml", "--agent", WRITE_OWN_FILE, "--only", "a", "--base", "HEAD")
    assert "building on" not in fresh.stdout
    assert toy.git("ls-tree", "--name-only", toy.branch()).split() == ["README", "a.txt"]


def test_r8_7_uncommitted_edits_are_named(toy: Toy) -> None:
    toy.write({"README": "changed\n", "new file": "x\n"})
    said = toy.stretto("run", "../two.yaml", "--agent", "scripted", "--dry-run").stdout
    assert "uncommitted edits are not in the run's base: README, new file" in said


def test_retry_and_resume_give_new_tries(toy: Toy) -> None:
    toy.stretto("run", "../gates.yaml", "--agent", WRITE_OWN_FILE, code=1)
    assert "next `stretto resume" in toy.stretto("retry", "b").stdout
    assert "only what failed" in toy.stretto("retry", "b", code=3).stderr  # it has been granted already
    assert "attempt 2 started" in toy.stretto("resume", code=1).stdout
    assert {task["id"]: task["attempts"] for task in toy.status()["tasks"]} == {"a": 1, "b": 2, "c": 1}


def test_an_approval_is_given_while_no_engine_runs(toy: Toy) -> None:
    (toy.root / "ask.yaml").write_text(
        "name: ask\nphases:\n  - id: p\n    tasks:\n"
        "      - {id: a, prompt: x, writes: [a.txt], verify: [{approval: look at it}]}\n"
    )
    said = toy.stretto("run", "../ask.yaml", "--agent", WRITE_OWN_FILE, code=4).stdout
    assert f"stretto approve a --run {toy.status()['run']}" in said
    assert toy.status()["state"] == "paused"
    toy.stretto("approve", "a", "--note", "fine")
    toy.stretto("resume")
    assert toy.states() == {"a": "succeeded"}


# --- refusals ------------------------------------------------------------------------------------------------------


def refused(toy: Toy, *args: str, code: int = 2) -> tuple[str, str]:
    """(message, hint) of an error, which is all that it says."""
    error = toy.stretto(*args, code=code).stderr.splitlines()[-2:]
    assert [text.split(": ")[0] for text in error] == ["error", "hint"], error
    return error[0], error[1]


def test_bad_input_is_refused_before_anything_starts(toy: Toy) -> None:
    (toy.root / "bad.yaml").write_text("name: bad\nphases:\n  - id: p\n    tasks: [{id: a, promt: x}]\n")
    before = toy.git("for-each-ref")
    message, _ = refused(toy, "run", "../bad.yaml", "--agent", "scripted")
    assert "bad.yaml:4:" in message
    assert refused(toy, "run", "../two.yaml")[1].startswith("hint: --agent scripted")
    assert "no agent 'scriptd'" in refused(toy, "run", "../two.yaml", "--agent", "scriptd")[0]
    assert "did you mean" in refused(toy, "run", "../twoo.yaml", "--agent", "scripted")[1]
    assert "no task 'aa'" in refused(toy, "run", "../two.yaml", "--agent", "scripted", "--only", "aa")[0]
    assert "no commit 'nowhere'" in refused(toy, "run", "../two.yaml", "--agent", "scripted", "--base", "nowhere")[0]
    assert "exists already" in refused(toy, "run", "../two.yaml", "--agent", "scripted", "--branch", "main")[0]
    assert "no run of this repository" in refused(toy, "status", code=3)[0]
    assert toy.git("for-each-ref") == before


def test_places_that_cannot_carry_a_run(toy: Toy) -> None:
    plan = str(toy.root / "two.yaml")
    for folder, setting_up, message in (
        ("nowhere", [], "is not in a git repository"),
        ("empty", ["init", "-q"], "has no commit yet"),
        ("bare", ["init", "-q", "--bare"], "is not in a work tree"),
    ):
        (toy.root / folder).mkdir()
        toy.repository = toy.root / folder
        if setting_up:
            toy.git(*setting_up)
        error, *hint = toy.stretto("run", plan, "--agent", "scripted", code=2).stderr.splitlines()
        assert error.startswith("error: ") and message in error
        assert hint[0].startswith("hint: ") and len(hint) == 2
        # What can be copied stands at the end of a line, behind a colon, and works as it stands.
        way_out = hint[1].rpartition(": ")[2].split()
        assert way_out == ["--isolation", "none"]
        toy.stretto("run", plan, "--agent", "scripted", "--dry-run", *way_out)


def test_check_and_show_need_no_repository(toy: Toy) -> None:
    toy.repository = toy.root
    told = json.loads(toy.stretto("check", "gates.yaml", "--json").stdout)
    assert (told["ok"], told["format"], told["plan"]) == (True, "stretto", "gates")
    shown = json.loads(toy.stretto("show", "two.yaml", "--format", "json").stdout)
    assert shown["critical_path"] == ["a", "b"]
    (toy.root / "bad.yaml").write_text("name: bad\nphases:\n  - id: p\n    tasks: [{id: a, promt: x}]\n")
    (finding, *_) = json.loads(toy.stretto("check", "bad.yaml", "--json", code=2).stdout)["findings"]
    assert set(finding) == {"code", "severity", "message", "location", "hint", "tasks"}
    assert finding["location"]["line"] == 4
    toy.stretto("check", "missing.yaml", code=2)
    overlap = (
        "name: o\nphases:\n  - id: p\n    tasks: [{id: a, prompt: x, writes: [f]}, {id: b, prompt: x, writes: [f]}]\n"
    )
    (toy.root / "overlap.yaml").write_text(overlap)
    toy.stretto("check", "overlap.yaml")
    toy.stretto("check", "overlap.yaml", "--fail-on", "warning", code=2)
    toy.stretto("check", "overlap.yaml", "--conflicts", "refuse", code=2)


def test_show_draws_a_plan_in_every_format(toy: Toy) -> None:
    toy.repository = toy.root
    for kind, first in (
        ("mermaid", "flowchart LR"),
        ("dot", "digraph "),
        ("svg", "<svg "),
        ("html", "<!doctype html>"),
    ):
        drawn = toy.stretto("show", "two.yaml", "--format", kind).stdout
        assert drawn.startswith(first)
        assert "12m00s" in drawn
    text = toy.stretto("show", "two.yaml").stdout
    assert "Graph: what waits for what\n  a → b\n" in text
    told = json.loads(toy.stretto("show", "two.yaml", "--json").stdout)
    assert told["recommended"] == {"workers": 1, "command": "stretto run two.yaml -j 1"}
    assert (
        "there are text, json, mermaid, dot, svg and html"
        in toy.stretto("show", "two.yaml", "--format", "x", code=2).stderr
    )
    assert "leave --format out" in toy.stretto("show", "two.yaml", "--prompt", "a", "--format", "svg", code=2).stderr
    assert "contradict" in toy.stretto("show", "two.yaml", "--json", "--format", "svg", code=2).stderr


# --- the front -----------------------------------------------------------------------------------------------------


def test_a_run_goes_on_when_nobody_reads_its_output(toy: Toy) -> None:
    agent = WRITE_OWN_FILE.replace("shell: ", "shell: sleep 0.5; ")  # what it says comes when grep has gone
    command = f"{sys.executable} -m stretto run ../gates.yaml --only a,c --agent '{agent}' | grep -m 1 started"
    argv = ["bash", "-o", "pipefail", "-c", command]
    done = subprocess.run(argv, cwd=toy.repository, env=toy.env, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert set(toy.states().values()) == {"succeeded"}


def test_r8_3_an_agent_sees_its_own_run_and_steers_nothing(toy: Toy) -> None:
    agent = f"shell: p='{sys.executable} -m stretto'; $p status --json > a.txt; $p stop; echo stop: $? >> a.txt"
    toy.stretto("run", "../gates.yaml", "--only", "a", "--agent", agent)
    told, _, refusal = toy.git("show", f"{toy.branch()}:a.txt").rpartition("stop: ")
    assert json.loads(told)["run"] == toy.status()["run"]
    assert refusal == "2\n"
    assert "not allowed inside an attempt" in toy.stretto("logs", "a").stdout


def test_resume_without_need_says_so(toy: Toy) -> None:
    toy.stretto("run", "../gates.yaml", "--only", "a", "--agent", WRITE_OWN_FILE)
    assert "has succeeded" in toy.stretto("resume").stdout
    assert "nothing runs" in toy.stretto("stop").stdout
    assert "only what failed" in toy.stretto("retry", "a", code=3).stderr
    assert "did you mean" in toy.stretto("explain", "aa", code=2).stderr
    assert "has attempts 1 to 1" in toy.stretto("logs", "a", "--attempt", "2", code=3).stderr
