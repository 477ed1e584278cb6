"""The model server against the real Claude Code: what a script says is what the command line does."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from stretto.testing.models.log import most_at_once
from stretto.testing.models.server import ModelServer

BOUND_S = 60.0
KEY = {"ANTHROPIC_API_KEY": "sk-ant-test-0123456789"}
TOKEN = {"CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat-test-0123456789"}


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


class Ended:
    """One run of the command line, from its events."""

    def __init__(self, code: int, said: str) -> None:
        self.code = code
        self.events: list[dict[str, Any]] = [json.loads(line) for line in said.splitlines()]

    @property
    def result(self) -> dict[str, Any]:
        (last,) = (event for event in self.events if event["type"] == "result")
        return last


class Desk:
    """A folder, a home and nothing else: neither settings nor keys of this machine are seen."""

    def __init__(self, root: Path, program: Path, server: ModelServer) -> None:
        self.folder, self._program = root / "folder", program
        self.folder.mkdir()
        home = root / "home"
        home.mkdir()
        self._env = {
            "PATH": os.defpath,
            "HOME": str(home),
            "TMPDIR": str(home),
            "CLAUDE_CONFIG_DIR": str(home / ".claude"),
            "ANTHROPIC_BASE_URL": server.url,
            "DISABLE_AUTOUPDATER": "1",
            "DISABLE_TELEMETRY": "1",
            "DISABLE_ERROR_REPORTING": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "CLAUDE_CODE_MAX_RETRIES": "1",
            "IS_SANDBOX": "1",
        }
        self._options = ("--output-format", "stream-json", "--verbose", "--permission-mode", "acceptEdits")

    @contextmanager
    def started(self, prompt: str, *options: str, **env: str) -> Iterator[subprocess.Popen[str]]:
        """It has ended when the block is left, whatever happens in it."""
        with subprocess.Popen(
            [self._program, "-p", prompt, *self._options, "--allowedTools", "Bash", *options],
            cwd=self.folder, env={**self._env, **(env or KEY)}, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        ) as process:  # fmt: skip
            try:
                yield process
            finally:
                process.kill()

    def claude(self, prompt: str, *options: str, **env: str) -> Ended:
        with self.started(prompt, *options, **env) as process:
            said, _ = process.communicate(timeout=BOUND_S)
        return Ended(process.returncode, said)


@pytest.fixture
def desk(tmp_path: Path, claude_cli: Path, server: ModelServer) -> Desk:
    return Desk(tmp_path, claude_cli, server)


def statuses(server: ModelServer) -> Sequence[int | None]:
    return [request.status for request in server.requests()]


def test_steps_become_files_by_the_tools_of_the_command_line(desk: Desk, server: ModelServer) -> None:
    (desk.folder / "have.txt").write_text("an old line\nkept\n")
    (desk.folder / "over.txt").write_text("before\n")
    ended = desk.claude(
        "Please do this.\n"
        "MODEL say I begin.\n"
        r"MODEL write new/made.txt one\ntwo" "\n"
        "MODEL edit have.txt old line => new line\n"
        "MODEL write over.txt after\n"
        "MODEL bash pwd > pwd.txt\n"
        "MODEL and bash cat new/made.txt > copy.txt\n"
        "MODEL usage 1000 200 30 4\n"
        "MODEL text It is done."
    )  # fmt: skip
    files = {str(path.relative_to(desk.folder)): path.read_text() for path in desk.folder.rglob("*.txt")}
    assert files == {
        "new/made.txt": "one\ntwo\n", "have.txt": "an new line\nkept\n", "over.txt": "after\n",
        "pwd.txt": f"{desk.folder}\n", "copy.txt": "one\ntwo\n",
    }  # fmt: skip
    assert (ended.code, ended.result["result"], ended.result["is_error"]) == (0, "It is done.", False)
    turns = len(server.requests())
    assert turns == 6, "a read before the edit, the last two calls in one turn, and the text"
    usage = ended.result["usage"]
    assert (usage["input_tokens"], usage["output_tokens"]) == (1000 * turns, 200 * turns)
    assert (usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]) == (30 * turns, 4 * turns)
    assert ended.result["total_cost_usd"] > 0


def test_trouble_of_every_kind_is_tried_again_and_the_work_is_done_once(desk: Desk, server: ModelServer) -> None:
    ended = desk.claude(
        "MODEL bash echo one >> log.txt\n"
        "MODEL bash echo two >> log.txt\n"
        "MODEL bash echo three >> log.txt\n"
        "MODEL bash echo four >> log.txt\n"
        "MODEL fail 529 times=1 turn=1\n"
        "MODEL cut times=1 turn=2\n"
        "MODEL cut silent times=1 turn=3\n"
        "MODEL stream-error overloaded_error times=1 turn=4\n"
        "MODEL fail 429 times=1 turn=5 retry-after=1\n"
    )
    assert (ended.code, ended.result["result"]) == (0, "Done.")
    assert (desk.folder / "log.txt").read_text() == "one\ntwo\nthree\nfour\n"
    trouble = [request.outcome for request in server.requests() if request.outcome != "answered"]
    assert trouble == ["refused", "cut", "cut", "stream-error", "refused"]
    retries = [event["error_status"] for event in ended.events if event.get("subtype") == "api_retry"]
    assert retries[0] == 529
    assert retries[-1] == 429


def test_what_the_server_refuses_is_what_the_command_line_says(desk: Desk, server: ModelServer) -> None:
    ended = desk.claude("Do this:\nMODEL wirte a.txt hi")
    assert (ended.code, ended.result["is_error"], ended.result["api_error_status"]) == (1, True, 400)
    assert "script line 2, 'MODEL wirte a.txt hi': unknown directive 'wirte'" in ended.result["result"]
    asked = len(server.requests())
    ended = desk.claude('MODEL fail 529 message="no room just now"')
    assert (ended.code, ended.result["api_error_status"]) == (1, 529)
    assert ended.result["api_error_type"] == "overloaded_error"
    assert "no room just now" in ended.result["result"]
    # After a 400 it asks again with fewer features, which costs no tokens.
    assert statuses(server) == [*[400] * asked, 529, 529]


def test_a_file_outside_is_not_written_and_another_way_is_taken(desk: Desk) -> None:
    outside = desk.folder.parent / "outside.txt"
    ended = desk.claude(f"MODEL write {outside} x\nMODEL or write inside.txt x")
    assert not outside.exists()
    assert (desk.folder / "inside.txt").read_text() == "x\n"
    assert {denied["tool_name"] for denied in ended.result["permission_denials"]} >= {"Write"}


def test_an_answer_is_typed_where_the_command_line_wants_it(desk: Desk) -> None:
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
    ended = desk.claude('MODEL answer {"ok": true}', "--json-schema", json.dumps(schema))
    assert ended.code == 0
    assert ended.result["structured_output"] == {"ok": True}


def test_a_usage_limit_is_told_with_its_reset_and_holds_for_the_account(desk: Desk, server: ModelServer) -> None:
    for prompt in ("MODEL limit 3600", "MODEL text another task"):
        ended = desk.claude(prompt, **TOKEN)
        assert (ended.code, ended.result["is_error"], ended.result["api_error_status"]) == (1, True, 429)
        (told,) = (event["rate_limit_info"] for event in ended.events if event["type"] == "rate_limit_event")
        assert (told["status"], told["rateLimitType"]) == ("rejected", "five_hour")
    assert desk.claude("MODEL text another account").code == 0
    assert statuses(server) == [429, 429, 200], "a limit is not tried again"


def test_what_hangs_in_one_attempt_is_resumed_in_the_next(desk: Desk, server: ModelServer) -> None:
    first, second = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
    script = "MODEL write one.txt 1\nMODEL @1 hang turn=2\nMODEL @2 write two.txt 2"
    with desk.started(script, "--session-id", first) as process:
        server.until(lambda requests: len(requests) == 2 and requests[1].status == 200, within_s=BOUND_S)
        process.terminate()
        process.wait(BOUND_S)
    server.until(lambda requests: requests[1].outcome == "gone")
    ended = desk.claude("Go on.", "--resume", first, "--fork-session", "--session-id", second)
    assert (ended.code, ended.result["result"]) == (0, "Done.")
    assert (desk.folder / "two.txt").read_text() == "2\n"
    told = [(request.session, request.attempt, request.turn, request.calls) for request in server.requests()]
    assert told == [
        (first, 1, 1, ("Write",)),
        (first, 1, 2, ()),
        (second, 2, 2, ("Write",)),
        (second, 2, 3, ()),
    ]


def test_tasks_side_by_side_share_what_the_first_has_written_to_the_cache(desk: Desk, server: ModelServer) -> None:
    desk.claude("MODEL text the first")
    server.log.forget()
    with ThreadPoolExecutor(3) as pool:
        ends = list(pool.map(lambda n: desk.claude(f"MODEL write {n}.txt {n}\nMODEL delay 2 turn=1"), range(3)))
    assert [ended.code for ended in ends] == [0, 0, 0]
    assert sorted(path.name for path in desk.folder.iterdir()) == ["0.txt", "1.txt", "2.txt"]
    assert most_at_once(server.requests()) == 3
    assert all(request.cache_read_tokens > 3 * request.cache_write_tokens for request in server.requests())
