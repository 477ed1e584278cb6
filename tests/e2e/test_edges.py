"""Rare moments of a real run: full output, a clock set back, a branch that is gone, an engine killed at its end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from e2e.held import WAIT_FOR_GO, Held
from e2e.toy import until
from stretto.core import events as ev

FULL = Path("/dev/full")
PLAN = """\
name: edges
tasks:
  - {id: a, prompt: write a.txt x, writes: [a.txt]}
  - {id: b, prompt: write b.txt x, writes: [b.txt]}
  - {id: c, prompt: write c.txt x, writes: [c.txt]}
"""
ASK = "name: ask\ntasks: [{id: a, prompt: write a.txt x, writes: [a.txt], verify: [{approval: Is it good?}]}]\n"
SCRIPTED = ("run", "../plan.yaml", "--agent", "scripted", "--yes")


@pytest.fixture
def toy(tmp_path: Path) -> Held:
    toy = Held(tmp_path, {"README": "hi\n"})
    (tmp_path / "plan.yaml").write_text(PLAN)
    (tmp_path / "ask.yaml").write_text(ASK)
    return toy


@contextlib.contextmanager
def journal(toy: Held) -> Iterator[sqlite3.Connection]:
    """The journal of the only run, to be looked at or changed by hand."""
    (path,) = toy.state.glob("*/runs/*/journal.sqlite3")
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        yield connection


def facts(toy: Held) -> list[ev.Event]:
    with journal(toy) as connection:
        return [ev.decode(body) for (body,) in connection.execute("SELECT body FROM event ORDER BY seq")]


def notices(toy: Held, code: str) -> list[str]:
    return [fact.message for fact in facts(toy) if isinstance(fact, ev.Noticed) and fact.code == code]


# --- output ------------------------------------------------------------------------------------------------------


def into_full(toy: Held, *words: str) -> subprocess.CompletedProcess[str]:
    with FULL.open("w") as full:
        return subprocess.run(
            [sys.executable, "-m", "stretto", *words],
            cwd=toy.repository, env=toy.env, stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, text=True,
            timeout=120,
        )  # fmt: skip


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
def test_r11_output_that_cannot_be_written_is_exit_3(toy: Held) -> None:
    """Before a run it starts nothing; a run that has begun goes on, deaf and dumb, and ends with its own code."""
    words = (["--help"], ["check", "../plan.yaml"], ["show", "../plan.yaml", "--json"], [*SCRIPTED])
    for verb in words:
        done = into_full(toy, *verb)
        assert (done.returncode, done.stderr.splitlines()[0].partition(": ")[0]) == (3, "error"), done.stderr
        assert "No space left" in done.stderr and "hint: " in done.stderr and "Traceback" not in done.stderr
    assert not list(toy.state.glob("*/runs/*"))
    done = into_full(toy, *SCRIPTED, "--json")
    assert (done.returncode, "error" in done.stderr) == (0, False), done.stderr
    assert set(toy.states().values()) == {"succeeded"}
    for verb in (["status"], ["status", "--json"], ["runs"], ["explain", "a"]):
        done = into_full(toy, *verb)
        assert done.returncode == 3 and "Traceback" not in done.stderr, done.stderr


# --- clocks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [(), ("--detach",)], ids=["followed", "detached"])
def test_r11_an_engine_that_python_ends_before_its_run_has_ended_is_no_run_with_failures(
    toy: Held, words: tuple[str, ...]
) -> None:
    broken = toy.root / "broken" / "sitecustomize.py"
    broken.parent.mkdir()
    broken.write_text(
        "import os, sys\n"
        "if 'stretto.cli.engine' in sys.orig_argv and 'stretto.engine.warden' not in sys.orig_argv:\n"
        "    os.write(2, b'no such module\\n')\n"
        "    os._exit(1)\n"
    )
    run = ("run", str(toy.root / "plan.yaml"), "--agent", "shell: true", "--yes", *words)
    done = toy.stretto(*run, code=70, PYTHONPATH=str(broken.parent))
    assert "error: no such module" in done.stderr
    assert "engine.log" in done.stderr and "stretto resume" in done.stderr


def test_r8_1_a_wall_clock_that_was_set_back_turns_no_time_round(toy: Held) -> None:
    """As a journal looks that was begun a day ahead of what the clock says now."""
    front = toy.front("run", "../plan.yaml", "--agent", WAIT_FOR_GO, "-j", "2", "--yes")
    toy.began(2)
    os.kill(toy.status()["engine"]["pid"], signal.SIGKILL)
    assert toy.end(front) == 3
    with journal(toy) as connection:
        before = connection.execute("SELECT seq, body FROM event").fetchall()
        for seq, body in before:
            ahead = replace(ev.decode(body), at=ev.decode(body).at + 86_400.0)
            connection.execute("UPDATE event SET at = ?, body = ? WHERE seq = ?", (ahead.at, ev.encode(ahead), seq))
    toy.go()
    toy.stretto("resume")
    assert set(toy.states().values()) == {"succeeded"}
    times = [fact.at for fact in facts(toy)]
    # Facts of several hands may be written down milliseconds after each other's.
    assert min(times[len(before) :]) >= max(times[: len(before)])
    assert times[-1] - times[0] < 3_600.0, "and a day does not pass in a minute"
    assert "-" not in toy.stretto("status").stdout.partition("started ")[2].partition(",")[0]


# --- stopping ----------------------------------------------------------------------------------------------------


def test_r8_6_a_plain_stop_drains_and_is_exit_4(toy: Held) -> None:
    front = toy.front("run", "../plan.yaml", "--agent", WAIT_FOR_GO, "-j", "2", "--yes")
    toy.began(2)
    assert "may finish" in toy.stretto("stop").stdout
    assert toy.status()["state"] == "draining"
    assert set(toy.states().values()) == {"running", "ready"}
    toy.go()
    assert toy.end(front) == 4
    assert toy.status()["state"] == "stopped"
    assert toy.states() == {"a": "succeeded", "b": "succeeded", "c": "ready"}
    toy.stretto("resume")
    assert set(toy.states().values()) == {"succeeded"}


@pytest.mark.parametrize("place", ["of all state", "of the repository"])
def test_r8_6_a_pause_file_in_a_folder_above_the_run_drains(toy: Held, place: str) -> None:
    front = toy.front("run", "../plan.yaml", "--agent", WAIT_FOR_GO, "-j", "2", "--yes")
    toy.began(2)
    (repository,) = (path for path in toy.state.iterdir() if path.is_dir())
    pause = (toy.state if place == "of all state" else repository) / "PAUSE"
    pause.touch()
    until(lambda: toy.status()["state"] == "draining", "the run drains")
    toy.go()
    assert toy.end(front) == 4
    assert str(pause) in toy.said(), "who wonders why it stopped is told"
    before = toy.states()
    again = toy.stretto("resume", code=4)
    assert str(pause) in again.stdout and "attempt" not in again.stdout
    assert toy.states() == before == {"a": "succeeded", "b": "succeeded", "c": "ready"}
    pause.unlink()
    toy.stretto("resume")
    assert set(toy.states().values()) == {"succeeded"}


# --- a person who comes and goes ---------------------------------------------------------------------------------


class Terminal:
    """A verb at a terminal, and all that it has said there."""

    def __init__(self, toy: Held, *words: str) -> None:
        self._own, theirs = os.openpty()
        os.set_blocking(self._own, False)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "stretto", *words],
            cwd=toy.repository, env=toy.env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self._said = b""

    def said(self) -> str:
        with contextlib.suppress(OSError):  # nothing there at the moment, or nobody any more
            while data := os.read(self._own, 4096):
                self._said += data
        return self._said.decode()

    def wait(self) -> int:
        until(lambda: (self.said(), self.process.poll() is not None)[1], f"it ends; said: {self.said()}")
        os.close(self._own)
        return self.process.returncode


def test_r9_2_begun_at_a_terminal_and_resumed_without_one_does_not_wait(toy: Held) -> None:
    terminal = Terminal(toy, "run", "../ask.yaml", "--agent", "scripted", "--yes")
    until(lambda: "Is it good?" in terminal.said(), "it asks")
    assert toy.states() == {"a": "waiting"}
    assert "stop ask-" in (said := toy.stretto("stop").stdout) and ": done" in said, "it had not ended by itself"
    assert terminal.wait() == 4
    front = toy.front("resume")
    assert toy.end(front) == 4
    assert toy.status()["state"] == "paused"


def test_r9_2_begun_without_a_terminal_and_resumed_at_one_waits(toy: Held) -> None:
    toy.stretto("run", "../ask.yaml", "--agent", "scripted", "--yes", code=4)
    terminal = Terminal(toy, "resume")
    until(lambda: "Is it good?" in terminal.said(), "it goes on and asks")
    assert toy.stretto("approve", "a").stdout == "approve a: done\n", "somebody is there to hear it"
    assert terminal.wait() == 0
    assert toy.states() == {"a": "succeeded"}


# --- work that cannot be saved -----------------------------------------------------------------------------------


def test_r7_3_work_that_a_crash_left_and_git_refuses_is_told_and_stays(toy: Held) -> None:
    odd = WAIT_FOR_GO.replace("shell: ", "shell: test $STRETTO_ATTEMPT != 1 || echo precious > 'git~1'; ")
    front = toy.front("run", "../plan.yaml", "--agent", odd, "--only", "a", "--yes")
    toy.began(1)
    os.kill(toy.status()["engine"]["pid"], signal.SIGKILL)
    assert toy.end(front) == 3
    (left,) = toy.state.rglob("git~1")
    toy.go()
    said = toy.stretto("resume").stdout
    (told,) = notices(toy, "unsaved")
    assert str(left.parent) in told and "git~1" in told
    assert "git~1" in said, "and in words, to who resumes"
    assert left.read_text() == "precious\n"
    assert toy.states() == {"a": "succeeded"}


# --- branches ----------------------------------------------------------------------------------------------------


def hinted(text: str) -> str:
    """The git command of a hint."""
    (line,) = (line for line in text.splitlines() if line.startswith("hint: git branch "))
    return line.removeprefix("hint: ").partition(" && ")[0]


def test_r6_3_land_says_how_to_get_a_branch_back_that_is_gone(toy: Held) -> None:
    toy.stretto(*SCRIPTED)
    branch, head = toy.branch(), toy.git("rev-parse", "HEAD")
    tip = toy.git("rev-parse", branch)
    toy.git("branch", "-qD", branch)
    refused = toy.stretto("land", code=4).stderr
    assert f"{branch} is gone" in refused
    assert toy.git("rev-parse", "HEAD") == head
    toy.git(*hinted(refused).split()[1:])
    assert toy.git("rev-parse", branch) == tip
    toy.stretto("land")
    assert toy.git("rev-parse", "HEAD") == tip


def test_r6_1_a_branch_that_is_gone_pauses_the_run_and_loses_nothing(toy: Held) -> None:
    toy.stretto("run", "../ask.yaml", "--agent", "scripted", "--yes", code=4)
    branch = toy.branch()
    toy.git("branch", "-qD", branch)
    toy.stretto("approve", "a")
    said = toy.stretto("resume", code=4).stdout
    command = said.partition("next: git ")[2].partition(" && ")[0]
    assert f"{branch} is gone" in said and command.startswith(f"branch {branch} ")
    toy.git(*command.split())
    toy.stretto("resume")
    assert toy.git("show", f"{branch}:a.txt") == "x\n"


# --- the very end ------------------------------------------------------------------------------------------------

SPEC = "specs/implementation_plan.json"


@pytest.fixture
def failed(toy: Held) -> Held:
    """A run of a tracked plan whose engine was killed between the run's end and the commit of what failed."""
    subtasks = [{"id": id, "description": "do it", "status": "pending"} for id in ("good", "bad")]
    phases = [{"id": "p", "name": "all", "depends_on": [], "parallel_safe": True, "subtasks": subtasks}]
    toy.commit("a plan", {SPEC: json.dumps({"feature": "F", "phases": phases}, indent=2)})
    agent = "shell: test $STRETTO_TASK = good && echo x > good.txt"
    toy.stretto("run", SPEC, "--agent", agent, "--attempts", "1", "--yes", code=1)
    branch = toy.branch()
    assert statuses(toy.git("show", f"{branch}:{SPEC}")) == {"good": "completed", "bad": "failed"}
    with journal(toy) as connection:
        (seq, body) = connection.execute("SELECT seq, body FROM event ORDER BY seq DESC LIMIT 1").fetchone()
        assert ev.decode(body) == ev.Noticed(at=ev.decode(body).at, code=ev.CLOSED, message="")
        connection.execute("DELETE FROM event WHERE seq = ?", (seq,))
    toy.git("branch", "-qf", branch, f"{branch}~1")
    assert statuses(toy.git("show", f"{branch}:{SPEC}")) == {"good": "completed", "bad": "pending"}
    return toy


