"""What must follow from an event: a second, slow and plain account of the semantics, kept by the watcher.

It is fed with events alone and never looks at the core. Of timers it knows the names that the watcher has seen.
"""

from __future__ import annotations

from typing import assert_never

from stretto.core import events as ev
from stretto.core.events import Event
from stretto.model.run import TARGET, Failure, Outcome, TaskState
from stretto.testing.books import OVERTAKEN, Note
from stretto.testing.ledger import Ledger
from stretto.testing.replanning import in_flight, wanted


class Account(Ledger):
    """One a run. After `follow`, the core must have said `expected`, `due` and `admitted`, and nothing else."""

    # --- what an event means ------------------------------------------------------------------------------------

    def follow(self, event: Event) -> None:
        """Work out one step."""
        self.at = max(self.at, event.at)
        self.expected, self.due, self.admitted = [], [], []
        self._apply(event)
        self._follow()
        if self.ended is None and not self.abandoned:
            self._queue_approved()
            self._land()
            if self.drain is None:
                self._admit()
            self._end()

    def _apply(self, event: Event) -> None:
        match event:
            case ev.RunStarted() | ev.AttemptStarted() | ev.AttemptAnswered() | ev.Noticed():
                pass
            case ev.RunResumed():
                self.stopping = self.stopping and self.ended != "failed"
                self.ended = self.until = None
                self.drain = "failed" if self.stopping else None
                self.now = self.by_signal = False
                self.lands = True
                self.parallel = event.parallel or self.parallel
                self.tries = {}
                self._forget("drain")
            case ev.RunAbandoned():
                self.abandoned = True
            case ev.RunReclaimed():
                self.abandoned = False
            case ev.RequestReceived():
                accepted = self._allowed(event.wish)
                self.expected.append(("Answer", event.request, accepted))
                if accepted:
                    self._wish(event.wish)
            case (
                ev.StopRequested()
                | ev.TasksCancelled()
                | ev.TasksRetried()
                | ev.SettingsChanged()
                | ev.PlanChanged()
                | ev.TaskApproved()
                | ev.TaskRejected()
            ):
                if self._allowed(event):
                    self._wish(event)
            case ev.Granted():
                self._granted(event)
            case ev.Denied():
                note = self.notes.get(event.task)
                if note is not None and note.asking and note.attempt == event.attempt:
                    note.asking = note.kept = False
                    note.drift = ()
                    note.timer = "grant"
                    self.due.append(("grant", note.id, event.until, event.until))
            case ev.ScopeObserved():
                if note := self._about(event.task, event.attempt, "running"):
                    note.drift += self.rules.drifts(note, event.paths)
            case ev.AttemptFinished():
                if note := self._about(event.task, event.attempt, "running"):
                    self._finished(note, event)
            case ev.AttemptFailed():
                if note := self._about(event.task, event.attempt, "running"):
                    self._failed(note, event.failure, event.commit)
            case ev.AttemptLost():
                if note := self._about(event.task, event.attempt, "running"):
                    if event.engine:
                        self._interrupted(note, event.commit)
                    else:
                        self._failed(note, Failure(kind="lost"), event.commit)
            case ev.AttemptCancelled():
                if note := self._about(event.task, event.attempt, "running"):
                    self._interrupted(note, event.commit)
            case ev.AttemptGated():
                if note := self._about(event.task, event.attempt, "gating"):
                    self._gated(note, event)
            case ev.BatchLanded():
                if self._reported(event.lane, event.batch):
                    self.head = event.commit
                    for entry in event.landed:
                        self._grow(self.notes[entry.task])
                        self.notes[entry.task].landed = event.commit
                        self._final(self.notes[entry.task], "succeeded")
            case ev.BatchRejected():
                if (task := self._reported(event.lane, event.batch)) is not None:
                    self._rejected(self.notes[task], event)
            case ev.TimerFired():
                self._timer(event)
            case _:
                assert_never(event)

    def _about(self, task: str, attempt: int, state: TaskState) -> Note | None:
        note = self.notes.get(task)
        return note if note is not None and (note.attempt, note.state) == (attempt, state) else None

    def _reported(self, lane: str, number: int) -> str | None:
        if self.batch is None or lane != TARGET or self.batch[0] != number:
            return None
        task, self.batch = self.batch[1], None
        return task

    def _allowed(self, wish: ev.Wish) -> bool:
        if self.abandoned:
            return False
        match wish:
            case ev.StopRequested():
                return self.ended is None
            case ev.SettingsChanged():
                return wish.parallel >= 1
            case ev.TasksCancelled():
                return all(task in self.notes and not self.notes[task].final for task in wish.tasks)
            case ev.TasksRetried():
                if not wish.tasks:
                    return any(note.state == "failed" for note in self.notes.values())
                known = [self.notes[task] for task in wish.tasks if task in self.notes]
                left = [n for n in known if n.final and n.state != "succeeded" and n.id not in self.rules.gone]
                return len(left) == len(wish.tasks)
            case ev.PlanChanged():
                want = wanted(self.rules, wish)
                if want is None:
                    return False
                kept = (n for n in self.notes.values() if n.id in want.gone | want.changed | want.late)
                return wish.force or not any(in_flight(note) for note in kept)
            case ev.TaskApproved() | ev.TaskRejected():
                return wish.task in self.notes and self.notes[wish.task].person
            case _:
                assert_never(wish)

    def _wish(self, wish: ev.Wish) -> None:
        match wish:
            case ev.StopRequested():
                self._stop(wish.now, wish.by_signal)
            case ev.SettingsChanged():
                self.parallel = wish.parallel
            case ev.TasksCancelled():
                for task in wish.tasks:
                    self._decide(self.notes[task], "cancelled")
            case ev.TasksRetried():
                for note in self.notes.values():
                    named = note.id in wish.tasks if wish.tasks else note.state == "failed"
                    if named or note.state == "skipped":
                        note.state, note.spent = "pending", {}
                self._forgive()
            case ev.PlanChanged():
                want = wanted(self.rules, wish)
                assert want is not None
                self._replan(want)
            case ev.TaskApproved():
                note = self.notes[wish.task]
                note.person, note.approved = False, True
            case ev.TaskRejected():
                note = self.notes[wish.task]
                self._failed(note, Failure(kind="gate"), note.commit)
            case _:
                assert_never(wish)

    def _stop(self, now: bool, by_signal: bool) -> None:
        """Drain; now, or when draining takes too long, end what runs (R8.6)."""
        again = self.drain == "stopped"
        if again and (self.now or not now):
            self.by_signal = self.by_signal or by_signal
            return
        self.drain, self.now, self.by_signal = "stopped", now, self.by_signal or by_signal
        self.until = None
        if not now:
            due = self.at + self.settings.drain_timeout_s
            self.due.append(("drain", "", due, due))
            return
        self._forget("drain")
        for note in self.notes.values():
            if note.state == "running" and note.doom is None:
                self._decide(note, "ready")

    # --- attempts -----------------------------------------------------------------------------------------------

    def _granted(self, event: ev.Granted) -> None:
        note = self.notes.get(event.task)
        if note is None or note.attempt != event.attempt or not note.asking:
            if note is None or note.attempt != event.attempt or not note.in_use:
                self.expected.append(("ReleaseGrant", event.task, event.attempt))
            return
        note.asking = False
        agents = self.willing(note)
        if self.drain is not None or not agents:
            note.kept, note.drift = False, ()
            self.expected.append(("ReleaseGrant", note.id, note.attempt))
            return
        note.kept, note.in_use = False, True
        note.state, note.base, note.commit, note.proposed = "running", self.head, None, ()
        note.agent = agents[0]
        handed = tuple((n.id, n.state, n.left, n.landed) for n in self.rules.before(note))
        resumes = note.resumes[0] if note.resumes and note.resumes[1] == agents[0] else None
        start = (note.id, note.attempt, self.head, note.carry, note.conflict, resumes, note.past, agents, handed)
        self.expected.append(("StartAttempt", *start))

    def _finished(self, note: Note, event: ev.AttemptFinished) -> None:
        note.commit = event.commit
        note.said = (event.summary, event.decisions, event.paths)
        note.proposed = event.proposed
        if note.doom in ("cancelled", "skipped", "pending"):
            self._interrupted(note, event.commit)
            return
        note.doom = None
        checked = bool(note.task.verify)
        if note.task.effect == "changes" and event.commit is None and not (event.already_done and checked):
            self._failed(note, Failure(kind="no_effect"), None)
            return
        self.tries.setdefault(note.agent, []).append("")
        note.drift += self.rules.drifts(note, event.paths)
        if checked or note.task.artifacts:
            note.state = "gating"
            self.expected.append(("RunGates", note.id, note.attempt, note.commit or note.base))
        else:
            self._leave(note)
            self._enqueue(note)

    def _gated(self, note: Note, event: ev.AttemptGated) -> None:
        if event.error:
            self._failed(note, Failure(kind="transient"), note.commit)
        elif event.verdict == "red":
            self._failed(note, Failure(kind="gate"), note.commit)
        elif event.verdict == "green":
            self._leave(note)
            self._enqueue(note)
        else:
            self._leave(note)
            note.state, note.person, note.drift = "waiting", True, ()
            self.expected.append(("AskApproval", note.id, note.attempt))

    def _rejected(self, note: Note, event: ev.BatchRejected) -> None:
        if event.culprits:
            for culprit in event.culprits:
                self._failed(self.notes[culprit.task], Failure(kind=culprit.kind), self.notes[culprit.task].commit)
        elif note.doom is not None:
            doom, note.doom = note.doom, None
            self._carry_out(note, doom)
        else:
            self.queue.insert(0, note.id)
        if event.error:
            self.lands = False
            self.drain = self.drain or "paused"

    def _timer(self, event: ev.TimerFired) -> None:
        known = self.timers.get(event.timer)
        if known is None:
            return
        purpose, task, due = known
        if event.at < due:  # left over from an earlier timer of that name: too early
            self.due.append((purpose, task, due, due))
            return
        del self.timers[event.timer]
        if purpose == "drain":
            self._stop(True, False)
        else:
            note = self.notes[task]
            note.timer = ""
            note.state = "ready"

    # --- what must follow ---------------------------------------------------------------------------------------

    def _queue_approved(self) -> None:
        for note in sorted(self.notes.values(), key=lambda note: note.rank):
            if note.approved and not self.rules.stopped_by_claims(note):
                self._enqueue(note)

    def _land(self) -> None:
        """One landing at a time, first come first served; none is begun when everything is being ended."""
        if self.batch is None and self.queue and not self.now and self.lands:
            task = self.queue.pop(0)
            self.batches += 1
            self.batch = (self.batches, task)
            self.expected.append(("LandBatch", self.batches, (self.entry(task),)))

    def _admit(self) -> None:
        """Every start that must happen now, most urgent first (R2, R10.1): this is what work-conserving means."""
        while sum(note.takes_place for note in self.notes.values()) < self.parallel:
            note = self._next()
            if note is None:
                break
            note.attempt += 1
            note.asking, note.blocked_at = True, None
            self.starts += 1
            self.admitted.append((note.id, note.attempt))

    def _next(self) -> Note | None:
        waiting = [n for n in self.notes.values() if n.state == "ready" and not n.asking and n.timer != "grant"]
        for note in sorted(waiting, key=lambda note: note.rank):
            if self.barred(note) or self.rules.phase_full(note):
                continue
            if note.kept:
                return note
            if self.rules.stopped_by_claims(note):
                note.blocked_at = self.starts if note.blocked_at is None else note.blocked_at
            elif not self._reserved_against(note):
                return note
        return None

    def _reserved_against(self, note: Note) -> bool:
        """The best of those stopped by claims reserves once it has been overtaken often enough (R2.3)."""
        stopped = [n for n in self.notes.values() if n.blocked_at is not None]
        first = min(stopped, key=lambda n: n.rank, default=None)
        if first is None or first is note or first.rank > note.rank:
            return False
        assert first.blocked_at is not None
        overdue = self.starts - first.blocked_at >= OVERTAKEN * self.parallel
        return overdue and (self.rules.meets(first.claims, note) or self.rules.foes(first.task, note.task))

    def _end(self) -> None:
        outcome = self._outcome()
        if outcome is None:
            return
        self.ended = outcome
        over = all(note.final for note in self.notes.values())
        final = over or outcome == "failed"
        failed = sorted(
            note.id for note in self.notes.values() if note.state == "failed" and final and not note.task.added_by
        )
        self.expected.append(("EndRun", outcome, None if over else self.until, failed))

    def _outcome(self) -> Outcome | None:
        """How the run ends now (R11); None while anything may still happen."""
        notes = list(self.notes.values())
        judged_later = self.drain is not None and self.now
        in_flight = [n for n in notes if n.takes_place and not (judged_later and n.state == "gating")]
        if self.batch is not None or in_flight:
            return None
        if all(note.final for note in notes):
            counts = [n for n in notes if n.id not in self.rules.gone and not n.task.optional]
            return "succeeded" if all(n.state == "succeeded" for n in counts) else "failed"
        if self.drain is not None:
            return None if self.queue and not self.now and self.lands else self.drain
        if self.timers or self.due or self.queue:
            return None
        if any(note.person for note in notes) and all(n.person for n in notes if n.state == "waiting"):
            return None if self.settings.on_approval == "wait" else "paused"
        if any(n.state == "ready" and self.barred(n) for n in notes):
            return "paused"
        return "stuck"
