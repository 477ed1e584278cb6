"""The one door into the core: events in, commands out.

The same plan and the same events give the same state and the same commands, byte for byte. An event that comes late,
twice or from nobody is ignored here, so engines may deliver at least once.
"""

from __future__ import annotations

from typing import assert_never

import msgspec

from stretto.analysis.graph import build as build_graph
from stretto.core import breaker, merge_queue, readiness
from stretto.core import events as ev
from stretto.core.admission import Admission
from stretto.core.commands import (
    Answer,
    AskApproval,
    Command,
    Notify,
    ReleaseGrant,
    RequestGrant,
    RunGates,
    StartAttempt,
)
from stretto.core.ending import ending
from stretto.core.growth import grow
from stretto.core.handoff import handoffs
from stretto.core.requests import grant, refuse, stop
from stretto.core.retry import RULES
from stretto.core.start import first_state
from stretto.core.state import Doom, Drain, State, TaskRecord, step
from stretto.core.steps import BACKOFF, DRAIN, GRANT, Steps
from stretto.errors import InvariantViolated
from stretto.model.run import Culprit, Failure, LateWork, PastAttempt, TaskState, Usage


class Coordinator:
    """Decides everything that is decided about one run. Its `state` may be read by anybody."""

    def __init__(self) -> None:
        self._steps: Steps | None = None

    @property
    def steps(self) -> Steps:
        if self._steps is None:
            raise InvariantViolated("the first event of a run must be RunStarted")
        return self._steps

    @property
    def state(self) -> State:
        return self.steps.state

    def handle(self, event: ev.Event) -> list[Command]:
        """Take one durable fact in and say what is to be done about it."""
        if isinstance(event, ev.RunStarted):
            self._start(event)
        else:
            self.steps.out = []
            self.state.at = max(self.state.at, event.at)
            self._apply(event)
        if self.state.ended is None and not self.state.abandoned:
            self._go_on()
        return self.steps.out

    def _start(self, event: ev.RunStarted) -> None:
        graph = build_graph(event.plan)
        state = first_state(event, graph)
        ready, change = readiness.build(graph, state.tasks)
        limits = {phase.id: phase.max_parallel for phase in event.plan.phases if phase.max_parallel}
        self._steps = Steps(state, ready, Admission(limits=limits))
        self._steps.follow(change)

    def _apply(self, event: ev.Event) -> None:
        match event:
            case ev.RunStarted() | ev.AttemptStarted() | ev.AttemptAnswered():
                pass
            case ev.Noticed():
                if event.code == ev.DELIVERED:
                    self.state.delivered = event.message
                elif event.code == ev.CLOSED:
                    self.state.closed = True
            case ev.RunResumed():
                self._resumed(event)
            case ev.RunAbandoned() | ev.RunReclaimed():
                self.state.abandoned = isinstance(event, ev.RunAbandoned)
            case ev.RequestReceived():
                why = refuse(self.state, event.wish)
                self.steps.emit(Answer(request=event.request, accepted=why is None, why=why or ""))
                if why is None:
                    grant(self.steps, event.wish)
            case (
                ev.StopRequested()
                | ev.TasksCancelled()
                | ev.TasksRetried()
                | ev.SettingsChanged()
                | ev.PlanChanged()
                | ev.TaskApproved()
                | ev.TaskRejected()
            ):
                if refuse(self.state, event) is None:
                    grant(self.steps, event)
            case ev.Granted():
                self._granted(event)
            case ev.Denied():
                self._denied(event)
            case ev.ScopeObserved():
                if record := self._current(event.task, event.attempt, "running"):
                    self.steps.widen(record, event.paths)
            case ev.AttemptFinished():
                if record := self._current(event.task, event.attempt, "running"):
                    self._finished(record, event)
            case ev.AttemptFailed():
                if record := self._current(event.task, event.attempt, "running"):
                    self._ended(record, event.usage)
                    self.steps.fail(record, event.failure, commit=event.commit)
            case ev.AttemptLost():
                if record := self._current(event.task, event.attempt, "running"):
                    self._lost(record, event)
            case ev.AttemptCancelled():
                if record := self._current(event.task, event.attempt, "running"):
                    self._interrupted(record, event.commit, Failure(kind="cancelled", message="interrupted"))
            case ev.AttemptGated():
                if record := self._current(event.task, event.attempt, "gating"):
                    self._gated(record, event)
            case ev.BatchLanded():
                self._landed(event)
            case ev.BatchRejected():
                self._rejected(event)
            case ev.TimerFired():
                self._timer(event.timer)
            case _:
                assert_never(event)

    def _current(self, task: str, attempt: int, state: TaskState) -> TaskRecord | None:
        """The record that a report is about; None when the report is late, repeated or foreign."""
        record = self.state.by_id.get(task)
        return record if record is not None and record.attempt == attempt and record.state == state else None

    def _resumed(self, event: ev.RunResumed) -> None:
        state = self.state
        if state.ended == "failed":
            state.stopping = ""  # whoever resumes a run that has stopped by its policy wants the rest all the same
        state.drain = Drain(outcome="failed", reason=state.stopping) if state.stopping else None
        state.ended, state.ended_until, state.ended_reason = None, None, ""
        state.by_signal = state.closed = False
        if event.on_approval is not None:
            state.settings = msgspec.structs.replace(state.settings, on_approval=event.on_approval)
        state.timers.pop(DRAIN, None)
        state.resumes += 1
        state.parallel = event.parallel or state.parallel
        for work in event.late:
            if record := state.by_id.get(work.task):
                self._came_late(record, work)
        self.steps.let_in()

    def _came_late(self, record: TaskRecord, work: LateWork) -> None:
        """The next attempt goes on from it, as it would have if it had been saved in time."""
        past = record.past[-1] if record.past else None
        if past is None or past.attempt != work.attempt or past.commit is not None:
            return
        record.past = (*record.past[:-1], msgspec.structs.replace(past, commit=work.commit))
        if RULES[past.failure.kind].carry and record.state in ("ready", "waiting"):
            record.carry = work.commit

    def _timer(self, timer: str) -> None:
        due = self.state.timers.get(timer)
        if due is None:
            return
        if self.state.at < due:  # left over from an earlier one of that name, which nobody could call back
            self.steps.set_timer(timer, due)
            return
        del self.state.timers[timer]
        if timer == DRAIN:
            stop(self.steps, now=True)
        elif timer.startswith(BACKOFF):
            record = self.state.by_id[timer.removeprefix(BACKOFF)]
            self.steps.ready(record, record.reason)
        elif timer.startswith(GRANT):
            self.steps.admission.offer(self.state.by_id[timer.removeprefix(GRANT)])

    # --- one attempt --------------------------------------------------------------------------------------------

    def _granted(self, event: ev.Granted) -> None:
        record = self.state.by_id.get(event.task)
        if record is None or record.attempt != event.attempt or not record.asking:
            # Whoever asked was stopped since. A grant that is in use is not given back because it is told twice.
            if record is None or record.attempt != event.attempt or not record.granted:
                self.steps.emit(ReleaseGrant(task=event.task, attempt=event.attempt))
            return
        record.granted = True
        agents = breaker.willing(self.state, record)
        if self.state.drain is not None or breaker.barred(self.state, record):
            self.steps.give_place(record)
            self.steps.drop_claims(record)
            self.steps.admission.offer(record)
            return
        record.asking = False
        agent = agents[0] if agents else ""
        resumes = record.resumes if agent == record.agent else None
        record.agent = agent
        record.starts += 1
        record.base, record.commit, record.paths, record.drift = self.state.lane.head, None, (), ()
        record.proposed = ()
        step(self.state, record, "running", f"attempt {event.attempt}")
        task, settings = record.task, self.state.settings
        told, more = handoffs(self.steps.readiness.graph, self.state.tasks, record.index)
        self.steps.emit(
            StartAttempt(
                task=record.id,
                attempt=record.attempt,
                lane=self.state.lane.name,
                base=record.base,
                carry=record.carry,
                conflict=record.conflict,
                resumes=resumes,
                past=record.past,
                handoffs=told,
                more_handoffs=more,
                timeout_s=task.timeout_s or settings.timeout_s,
                idle_s=settings.idle_s,
                agents=agents,
            )
        )

    def _denied(self, event: ev.Denied) -> None:
        record = self.state.by_id.get(event.task)
        if record is None or record.attempt != event.attempt or not record.asking:
            return
        self.steps.give_place(record)
        self.steps.drop_claims(record)
        record.reason = event.reason or "waits for a shared limit"
        self.steps.set_timer(GRANT + record.id, event.until)

    def _finished(self, record: TaskRecord, event: ev.AttemptFinished) -> None:
        task = record.task
        record.commit, record.paths = event.commit, event.paths
        record.summary, record.decisions, record.proposed = event.summary, event.decisions, event.proposed
        if event.dropped:
            left_out = f"left out of the work of {task.id!r}: {', '.join(event.dropped[:5])}"
            self.steps.emit(Notify(code="dropped", message=left_out, tasks=(task.id,)))
        if record.doom is not None and record.doom.state != "ready":
            failure = Failure(kind="cancelled", message=record.doom.reason)
            self._interrupted(record, event.commit, failure, event.usage)
            return
        record.usage = (*record.usage, event.usage)
        record.doom = None  # it was only asked to make room, and has finished instead
        if task.effect == "changes" and event.commit is None:
            if not (event.already_done and task.verify):
                self.steps.give_place(record)
                said = "it said it was done and changed nothing"
                refused = f"; it was not allowed: {', '.join(event.refused[:5])}" if event.refused else ""
                self.steps.fail(record, Failure(kind="no_effect", message=said + refused))
                return
            record.note = "already done: its checks pass on the untouched base"
        self.steps.finished(record)
        self.steps.widen(record, event.paths)
        step(self.state, record, "gating", "its checks run")
        if task.verify or task.artifacts:
            self.steps.emit(RunGates(task=record.id, attempt=record.attempt, commit=record.commit or record.base))
        else:
            self.steps.give_place(record)
            self.steps.queue(record)

    def _gated(self, record: TaskRecord, event: ev.AttemptGated) -> None:
        self.steps.give_place(record)
        said = "; ".join(f"{remark.check}: {remark.message}" for remark in event.remarks)
        asked = "; ".join(remark.message for remark in event.remarks)
        if event.error:
            failure = Failure(kind="transient", message=said or "a check could not be run")
            self.steps.fail(record, failure, commit=record.commit, remarks=event.remarks)
        elif event.verdict == "green":
            self.steps.queue(record)
        elif event.verdict == "ask":
            self.steps.wait_for_person(record, f"waits for approval{_tail(asked)}")
            self.steps.emit(AskApproval(task=record.id, attempt=record.attempt))
        else:
            failure = Failure(kind="gate", message=said)
            self.steps.fail(record, failure, commit=record.commit, remarks=event.remarks)

    def _lost(self, record: TaskRecord, event: ev.AttemptLost) -> None:
        if event.engine:
            self._interrupted(record, event.commit, Failure(kind="lost", message="lost with its engine"))
        else:
            self._ended(record, Usage())
            self.steps.fail(record, Failure(kind="lost", message="nobody knows how it ended"), commit=event.commit)

    def _interrupted(
        self, record: TaskRecord, commit: str | None, failure: Failure, usage: Usage | None = None
    ) -> None:
        """It ended through no doing of its own, which costs it nothing (R4)."""
        self._ended(record, usage or Usage())
        record.carry = commit or record.carry
        record.resumes = record.attempt
        record.past = (*record.past, PastAttempt(attempt=record.attempt, failure=failure, commit=commit))
        self.steps.decide(record, record.doom or Doom("ready", failure.message))

    def _ended(self, record: TaskRecord, usage: Usage) -> None:
        record.usage = (*record.usage, usage)
        self.steps.give_place(record)

    # --- landing ------------------------------------------------------------------------------------------------

    def _landed(self, event: ev.BatchLanded) -> None:
        lane = self.state.lanes.get(event.lane)
        batch = merge_queue.report(lane, event.batch) if lane is not None else None
        if lane is None or batch is None:
            return
        lane.head = event.commit
        landed = {entry.task for entry in event.landed}
        for entry in event.landed:
            record = self.state.by_id[entry.task]
            grow(self.steps, record)  # first: its phase is not done before what it adds is
            record.landed = event.commit  # whatever had been decided against it meanwhile: landed wins (R6.1a)
            self.steps.final(record, "succeeded", "landed")
        self._blame(event.culprits)
        self._put_back(lane.name, [e.task for e in batch.entries if e.task not in landed], event.culprits)

    def _rejected(self, event: ev.BatchRejected) -> None:
        lane = self.state.lanes.get(event.lane)
        batch = merge_queue.report(lane, event.batch) if lane is not None else None
        if lane is None or batch is None:
            return
        self._blame(event.culprits)
        self._put_back(lane.name, [entry.task for entry in batch.entries], event.culprits)
        if event.error:
            drain = Drain(outcome="paused", reason=f"landing could not be done: {event.error}")
            self.state.drain = msgspec.structs.replace(self.state.drain or drain, lands=False)

    def _blame(self, culprits: tuple[Culprit, ...]) -> None:
        for culprit in culprits:
            record = self.state.by_id[culprit.task]
            if culprit.kind == "conflict":
                message = "with what has landed, in " + ", ".join(culprit.paths)
            else:
                message = "on the combined tree: " + "; ".join(f"{r.check}: {r.message}" for r in culprit.remarks)
            failure = Failure(kind=culprit.kind, message=message)
            self.steps.fail(record, failure, commit=record.commit, remarks=culprit.remarks)

    def _put_back(self, lane: str, tasks: list[str], culprits: tuple[Culprit, ...]) -> None:
        """Members that neither landed nor are to blame: first in the queue again, unless they were decided against."""
        blamed = {culprit.task for culprit in culprits}
        rest = []
        for record in (self.state.by_id[task] for task in tasks if task not in blamed):
            if record.doom is not None:
                self.steps.decide(record, record.doom)
            else:
                rest.append(record.index)
        self.state.lanes[lane].queue[:0] = rest

    # --- after every event --------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Take every step that has become possible: approved work, landings, starts, and the end."""
        state, steps = self.state, self.steps
        self._queue_approved()
        hurry = state.drain is not None and state.drain.hurries
        if not hurry and (command := merge_queue.next_batch(state, state.lane)) is not None:
            steps.emit(command)
        if state.drain is None:
            for record in steps.admission.admit(state):
                record.attempt += 1
                record.asking = True
                steps.take_place(record)
                steps.emit(RequestGrant(task=record.id, attempt=record.attempt))
        end = ending(state)
        if end is not None:
            state.ended, state.ended_reason, state.ended_until = end.outcome, end.reason, end.until
            state.by_signal = state.drain is not None and state.drain.by_signal
            steps.emit(end)

    def _queue_approved(self) -> None:
        """Approved work takes its claims again before it lands, best rank first (R9.2)."""
        state, admission = self.state, self.steps.admission
        if not state.approved:
            return
        approved = [record for i in state.approved if (record := state.tasks[i]).wait == "claims"]
        state.approved = [record.index for record in approved]
        for record in sorted(approved, key=lambda r: r.rank):
            if admission.is_free(state, record):
                admission.hold(state, record)
                record.holding = True
                self.steps.queue(record)
                state.approved.remove(record.index)


def _tail(text: str) -> str:
    return f": {text}" if text else ""
