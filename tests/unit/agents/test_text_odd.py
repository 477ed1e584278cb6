"""The text agent and what should not be: keys and URLs that betray themselves, accounts that say nonsense, silence."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from itertools import pairwise
from pathlib import Path

import pytest

from stretto.agents import text_call
from stretto.agents.text import TextAgent
from stretto.agents.text_pauses import LONGEST_S, after, pause_s
from stretto.engine.supervise import ProcessSupervisor
from stretto.errors import ConfigError
from stretto.model.agent import AgentSpec
from stretto.model.plan import Task
from stretto.model.run import Failure
from stretto.ports import Report
from stretto.testing.agents import assignment, until_said
from stretto.testing.models.server import ModelServer

KEY = "sk-ant-test-0123456789"
TASK = Task(id="task", phase="phase", artifacts=("made.md",))
HEAD = b"HTTP/1.0 200 OK\r\n\r\n"


def event(**said: object) -> bytes:
    return b"data: " + json.dumps(said).encode() + b"\n\n"


END = event(type="message_delta", delta={"stop_reason": "end_turn"}) + event(type="message_stop")


@contextmanager
def saying(speak: Callable[[socket.socket], object]) -> Iterator[str]:
    """The URL of a server that reads one request and then does that."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            try:
                connection, _ = listening.accept()
                with connection:
                    read = b""
                    while b"}]}]}" not in read:
                        read += connection.recv(65536)
                    speak(connection)
            except OSError:
                pass  # the other side is gone

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join(20)


def ask(folder: Path, url: str, *, task: Task = TASK, model: str = "m", idle_s: float = 60.0) -> Report:
    agent = TextAgent(
        AgentSpec(kind="text"), {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": KEY, "ANTHROPIC_MODEL": model}
    )
    attempt = assignment(folder, prompt="MODEL text made", task=task, idle_s=idle_s)
    return asyncio.run(agent.run(attempt, ProcessSupervisor()))


def failure_of(report: Report, folder: Path) -> Failure:
    assert report.failure is not None, report
    assert "Traceback" not in (folder / "log").read_text()
    return report.failure


# --- secrets ---------------------------------------------------------------------------------------------------------

ODD_KEYS = ["sk-TOPSECRET\nxx", "sk-TOPSECRET\r\nx: y", "sk-TOPSECRET“xx", "sk-TOPSECRET\x00", "sk-TOPSECRET\udcff"]
ODD_URLS = [
    "http://u:TOPSECRET@127.0.0.1:1", "https://TOPSECRET@host/v1", "u:TOPSECRET@host", "http://[TOPSECRET",
    "http://", "http://host:TOPSECRET", "http://host/v1?key=TOPSECRET", "http://host/\nTOPSECRET", "http://h/TOPSECRET“",
]  # fmt: skip


@pytest.mark.parametrize("key", ODD_KEYS)
def test_a_key_that_cannot_be_sent_is_refused_without_its_words(key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        TextAgent(AgentSpec(kind="text", model="m"), {"ANTHROPIC_API_KEY": key})
    assert "ANTHROPIC_API_KEY has a character that cannot be sent" in str(caught.value)
    assert "TOPSECRET" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize("url", ODD_URLS)
def test_a_url_that_is_none_or_holds_a_secret_is_refused_without_its_words(url: str) -> None:
    for spec, env in (
        (AgentSpec(kind="text", model="m"), {"ANTHROPIC_BASE_URL": url}),
        (AgentSpec(kind="text", model="m", args=("--url", url)), {}),
    ):
        with pytest.raises(ConfigError, match=r"endpoint (is no URL|has a)") as caught:
            TextAgent(spec, env)
        assert "TOPSECRET" not in f"{caught.value} {caught.value.hint}"


def process(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], **env: str
) -> tuple[dict[str, str], str]:
    """(the failure, all that is printed) of the agent's own process, in here."""
    monkeypatch.chdir(folder)
    (folder / "prompt").write_text("Write it.")
    for name, value in {
        "STRETTO_RESULT_FILE": str(folder / "result"), "STRETTO_PROMPT_FILE": str(folder / "prompt"),
        "STRETTO_TEXT_URL": "http://127.0.0.1:9", "STRETTO_TEXT_MODEL": "m", **env,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    words = ["x", "--api=anthropic", "--max-tokens=1", "--critic=0", "--silence=5", "--artifact=made.md"]
    monkeypatch.setattr("sys.argv", words)
    assert text_call.main() == 1
    return json.loads((folder / "result").read_text())["failure"], "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("env", "kind"),
    [
        ({"ANTHROPIC_API_KEY": "sk-TOPSECRET\nxx"}, "auth"),
        ({"STRETTO_TEXT_URL": "http://u:TOPSECRET@127.0.0.1:9"}, "permanent"),
        ({"STRETTO_TEXT_URL": "http://[TOPSECRET"}, "permanent"),
        ({"http_proxy": "http://u:TOPSECRET@127.0.0.1:TOPSECRET", "no_proxy": ""}, "permanent"),
    ],
)
def test_r4_its_own_process_repeats_no_secret_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], env: dict[str, str], kind: str
) -> None:
    failure, printed = process(tmp_path, monkeypatch, capfd, **env)
    assert failure["kind"] == kind and "\n" not in failure["message"]
    assert "TOPSECRET" not in f"{failure}{printed}" and "Traceback" not in printed


