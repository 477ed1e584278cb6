"""The shell agent: any command does the work."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import assert_never

from stretto.agents.result import BrokenResult, Result, claimed, read_result
from stretto.errors import AdapterError, AgentError
from stretto.model.excerpt import clip, ending, legible
from stretto.model.run import Failure, FailureKind, Usage
from stretto.ports import Assignment, Processes, ProcessExit, ProcessSpec, Report

_KIND_OF_EXIT: dict[int, FailureKind] = {75: "transient", 64: "permanent", 65: "permanent"}
"""EX_TEMPFAIL, EX_USAGE and EX_DATAERR of sysexits.h."""


class ShellAgent:
    """Runs `sh -c COMMAND` in the workspace."""

    reads_story = False

    def __init__(self, command: str) -> None:
        self.command = command

    async def run(self, assignment: Assignment, processes: Processes) -> Report:
        return await run_command(("sh", "-c", self.command), assignment, processes)


async def run_command(argv: tuple[str, ...], assignment: Assignment, processes: Processes) -> Report:
    """Run a command as an agent: prompt by file, result by file and exit status. Raises AgentError if it cannot start.

    `assignment.env` holds what the agent may see of the user's environment; the files' names are added here, and the
    cookie's variables by whoever runs the process.
    """
    a = assignment
    env = {
        **a.env,
        "STRETTO_PROMPT_FILE": str(a.prompt_file),
        "STRETTO_RESULT_FILE": str(a.result_file),
    }
    spec = ProcessSpec(
        argv=argv, cwd=a.workspace, env=env, log=a.log,
        timeout_s=a.timeout_s, idle_s=a.idle_s, grace_s=a.grace_s, cookie=(a.run, a.task.id, str(a.attempt)),
    )  # fmt: skip
    try:
        a.prompt_file.write_text(a.prompt, encoding="utf-8")
        a.result_file.unlink(missing_ok=True)
        start = a.log.stat().st_size if a.log.exists() else 0
        exit = await processes.run(spec)
        tail = _tail(a.log, start)
    except (AdapterError, OSError, ValueError) as error:
        raise AgentError(f"cannot start the agent: {error}", hint=f"command: {' '.join(argv)}") from error
    return _report(spec, exit, tail, a.result_file)


def _report(spec: ProcessSpec, exit: ProcessExit, tail: str, result_file: Path) -> Report:
    failure = _failure(spec, exit, tail)
    try:
        result = read_result(result_file) or Result()
    except BrokenResult as broken:
        # Whoever was cut off in the middle of writing it has a better reason than the broken file.
        failure = failure or Failure(kind="failed", message=str(broken))
        return Report(failure=failure)
    if result.failure is not None:
        failure = claimed(result.failure)
    return Report(
        failure=failure,
        usage=result.usage or Usage(),
        summary=clip(legible(result.summary or ""), 4000),
        confidence=result.confidence,
        already_done=bool(result.already_done),
        artifacts=result.artifacts or (),
    )


def _failure(spec: ProcessSpec, exit: ProcessExit, tail: str) -> Failure | None:
    kind: FailureKind
    match exit.ended:
        case "timeout":
            kind, what = "timeout", f"not done after {spec.timeout_s:g} s"
        case "idle":
            kind, what = "idle", f"no output for {spec.idle_s or 0:g} s"
        case "exit" if exit.signal is not None:
            kind, what = "transient", f"ended by {_signal_name(exit.signal)}, which stretto did not send"
        case "exit":
            if exit.code == 0:
                return None
            code = exit.code or 0
            kind, what = _KIND_OF_EXIT.get(code, "failed"), f"exit status {code}"
            if code - 128 in signal.valid_signals():
                what += f" (a command in it was ended by {_signal_name(code - 128)})"
        case _:
            assert_never(exit.ended)
    return Failure(kind=kind, message=f"{what}\n{tail}".strip())


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _tail(log: Path, start: int) -> str:
    if not log.exists():
        return ""
    with log.open("rb") as file:
        return ending(file, after=start)
