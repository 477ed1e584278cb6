"""Runs the checks of an attempt or of a merged tree in a clean workspace, and makes one verdict of them (R5.2)."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from stretto.engine.home import RunHome
from stretto.engine.verdicts import Green, Proof, Question, Verdicts, fingerprint
from stretto.errors import AdapterError
from stretto.model.plan import Check, Plan, Task, Value
from stretto.model.run import Remark, RunSettings
from stretto.ports import Gate, GateCall, Processes, Verdict, Workspaces

LASTING = frozenset({"command", "artifacts"})
"""Kinds of check that say the same of the same files, so that a green one holds until the files change (R6.1a)."""


class Judgement(Value, frozen=True, kw_only=True):
    """The verdict of several checks. `error`: one of them could not be run at all, which says nothing of the work."""

    color: Literal["green", "red", "ask"]
    remarks: tuple[Remark, ...] = ()
    error: bool = False


class _Asked(NamedTuple):
    """One check of a group, and where what it prints goes."""

    kind: str
    check: Check
    log: Path


class _Group(NamedTuple):
    """Checks of one owner, which are run in order and may build on each other; `task` None: the plan's own.

    Groups do not: what a task's checks leave behind is not there when the plan's are run alone."""

    task: Task | None
    attempt: int
    proofs: Sequence[_Asked]
    approvals: Sequence[_Asked]
    """Asked for when all else is green."""

    @classmethod
    def of(cls, task: Task | None, attempt: int, asked: Sequence[_Asked]) -> _Group:
        proofs = [one for one in asked if one.kind != "approval"]
        return cls(task, attempt, proofs, [one for one in asked if one.kind == "approval"])


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
        self._verdicts = Verdicts(home.verdicts)

    async def of_attempt(self, task: Task, attempt: int, commit: str) -> Judgement:
        """Task gates: promised artifacts, then `verify`, then whatever a person must say."""
        return await self._judge([self._of_task(task, attempt, "task")], commit, task=task.id, attempt=attempt)

    async def of_merge(self, members: Sequence[tuple[Task, int]], commit: str, *, tip_moved: bool) -> Judgement:
        """Landing gates: the plan's own, and the members' again where the tip has moved since they were checked."""
        groups = [self._of_task(task, attempt, "landing") for task, attempt in members] if tip_moved else []
        plan = [
            _Asked(check.kind, check, self._log("", 0, f"{commit[:12]}-{number}"))
            for number, check in enumerate(self._plan.gates.verify, 1)
        ]
        return await self._judge([*groups, _Group.of(None, 0, plan)], commit, task="", attempt=0)

    def _of_task(self, task: Task, attempt: int, stage: Literal["task", "landing"]) -> _Group:
        wanted = [
            (kind, check)
            for kind, check in _checks_of(task)
            if stage == "task" or kind != "approval"  # a person has spoken already, about this very work
        ]
        asked = [
            _Asked(kind, check, self._log(task.id, attempt, f"{stage}-{number}"))
            for number, (kind, check) in enumerate(wanted, 1)
        ]
        return _Group.of(task, attempt, asked)

    async def _judge(self, groups: Sequence[_Group], commit: str, *, task: str, attempt: int) -> Judgement:
        if not any(group.proofs or group.approvals for group in groups):
            return Judgement(color="green")
        try:
            contents = await self._workspaces.contents(commit)
            groups = [group._replace(proofs=()) if self._is_known(group, contents) else group for group in groups]
            if not any(group.proofs or group.approvals for group in groups):
                return Judgement(color="green")
            workspace = await self._workspaces.open(task=task, attempt=attempt, base=commit, role="gate")
            try:
                return await self._all(groups, workspace.path, contents)
            finally:
                await self._workspaces.close(workspace)
        except AdapterError as error:
            said = f"{error}\nhint: {error.hint}" if error.hint else str(error)
            return Judgement(color="red", remarks=(Remark(check="set-up", message=said),), error=True)

    async def _all(self, groups: Sequence[_Group], workspace: Path, contents: str) -> Judgement:
        """Every check in turn; the first red one settles it. Approval is only asked for when all else is green."""
        questions: list[Remark] = []
        steps = [(group, group.proofs) for group in groups] + [(group, group.approvals) for group in groups]
        for group, step in steps:
            for asked in step:
                verdict = await self._one(group, asked, workspace)
                if verdict.color == "red":
                    return Judgement(color="red", remarks=verdict.remarks)
                questions += verdict.remarks if verdict.color == "ask" else ()
            if step is group.proofs:
                await self._keep(group, contents)
        return Judgement(color="ask" if questions else "green", remarks=tuple(questions))

    async def _one(self, group: _Group, asked: _Asked, workspace: Path) -> Verdict:
        call = GateCall(
            run=self._run,
            task=group.task,
            attempt=group.attempt,
            check=asked.check,
            workspace=workspace,
            log=asked.log,
            env=self._env,
            timeout_s=self._timeout_s(asked.check),
            grace_s=self._settings.grace_s,
        )
        return await self._gates[asked.kind].judge(call, self._processes)

    # --- verdicts that hold (R6.1a) -----------------------------------------------------------------------------

    def _is_known(self, group: _Group, contents: str) -> bool:
        """Whether all proofs of the group are green already, which their logs then say.

        It is all of them or none: a later check may need what an earlier one has built."""
        question = self._question(group, contents)
        green = self._verdicts.find(question) if question is not None else None
        if green is None:
            return False
        then = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(green.at))
        for asked, earlier in zip(group.proofs, green.logs, strict=False):
            what = asked.check.command or asked.kind
            said = f"$ {what}\nnot run again: green on the same files at {then}; what it printed: {earlier}\n"
            with contextlib.suppress(OSError), asked.log.open("ab") as log:
                log.write(said.encode("utf-8", "replace"))
        return True

    async def _keep(self, group: _Group, contents: str) -> None:
        question = self._question(group, contents)
        if question is not None:
            logs = tuple(str(asked.log) for asked in group.proofs)
            green = Green(question=question, at=time.time(), logs=logs)
            await asyncio.to_thread(self._verdicts.keep, green)

    def _question(self, group: _Group, contents: str) -> Question | None:
        """What is asked of a group; None when its answer would hold for this once only."""
        if not group.proofs or any(asked.kind not in LASTING for asked in group.proofs):
            return None
        return Question(
            contents=contents,
            task=group.task.id if group.task else "",
            env=fingerprint(self._env),
            proofs=tuple(
                Proof(
                    kind=asked.kind,
                    check=asked.check,
                    artifacts=group.task.artifacts if group.task and asked.kind == "artifacts" else (),
                    timeout_s=self._timeout_s(asked.check),
                )
                for asked in group.proofs
            ),
        )

    def _timeout_s(self, check: Check) -> float:
        return check.timeout_s or self._settings.gate_timeout_s

    def _log(self, task: str, attempt: int, name: str) -> Path:
        return self._home.attempt(task, attempt).make().gates / f"{name}.log"


def _checks_of(task: Task) -> list[tuple[str, Check]]:
    """(kind of gate, check) of a task: what it promised to leave, then what it said would be true."""
    promised = [("artifacts", Check())] if task.artifacts else []
    return promised + [(check.kind, check) for check in task.verify]