def statuses(text: str) -> dict[str, Any]:
    return {task["id"]: task["status"] for phase in json.loads(text)["phases"] for task in phase["subtasks"]}


def test_r6_4_a_resume_writes_the_failures_that_a_kill_kept_from_being_written(failed: Held) -> None:
    assert failed.status()["state"] == "failed"
    failed.stretto("resume", code=1)
    assert statuses(failed.git("show", f"{failed.branch()}:{SPEC}")) == {"good": "completed", "bad": "failed"}
    assert len(notices(failed, ev.CLOSED)) == 1
    before = len(facts(failed))
    assert "has finished" in failed.stretto("resume", code=1).stdout
    assert len(facts(failed)) == before, "nothing is owed any more"
    assert [task["attempts"] for task in failed.status()["tasks"]] == [1, 1]


def test_r6_4_land_writes_the_failures_that_a_kill_kept_from_being_written(failed: Held) -> None:
    failed.stretto("land")
    assert statuses((failed.repository / SPEC).read_text()) == {"good": "completed", "bad": "failed"}
    assert (failed.repository / "good.txt").exists()
    assert failed.git("status", "--porcelain") == ""


def test_r6_4_failures_that_cannot_be_written_are_told_and_written_later(toy: Held) -> None:
    """Somebody holds the branch's lock in the moment in which the run ends."""
    subtasks = [{"id": "bad", "description": "do it", "status": "pending"}]
    phases = [{"id": "p", "name": "all", "depends_on": [], "parallel_safe": True, "subtasks": subtasks}]
    toy.commit("a plan", {SPEC: json.dumps({"feature": "F", "phases": phases}, indent=2)})
    front = toy.front("run", SPEC, "--agent", f"{WAIT_FOR_GO}; false", "--attempts", "1", "--yes")
    toy.began(1)
    lock = toy.repository / ".git" / "refs" / "heads" / f"{toy.branch()}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()
    toy.go()
    assert toy.end(front) == 1
    assert "could not be written into the plan" in toy.said()
    assert statuses(toy.git("show", f"{toy.branch()}:{SPEC}")) == {"bad": "pending"}
    toy.stretto("resume", code=1)
    assert statuses(toy.git("show", f"{toy.branch()}:{SPEC}")) == {"bad": "failed"}
