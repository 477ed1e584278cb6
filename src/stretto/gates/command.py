"""The command gate: a check is green when its command says so, judged by stretto and not by the agent (R5.2, R5.4)."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping

from stretto.errors import AdapterError, GateError
from stretto.model.excerpt import ending
from stretto.model.plan import Check
from stretto.model.run import Remark
from stretto.ports import GateCall, Processes, ProcessExit, ProcessSpec, Verdict

_FORGIVE_CUT = r"""trap 'stretto_rc=$? stretto_all=("${PIPESTATUS[@]}")
[[ $stretto_rc = 141 && "${stretto_all[*]}" =~ ^((0|141) )+0$ ]] && exit 0' EXIT
"""
"""`yes | head -1` ends with 141 under pipefail, though all is well: the reader had enough. Everybody else in that
pipeline must be green, and a trap of the command's own takes the place of this one."""

_GOES_ON = re.compile(r"\|.*&&|\bset\s+-\w*e|\berrexit\b", re.DOTALL)
"""Commands in which 141 may have kept a later part from running at all: there it stays red."""


class CommandGate:
    """Runs the check's command in the workspace; everything it says goes to `call.log`."""

    async def judge(self, call: GateCall, processes: Processes) -> Verdict:
        check = call.check
        cookie = (call.run, call.task.id if call.task else "", str(call.attempt))
        spec = ProcessSpec(
            argv=_argv(check, call.env), cwd=call.workspace, env=call.env, log=call.log, cookie=cookie,
            timeout_s=call.timeout_s if check.timeout_s is None else check.timeout_s, grace_s=call.grace_s,
        )  # fmt: skip
        try:
            with call.log.open("ab") as log:
                log.write(f"$ {check.command}\n".encode("utf-8", "replace"))
                start = log.tell()
            exit = await processes.run(spec)
            with call.log.open("rb") as log:
                output = ending(log, after=start)
        except (AdapterError, OSError, ValueError) as error:
            raise GateError(f"cannot run `{check.command}`: {error}") from error
        red = _why_red(check, spec, exit, output)
        if red is None:
            return Verdict(color="green")
        remark = Remark(check=check.command, message=f"{red}\n{output}".strip(), log=str(call.log))
        return Verdict(color="red", remarks=(remark,))


def _argv(check: Check, env: Mapping[str, str]) -> tuple[str, ...]:
    if not check.command.strip():
        raise GateError("the check has no command", hint="give it one, or make it an approval")
    if not check.pipefail:
        return "sh", "-c", check.command
    bash = shutil.which("bash", path=env.get("PATH"))
    if bash is None:
        raise GateError(
            f"`{check.command}` has to run under bash, which is not on the PATH",
            hint="install bash: sh cannot tell whether the first command of a pipe failed",
        )
    forgive = "" if _GOES_ON.search(check.command) else _FORGIVE_CUT
    return bash, "-o", "pipefail", "-c", forgive + check.command


def _why_red(check: Check, spec: ProcessSpec, exit: ProcessExit, output: str) -> str | None:
    if exit.ended != "exit":
        return f"not done after {spec.timeout_s:g} s"
    if exit.signal is not None:
        return f"ended by signal {exit.signal}"
    if exit.code != 0:
        return f"exit status {exit.code}"
    last = output.rpartition("\n")[2].strip()
    if check.expected is not None and last != check.expected.strip():
        return f"the last line is {last!r}, expected {check.expected!r}"
    return None
