"""The running state of the watcher's account, and the steps that are taken in it: ends of attempts, final states, and
what falls or becomes ready with them. Which event means which step is the account's own business.
"""

from __future__ import annotations

from msgspec.structs import replace

from stretto.core import events as ev
from stretto.model.run import Failure, LandEntry, Outcome, TaskState
from stretto.testing.books import BACKS_OFF, BLAMES, CARRIES, PAUSES, RESUMES, Note, Rules, backoff_s, spend
from stretto.testing.replanning import Wanted

Expected = tuple[object, ...]


class Ledger:
    """One a run: what is known of it, and the steps by which that changes."""

    def __init__(self, started: ev.RunStarted) -> None:
        self.rules = Rules(started.plan, started.settings, started.expected_s)
        self.notes = self.rules.notes
        self.settings = started.settings
        self.parallel = started.settings.parallel
        self.head = started.base
        self.at = started.at
        self.drain: Outcome | None = None
        self.stopping = False
        """A failure has stopped the run by its own policy."""
        self.now = False
        self.lands = True
        self.by_signal = False
        self.until: float | None = None
        """From when on it makes sense to go on."""
        self.ended: Outcome | None = None
        self.abandoned = False
        self.changing = False
        self.critical: str | None = None
        self.halted: dict[str, str] = {}
        self.tries: dict[str, list[str]] = {}
        """By agent: the task of each failure of its own, and "" for whatever speaks for it."""
        self.queue: list[str] = []
        self.batch: tuple[int, str] | None = None
        self.batches = 0
        self.starts = 0
        self.timers: dict[str, tuple[str, str, float]] = {}
        """Name, as the core gave it, to (purpose, task, due)."""
        self.expected: list[Expected] = []
        self.due: list[tuple[str, str, float, float]] = []
        """Timers that must be set now: (purpose, task, from, to)."""
        self.admitted: list[tuple[str, int]] = []
        for task in started.done:
            self.notes[task].state = "succeeded"

    def entry(self, task: str) -> LandEntry:
        note = self.notes[task]
        return LandEntry(task=task, attempt=note.attempt, commit=note.commit)

    def willing(self, note: Note) -> tuple[str, ...]:
        """Who may do the task and has not failed too often in a row (R4)."""
        default = (self.settings.agent, *self.settings.fallbacks)
        return tuple(name for name in note.task.agent or default if not self._out(name))

    def barred(self, note: Note) -> bool:
        return not self.willing(note)

    def _out(self, agent: str) -> bool:
        tries = self.tries.get(agent, [])
        since = tries[len(tries) - tries[::-1].index("") :] if "" in tries else tries
        return 0 < self.settings.breaker <= len(set(since))

    def causes(self, task: str) -> set[str]:
        """For whose sake a task was skipped."""
        note = self.notes[task]
        stopped = self._stopped(note)
        return self.rules.culprits(note) | ({stopped} if stopped else set())

    # --- ends of attempts ---------------------------------------------------------------------------------------

    def _leave(self, note: Note) -> None:
        """Out of running or gating: the place and the grant go back."""
        note.asking = False
        if note.in_use:
            note.in_use = False
            self.expected.append(("ReleaseGrant", note.id, note.attempt))

    def _interrupted(self, note: Note, commit: str | None) -> None:
        """Ended through no doing of its own: costs nothing."""
        note.carry = commit or note.carry
        note.resumes = (note.attempt, note.agent)
        note.past += 1
        self._leave(note)
        doom, note.doom = note.doom or "ready", None
        if doom != "ready":
            self._carry_out(note, doom)
        elif self._stopped(note):
            self._final(note, "skipped")
        else:
            note.state, note.drift, note.begun = "ready", (), None

    def _failed(self, note: Note, failure: Failure, commit: str | None) -> None:
        held = note.holds and not note.asking
        if note.state == "running" and failure.kind in BLAMES:
            self.tries.setdefault(note.agent, []).append(note.id)
            for other in self.notes.values():
                other.blocked_at = None if self.barred(other) else other.blocked_at
        self._leave(note)
        note.past += 1
        note.carry = commit if failure.kind in CARRIES else None
        note.resumes = (note.attempt, note.agent) if failure.kind in RESUMES else None
        note.conflict = failure.kind == "conflict"
        used_up = spend(note, failure, self.settings.attempts)
        doom, note.doom = note.doom, None
        note.person = note.approved = False
        if doom in ("cancelled", "skipped", "pending"):
            self._carry_out(note, doom)
        elif used_up or failure.kind == "permanent":
            self._final(note, "failed")
            self._policies(note)
        elif self._stopped(note):
            self._final(note, "skipped")
        elif failure.kind in BACKS_OFF and self.drain is None:
            note.state, note.timer, note.drift = "waiting", "backoff", ()
            least, most = backoff_s(note, failure)
            self.due.append(("backoff", note.id, self.at + least, self.at + most))
        else:
            note.state = "ready"
            note.kept = held and failure.kind in ("gate", "conflict")
            note.drift = note.drift if note.kept else ()
            if failure.kind in PAUSES and self.drain is None:
                self.drain = "paused"
                self.until = None if failure.retry_after_s is None else self.at + failure.retry_after_s

    def _enqueue(self, note: Note) -> None:
        note.state, note.approved = "landing", False
        self.queue.append(note.id)

    def _grow(self, note: Note) -> None:
        """What it wants done as well, whole or not at all (R8.4)."""
        tasks, note.proposed = tuple(replace(task, added_by=note.id) for task in note.proposed), ()
        stopped = self.critical or any(task.phase in self.halted for task in tasks)
        if tasks and not stopped and self.rules.may_add(note, tasks):
            self.rules.become(replace(self.rules.plan, tasks=(*self.rules.plan.tasks, *tasks)), self.rules.gone)
            self.expected.append(("TakeTasks", tasks))

    # --- decisions ----------------------------------------------------------------------------------------------

    def _decide(self, note: Note, doom: TaskState) -> None:
        """At once where nothing is in flight, else when that has reported (R6.1a)."""
        if note.final:
            return
        if note.state == "running":
            note.doom = doom
            self.expected.append(("CancelAttempt", note.id, note.attempt))
        elif self.batch is not None and self.batch[1] == note.id:
            note.doom = doom
        else:
            if note.state == "gating":
                self.expected.append(("CancelAttempt", note.id, note.attempt))
            self._leave(note)
            self._carry_out(note, doom)

    def _carry_out(self, note: Note, doom: TaskState) -> None:
        """A decision, when nothing is in flight any more."""
        if doom != "pending":
            self._final(note, doom)
        elif self._stopped(note):
            self._final(note, "skipped")
        else:
            self._over(note, "pending")

    def _replan(self, want: Wanted) -> None:
        """Another plan (R8.4): what has landed stays."""
        back = self.rules.gone - want.gone
        self.changing = True
        for note in self.notes.values():
            if note.id in want.gone:
                if note.state in ("failed", "skipped"):
                    note.state = "cancelled"
                self._decide(note, "cancelled")
            elif note.id in want.changed | want.late:
                note.spent = {} if note.id in want.changed else note.spent
                if note.state in ("failed", "skipped") or (note.state == "cancelled" and note.id in back):
                    note.state = "pending"
                elif note.state != "pending" and (note.doom in (None, "ready") or note.id in back):
                    self._decide(note, "pending")
        for note in self.notes.values():
            if note.state == "skipped":
                note.state, note.spent = "pending", {}
        self.changing = False
        self.rules.become(want.plan, want.gone)
        self._forgive()
        for note in self.notes.values():
            if self._stopped(note) and (note.state in ("pending", "ready") or note.timer == "backoff"):
                self._final(note, "skipped")
        taken = tuple(task for task in want.plan.tasks if task.id in want.new | want.changed)
        if taken:
            self.expected.append(("TakeTasks", taken))

    def _forgive(self) -> None:
        """What failures have stopped goes on, but for what those stop that are left."""
        self.critical, self.halted = None, {}
        self.drain = None if self.drain == "failed" else self.drain
        self.stopping = False
        for note in self.notes.values():
            if note.state == "failed":
                self._halt(note)
        self._follow()

    def _final(self, note: Note, state: TaskState) -> None:
        self._over(note, state)

    def _over(self, note: Note, state: TaskState) -> None:
        """Out of everything that it was in."""
        if note.id in self.queue:
            self.queue.remove(note.id)
        if note.timer:
            self._forget(note.timer, note.id)
        note.state, note.doom, note.timer, note.drift, note.blocked_at = state, None, "", (), None
        note.asking = note.kept = note.person = note.approved = False
        note.begun = None
        self._follow()

    def _policies(self, failed: Note) -> None:
        """`critical`, `stop` of a phase, `stop` of the run (R4); what is optional stops nothing (R1.2)."""
        self._halt(failed)
        of_run = self.rules.phase_of(failed).on_failure is None and self.settings.on_failure == "stop"
        if of_run and not failed.task.optional:
            self.stopping = True
            self.drain = self.drain or "failed"
        for note in self.notes.values():
            if self._stopped(note) and (note.state in ("pending", "ready") or note.timer == "backoff"):
                self._final(note, "skipped")

    def _halt(self, failed: Note) -> None:
        phase = self.rules.phase_of(failed)
        if failed.task.critical:
            self.critical = failed.id
        if phase.on_failure == "stop" and not failed.task.optional:
            self.halted[phase.id] = failed.id

    def _stopped(self, note: Note) -> str | None:
        """The failed task because of which nothing of this one may start any more."""
        return self.critical or self.halted.get(note.task.phase)

    def _follow(self) -> None:
        """What has become ready, and what never will."""
        moved = not self.changing
        while moved:
            moved = False
            for note in self.notes.values():
                if note.state == "pending":
                    if self._stopped(note) or self.rules.broken(note):
                        note.state, moved = "skipped", True
                    elif self.rules.may_start(note):
                        note.state, moved = "ready", True

    def _forget(self, purpose: str, task: str = "") -> None:
        self.timers = {name: timer for name, timer in self.timers.items() if timer[:2] != (purpose, task)}