def test_what_nobody_expects_is_one_line_without_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def breaks(*_: object) -> None:
        raise LookupError("TOPSECRET")

    monkeypatch.setattr(text_call, "write", breaks)
    failure, printed = process(tmp_path, monkeypatch, capfd)
    assert failure["message"].startswith("the text agent broke: LookupError at test_text_odd.py:")
    assert "TOPSECRET" not in f"{failure}{printed}" and "Traceback" not in printed


def test_neither_url_nor_model_is_a_word_of_the_command(tmp_path: Path) -> None:
    with ModelServer() as server:
        env = {"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": KEY, "ANTHROPIC_MODEL": "model-1"}
        attempt = assignment(tmp_path, prompt="MODEL hang silent", task=TASK)

        async def scenario() -> str:
            running = asyncio.create_task(TextAgent(AgentSpec(kind="text"), env).run(attempt, ProcessSupervisor()))
            await until_said(attempt, "model-1 at")
            lines = [path.read_text() for path in _commands() if "--artifact=made.md" in _read(path)]
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            return "\n".join(lines)

        seen = asyncio.run(scenario())
    assert "--silence=54" in seen
    assert server.url not in seen and "model-1" not in seen


def _commands() -> list[Path]:
    return list(Path("/proc").glob("[0-9]*/cmdline"))


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def test_a_model_that_is_called_like_an_option_is_a_model(tmp_path: Path) -> None:
    with ModelServer() as server:
        assert ask(tmp_path, server.url, model="--api").failure is None
        assert [asked.status for asked in server.requests()] == [200]


# --- answers ---------------------------------------------------------------------------------------------------------


def test_half_a_character_costs_that_character(tmp_path: Path) -> None:
    halves = [event(type="content_block_delta", delta={"text": text}) for text in ("a \ud800 b \ud83d", "\ude00")]
    with saying(lambda to: to.sendall(HEAD + b"".join(halves) + END)) as url:
        assert ask(tmp_path, url).failure is None
    assert (tmp_path / "workspace" / "made.md").read_text() == "a \ufffd b \U0001f600"


def delta(text: str) -> bytes:
    return event(type="content_block_delta", delta={"type": "text_delta", "text": text})


