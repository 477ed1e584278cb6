"""The shell agent: any command does the work."""

from __future__ import annotations

import signal
from collections.abc import Mapping

import msgspec

from stretto.agents.exits import cut_short, signal_name, tail_of
from stretto.agents.result import told
from stretto.errors import AdapterError, AgentError
from stretto.model.run import Failure, FailureKind
from stretto.ports import Assignment, Processes, ProcessExit, ProcessSpec, Report

_KIND_OF_EXIT: dict[int, FailureKind] = {75: "transient", 64: "permanent", 65: "permanent"}
"""EX_TEMPFAIL, EX_USAGE and EX_DATAERR of sysexits.h."""


class ShellAgent:
    """Runs `sh -c COMMAND` in the workspace."""

    reads_story = False
    codes = False

    def __init__(self, command: str, env: Mapping[str, str] = {}) -> None:
        """`env` is set for it, beside what the assignment brings."""
        self.command = command
        self._env = dict(env)

    async def run(self, assignment: Assignment, processes: Processes) -> Report:
        own = msgspec.structs.replace(assignment, env={**assignment.env, **self._env})
        return await run_command(("sh", "-c", self.command), own, processes)


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
        tail = tail_of(a.log, start)
    except (AdapterError, OSError, ValueError) as error:
        raise AgentError(f"cannot start the agent: {error}", hint=f"command: {' '.join(argv)}") from error
    return told(a.result_file, _failure(spec, exit, tail))


def _failure(spec: ProcessSpec, exit: ProcessExit, tail: str) -> Failure | None:
    if (cut := cut_short(spec, exit)) is not None:
        kind, what = cut.kind, cut.message
    elif exit.code == 0:
        return None
    else:
        code = exit.code or 0
        kind, what = _KIND_OF_EXIT.get(code, "failed"), f"exit status {code}"
        if code - 128 in signal.valid_signals():
            what += f" (a command in it was ended by {signal_name(code - 128)})"
    return Failure(kind=kind, message=f"{what}\n{tail}".strip())
