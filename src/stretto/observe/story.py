"""What became of every attempt of a run, and when an engine was at work: the journal, read as a story.

`report`, `diff` and `inspect` all tell it; the state of a run remembers only what is still needed to go on.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from stretto.core import events as ev
from stretto.core.coordinator import Coordinator
from stretto.core.state import State
from stretto.model.run import Failure, Remark, Usage
from stretto.ports import Recorded

QUIET = (ev.CLOSED, ev.DELIVERED)
"""Notices that only readers need."""


class Try(msgspec.Struct, kw_only=True):
    """One attempt. Times are in seconds since the epoch; None: it has not come to that."""

    task: str
    number: int
    began_at: float
    agent: str = ""
    ended_at: float | None = None
    """When its agent was gone."""
    over_at: float | None = None
    """When nothing more was to be done about it: it had landed, was judged, or was given up."""
    commit: str | None = None
    """What it left."""
    files: int = 0
    """How many paths that changed; of an attempt that succeeded."""
    usage: Usage = Usage()
    confidence: float | None = None
    gated_at: float | None = None
    """When its own gates had spoken."""
    verdict: str = ""
    """Of its own gates: `green`, `red` or `ask`; empty where none has spoken."""
    remarks: tuple[Remark, ...] = ()
    failure: Failure | None = None
    """Why it did not land."""
    landed: str | None = None
    """The commit by which it landed."""


class Session(msgspec.Struct, kw_only=True):
    """A time during which an engine worked on the run."""

    began_at: float
    ended_at: float


class Story:
    """A run from its first event to the last one told. `coordinator` is the run as it is then."""

    def __init__(self, recorded: Iterable[Recorded]) -> None:
        """`recorded` begins with RunStarted."""
        self.coordinator = Coordinator()
        self.tries: dict[tuple[str, int], Try] = {}
        """By (task, number), in the order in which they began."""
        self.sessions: list[Session] = []
        self.on = False
        """The last session has not ended, as far as the journal says."""
        self.notices: list[ev.Noticed] = []
        for one in recorded:
            before = self.state.at if self.sessions else one.event.at
            self.coordinator.handle(one.event)
            self._work(one.event, before)
            self._follow(one.event)
        self._finish()

    @property
    def state(self) -> State:
        return self.coordinator.state

    def _work(self, event: ev.Event, before: float) -> None:
        """When engines came and went. One that was killed has left at its last event."""
        lost = isinstance(event, ev.AttemptLost) and event.engine
        if self.on and (lost or isinstance(event, ev.RunResumed | ev.RunAbandoned)):
            self.sessions[-1].ended_at, self.on = before, False
        if isinstance(event, ev.RunResumed):
            self.sessions.append(Session(began_at=event.at, ended_at=event.at))
            self.on = True
        elif self.on:
            self.sessions[-1].ended_at = self.state.at
        self.on = self.on and self.state.ended is None

    def _follow(self, event: ev.Event) -> None:
        match event:
            case ev.Granted():
                record = self.state.by_id.get(event.task)
                if record is not None and record.state == "running" and record.attempt == event.attempt:
                    new = Try(task=event.task, number=event.attempt, began_at=event.at)
                    self.tries.setdefault((new.task, new.number), new)
            case ev.AttemptStarted():
                if one := self._open(event.task, event.attempt):
                    one.agent = event.agent
            case ev.AttemptFinished():
                if one := self._ended(event):
                    one.files, one.usage, one.confidence = len(event.paths), event.usage, event.confidence
                self._settle(event.task, event.at)
            case ev.AttemptFailed():
                if one := self._ended(event):
                    one.usage = event.usage
                self._settle(event.task, event.at)
            case ev.AttemptLost() | ev.AttemptCancelled():
                self._ended(event)
                self._settle(event.task, event.at)
            case ev.AttemptGated():
                if one := self._open(event.task, event.attempt):
                    one.gated_at = event.at
                    one.verdict, one.remarks = "" if event.error else event.verdict, event.remarks
                self._settle(event.task, event.at)
            case ev.BatchLanded():
                for entry in event.landed:
                    if one := self._open(entry.task, entry.attempt):
                        one.landed, one.over_at = event.commit, event.at
                for culprit in event.culprits:
                    self._settle(culprit.task, event.at)
            case ev.BatchRejected():
                for culprit in event.culprits:
                    self._settle(culprit.task, event.at)
            case ev.TaskRejected():
                self._settle(event.task, event.at)
            case ev.RequestReceived(wish=ev.TaskRejected() as wish):
                self._settle(wish.task, event.at)
            case ev.Noticed():
                self.notices += [event] if event.code not in QUIET else []
            case _:
                pass

    def _open(self, task: str, number: int) -> Try | None:
        """The attempt that a report is about; None when it is late, repeated or foreign."""
        one = self.tries.get((task, number))
        return one if one is not None and one.over_at is None else None

    def _ended(self, event: ev.AttemptFinished | ev.AttemptFailed | ev.AttemptLost | ev.AttemptCancelled) -> Try | None:
        one = self._open(event.task, event.attempt)
        if one is None or one.ended_at is not None:
            return None
        one.ended_at, one.commit = event.at, event.commit
        return one

    def _settle(self, task: str, at: float) -> None:
        """What the core says of the attempt that has just come to nothing, if it has."""
        record = self.state.by_id.get(task)
        past = record.past[-1] if record is not None and record.past else None
        if past is not None and (one := self._open(task, past.attempt)):
            one.failure, one.over_at, one.ended_at = past.failure, at, one.ended_at or at
            one.remarks = past.remarks or one.remarks

    def _finish(self) -> None:
        """Attempts whose task was decided against meanwhile: cancelled while it was judged, skipped."""
        for record in self.state.tasks:
            if record.state in ("failed", "skipped", "cancelled") and (one := self._open(record.id, record.attempt)):
                one.over_at, one.failure = record.since, Failure(kind="cancelled", message=record.reason)
                one.ended_at = one.ended_at or record.since
