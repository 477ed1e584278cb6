"""The steps every decision is made of: places, claims, failures, final states and what follows from them.

The coordinator says which event means which step; here is what a step does to the state. Nothing else writes it.
"""

from __future__ import annotations

from collections.abc import Iterable

from stretto.analysis.globs import covers
from stretto.core import breaker, merge_queue
from stretto.core.admission import AGENT, Admission
from stretto.core.commands import CancelAttempt, Command, Notify, ReleaseGrant, StartTimer
from stretto.core.readiness import Change, Readiness, build
from stretto.core.retry import RULES, charge, delay_s
from stretto.core.state import Doom, Drain, State, TaskRecord, step
from stretto.model.run import FINAL_STATES, Failure, PastAttempt, Remark, TaskState

DRAIN = "drain"
BACKOFF = "backoff:"
GRANT = "grant:"
"""Names of timers; the last two are followed by a task's id."""


class Steps:
    """The state of one run with everything that writes it. `out` collects the commands of the event at hand."""

    def __init__(self, state: State, readiness: Readiness, admission: Admission) -> None:
        self.state = state
        self.readiness = readiness
        self.admission = admission
        self.out: list[Command] = []
        self.changing = False
        """The plan is being changed: what becomes ready by that is asked when it is done."""

    def emit(self, command: Command) -> None:
        self.out.append(command)

    def set_timer(self, timer: str, due: float) -> None:
        self.state.timers[timer] = due
        self.emit(StartTimer(timer=timer, due=due))

    # --- places and claims --------------------------------------------------------------------------------------

    def take_place(self, record: TaskRecord) -> None:
        """A place of the run, a share of the phase and all claims at once (R2.2)."""
        self.state.active += 1
        self.admission.take(self.state, record)
        record.holding = True

    def give_place(self, record: TaskRecord) -> None:
        """The place back, and the grant that goes with it (R9.2); claims are another matter."""
        self.state.active -= 1
        self.admission.leave(self.state, record)
        record.asking = False
        if record.granted:
            record.granted = False
            self.emit(ReleaseGrant(task=record.id, attempt=record.attempt))

    def drop_claims(self, record: TaskRecord) -> None:
        if record.holding:
            record.holding = False
            self.admission.release(self.state, record)

    def widen(self, record: TaskRecord, paths: tuple[str, ...]) -> None:
        """Compare what was touched with what was claimed; drift is held too, and told (R2.6)."""
        writes = record.task.writes
        if writes is None or self.state.settings.conflicts == "allow":
            return
        drift = tuple(path for path in paths if not any(covers(claim, path) for claim in writes))
        if not drift:
            return
        claims = self.admission.claims
        others = {
            self.state.tasks[holder].id: None
            for path in drift
            if (pattern := claims.blocker((path,), record.index)) is not None
            for holder in claims.holders(pattern)
            if holder != record.index
        }
        claims.hold(record.index, drift)
        record.holding, record.drift = True, drift
        shown = ", ".join(drift[:5]) + (", …" if len(drift) > 5 else "")
        with_whom = f", which {', '.join(map(repr, others))} claims" if others else ""
        message = f"{record.id!r} changed files outside its claim: {shown}{with_whom}"
        self.emit(Notify(code="drift", message=message, tasks=(record.id, *others)))

    # --- states -------------------------------------------------------------------------------------------------

    def ready(self, record: TaskRecord, reason: str, *, keep_claims: bool = False) -> None:
        step(self.state, record, "ready", reason)
        record.wait = None
        if not keep_claims:
            self.drop_claims(record)
        self.admission.offer(record)

    def wait_until(self, record: TaskRecord, reason: str, due: float) -> None:
        """Backoff: the place and the claims go to others meanwhile."""
        step(self.state, record, "waiting", reason)
        record.wait = "timer"
        self.drop_claims(record)
        self.set_timer(BACKOFF + record.id, due)

    def wait_for_person(self, record: TaskRecord, reason: str) -> None:
        step(self.state, record, "waiting", reason)
        record.wait = "person"
        self.drop_claims(record)

    def queue(self, record: TaskRecord) -> None:
        """Into the merge queue, in the order in which work became ready to land (R6.1)."""
        step(self.state, record, "landing", "waits for its turn to land")
        record.wait = None
        self.state.lane.queue.append(record.index)

    def final(self, record: TaskRecord, after: TaskState, reason: str) -> None:
        step(self.state, record, after, reason)
        record.wait = record.doom = None
        self.drop_claims(record)
        change = self.readiness.finished(record)
        if after == "failed":
            self._policies(record)
        self.follow(change)

    def follow(self, change: Change) -> None:
        """What the graph says follows: a work list, because a chain of 10,000 skips must not recurse."""
        work = [] if self.changing else [change]
        for item in work:
            for index in item.ready:
                record = self.state.tasks[index]
                if record.state == "pending":
                    if halt := self.halted(record):
                        step(self.state, record, "skipped", halt)
                        work.append(self.readiness.finished(record))
                    else:
                        self.ready(record, "")
            for index, why, root in item.broken:
                record = self.state.tasks[index]
                if record.state == "pending":
                    record.root = root
                    step(self.state, record, "skipped", why)
                    work.append(self.readiness.finished(record))

    def _pending(self, record: TaskRecord, reason: str) -> None:
        """Back to where it asks what it waits for: another plan may have another answer (R8.4)."""
        if record.state != "ready":
            step(self.state, record, "ready", reason)
        step(self.state, record, "pending", reason)
        record.wait = None
        self.drop_claims(record)
        if not self.changing:
            self.readiness, change = build(self.readiness.graph, self.state.tasks)
            self.follow(change)

    # --- failures -----------------------------------------------------------------------------------------------

    def fail(
        self, record: TaskRecord, failure: Failure, *, commit: str | None = None, remarks: tuple[Remark, ...] = ()
    ) -> None:
        """An attempt came to nothing: what it costs, and what happens next (R4). Its place has been given back."""
        state, rule = self.state, RULES[failure.kind]
        past = PastAttempt(attempt=record.attempt, failure=failure, commit=commit, remarks=remarks)
        record.past = (*record.past, past)
        record.carry = commit if rule.carry else None
        record.resumes = record.attempt if rule.resume else None
        record.conflict = failure.kind == "conflict"
        used_up, count = charge(record, rule, record.task.attempts or state.settings.attempts)
        said = f"{failure.kind}: {failure.message}" if failure.message else failure.kind
        if record.state == "running" and breaker.failed(state, record, failure.kind, said):
            self.admission.forget_barred(state)
            self.emit(Notify(code="breaker", message=state.out[record.agent], tasks=(record.id,)))
        doom, record.doom = record.doom, None
        if doom is not None and doom.state != "ready":  # one that was only to make room has failed on its own
            self.decide(record, doom)
        elif used_up or rule.then == "never":
            self.final(record, "failed", said)
        elif halt := self.halted(record):
            self.final(record, "skipped", f"{halt} (its own attempt: {said})")
        elif rule.then == "pause":
            self.ready(record, f"paused: {said}")
            until = None if failure.retry_after_s is None else state.at + failure.retry_after_s
            if state.drain is None:
                state.drain = Drain(outcome="paused", reason=f"{record.id!r}: {said}", until=until)
        elif rule.then == "backoff" and state.drain is None:
            self.wait_until(record, said, state.at + delay_s(state.run, record, failure, count))
        else:
            self.ready(record, said, keep_claims=rule.keep_claims)

    def finished(self, record: TaskRecord) -> None:
        """An attempt came to something: its agent is at work."""
        if breaker.finished(self.state, record):
            self.admission.try_again(AGENT)

    def let_in(self) -> None:
        """Every agent gets tasks again."""
        self.state.streaks, self.state.out = {}, {}
        self.admission.try_again(AGENT)

    def halted(self, record: TaskRecord) -> str:
        """Why nothing of this task may start any more; empty when it may."""
        return self.state.critical or self.state.halted.get(record.task.phase, "")

    def _policies(self, failed: TaskRecord) -> None:
        """What a final failure means beyond its own dependents (R4: `critical`, `stop`)."""
        state = self.state
        phase_policy = self.halt(failed)
        if phase_policy is None and state.settings.on_failure == "stop" and not failed.task.optional:
            state.stopping = state.stopping or f"stopped because {failed.id!r} failed"
            if state.drain is None:
                state.drain = Drain(outcome="failed", reason=state.stopping)

    def halt(self, failed: TaskRecord) -> str | None:
        """Nothing more starts in the phase, or in the run, that this failure stops; the phase's own policy."""
        state, phase = self.state, failed.task.phase
        policy = next((p.on_failure for p in state.plan.phases if p.id == phase), None)
        if failed.task.critical:
            state.critical = f"{failed.id!r} is critical and failed"
            self._skip_idle(state.tasks, state.critical)
        if policy == "stop" and not failed.task.optional:  # an optional failure fails nothing else (R1.2)
            state.halted[phase] = f"phase {phase!r} stopped because {failed.id!r} failed"
            self._skip_idle((r for r in state.tasks if r.task.phase == phase), state.halted[phase])
        return policy

    def _skip_idle(self, records: Iterable[TaskRecord], why: str) -> None:
        """Skip what has nothing in flight; running attempts, gates, landings and approvals go on."""
        for record in records:
            if record.state in ("pending", "ready") or record.wait == "timer":
                self.doom(record, Doom("skipped", why))

    # --- decisions against a task -------------------------------------------------------------------------------

    def doom(self, record: TaskRecord, doom: Doom) -> None:
        """Decide against a task: at once where nothing is in flight, else when that has reported (R6.1a)."""
        state = self.state
        if record.state == "running":
            record.doom = doom
            self.emit(CancelAttempt(task=record.id, attempt=record.attempt))
        elif record.state == "landing" and merge_queue.in_batch(state.lane, record.id):
            record.doom = doom
        elif record.state not in FINAL_STATES:
            if record.state == "gating":
                self.emit(CancelAttempt(task=record.id, attempt=record.attempt))
            if record.places:
                self.give_place(record)
            if record.state == "landing":
                state.lane.queue.remove(record.index)
            self.admission.withdraw(record)
            state.timers.pop(BACKOFF + record.id, None)
            state.timers.pop(GRANT + record.id, None)
            self.decide(record, doom)

    def decide(self, record: TaskRecord, doom: Doom) -> None:
        """Carry out a decision. Nothing of the task is in flight any more."""
        record.doom = None
        if doom.state == "skipped" or doom.state == "cancelled":
            self.final(record, doom.state, doom.reason)
        elif halt := self.halted(record):
            self.final(record, "skipped", f"{halt} (its own attempt: {doom.reason})")
        elif doom.state == "pending":
            self._pending(record, doom.reason)
        else:
            self.ready(record, doom.reason)
