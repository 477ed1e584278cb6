"""The real Claude Code against a model server on loopback: plans that it does, and what becomes of its failures."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from e2e.toy import Toy, until
from stretto.core.events import AttemptAnswered, AttemptFailed, AttemptFinished, AttemptLost, Event
from stretto.engine.home import RunHome
from stretto.engine.reader import SqliteReader
from stretto.testing.models.log import most_at_once
from stretto.testing.models.server import ModelServer

DAY = """
name: day
phases:
  - id: work
    tasks:
      - id: page
        prompt: |
          MODEL write page.txt hello world
          MODEL edit page.txt world => there
          MODEL text The page says hello.
        verify: [grep -qx 'hello there' page.txt]
      - id: told
        prompt: MODEL fail 400 message="no such thing"
      - id: refused
        attempts: 1
        prompt: |
          MODEL write {outside} x
          MODEL text I wrote it.
      - id: hung
        prompt: |
          MODEL @1 hang
          MODEL write hung.txt at last
      - id: busy
        prompt: |
          MODEL fail 529 times=5
          MODEL write busy.txt x
      - id: killed
        prompt: |
          MODEL write killed.txt first
          MODEL bash mkdir {home}/killed && tail -f /dev/null; true
          MODEL bash echo second >> killed.txt
        verify: [grep -qx first killed.txt, grep -qx second killed.txt]
      - id: red
        prompt: |
          MODEL write red.txt wrong
          MODEL @2+ bash echo right > red.txt
        verify: [grep -qx right red.txt]
  - id: after
    tasks:
      - id: next
        depends_on: [page]
        prompt: MODEL edit page.txt hello => goodbye
        verify: [grep -qx 'goodbye there' page.txt]
"""


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


class Desk:
    """A toy repository whose user has Claude Code and a key that opens nothing; nothing of this machine's is seen."""

    def __init__(self, root: Path, program: Path, server: ModelServer, plan: str) -> None:
        self.outside = root / "outside.txt"
        home = self.user_home = root / "home"
        home.mkdir()
        plan = plan.replace("{outside}", str(self.outside)).replace("{home}", str(home))
        self.toy = Toy(root, {"plan.yaml": plan, "stretto.toml": 'idle = "8s"\n'})
        self.toy.env = {
            "PATH": f"{program.parent}:{Path(sys.executable).parent}:{os.defpath}",
            "HOME": str(home),
            "TMPDIR": str(home),
            "CLAUDE_CONFIG_DIR": str(home / ".claude"),
            "ANTHROPIC_BASE_URL": server.url,
            "ANTHROPIC_API_KEY": "sk-ant-test-0123456789",
            "IS_SANDBOX": "1",
            "STRETTO_STATE_DIR": str(self.toy.state),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
        }

    def begin(self, *tasks: str) -> subprocess.Popen[bytes]:
        """Start the run, three at once, and wait until each of these tasks has made its folder in the home."""
        front = self.toy.front("run", "plan.yaml", "--agent", "claude", "-j", "3", "--yes")
        for task in tasks:
            until((self.user_home / task).exists, f"the tool of {task}")
        return front

    @property
    def home(self) -> RunHome:
        (journal,) = self.toy.state.glob("*/runs/*/journal.sqlite3")
        return RunHome(path=journal.parent)

    def events(self) -> list[Event]:
        return [recorded.event for recorded in SqliteReader(self.home).events()]

    def kinds(self) -> Mapping[str, list[str]]:
        """How each attempt of each task ended for itself."""
        found = defaultdict[str, list[str]](list)
        for event in self.events():
            match event:
                case AttemptFailed(task=task, failure=failure):
                    found[task].append(failure.kind)
                case AttemptFinished(task=task):
                    found[task].append("finished")
                case AttemptLost(task=task):
                    found[task].append("lost")
                case _:
                    pass
        return found

    def pid_of(self, task: str) -> int | None:
        """The command line that works on a task now; tools are its children."""
        for pid, words in self.toy.processes():
            if words.startswith(b"claude\0") or b"/claude\0-p\0" in words:
                cookie = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
                if f"STRETTO_TASK={task}".encode() in cookie:
                    return pid
        return None

    def log(self, task: str, attempt: int) -> str:
        path = self.home.attempt(task, attempt).log
        return path.read_text() if path.exists() else ""

    def show(self, path: str) -> str:
        return self.toy.git("show", f"{self.toy.branch()}:{path}")


