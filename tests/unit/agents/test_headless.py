"""A coding agent as a process: its command line, its environment, its files, and what its end means."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from stretto.agents.headless import EVENTS, LONGEST, HeadlessAgent, session_of
from stretto.agents.profiles import CLAUDE, PROFILES
from stretto.agents.stream import Ending
from stretto.errors import AgentError, ConfigError
from stretto.model.agent import AgentSpec
from stretto.model.run import FailureKind
from stretto.ports import Assignment, Processes, ProcessExit, ProcessSpec, Report, Resumption
from stretto.testing.agents import assignment
from stretto.testing.processes import FakeProcesses, Played

PLAIN = AgentSpec(kind="claude")
INIT = {"type": "system", "subtype": "init", "cwd": "/w"}
WORDS = {"type": "assistant", "message": {"model": "m", "content": [{"type": "text", "text": "on it"}]}}
DONE = {"type": "result", "subtype": "success", "is_error": False, "result": "done", "total_cost_usd": 0.5}


def lines(*events: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


@pytest.fixture
def environ(tmp_path: Path) -> Mapping[str, str]:
    """A user who has installed it."""
    program = tmp_path / "bin" / "claude"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 1.2.3 '(Claude Code)'\n")
    program.chmod(0o755)
    return {"PATH": str(program.parent), "HOME": str(tmp_path), "ANTHROPIC_API_KEY": "key", "SECRET": "no"}


def run(environ: Mapping[str, str], processes: Processes, a: Assignment, spec: AgentSpec = PLAIN) -> Report:
    return asyncio.run(HeadlessAgent(CLAUDE, spec, environ).run(a, processes))


def played(tmp_path: Path, environ: Mapping[str, str], what: Played, **more: Any) -> tuple[Report, Assignment]:
    a = assignment(tmp_path, prompt="do it", **more)
    return run(environ, FakeProcesses(lambda spec: what), a), a


def test_the_prompt_comes_on_standard_input_whatever_its_length(tmp_path: Path, environ: Mapping[str, str]) -> None:
    processes = FakeProcesses(lambda spec: Played(output=lines(INIT, WORDS, DONE)))
    a = assignment(tmp_path, prompt="x" * 3_000_000)
    assert run(environ, processes, a).failure is None
    (spec,) = processes.started
    assert spec.input is not None and spec.input.read_text() == a.prompt
    assert max(map(len, spec.argv)) < 1000
    assert spec.cwd == a.workspace and spec.cookie == (a.run, "task", "1")


def test_its_command_line_is_the_profile_with_what_settings_say(tmp_path: Path, environ: Mapping[str, str]) -> None:
    def words(spec: AgentSpec) -> list[str]:
        processes = FakeProcesses(lambda _: Played(output=lines(INIT, DONE)))
        run(environ, processes, assignment(tmp_path), spec)
        return list(processes.started[0].argv)

    plain = words(AgentSpec(kind="claude"))
    assert plain[0] == str(tmp_path / "bin" / "claude")
    assert plain[-4:] == ["--permission-mode", "acceptEdits", "--allowedTools", "Bash"]
    assert "--model" not in plain
    told = words(
        AgentSpec(
            kind="claude",
            model="opus",
            permission_mode="plan",
            allowed_tools=("Bash(git *)", "Edit"),
            args=("--x", "y"),
        )
    )
    assert told[told.index("--model") + 1] == "opus"
    assert told[-6:] == ["plan", "--allowedTools", "Bash(git *)", "Edit", "--x", "y"]
    assert "--allowedTools" not in words(AgentSpec(kind="claude", allowed_tools=()))


def test_it_sees_what_its_profile_lists_and_settings_set(tmp_path: Path, environ: Mapping[str, str]) -> None:
    processes = FakeProcesses(lambda spec: Played(output=lines(INIT, DONE)))
    surrounding = {"CLAUDECODE": "1", "CLAUDE_CODE_SESSION_ID": "outer", "CLAUDE_CODE_MAX_RETRIES": "10"}
    a = replace(assignment(tmp_path), env={"STRETTO_STATE_DIR": "/state", "MINE": "passed"})
    run({**environ, **surrounding}, processes, a, AgentSpec(kind="claude", env={"DISABLE_TELEMETRY": "0"}))
    env = processes.started[0].env
    assert env["ANTHROPIC_API_KEY"] == "key" and env["MINE"] == "passed"
    assert env["CLAUDE_CODE_MAX_RETRIES"] == "2" and env["DISABLE_AUTOUPDATER"] == "1"
    assert env["DISABLE_TELEMETRY"] == "0"
    assert not {"SECRET", "CLAUDECODE", "CLAUDE_CODE_SESSION_ID"} & set(env)
    assert env["STRETTO_RESULT_FILE"] == str(a.result_file)


def test_its_events_are_kept_raw_and_its_log_is_for_people(tmp_path: Path, environ: Mapping[str, str]) -> None:
    answered: list[str] = []
    a = replace(assignment(tmp_path), on_answer=lambda: answered.append("once"))
    raw = lines(INIT, WORDS, WORDS, DONE)
    what = Played(output=raw, errors=b"a warning\n")
    report = run(environ, FakeProcesses(lambda spec: what), a)
    assert a.log.with_name(EVENTS).read_bytes() == raw
    log = a.log.read_text().splitlines()
    assert log[0] == "a warning" and log[2:4] == ["on it", "on it"] and log[4].startswith("done:")
    assert answered == ["once"]
    assert report.summary == "done" and report.usage.cost_usd == 0.5


def test_what_it_says_is_read_while_it_works(tmp_path: Path, environ: Mapping[str, str]) -> None:
    a = assignment(tmp_path)
    seen = asyncio.Event()
    a = replace(a, on_answer=seen.set)

    class Slow:
        async def run(self, spec: ProcessSpec) -> ProcessExit:
            whole = lines(INIT, WORDS)
            spec.log.write_bytes(whole[:-20])
            await asyncio.sleep(0)
            with spec.log.open("ab") as log:
                log.write(whole[-20:])
            await asyncio.wait_for(seen.wait(), 20)
            with spec.log.open("ab") as log:
                log.write(lines(DONE).rstrip(b"\n"))
            return ProcessExit(ended="exit", code=0, duration_s=1.0)

    report = run(environ, Slow(), a)
    assert report.failure is None and report.summary == "done", "a last line without its end counts"
    assert a.log.read_text().count("on it") == 1


@pytest.mark.parametrize(
    ("what", "kind", "words"),
    [
        (Played(output=lines(INIT, WORDS), signal=9), "transient", "SIGKILL"),
        (Played(output=lines(INIT, WORDS), code=143), "transient", "SIGTERM"),
        (Played(output=lines(INIT, WORDS), code=7), "failed", "exit status 7 before it said"),
        (Played(output=lines(INIT, WORDS), code=0), "failed", "before it said that it was done"),
        (Played(output=lines(INIT, DONE), code=3), "failed", "exit status 3"),
        (Played(output=b"", errors=b"error: unknown option '--x'\n", code=1), "permanent", "--x"),
        (Played(output=lines(INIT)[:-9], lasts_s=9), "idle", "no output"),
        (Played(output=lines(INIT, {"type": "control_request", "request": {"tool_name": "Bash"}}), lasts_s=9),
         "blocked_on_prompt", "allowed_tools"),
    ],
)  # fmt: skip
def test_r4_an_end_without_a_word_of_its_own(
    tmp_path: Path, environ: Mapping[str, str], what: Played, kind: FailureKind, words: str
) -> None:
    report, _ = played(tmp_path, environ, what, idle_s=0.2)
    assert report.failure is not None and report.failure.kind == kind
    assert words in report.failure.message
    assert report.usage.cost_usd is None or what.code == 3


def test_who_is_done_and_only_lingers_is_done(tmp_path: Path, environ: Mapping[str, str]) -> None:
    report, _ = played(tmp_path, environ, Played(output=lines(INIT, WORDS, DONE), lasts_s=9), idle_s=0.2)
    assert report.failure is None


def test_its_own_word_beats_the_signal_that_follows(tmp_path: Path, environ: Mapping[str, str]) -> None:
    end = {**DONE, "is_error": True, "api_error_status": 529, "result": "Overloaded"}
    report, _ = played(tmp_path, environ, Played(output=lines(INIT, end), signal=15))
    assert report.failure is not None and report.failure.kind == "overloaded"


def test_an_event_that_is_too_long_is_told_and_skipped(tmp_path: Path, environ: Mapping[str, str]) -> None:
    huge = b'{"type":"user","x":"' + b"y" * (LONGEST + 5_000_000) + b'"}\n'
    report, a = played(tmp_path, environ, Played(output=lines(INIT) + huge + lines(WORDS, DONE)))
    assert report.failure is None and report.summary == "done"
    log = a.log.read_text()
    assert log.count("too long to read") == 1 and len(log) < 1000 and "on it" in log


def test_the_result_file_counts_for_it_too(tmp_path: Path, environ: Mapping[str, str]) -> None:
    a = assignment(tmp_path)

    def play(spec: ProcessSpec) -> Played:
        a.result_file.write_text('{"confidence": 0.4, "already_done": true}')
        return Played(output=lines(INIT, DONE))

    a.result_file.write_text('{"confidence": 0.9}')  # of an earlier process: gone before it starts
    report = run(environ, FakeProcesses(play), a)
    assert report.confidence == 0.4 and report.already_done and report.usage.cost_usd == 0.5
    assert report.summary == "done"


# --- sessions ----------------------------------------------------------------------------------------------------


def resuming(tmp_path: Path) -> Assignment:
    a = assignment(tmp_path, prompt="the whole prompt", attempt=3)
    return replace(a, resumes=Resumption(attempt=2, prompt="go on"))


def test_r4_it_goes_on_in_a_copy_of_the_earlier_session(tmp_path: Path, environ: Mapping[str, str]) -> None:
    a, prompts = resuming(tmp_path), []

    def play(spec: ProcessSpec) -> Played:
        assert spec.input is not None
        prompts.append(spec.input.read_text())
        return Played(output=lines(INIT, WORDS, DONE))

    processes = FakeProcesses(play)
    assert run(environ, processes, a).failure is None
    argv = list(processes.started[0].argv)
    assert argv[argv.index("--resume") + 1] == session_of(a, 2)
    assert argv[argv.index("--session-id") + 1] == session_of(a, 3) and "--fork-session" in argv
    assert prompts == ["go on"]


def test_r4_a_session_that_is_gone_begins_anew_in_the_same_attempt(tmp_path: Path, environ: Mapping[str, str]) -> None:
    a, prompts = resuming(tmp_path), []
    gone = f"No conversation found with session ID: {session_of(a, 2)}"
    result = {"type": "result", "subtype": "error_during_execution", "is_error": True, "errors": [gone]}

    def play(spec: ProcessSpec) -> Played:
        assert spec.input is not None
        prompts.append(spec.input.read_text())
        if "--resume" in spec.argv:
            return Played(output=lines(result), errors=gone.encode() + b"\n", code=1)
        return Played(output=lines(INIT, WORDS, DONE))

    processes = FakeProcesses(play)
    report = run(environ, processes, a)
    assert report.failure is None and report.summary == "done"
    assert prompts == ["go on", "the whole prompt"]
    assert "--session-id" in processes.started[1].argv and "--resume" not in processes.started[1].argv
    assert processes.started[1].timeout_s <= processes.started[0].timeout_s


def test_r4_a_session_that_takes_no_more_is_no_verdict_on_the_task(tmp_path: Path, environ: Mapping[str, str]) -> None:
    long = {**DONE, "is_error": True, "result": "Prompt is too long", "terminal_reason": "prompt_too_long"}

    def kind(a: Assignment) -> str:
        failure = run(environ, FakeProcesses(lambda spec: Played(output=lines(INIT, long), code=1)), a).failure
        return failure.kind if failure else ""

    assert kind(resuming(tmp_path)) == "failed"
    assert kind(replace(resuming(tmp_path), resumes=None)) == "permanent"


def test_sessions_have_ids_of_their_own(tmp_path: Path) -> None:
    a = assignment(tmp_path)
    ids = {session_of(a, 1), session_of(a, 2), session_of(replace(a, run="other"), 1)}
    assert len(ids) == 3 and session_of(a, 1) in ids


# --- what is wrong -----------------------------------------------------------------------------------------------


def test_not_installed_is_one_error_that_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Claude Code is not installed") as caught:
        HeadlessAgent(CLAUDE, AgentSpec(kind="claude"), {"PATH": str(tmp_path)})
    assert "npm install" in caught.value.hint
    with pytest.raises(ConfigError, match="'/nowhere/claude'"):
        HeadlessAgent(CLAUDE, AgentSpec(kind="claude", command="/nowhere/claude"), {"PATH": str(tmp_path)})


def test_gone_when_its_turn_comes_is_an_agent_error(tmp_path: Path, environ: Mapping[str, str]) -> None:
    with pytest.raises(AgentError, match="cannot start Claude Code"):
        run(environ, FakeProcesses(lambda spec: None), assignment(tmp_path))


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (AgentSpec(kind="claude", permission_mode="yolo"), "no permission mode 'yolo'"),
        (AgentSpec(kind="claude", args=("--output-format", "text")), "--output-format .* is set by stretto"),
        (AgentSpec(kind="claude", args=("--resume=x",)), "is set by stretto"),
        (AgentSpec(kind="claude", command="tools/claude"), "absolute path"),
    ],
)
def test_settings_that_cannot_work_are_refused(environ: Mapping[str, str], spec: AgentSpec, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        HeadlessAgent(CLAUDE, spec, environ)


def test_a_profile_finds_its_program_and_asks_it_for_its_version(tmp_path: Path, environ: Mapping[str, str]) -> None:
    program = CLAUDE.find(environ)
    assert program == tmp_path / "bin" / "claude"
    assert CLAUDE.version(program, environ) == "1.2.3"
    assert CLAUDE.find({"PATH": "/nowhere"}) is None
    assert CLAUDE.version(tmp_path / "nothing", environ) is None
    assert set(PROFILES) >= {"claude"}


class Broken:
    """A reader with a bug in it."""

    began = answered = False

    def read(self, line: bytes) -> tuple[str, ...]:
        if b"odd" in line:
            raise TypeError("unhashable")
        self.answered = True
        return (line.decode(), "half a sign: \ud800")

    def ending(self, *, resumed: bool) -> Ending:
        raise OverflowError("too large")


def test_a_line_that_breaks_the_reader_costs_that_line_and_never_the_engine(
    tmp_path: Path, environ: Mapping[str, str]
) -> None:
    answered: list[str] = []
    a = replace(assignment(tmp_path), on_answer=lambda: answered.append("once"))
    processes = FakeProcesses(lambda spec: Played(output=b"one\nodd\ntwo\n"))
    agent = HeadlessAgent(replace(CLAUDE, stream=Broken), PLAIN, environ)
    with pytest.raises(AgentError, match="cannot make sense of what Claude Code said at its end: OverflowError"):
        asyncio.run(agent.run(a, processes))
    log = a.log.read_text().splitlines()
    assert log[0] == "one" and log[2:4] == ["(an event that cannot be read: TypeError: unhashable)", "two"]
    assert answered == ["once"]
