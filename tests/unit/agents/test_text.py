"""The text agent against a model server on loopback: one question, one file, and what becomes of trouble."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from stretto.agents.text import TextAgent
from stretto.agents.text_wire import FORMS, WORTH_KEEPING
from stretto.engine.supervise import ProcessSupervisor
from stretto.errors import ConfigError
from stretto.model.agent import AgentSpec
from stretto.model.plan import Task
from stretto.ports import Assignment, Report
from stretto.testing.agents import assignment, until_said
from stretto.testing.models.server import ModelServer

KEY = "sk-ant-test-0123456789"
TASK = Task(id="task", phase="phase", artifacts=("out/made.md",))


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


class Desk:
    """A folder, and an agent that asks the server."""

    def __init__(self, folder: Path, server: ModelServer) -> None:
        self.folder, self.server = folder, server
        self.env = {"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": KEY, "ANTHROPIC_MODEL": "model-1"}

    def attempt(self, prompt: str, *, task: Task = TASK, timeout_s: float = 60.0) -> Assignment:
        return assignment(self.folder, prompt=prompt, task=task, timeout_s=timeout_s)

    def ask(self, prompt: str, *args: str, task: Task = TASK, timeout_s: float = 60.0) -> Report:
        agent = TextAgent(AgentSpec(kind="text", args=args), self.env)
        return asyncio.run(agent.run(self.attempt(prompt, task=task, timeout_s=timeout_s), ProcessSupervisor()))

    @property
    def files(self) -> dict[str, str]:
        there = self.folder / "workspace"
        return {str(path.relative_to(there)): path.read_text() for path in there.rglob("*") if path.is_file()}

    @property
    def statuses(self) -> list[int | None]:
        return [asked.status for asked in self.server.requests()]


@pytest.fixture
def desk(tmp_path: Path, server: ModelServer) -> Desk:
    return Desk(tmp_path, server)


def kind_of(report: Report) -> str:
    assert report.failure is not None, report
    return report.failure.kind


def test_the_answer_is_the_file_as_it_is_and_usage_is_told(desk: Desk) -> None:
    report = desk.ask("MODEL text   two words\\n\\nand more \nMODEL usage 100 20 30 40")
    assert report.failure is None
    assert desk.files == {"out/made.md": "two words\n\nand more"}
    usage = report.usage
    assert (usage.input_tokens, usage.output_tokens) == (170, 20)
    assert (usage.cache_read_tokens, usage.cache_write_tokens) == (30, 40)
    assert report.summary == "wrote out/made.md: 19 characters"


def test_a_file_that_was_there_is_replaced_whole(desk: Desk) -> None:
    path = desk.folder / "workspace" / "out" / "made.md"
    path.parent.mkdir(parents=True)
    path.write_text("before, and longer than what comes")
    desk.ask("MODEL fail 400")
    assert desk.files == {"out/made.md": "before, and longer than what comes"}
    desk.ask("MODEL text after")
    assert desk.files == {"out/made.md": "after"}


@pytest.mark.parametrize(
    ("script", "kind", "words"),
    [
        ("fail 400 message='no such thing'", "permanent", "HTTP 400: no such thing"),
        ("fail 413", "permanent", "HTTP 413"),
        ("fail 401", "auth", "look at ANTHROPIC_API_KEY"),
        ("fail 402", "auth", "HTTP 402"),
        ("fail 403", "auth", "HTTP 403"),
        ("fail 500", "transient", "HTTP 500"),
        ("fail 408", "transient", "HTTP 408"),
        ("fail 529", "overloaded", "HTTP 529"),
        ("stream-error overloaded_error", "overloaded", "scripted error"),
        ("stream-error api_error", "transient", "scripted error"),
        ("cut", "transient", "broke off"),
        ("cut silent", "transient", "broke off"),
        ("stop max_tokens", "permanent", "--max-tokens"),
        ("stop refusal", "failed", "refused"),
    ],
)
def test_r4_trouble_has_a_kind_and_leaves_no_file(desk: Desk, script: str, kind: str, words: str) -> None:
    report = desk.ask(f"MODEL {script}\nMODEL text one two three four five six")
    assert kind_of(report) == kind
    assert report.failure is not None and words in report.failure.message
    assert desk.files == {}
    assert len(desk.statuses) == 1


def test_r4_a_server_that_is_gone_is_transient(desk: Desk) -> None:
    desk.env["ANTHROPIC_BASE_URL"] = "http://127.0.0.1:9"
    assert kind_of(desk.ask("MODEL text x")) == "transient"


@pytest.mark.parametrize("how", ["hang", "hang silent"])
def test_r4_a_model_that_hangs_is_a_timeout(desk: Desk, how: str) -> None:
    assert kind_of(desk.ask(f"MODEL {how}\nMODEL text one two three", timeout_s=1.5)) == "timeout"
    assert desk.files == {}


def test_r4_short_pauses_are_waited_for_within_the_attempt(desk: Desk) -> None:
    report = desk.ask("MODEL fail 429 retry-after=0.2 times=2\nMODEL text at last")
    assert report.failure is None
    assert desk.statuses == [429, 429, 200]
    assert "tries again in" in (desk.folder / "log").read_text()


def test_r4_a_long_pause_is_the_accounts_affair(desk: Desk) -> None:
    report = desk.ask("MODEL fail 429 retry-after=400")
    assert kind_of(report) == "rate_limited"
    assert report.failure is not None and report.failure.retry_after_s == 400.0
    assert desk.statuses == [429]


def test_r4_a_usage_limit_with_a_reset_is_a_quota(desk: Desk) -> None:
    report = desk.ask("MODEL limit 1000")
    assert kind_of(report) == "quota"
    assert report.failure is not None and 900 < (report.failure.retry_after_s or 0) <= 1001


def test_a_key_is_never_repeated(desk: Desk) -> None:
    report = desk.ask(f"MODEL fail 400 message='the key {KEY} is wrong'")
    assert report.failure is not None and "the key … is wrong" in report.failure.message
    assert KEY not in (desk.folder / "log").read_text()


@pytest.mark.parametrize(
    ("artifacts", "words"),
    [((), "it has promised 0 files"), (("a", "b"), "it has promised 2 files"), (("docs/",), "docs/ is a folder")],
)
def test_a_task_has_to_promise_exactly_one_file(desk: Desk, artifacts: tuple[str, ...], words: str) -> None:
    report = desk.ask("MODEL text x", task=replace(TASK, artifacts=artifacts))
    assert kind_of(report) == "permanent"
    assert report.failure is not None and words in report.failure.message
    assert desk.statuses == []


def test_a_file_outside_of_the_folder_is_not_written(desk: Desk, tmp_path: Path) -> None:
    (desk.folder / "workspace").mkdir()
    (desk.folder / "workspace" / "way").symlink_to(tmp_path)
    assert kind_of(desk.ask("MODEL text x", task=replace(TASK, artifacts=("way/made.md",)))) == "permanent"
    assert not (tmp_path / "made.md").exists()


# --- what goes with a prompt -----------------------------------------------------------------------------------------


def test_lines_that_name_files_become_their_text(desk: Desk) -> None:
    there = desk.folder / "workspace"
    there.mkdir()
    (there / "notes.md").write_text("MODEL text out of the notes\n")
    assert desk.ask('Read this.\n<file path="notes.md"/>\n').failure is None
    assert desk.files["out/made.md"] == "out of the notes"


@pytest.mark.parametrize(
    "name", ["gone.md", "../outside.md", "/etc/hostname", ".env", "sub/.hidden/x", "way/outside.md"]
)
def test_only_files_of_the_folder_go_with_a_prompt(desk: Desk, name: str) -> None:
    there = desk.folder / "workspace"
    (there / "sub" / ".hidden").mkdir(parents=True)
    for path in (there / ".env", there / "sub" / ".hidden" / "x", desk.folder / "outside.md"):
        path.write_text("secret")
    (there / "way").symlink_to(desk.folder)
    report = desk.ask(f'<file path="{name}"/>')
    assert kind_of(report) == "permanent"
    assert report.failure is not None and repr(name) in report.failure.message
    assert desk.statuses == []


def test_what_many_prompts_share_is_asked_to_be_kept() -> None:
    shared = f'<file path="a">\n{"x" * WORTH_KEEPING}\n</file>\n'
    body = FORMS["anthropic"].body("m", [("user", f"{shared}\nYour page.")], 10)
    first, second = body["messages"][0]["content"]
    assert (first["text"], first["cache_control"]) == (shared, {"type": "ephemeral"})
    assert second == {"type": "text", "text": "\nYour page."}
    (only,) = FORMS["anthropic"].body("m", [("user", "Short.")], 10)["messages"][0]["content"]
    assert only == {"type": "text", "text": "Short."}


# --- a critic --------------------------------------------------------------------------------------------------------


def with_critic(server: ModelServer, *verdicts: str) -> None:
    said = "\n".join(f"MODEL @{n} text {verdict}" for n, verdict in enumerate(verdicts, 1))
    server.script("^You review a document", f"MODEL name critic\n{said}")
    server.script("^A reviewer has found this", "MODEL text a better draft")
    server.script("^Write it", "MODEL text a draft")


def test_a_critic_sends_a_draft_back_until_it_is_content(desk: Desk) -> None:
    with_critic(desk.server, "Name the price.", "APPROVED")
    report = desk.ask("Write it.", "--critic", "5")
    assert report.failure is None
    assert desk.files == {"out/made.md": "a better draft"}
    assert report.summary.endswith("approved by its critic in round 2 of 5")
    assert len(desk.statuses) == 4
    assert report.usage.output_tokens is not None and report.usage.output_tokens >= 4


def test_a_critic_that_is_never_content_fails_the_attempt_and_the_draft_is_kept(desk: Desk) -> None:
    with_critic(desk.server, "Name the price.", "And the day.")
    report = desk.ask("Write it.", "--critic", "2")
    assert kind_of(report) == "failed"
    assert report.failure is not None and "And the day." in report.failure.message
    assert desk.files == {}
    assert (desk.folder / "draft.md").read_text() == "a better draft"


def test_a_critic_that_is_content_at_once_costs_one_question(desk: Desk) -> None:
    with_critic(desk.server, "**APPROVED**.")
    assert desk.ask("Write it.", "--critic", "1").failure is None
    assert desk.files == {"out/made.md": "a draft"}


# --- the form of chat completions ------------------------------------------------------------------------------------


class Chat:
    """A server of that form, which says what it is told to, and keeps what it was asked."""

    def __init__(self, events: Sequence[str], status: int = 200) -> None:
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        chat = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                chat.asked.append((self.path, self.headers["authorization"], body))
                self.send_response(status)
                self.end_headers()
                self.wfile.write("".join(events).encode())

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> Chat:
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.http.shutdown()
        self.http.server_close()

    def ask(self, folder: Path) -> Report:
        env = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"http://127.0.0.1:{self.http.server_address[1]}/v1"}
        agent = TextAgent(AgentSpec(kind="text", model="m-2", args=("--api", "openai")), env)
        return asyncio.run(agent.run(assignment(folder, prompt="Write it.", task=TASK), ProcessSupervisor()))


def chunk(**said: object) -> str:
    return f"data: {json.dumps(said)}\n\n"


def test_the_form_of_chat_completions(tmp_path: Path) -> None:
    events = [
        chunk(choices=[{"delta": {"role": "assistant", "content": "Hello "}}]),
        ": a comment\n\n",
        chunk(choices=[{"delta": {"content": "there"}, "finish_reason": None}]),
        chunk(choices=[{"delta": {}, "finish_reason": "stop"}]),
        chunk(
            choices=[],
            usage={"prompt_tokens": 12, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}},
        ),
        "data: [DONE]\n\n",
    ]
    with Chat(events) as chat:
        report = chat.ask(tmp_path)
    assert report.failure is None
    assert (tmp_path / "workspace" / "out" / "made.md").read_text() == "Hello there"
    assert (report.usage.input_tokens, report.usage.output_tokens, report.usage.cache_read_tokens) == (12, 3, 4)
    ((path, key, body),) = chat.asked
    assert (path, key, body["model"], body["stream"]) == ("/v1/chat/completions", f"Bearer {KEY}", "m-2", True)


@pytest.mark.parametrize(
    ("events", "status", "kind"),
    [
        ([chunk(choices=[{"delta": {"content": "Hel"}}])], 200, "transient"),
        (
            [chunk(choices=[{"delta": {"content": "x"}, "finish_reason": "length"}]), "data: [DONE]\n\n"],
            200,
            "permanent",
        ),
        ([chunk(error={"message": "busy", "type": "server_error"})], 200, "transient"),
        ([json.dumps({"error": {"message": "no such model"}})], 404, "permanent"),
        (["<html>"], 502, "transient"),
    ],
)
def test_r4_trouble_in_the_form_of_chat_completions(
    tmp_path: Path, events: Sequence[str], status: int, kind: str
) -> None:
    with Chat(events, status) as chat:
        assert kind_of(chat.ask(tmp_path)) == kind


# --- settings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "env", "words"),
    [
        (AgentSpec(kind="text"), {"ANTHROPIC_API_KEY": KEY}, "has no model"),
        (AgentSpec(kind="text", model="m"), {}, "ANTHROPIC_API_KEY is not set"),
        (AgentSpec(kind="text", model="m", args=("--api", "openai")), {"ANTHROPIC_API_KEY": KEY}, "OPENAI_API_KEY"),
        (AgentSpec(kind="text", model="m", args=("--url", "nowhere")), {}, "is no URL"),
        (AgentSpec(kind="text", model="m", args=("--tokens", "1")), {}, "unrecognized arguments: --tokens"),
        (AgentSpec(kind="text", model="m", args=("--critic", "6")), {}, "from 0 to 5, not 6"),
        (AgentSpec(kind="text", model="m", args=("--max-tokens", "0")), {}, "at least 1"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_starts(spec: AgentSpec, env: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        TextAgent(spec, env)


def test_its_own_process_sees_no_other_secret(desk: Desk) -> None:
    desk.env |= {"OTHER_API_KEY": "sk-other", "PATH": os.environ["PATH"]}
    agent = TextAgent(AgentSpec(kind="text"), desk.env)

    async def scenario() -> str:
        attempt = desk.attempt("MODEL hang silent")
        running = asyncio.create_task(agent.run(attempt, ProcessSupervisor()))
        await until_said(attempt, "model-1 at")
        (child,) = [path for path in Path("/proc").glob("[0-9]*/environ") if _is_of(path, desk.folder)]
        seen = child.read_text()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        return seen

    seen = asyncio.run(scenario())
    assert KEY in seen and "sk-other" not in seen
    assert not any(_is_of(path, desk.folder) for path in Path("/proc").glob("[0-9]*/environ"))


def _is_of(environ: Path, folder: Path) -> bool:
    try:
        said = environ.read_text().split("\0")
    except OSError:
        return False
    return f"STRETTO_STATE_DIR={folder}" in said and "ANTHROPIC_API_KEY=" + KEY in said
