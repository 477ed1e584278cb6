"""Runs that nobody follows, and runs that somebody follows from elsewhere, without a terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.held import WAIT_FOR_GO, Held
from e2e.toy import until
from stretto.core.events import Noticed
from stretto.engine.home import RunHome
from stretto.engine.launch import DETACHED, engine_argv, start
from stretto.engine.reader import SqliteReader

PLAN = "name: two\ntasks: [{id: a, prompt: x, writes: [a.txt]}, {id: b, prompt: x, writes: [b.txt], depends_on: [a]}]\n"
ASKS = "name: asks\ntasks: [{id: a, prompt: write a.txt hi, writes: [a.txt], verify: {approval: ok?}}]\n"


@pytest.fixture
def toy(tmp_path: Path) -> Held:
    return Held(tmp_path, {"plan.yaml": PLAN, "asks.yaml": ASKS})


def ended(toy: Held) -> str:
    until(lambda: toy.status()["engine"] is None, "the engine goes")
    until(lambda: not toy.processes(), f"nothing is left: {toy.processes()}")
    return str(toy.status()["state"])


def test_run_detach_says_how_to_come_back_and_the_run_goes_on(toy: Held) -> None:
    said = toy.stretto("run", "plan.yaml", "--agent", WAIT_FOR_GO, "--detach").stdout
    status = toy.status()
    assert (status["state"], bool(status["engine"])) == ("running", True)
    last = said.splitlines()[-3:]
    run = status["run"]
    assert last == [f"{run} runs in the background", f"  stretto status {run} --watch", f"  stretto stop {run}"]
    toy.go()
    assert ended(toy) == "succeeded"


def test_run_detach_json_is_one_object(toy: Held) -> None:
    done = toy.stretto("run", "plan.yaml", "--agent", WAIT_FOR_GO, "--detach", "--json")
    told, status = json.loads(done.stdout), toy.status()
    assert told == {"run": status["run"], "branch": status["branch"], "engine": status["engine"]}
    assert told["engine"]["pid"]
    toy.stretto("stop", "--now")
    assert ended(toy) == "stopped"


def test_resume_detach_goes_on_in_the_background(toy: Held) -> None:
    toy.stretto("run", "plan.yaml", "--agent", WAIT_FOR_GO, "--detach")
    toy.stretto("stop", "--now")
    assert ended(toy) == "stopped"
    toy.go()
    assert "runs in the background" in toy.stretto("resume", "--detach").stdout
    assert ended(toy) == "succeeded"


def test_r9_2_a_run_without_a_front_is_paused_where_a_person_has_to_approve(toy: Held) -> None:
    toy.stretto("run", "asks.yaml", "--agent", "scripted", "--detach")
    assert ended(toy) == "paused"
    toy.stretto("approve", "a")
    toy.stretto("resume", "--detach")
    assert ended(toy) == "succeeded"


def test_detach_and_land_contradict_each_other(toy: Held) -> None:
    refused = toy.stretto("run", "plan.yaml", "--agent", WAIT_FOR_GO, "--detach", "--land", code=2).stderr
    assert "--detach leaves nobody who could --land" in refused
    assert toy.status() == {}


def test_an_engine_that_cannot_begin_is_told_although_nobody_stays(toy: Held) -> None:
    toy.stretto("run", "plan.yaml", "--agent", WAIT_FOR_GO, "--detach")
    toy.stretto("stop", "--now")
    assert ended(toy) == "stopped"
    (launch,) = toy.state.glob("*/runs/*/launch.json")
    launch.write_text(launch.read_text().replace('"shell"', '"nobody"'))
    done = toy.stretto("resume", "--detach", code=None)
    assert done.returncode != 0
    assert "error: " in done.stderr
    assert "runs in the background" not in done.stdout


def test_r8_2_detached_the_end_of_the_control_pipe_means_nothing(toy: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    """The word and the end may come before the engine listens, and together."""
    home, warden = _started(toy, monkeypatch)
    assert warden.stdin is not None
    warden.stdin.write(b"detach\n")
    warden.stdin.close()
    until(lambda: toy.states().get("a") == "running", "it runs")
    assert toy.status()["state"] == "running"
    toy.go()
    assert warden.wait(timeout=60) == 0
    notices = [one.event.code for one in SqliteReader(home).events() if isinstance(one.event, Noticed)]
    assert notices.count(DETACHED) == 1


def test_r8_2_without_the_word_the_end_of_the_control_pipe_drains(toy: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    _, warden = _started(toy, monkeypatch)
    until(lambda: toy.states().get("a") == "running", "it runs")
    assert warden.stdin is not None
    warden.stdin.close()
    until(lambda: toy.status()["state"] == "draining", "it drains")
    toy.go()
    assert warden.wait(timeout=60) == 130


def _started(toy: Held, monkeypatch: pytest.MonkeyPatch) -> tuple[RunHome, subprocess.Popen[bytes]]:
    """A run that was stopped, and its next engine, started by the test in place of a front."""
    toy.stretto("run", "plan.yaml", "--agent", WAIT_FOR_GO, "--detach")
    toy.stretto("stop", "--now")
    assert ended(toy) == "stopped"
    (run,) = toy.state.glob("*/runs/*")
    for name in ("MARK", "STRETTO_STATE_DIR"):
        monkeypatch.setenv(name, toy.env[name])
    home = RunHome(path=run)
    return home, start(home, argv=engine_argv(home))


def test_watch_without_a_terminal_is_the_status_and_then_lines(toy: Held) -> None:
    toy.stretto("run", "plan.yaml", "--agent", WAIT_FOR_GO, "--detach")
    toy.began(1)
    watch = toy.front("status", "--watch")
    until(lambda: "a  running" in toy.said(), "the status is printed")
    toy.go()
    assert watch.wait(timeout=60) == 0
    said = toy.said()
    assert "a  attempt 1 started" not in said, "that was before"
    assert "b  attempt 1 started" in said
    assert "2 succeeded; took" in said
    ended(toy)


def test_watch_json_is_a_status_a_line_whenever_it_changes(toy: Held) -> None:
    toy.stretto("run", "plan.yaml", "--agent", WAIT_FOR_GO, "--detach")
    toy.began(1)
    watch = toy.front("status", "--watch", "--json")
    until(lambda: toy.said(), "the first line")
    toy.go()
    assert watch.wait(timeout=60) == 0
    lines = toy.said().splitlines()
    statuses = [json.loads(line) for line in lines]
    assert len(set(lines)) == len(lines), "only what has changed"
    assert statuses[0]["counts"]["running"] == 1
    assert statuses[-1]["counts"]["succeeded"] == 2
    assert statuses[-1]["state"] == "succeeded"
    assert statuses[-1] == toy.status()
    ended(toy)


def test_watch_of_a_run_that_has_ended_says_how_and_ends(toy: Held) -> None:
    toy.go()
    toy.stretto("run", "plan.yaml", "--agent", WAIT_FOR_GO)
    said = toy.stretto("status", "--watch").stdout
    assert "2 tasks: 2 succeeded" in said
    assert f"next: stretto land {toy.status()['run']}" in said
    (line,) = toy.stretto("status", "--watch", "--json").stdout.splitlines()
    assert json.loads(line) == toy.status()


def test_watch_of_a_run_whose_engine_is_killed_ends_with_the_way_on(toy: Held) -> None:
    toy.stretto("run", "plan.yaml", "--agent", WAIT_FOR_GO, "--detach")
    toy.began(1)
    watch = toy.front("status", "--watch")
    until(lambda: "a  running" in toy.said(), "the status is printed")
    os.kill(toy.status()["engine"]["pid"], signal.SIGKILL)
    assert watch.wait(timeout=60) == 0
    assert "was killed" in toy.said()
    assert "stretto resume" in toy.said()
    toy.go()
    toy.stretto("resume")


def test_an_interrupt_ends_a_watch_and_not_the_run(toy: Held) -> None:
    toy.stretto("run", "plan.yaml", "--agent", WAIT_FOR_GO, "--detach")
    watch = toy.front("status", "--watch")
    until(lambda: "pending" in toy.said(), "the status is printed")
    watch.send_signal(signal.SIGINT)
    assert watch.wait(timeout=60) == 130
    assert "Traceback" not in toy.said()
    assert toy.status()["state"] == "running"
    toy.go()
    assert ended(toy) == "succeeded"


def test_a_watch_whose_reader_has_gone_ends_without_a_word(toy: Held) -> None:
    toy.stretto("run", "plan.yaml", "--agent", WAIT_FOR_GO, "--detach")
    toy.go()
    done = subprocess.run(
        f"{sys.executable} -m stretto status --watch --json | head -c 1", shell=True, cwd=toy.repository, env=toy.env,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stderr == ""
    ended(toy)
