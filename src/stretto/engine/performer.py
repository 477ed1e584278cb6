"""Commands become deeds, and deeds become events: the only file that turns an exception into a fact.

Every command is a job of its own. A job calls ports, and its outcome comes back through `report`; nobody waits for it
anywhere else, so a slow gate never holds up a start. An exception that is no AdapterError is a bug: it ends the engine.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import assert_never

import msgspec

from stretto.core.commands import (
    Answer,
    AskApproval,
    CancelAttempt,
    Command,
    EndRun,
    LandBatch,
    Notify,
    ReleaseGrant,
    RequestGrant,
    RunGates,
    StartAttempt,
    StartTimer,
    TakeTasks,
)
from stretto.core.events import (
    AttemptAnswered,
    AttemptCancelled,
    AttemptFailed,
    AttemptFinished,
    AttemptGated,
    AttemptStarted,
    BatchLanded,
    BatchRejected,
    Denied,
    Event,
    Granted,
    Noticed,
    TimerFired,
)
from stretto.engine.disk import is_full
from stretto.engine.gating import Checks
from stretto.engine.home import RunHome
from stretto.engine.jobs import Job, Jobs, whole
from stretto.engine.prompt import Prompts
from stretto.engine.resumption import resumption
from stretto.engine.usertree import UserTree
from stretto.errors import AdapterError, AgentError, PlanError, SetupError
from stretto.model.plan import Plan, Task
from stretto.model.run import Culprit, Failure, FailureKind, RunSettings
from stretto.ports import (
    Agent,
    Assignment,
    Clock,
    Inbox,
    Limits,
    Processes,
    Report,
    Resumption,
    Saved,
    Workspace,
    Workspaces,
)

SETUP_AGAIN_S = 2.0
"""How long set-up that has failed is left alone before it is done once more."""


class World(msgspec.Struct, kw_only=True):
    """Everything a performer acts through; `wiring.py` makes it."""

    agents: Mapping[str, Agent]
    workspaces: Workspaces
    checks: Checks
    limits: Limits
    processes: Processes
    clock: Clock
    inbox: Inbox
    home: RunHome
    agent_env: Mapping[str, str]
    prompts: Prompts
    read_proposal: Callable[[bytes, Task], tuple[Task, ...]]
    """Tasks that an attempt of this one wants added, out of its result file (R8.4). Raises PlanError."""


class Performer:
    """Performs the commands of one run. `report` takes events in; it never blocks."""

    def __init__(
        self, run: str, plan: Plan, settings: RunSettings, world: World, report: Callable[[Event], None]
    ) -> None:
        self.run, self.plan, self.settings, self.world, self.report = run, plan, settings, world, report
        self._tasks = {task.id: task for task in plan.tasks}
        self._jobs = Jobs(report, self._break)
        self._attempts: dict[tuple[str, int], Job] = {}
        """Jobs that CancelAttempt may end: an agent at work, or the gates of its attempt."""
        self._landing: Job | None = None
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tree = UserTree(world.workspaces, world.clock, report)
        self.end: EndRun | None = None
        """How the run has ended, once it has."""
        self.broken: BaseException | None = None
        """The exception of a job that hit a bug; the engine raises it."""

    async def first_look(self) -> None:
        """At the user's tree, before the first attempt."""
        await self._tree.first_look()

    def perform(self, command: Command) -> None:
        """Start doing it. Must be called from the event loop."""
        match command:
            case RequestGrant():
                self._jobs.start(self._request(command))
            case ReleaseGrant():
                self._jobs.start(self.world.limits.release(run=self.run, task=command.task, attempt=command.attempt))
            case StartAttempt():
                self._start_attempt(command)
            case CancelAttempt():
                job = self._attempts.get((command.task, command.attempt))
                if job is not None:
                    job.cancel()
            case RunGates():
                self._may_be_ended(command.task, command.attempt, self._jobs.start(self._gates(command)))
            case LandBatch():
                self._start_landing(command)
            case TakeTasks():
                self._tasks |= {task.id: task for task in command.tasks}
                self.world.prompts.take(command.tasks)
                self.world.workspaces.take(command.tasks)
            case StartTimer():
                self._start_timer(command)
            case Answer():
                self.world.inbox.answer(command.request, accepted=command.accepted, why=command.why)
            case Notify():
                self.report(Noticed(at=self._now(), code=command.code, message=command.message, tasks=command.tasks))
            case EndRun():
                self.end = command
            case AskApproval():
                pass  # people see it in the run's state; nothing is to be done
            case _:
                assert_never(command)

    def hurry(self) -> None:
        """Give up the gates of a landing on its way; the batch is sent again at the resume (R8.6)."""
        if self._landing is not None:
            self._landing.cancel()

    async def close(self) -> None:
        """End what is still going on. Work in progress has been saved or is owed again."""
        for timer in self._timers.values():
            timer.cancel()
        await self._jobs.close()

    # --- jobs ---------------------------------------------------------------------------------------------------

    def _start_attempt(self, command: StartAttempt) -> None:
        task, attempt = command.task, command.attempt

        def given_up() -> Event:
            return AttemptCancelled(at=self._now(), task=task, attempt=attempt)

        def look(_: Job) -> None:
            self._jobs.start(self._tree.ended(task, attempt))

        self._tree.begun(task, attempt)
        job = self._jobs.start_telling(self._attempt(command), given_up)
        job.add_done_callback(look)
        self._may_be_ended(task, attempt, job)

    def _start_landing(self, command: LandBatch) -> None:
        def given_up() -> Event:
            return BatchRejected(at=self._now(), lane=command.lane, batch=command.batch)

        self._landing = self._jobs.start_telling(self._land(command), given_up)

    def _may_be_ended(self, task: str, attempt: int, job: Job) -> None:
        key = (task, attempt)

        def forget(done: Job) -> None:
            if self._attempts.get(key) is done:
                del self._attempts[key]

        self._attempts[key] = job
        job.add_done_callback(forget)

    def _break(self, error: BaseException) -> None:
        if self.broken is None:
            self.broken = error
            self.report(Noticed(at=self._now(), code="broken", message=f"{type(error).__name__}: {error}"))

    def _now(self) -> float:
        return self.world.clock.now()

    def _start_timer(self, command: StartTimer) -> None:
        def fire() -> None:
            self._timers.pop(command.timer, None)
            self.report(TimerFired(at=self._now(), timer=command.timer))

        if (old := self._timers.pop(command.timer, None)) is not None:
            old.cancel()
        delay_s = max(0.0, command.due - self._now())
        self._timers[command.timer] = asyncio.get_running_loop().call_later(delay_s, fire)

    async def _request(self, command: RequestGrant) -> None:
        task = self._tasks[command.task]
        until = await self.world.limits.request(run=self.run, task=task, attempt=command.attempt)
        if until is None:
            self.report(Granted(at=self._now(), task=command.task, attempt=command.attempt))
        else:
            self.report(Denied(at=self._now(), task=command.task, attempt=command.attempt, until=until))

    # --- an attempt ---------------------------------------------------------------------------------------------

    async def _attempt(self, command: StartAttempt) -> Event:
        task, attempt = command.task, command.attempt
        workspace: Workspace | None = None
        try:
            name, agent = self._agent(command.agents)
            goes_on = agent.reads_story or self._tasks[task].carry
            workspace = await self._opened(command, goes_on)
            self.report(AttemptStarted(at=self._now(), task=task, attempt=attempt, agent=name))
            report = await agent.run(self._assignment(command, workspace, agent, goes_on), self.world.processes)
            saved = await whole(self._save(workspace, task, attempt))
            return self._ending(task, attempt, report, saved)
        except asyncio.CancelledError:
            commit = await whole(self._rescue(workspace, task, attempt))
            return AttemptCancelled(at=self._now(), task=task, attempt=attempt, commit=commit)
        except AdapterError as error:
            commit = await whole(self._rescue(workspace, task, attempt))
            failure = _failure_of(error)
            return AttemptFailed(at=self._now(), task=task, attempt=attempt, failure=failure, commit=commit)

    async def _opened(self, command: StartAttempt, goes_on: bool) -> Workspace:
        """A workspace that is ready for the agent. Set-up that fails is done once more: a network may have hiccuped."""

        async def opened() -> Workspace:
            return await self.world.workspaces.open(
                task=command.task,
                attempt=command.attempt,
                base=command.base,
                role="agent",
                carry=command.carry if goes_on else None,
                conflict=command.conflict and goes_on,
            )

        with contextlib.suppress(SetupError):
            return await opened()
        await asyncio.sleep(SETUP_AGAIN_S)
        return await opened()

    def _agent(self, names: Sequence[str]) -> tuple[str, Agent]:
        for name in names:
            if name in self.world.agents:
                return name, self.world.agents[name]
        raise AgentError(f"no agent {', '.join(map(repr, names)) or 'is named'}", hint="name one with --agent")

    def _assignment(self, command: StartAttempt, workspace: Workspace, agent: Agent, goes_on: bool) -> Assignment:
        task = self._tasks[command.task]
        home = self.world.home.attempt(command.task, command.attempt).make()
        prompt = self.world.prompts.compose(command, reads=agent.reads_story)
        if prompt.trouble:
            said = f"the prompt of {task.id!r} is the usual one, not the plan's template: {prompt.trouble}"
            self.report(Noticed(at=self._now(), code="template", message=said, tasks=(task.id,)))
        return Assignment(
            run=self.run,
            task=task,
            attempt=command.attempt,
            workspace=workspace.path,
            prompt=prompt.text,
            prompt_file=home.prompt,
            result_file=home.result,
            log=home.log,
            env=self.world.agent_env,
            timeout_s=command.timeout_s,
            idle_s=command.idle_s,
            grace_s=self.settings.grace_s,
            resumes=self._resumption(command, workspace, goes_on),
            on_answer=lambda: self.report(AttemptAnswered(at=self._now(), task=command.task, attempt=command.attempt)),
        )

    def _resumption(self, command: StartAttempt, workspace: Workspace, goes_on: bool) -> Resumption | None:
        if command.resumes is None:
            return None
        told = resumption(
            command.past,
            resumes=command.resumes,
            workspace=workspace.path,
            base=command.base,
            carry=command.carry if goes_on else None,
            conflict=command.conflict and goes_on,
        )
        return Resumption(attempt=command.resumes, prompt=told)

    def _ending(self, task: str, attempt: int, report: Report, saved: Saved) -> Event:
        if report.failure is not None:
            return AttemptFailed(
                at=self._now(),
                task=task,
                attempt=attempt,
                failure=report.failure,
                commit=saved.commit,
                usage=report.usage,
            )
        return AttemptFinished(
            at=self._now(),
            task=task,
            proposed=self._proposed(task, report.proposal) if report.proposal else (),
            attempt=attempt,
            commit=saved.commit,
            paths=saved.paths,
            usage=report.usage,
            summary=report.summary,
            decisions=report.decisions,
            already_done=report.already_done,
            confidence=report.confidence,
            dropped=saved.dropped,
            refused=report.refused,
        )

    def _proposed(self, task: str, proposal: bytes) -> tuple[Task, ...]:
        """The tasks that it wants added; none, and a word about it, where they cannot be understood (R8.4)."""
        try:
            return self.world.read_proposal(proposal, self._tasks[task])
        except PlanError as error:
            hint = f"; {error.hint}" if error.hint else ""
            message = f"what {task!r} wants done is not added: {error}{hint}"
            self.report(Noticed(at=self._now(), code="not-added", message=message, tasks=(task,)))
            return ()

    async def _save(self, workspace: Workspace, task: str, attempt: int) -> Saved:
        title = self._tasks[task].title or task
        saved = await self.world.workspaces.save(workspace, task=task, attempt=attempt, message=title)
        await self.world.workspaces.close(workspace)
        return saved

    async def _rescue(self, workspace: Workspace | None, task: str, attempt: int) -> str | None:
        """Keep what a broken attempt left. A workspace that cannot be saved stays as it is, for the next `rescue`."""
        if workspace is None:
            return None
        try:
            return (await self._save(workspace, task, attempt)).commit
        except AdapterError as error:
            message = f"the workspace of {task!r} could not be saved and is kept at {workspace.path}: {error}"
            self.report(Noticed(at=self._now(), code="unsaved", message=message, tasks=(task,)))
            return None

    # --- gates and landing --------------------------------------------------------------------------------------

    async def _gates(self, command: RunGates) -> None:
        task = self._tasks[command.task]
        verdict = await self.world.checks.of_attempt(task, command.attempt, command.commit)
        self.report(
            AttemptGated(
                at=self._now(),
                task=command.task,
                attempt=command.attempt,
                verdict=verdict.color,
                remarks=verdict.remarks,
                error=verdict.error,
            )
        )

    async def _land(self, command: LandBatch) -> Event:
        try:
            return await self._landed(command)
        except AdapterError as error:
            said = f"{error}\nhint: {error.hint}" if error.hint else str(error)
            return BatchRejected(at=self._now(), lane=command.lane, batch=command.batch, error=said)

    async def _landed(self, command: LandBatch) -> Event:
        workspaces, lane, batch = self.world.workspaces, command.lane, command.batch
        done = await workspaces.landed(lane, batch, known=command.head)
        if done is not None:
            return BatchLanded(at=self._now(), lane=lane, batch=batch, landed=command.entries, commit=done)
        merge = await workspaces.merge(lane, batch, command.entries, known=command.head)
        if not merge.landed:
            return BatchRejected(at=self._now(), lane=lane, batch=batch, culprits=merge.culprits)
        members = [(self._tasks[entry.task], entry.attempt) for entry in merge.landed]
        verdict = await self.world.checks.of_merge(members, merge.commit, tip_moved=merge.fresh)
        if verdict.error:
            said = "; ".join(f"{remark.check}: {remark.message}" for remark in verdict.remarks)
            return BatchRejected(at=self._now(), lane=lane, batch=batch, error=said)
        if verdict.color != "green":
            blamed = tuple(Culprit(task=e.task, kind="gate", remarks=verdict.remarks) for e in merge.landed)
            return BatchRejected(at=self._now(), lane=lane, batch=batch, culprits=(*merge.culprits, *blamed))
        statuses = {task.id: "succeeded" for task, _ in members if not task.added_by}  # the plan file has no others
        head = await whole(workspaces.advance(lane, batch, merge, statuses))
        return BatchLanded(
            at=self._now(), lane=lane, batch=batch, landed=merge.landed, commit=head, culprits=merge.culprits
        )


def _failure_of(error: AdapterError) -> Failure:
    message = f"{error}\nhint: {error.hint}" if error.hint else str(error)
    kind: FailureKind = "failed" if isinstance(error, AgentError) else "transient"
    kind = "setup" if isinstance(error, SetupError) else kind
    return Failure(kind="no_room" if is_full(error) else kind, message=message)
