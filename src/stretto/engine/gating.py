"""Runs the checks of an attempt or of a merged tree in a clean workspace, and makes one verdict of them (R5.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from stretto.engine.home import RunHome
from stretto.errors import AdapterError
from stretto.model.plan import Check, Plan, Task, Value
from stretto.model.run import Remark, RunSettings
from stretto.ports import Gate, GateCall, Processes, Workspaces


class Judgement(Value, frozen=True, kw_only=True):
    """The verdict of several checks. `error`: one of them could not be run at all, which says nothing of the work."""

    color: Literal["green", "red", "ask"]
    remarks: tuple[Remark, ...] = ()
    error: bool = False


class Checks:
    """All gates of a run."""

    def __init__(
        self,
        *,
        run: str,
        plan: Plan,
        settings: RunSettings,
        gates: Mapping[str, Gate],
        workspaces: Workspaces,
        processes: Processes,
        home: RunHome,
        env: Mapping[str, str],
    ) -> None:
        self._run, self._plan, self._settings = run, plan, settings
        self._gates, self._workspaces, self._processes = gates, workspaces, processes
        self._home, self._env = home, env

    async def of_attempt(self, task: Task, attempt: int, commit: str) -> Judgement:
        """Task gates: promised artifacts, then `verify`, then whatever a person must say."""
        return await self._judge([(task, attempt, "task")], commit, (), first=True)

    async def of_merge(self, members: Sequence[tuple[Task, int]], commit: str, *, tip_moved: bool) -> Judgement:
        """Landing gates: the plan's own, and the members' again where the tip has moved since they were checked."""
        again = [(task, attempt, "landing") for task, attempt in members] if tip_moved else []
        return await self._judge(again, commit, self._plan.gates.verify, first=False)

    async def _judge(
        self, members: Sequence[tuple[Task, int, str]], commit: str, plan_checks: Sequence[Check], *, first: bool
    ) -> Judgement:
        calls: list[tuple[Gate, GateCall]] = []
        owner = members[0] if members else None
        try:
            wanted = [
                (task, attempt, stage, kind, check)
                for task, attempt, stage in members
                for kind, check in _checks_of(task)
                if first or kind != "approval"  # a person has spoken already, about this very work
            ]
            if not wanted and not plan_checks:
                return Judgement(color="green")
            workspace = await self._workspaces.open(
                task=owner[0].id if owner and first else "", attempt=owner[1] if owner and first else 0,
                base=commit, role="gate",
            )  # fmt: skip
            try:
                for number, (task, attempt, stage, kind, check) in enumerate(wanted, 1):
                    log = self._log(task.id, attempt, f"{stage}-{number}")
                    calls.append((self._gates[kind], self._call(task, attempt, check, workspace.path, log)))
                for number, check in enumerate(plan_checks, 1):
                    log = self._log("", 0, f"{commit[:12]}-{number}")
                    calls.append((self._gates[check.kind], self._call(None, 0, check, workspace.path, log)))
                return await self._all(calls)
            finally:
                await self._workspaces.close(workspace)
        except AdapterError as error:
            said = f"{error} (hint: {error.hint})" if error.hint else str(error)
            return Judgement(color="red", remarks=(Remark(check="set-up", message=said),), error=True)

    async def _all(self, calls: Sequence[tuple[Gate, GateCall]]) -> Judgement:
        """Every check in turn; the first red one settles it. Approval is only asked for when all else is green."""
        asked: list[Remark] = []
        for gate, call in sorted(calls, key=lambda pair: pair[1].check.kind == "approval"):
            verdict = await gate.judge(call, self._processes)
            if verdict.color == "red":
                return Judgement(color="red", remarks=verdict.remarks)
            if verdict.color == "ask":
                asked += verdict.remarks
        return Judgement(color="ask" if asked else "green", remarks=tuple(asked))

    def _call(self, task: Task | None, attempt: int, check: Check, workspace: Path, log: Path) -> GateCall:
        return GateCall(
            run=self._run,
            task=task,
            attempt=attempt,
            check=check,
            workspace=workspace,
            log=log,
            env=self._env,
            timeout_s=check.timeout_s or self._settings.gate_timeout_s,
            grace_s=self._settings.grace_s,
        )

    def _log(self, task: str, attempt: int, name: str) -> Path:
        return self._home.attempt(task, attempt).make().gates / f"{name}.log"


def _checks_of(task: Task) -> list[tuple[str, Check]]:
    """(kind of gate, check) of a task: what it promised to leave, then what it said would be true."""
    promised = [("artifacts", Check())] if task.artifacts else []
    return promised + [(check.kind, check) for check in task.verify]