BROKEN = {
    "no UTF-8": delta("Grüße").replace(b"\\u00fc", b"\xfc"),
    "no JSON": b"data: not json\n\n",
    "torn": delta("lost")[:-6] + b"\n\n",
    "torn, with the next behind it": b'data: {"type": \n' + delta("lost"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_r4_an_event_that_cannot_be_read_is_transient(tmp_path: Path, broken: str) -> None:
    with saying(lambda to: to.sendall(HEAD + delta("a") + BROKEN[broken] + delta("b") + END)) as url:
        failure = failure_of(ask(tmp_path, url), tmp_path)
    assert failure.kind == "transient" and "an event of the answer" in failure.message
    assert ("no UTF-8" if "UTF" in broken else "no JSON") in failure.message
    assert not (tmp_path / "workspace" / "made.md").exists()


def test_what_has_no_text_is_passed_over(tmp_path: Path) -> None:
    odd = (
        b": a comment\n\nevent: ping\n" + event(type="ping") + event(type="of_tomorrow", delta={"text": "no"})
        + b"id: 7\nretry: 10\ndata:\n\n" + b'data: [1, "x"]\r\n\r\n'
    )  # fmt: skip
    several = b'data: {"type": "content_block_delta",\r\ndata: "delta": {"text": "b"}}\r\n\r\n'
    with saying(lambda to: to.sendall(HEAD + delta("a") + odd + several + END)) as url:
        assert ask(tmp_path, url).failure is None
    assert (tmp_path / "workspace" / "made.md").read_text() == "ab"


def test_r4_a_server_that_says_nothing_is_transient(tmp_path: Path) -> None:
    gone = threading.Event()
    with saying(lambda to: gone.wait(20)) as url:
        failure = failure_of(ask(tmp_path, url, idle_s=2.0), tmp_path)
        gone.set()
    assert failure.kind == "transient" and "said nothing for 1.8 s" in failure.message


def test_r4_an_answer_without_end_is_permanent(tmp_path: Path) -> None:
    def speak(to: socket.socket) -> None:
        to.sendall(HEAD)
        while True:  # until nobody listens any more
            to.sendall(b"x" * 1_000_000)

    with saying(speak) as url:
        failure = failure_of(ask(tmp_path, url), tmp_path)
    assert failure.kind == "permanent" and "is larger than 33,554,432 bytes" in failure.message


def test_a_folder_in_the_files_place_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "workspace" / "made.md").mkdir(parents=True)
    with ModelServer() as server:
        assert "cannot write made.md" in failure_of(ask(tmp_path, server.url), tmp_path).message


# --- pauses ----------------------------------------------------------------------------------------------------------


def headers(**said: str) -> Message[str, str]:
    found: Message[str, str] = Message()
    for name, value in said.items():
        found[name.replace("_", "-")] = value
    return found


@pytest.mark.parametrize(
    "said", ["nan", "-nan", "inf", "-inf", "-5", "1e300", "soon", "Fri, 31 Dec 0001 23:59:59 -0000"]
)
def test_what_is_no_time_is_not_said(said: str) -> None:
    assert after(headers(retry_after=said)) == (None, False)
    limit = {"anthropic_ratelimit_unified_status": "rejected", "anthropic_ratelimit_unified_reset": said}
    assert after(headers(**limit)) == (None, False)
    assert after(headers(**limit, retry_after="7")) == (7.0, False)


def test_a_reset_ahead_is_known() -> None:
    limit = {"anthropic_ratelimit_unified_status": "rejected"}
    left_s, known = after(headers(**limit, anthropic_ratelimit_unified_reset=str(time.time() + 500)))
    assert known and left_s is not None and 490 < left_s <= 500


def test_waits_grow_whatever_is_asked_for() -> None:
    waits = [pause_s(0.0, n, "salt") for n in range(1, 12)]
    assert waits[0] < 0.5 and all(LONGEST_S <= wait < 1.25 * LONGEST_S for wait in waits[7:])
    assert all(later > earlier * 1.5 for earlier, later in pairwise(waits[:7]))
    assert 100 <= pause_s(100.0, 1, "salt") < 125


def test_r4_an_account_that_says_at_once_is_not_hammered(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    said = Namespace(api="anthropic", max_tokens=10, silence=20.0)
    with ModelServer() as server:
        env = {"STRETTO_TEXT_URL": server.url, "STRETTO_TEXT_MODEL": "m", "ANTHROPIC_API_KEY": KEY}
        with pytest.raises(text_call.Failed) as caught:
            text_call.Model(said, env).ask([("user", "MODEL fail 429 retry-after=0")])
        asked = len(server.requests())
        assert caught.value.kind == "overloaded" and asked == len(slept) + 1 < 20 and sum(slept) > 200
        monkeypatch.setattr(text_call, "MOST_REQUESTS", 3)
        with pytest.raises(text_call.Failed, match="in vain"):
            text_call.Model(said, env).ask([("user", "MODEL fail 429 retry-after=0")])
        assert len(server.requests()) == asked + 3