def test_a_day_of_claude_code(tmp_path: Path, claude_cli: Path, server: ModelServer) -> None:
    desk = Desk(tmp_path, claude_cli, server, DAY)
    front = desk.begin("killed")
    os.kill(until(lambda: desk.pid_of("killed"), "its process"), signal.SIGKILL)
    assert front.wait(240) == 1, desk.toy.said()

    done = dict.fromkeys(("page", "hung", "busy", "killed", "red", "next"), "succeeded")
    assert desk.toy.states() == {**done, "told": "failed", "refused": "failed"}, desk.toy.said()
    kinds = desk.kinds()
    assert dict(kinds) == {
        "page": ["finished"],
        "told": ["permanent"],
        "refused": ["finished"],
        "hung": ["idle", "finished"],
        "busy": ["overloaded", "finished"],
        "killed": ["transient", "finished"],
        "red": ["finished", "finished"],
        "next": ["finished"],
    }
    assert desk.show("page.txt") == "goodbye there\n"
    assert desk.show("killed.txt") == "first\nsecond\n"

    # Success by effect, not by word: it says "I wrote it", and why it did not is told.
    told = desk.toy.stretto("explain", "refused").stdout
    assert "nothing changed" in told and f"not allowed: Write {desk.outside}" in told
    assert not desk.outside.exists()
    assert "no such thing" in desk.toy.stretto("explain", "told").stdout
    assert "> Write page.txt\n" in desk.toy.stretto("logs", "page").stdout

    # Money and tokens: of each attempt its own, and of one that was killed nobody knows.
    spent = {task["id"]: task["usage"] for task in desk.toy.status()["tasks"]}
    assert all(spent[task]["cost_usd"] > 0 and spent[task]["input_tokens"] > 1000 for task in done)
    (first, second) = [event for event in desk.events() if isinstance(event, AttemptFinished) and event.task == "red"]
    assert first.usage.cost_usd and second.usage.cost_usd
    assert second.usage.cost_usd < first.usage.cost_usd, "the session's first half is not paid for twice"
    (lost,) = [event for event in desk.events() if isinstance(event, AttemptFailed) and event.task == "killed"]
    assert lost.usage.cost_usd is None
    answered = {event.task for event in desk.events() if isinstance(event, AttemptAnswered)}
    assert answered == {*done, "refused"}, "a server that only refuses, or never answers, is no answer"

    # What the model server has seen: retries of its own kept low, sessions resumed, never more than three at once.
    requests = server.requests()
    assert all(request.session for request in requests)
    assert most_at_once([request for request in requests if request.tools]) <= 3
    assert max(request.retry for request in requests) <= 2
    assert len([request for request in requests if request.status == 529]) == 5
    prompt = desk.home.attempt("killed", 2).prompt.read_text()
    assert "You were interrupted" in prompt and "MODEL" not in prompt
    assert "Checks that stretto ran itself are red" in desk.home.attempt("red", 2).prompt.read_text()
    assert "MODEL" in desk.home.attempt("hung", 2).prompt.read_text(), "one that hung begins anew"
    assert desk.toy.agents() == []


KILLED = """
name: killed
tasks:
  - id: a
    prompt: |
      MODEL write a.txt one
      MODEL bash mkdir {home}/a && tail -f /dev/null; true
      MODEL bash echo two >> a.txt
    verify: [grep -qx one a.txt, grep -qx two a.txt]
  - id: b
    prompt: |
      MODEL write b.txt one
      MODEL bash mkdir {home}/b && tail -f /dev/null; true
      MODEL bash echo two >> b.txt
    verify: [grep -qx one b.txt, grep -qx two b.txt]
  - {id: c, depends_on: [a, b], prompt: MODEL bash cat a.txt b.txt > c.txt}
"""


def test_r8_2_sessions_go_on_after_the_engine_was_killed(tmp_path: Path, claude_cli: Path, server: ModelServer) -> None:
    desk = Desk(tmp_path, claude_cli, server, KILLED)
    front = desk.begin("a", "b")
    os.kill(desk.toy.status()["engine"]["pid"], signal.SIGKILL)
    assert front.wait(60) == 3
    until(lambda: not desk.toy.agents(), "nothing of the attempts")
    before = len(server.requests())

    desk.toy.stretto("resume")
    assert desk.toy.states() == dict.fromkeys("abc", "succeeded")
    assert dict(desk.kinds()) == {"a": ["lost", "finished"], "b": ["lost", "finished"], "c": ["finished"]}
    assert desk.show("c.txt") == "one\ntwo\none\ntwo\n"
    again = [call for request in server.requests()[before:] for call in request.calls]
    assert "Bash" in again and "Write" not in again, "each goes on where it was, and none begins again"
    assert desk.toy.agents() == []


def test_a_session_that_is_gone_begins_anew(tmp_path: Path, claude_cli: Path, server: ModelServer) -> None:
    plan = """
name: gone
tasks:
  - id: a
    prompt: |
      MODEL write a.txt wrong
      MODEL @2+ bash echo right > a.txt
    verify: ["grep -qx right a.txt || { rm -rf {home}/.claude/projects; false; }"]
"""
    desk = Desk(tmp_path, claude_cli, server, plan)
    desk.toy.stretto("run", "plan.yaml", "--agent", "claude", "--yes")
    assert dict(desk.kinds()) == {"a": ["finished", "finished"]}
    assert "No conversation found" in desk.log("a", 2)
    assert "MODEL" in desk.home.attempt("a", 2).prompt.read_text()


@pytest.mark.parametrize(
    ("trouble", "words", "code"),
    [
        ('fail 401 message="bad key"', "auth", 4),
        ("limit 3600", "usage limit", 4),
        ('fail 400 message="Your credit balance is too low to access the Anthropic API"', "credit", 4),
    ],
)
def test_r4_trouble_of_the_account_pauses_the_run(
    tmp_path: Path, claude_cli: Path, server: ModelServer, trouble: str, words: str, code: int
) -> None:
    desk = Desk(tmp_path, claude_cli, server, f"name: x\ntasks:\n  - id: a\n    prompt: |\n      MODEL {trouble}\n")
    del desk.toy.env["ANTHROPIC_API_KEY"]
    desk.toy.env["CLAUDE_CODE_OAUTH_TOKEN"] = "sk-ant-oat-test-0123456789"
    desk.toy.stretto("run", "plan.yaml", "--agent", "claude", "--yes", code=code)
    said = desk.toy.stretto("explain", "a").stdout
    assert words in said, said


def test_without_it_installed_nothing_starts(tmp_path: Path, server: ModelServer) -> None:
    desk = Desk(tmp_path, Path("/nowhere/claude"), server, KILLED)
    done = desk.toy.stretto("run", "plan.yaml", "--agent", "claude", "--yes", code=2)
    assert "Claude Code is not installed" in done.stderr and "npm install" in done.stderr
    assert not list(desk.toy.state.glob("*/runs/*"))
