"""The shell agent: its environment, what its end means, and the reason it gives (R4)."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from stretto.agents.shell import ShellAgent
from stretto.engine.supervise import ProcessSupervisor
from stretto.errors import AgentError
from stretto.ports import Report
from stretto.testing.agents import assignment


def run(
    folder: Path, command: str, *, timeout_s: float = 60.0, idle_s: float = 60.0, env: Mapping[str, str] = {}
) -> Report:
    attempt = assignment(folder, prompt="the prompt", attempt=3, timeout_s=timeout_s, idle_s=idle_s)
    return asyncio.run(ShellAgent(command, env).run(attempt, ProcessSupervisor()))


def failure_of(report: Report) -> tuple[str, str]:
    assert report.failure is not None
    return report.failure.kind, report.failure.message


def result(text: str, then: str = "") -> str:
    return f'printf %s {shlex.quote(text)} > "$STRETTO_RESULT_FILE"; {then}'


def test_it_works_in_the_workspace_with_the_variables_of_its_attempt(tmp_path: Path) -> None:
    report = run(tmp_path, 'cat "$STRETTO_PROMPT_FILE" > seen; env | grep ^STRETTO_ | sort > vars')
    assert report == Report()
    assert (tmp_path / "workspace" / "seen").read_text() == "the prompt"
    assert (tmp_path / "workspace" / "vars").read_text().splitlines() == [
        "STRETTO_ATTEMPT=3",
        f"STRETTO_PROMPT_FILE={tmp_path / 'prompt.md'}",
        f"STRETTO_RESULT_FILE={tmp_path / 'result.json'}",
        f"STRETTO_RUN=run-{os.getpid()}",
        f"STRETTO_STATE_DIR={tmp_path}",
        "STRETTO_TASK=task",
    ]


def test_variables_of_its_settings_are_set_for_it(tmp_path: Path) -> None:
    run(tmp_path, 'echo "$MODE $PATH" > seen', env={"MODE": "fast", "PATH": "/bin"})
    assert (tmp_path / "workspace" / "seen").read_text() == "fast /bin\n"


@pytest.mark.parametrize(
    ("command", "kind", "said"),
    [
        ("exit 75", "transient", "exit status 75"),
        ("exit 64", "permanent", "exit status 64"),
        ("exit 65", "permanent", "exit status 65"),
        ("exit 1", "failed", "exit status 1"),
        ("exit 255", "failed", "exit status 255"),
        ("no-such-command-here", "failed", "exit status 127\n"),
        ("sh -c 'kill -KILL $$'; exit $?", "failed", "exit status 137 (a command in it was ended by SIGKILL)"),
        ("kill -KILL $$", "transient", "ended by SIGKILL, which stretto did not send"),
        ("kill -TERM $$", "transient", "ended by SIGTERM"),
    ],
)
def test_r4_the_end_has_a_kind(tmp_path: Path, command: str, kind: str, said: str) -> None:
    assert failure_of(run(tmp_path, command))[0] == kind
    assert failure_of(run(tmp_path, command))[1].startswith(said)


def test_r4_time_that_is_over_and_silence_have_kinds_of_their_own(tmp_path: Path) -> None:
    assert failure_of(run(tmp_path, "sleep 60", timeout_s=0.2)) == ("timeout", "not done after 0.2 s")
    assert failure_of(run(tmp_path, "sleep 60", idle_s=0.2)) == ("idle", "no output for 0.2 s")


def test_the_reason_is_the_end_of_the_output_bounded_and_legible(tmp_path: Path) -> None:
    noise = r"i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done; "
    _, message = failure_of(run(tmp_path, noise + r"printf '\033[31m10%%\r90%%\rbroken\007\n'; exit 1"))
    assert message.startswith("exit status 1\n")
    assert message.endswith("line 4999\nbroken")
    assert len(message) < 3100


def test_the_reason_is_not_from_an_earlier_writer_of_the_log(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("set-up said this\n")
    assert failure_of(run(tmp_path, "exit 1")) == ("failed", "exit status 1")


def test_r4_a_failure_in_the_result_file_beats_the_exit_status(tmp_path: Path) -> None:
    said = '{"failure": {"kind": "overloaded", "message": "busy", "retry_after_s": 3}, "usage": {"cost_usd": 1}}'
    for end in ("exit 0", "exit 65", "kill -KILL $$"):
        report = run(tmp_path, result(said, end))
        assert failure_of(report) == ("overloaded", "busy")
        assert report.usage.cost_usd == 1.0


def test_a_result_file_does_not_beat_the_exit_status_without_a_failure(tmp_path: Path) -> None:
    report = run(tmp_path, result('{"summary": "all fine", "confidence": 1}', "exit 1"))
    assert failure_of(report)[0] == "failed"
    assert report.summary == "all fine"


def test_a_broken_result_file_is_a_failure_unless_there_is_a_better_reason(tmp_path: Path) -> None:
    kind, message = failure_of(run(tmp_path, result('{"summary": "half')))
    assert kind == "failed"
    assert message.startswith("result.json:1:18: the result file is broken")
    assert failure_of(run(tmp_path, result('{"summary": "half', "exit 75")))[0] == "transient"


def test_a_result_file_from_before_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text('{"failure": {"kind": "auth"}}')
    assert run(tmp_path, "true") == Report()


def test_an_agent_that_cannot_start_is_an_error(tmp_path: Path) -> None:
    attempt = msgspec.structs.replace(assignment(tmp_path), workspace=tmp_path / "nowhere")
    with pytest.raises(AgentError, match="cannot start"):
        asyncio.run(ShellAgent("true").run(attempt, ProcessSupervisor()))


def test_a_command_that_no_system_can_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="cannot start"):
        asyncio.run(ShellAgent("echo \0").run(assignment(tmp_path), ProcessSupervisor()))
