"""The world of a simulated run, in virtual time: it does what the core wishes, and tells how that went.

It keeps a toy git of its own (which task landed by which commit) and its own list of what is alive. It never looks at
the core. What the world holds in memory is gone when the engine dies; its git and the inbox are not.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import assert_never
from zlib import crc32

import msgspec

from stretto.core import commands as cmd
from stretto.core import events as ev
from stretto.core.commands import Command
from stretto.core.events import Event
from stretto.model.plan import Plan, Task
from stretto.model.run import TARGET, Culprit, Failure, LandEntry, Remark
from stretto.testing.fate import TASKS, AttemptFate, Fate
from stretto.testing.growing import proposal

Job = tuple[str, str, int]
"""What must still be alive for an event to happen: ("attempt", task, n), ("gates", task, n), ("landing", "", batch)."""
_Report = (
    ev.Granted
    | ev.Denied
    | ev.AttemptFinished
    | ev.AttemptFailed
    | ev.AttemptLost
    | ev.AttemptCancelled
    | ev.AttemptGated
    | ev.BatchLanded
    | ev.BatchRejected
    | ev.TimerFired
)
_LASTING = (ev.RequestReceived,)
"""What lies in the inbox outlives the engine."""


class World:
    """Performs commands; `next` is whatever happens first."""

    def __init__(self, plan: Plan, fate: Fate, base: str) -> None:
        self.now = 1_000_000.0
        self.fate = fate
        self.head = base
        self.landed: dict[str, str] = {}
        """Toy git: task to the commit by which it landed, in order."""
        self.past: list[Event] = []
        """Reports that were made; `again` repeats one of them."""
        self.requests = 0
        self._plan = plan
        self._index = {task.id: i for i, task in enumerate(sorted(plan.tasks, key=lambda task: task.id))}
        self._tasks = {task.id: task for task in plan.tasks}
        self._alive: set[Job] = set()
        self._batches: dict[int, ev.BatchLanded] = {}
        self._sent: dict[int, tuple[LandEntry, ...]] = {}
        self._rounds: Counter[tuple[str, str]] = Counter()
        """Durable results of (aspect, task)."""
        self._heap: list[tuple[float, int, Event, Job | None]] = []
        self._seq = 0

    def __bool__(self) -> bool:
        """Whether anything is still going to happen."""
        return any(job is None or job in self._alive for _, _, _, job in self._heap)

    # --- what happens -------------------------------------------------------------------------------------------

    def next(self) -> Event:
        while True:
            due, _, event, job = heapq.heappop(self._heap)
            if job is None or job in self._alive:
                break
        self.now = max(self.now, due)
        if job is not None:
            self._alive.discard(job)
        event = self._decided(event)
        if isinstance(event, _Report):
            self.past.append(event)
        return event

    def ask(self, wish: ev.Wish, delay_s: float = 0.0) -> None:
        """A wish arrives through the inbox."""
        self.requests += 1
        self._later(delay_s, ev.RequestReceived(at=0.0, request=f"r{self.requests}", wish=wish))

    def die(self) -> None:
        """The engine and everything it had started are gone; a landing may have moved the branch all the same."""
        for number in [number for kind, _, number in self._alive if kind == "landing"]:
            green = self.fate.landing(*self._round("landing", self._sent[number][0].task)) == "landed"
            if green and self.fate.landed_unseen(number):
                self._land(number)
        self._alive.clear()
        self._heap = [item for item in self._heap if isinstance(item[2], _LASTING)]
        heapq.heapify(self._heap)

    def _later(self, delay_s: float, event: Event, job: Job | None = None) -> None:
        self._seq += 1
        heapq.heappush(self._heap, (self.now + delay_s, self._seq, event, job))

    def _decided(self, event: Event) -> Event:
        """The event with its time; results that become durable now count as a round of their task."""
        at = self.now
        match event:
            case ev.BatchLanded():
                for task in self._land(event.batch).landed:
                    self._rounds["landing", task.task] += 1
                return self._land(event.batch, at)
            case ev.BatchRejected():
                for task in self._sent.get(event.batch, ()):
                    self._rounds["landing", task.task] += 1
            case ev.AttemptFinished() | ev.AttemptFailed():
                self._rounds["attempt", event.task] += 1
            case ev.AttemptLost(engine=False):
                self._rounds["attempt", event.task] += 1
            case ev.AttemptGated():
                self._rounds["gates", event.task] += 1
            case ev.Denied():
                self._rounds["grant", event.task] += 1
            case _:
                pass
        return stamped(event, at)

    # --- what is wished -----------------------------------------------------------------------------------------

    def perform(self, commands: Iterable[Command]) -> None:
        for command in commands:
            self._perform(command)

    def _perform(self, command: Command) -> None:
        match command:
            case cmd.RequestGrant():
                self._grant(command.task, command.attempt)
            case cmd.StartAttempt():
                self._start(command.task, command.attempt)
            case cmd.CancelAttempt():
                self._cancel(command.task, command.attempt)
            case cmd.RunGates():
                self._gates(command)
            case cmd.AskApproval():
                self._person(command.task)
            case cmd.LandBatch():
                self._landing(command)
            case cmd.StartTimer():
                self._later(max(0.0, command.due - self.now), ev.TimerFired(at=0.0, timer=command.timer))
            case cmd.EndRun():
                self.die()
            case cmd.TakeTasks():
                self._tasks |= {task.id: task for task in command.tasks}
                for task in command.tasks:
                    self._index.setdefault(task.id, crc32(task.id.encode()) % TASKS)
            case cmd.ReleaseGrant() | cmd.Answer() | cmd.Notify():
                pass
            case _:
                assert_never(command)

    def _round(self, aspect: str, task: str) -> tuple[int, int]:
        return self._index[task], self._rounds[aspect, task]

    def _grant(self, task: str, attempt: int) -> None:
        where = self._round("grant", task)
        if denied_s := self.fate.denied_s(*where):
            until = self.now + 0.25 + denied_s
            self._later(0.25, ev.Denied(at=0.0, task=task, attempt=attempt, until=until, reason="busy"))
        else:
            self._later(self.fate.delay_s(*where, 0) / 2, ev.Granted(at=0.0, task=task, attempt=attempt))

    def _start(self, task: str, attempt: int) -> None:
        others = [job for job in self._alive if job[:2] == ("attempt", task)]
        assert not others, f"{task}#{attempt} starts beside {others}"
        job: Job = ("attempt", task, attempt)
        self._alive.add(job)
        fate = self.fate.attempt(*self._round("attempt", task))
        self._later(0.0, ev.AttemptStarted(at=0.0, task=task, attempt=attempt))
        if fate.drift:
            paths = (("a", "d/x", "lock", "z", "b", "d/y", "c")[fate.drift % 7],)
            observed = ev.ScopeObserved(at=0.0, task=task, attempt=attempt, paths=paths)
            self._later(fate.duration_s / 2, observed)
        wanted = proposal(self._plan, self._tasks[task], self.fate.proposal(*self._round("attempt", task)))
        self._later(fate.duration_s, _end(task, attempt, fate, wanted), job)

    def _cancel(self, task: str, attempt: int) -> None:
        """Its end may still come first; for gates there is no answer."""
        self._alive.discard(("gates", task, attempt))
        job: Job = ("attempt", task, attempt)
        if job in self._alive:
            delay_s = self.fate.delay_s(*self._round("attempt", task), 1) * 2
            ended = ev.AttemptCancelled(at=0.0, task=task, attempt=attempt, commit=f"{task}#{attempt}")
            self._later(delay_s, ended, job)

    def _gates(self, command: cmd.RunGates) -> None:
        where = self._round("gates", command.task)
        answer = self.fate.gate(*where)
        job: Job = ("gates", command.task, command.attempt)
        self._alive.add(job)
        event = ev.AttemptGated(
            at=0.0,
            task=command.task,
            attempt=command.attempt,
            verdict="red" if answer == "error" else answer,
            error=answer == "error",
            remarks=() if answer == "green" else (Remark(check="test", message=answer),),
        )
        self._later(self.fate.delay_s(*where, 2), event, job)

    def _person(self, task: str) -> None:
        where = self._round("gates", task)
        yes = self.fate.yes(*where)
        wish = ev.TaskApproved(at=0.0, task=task) if yes else ev.TaskRejected(at=0.0, task=task, note="no")
        self.ask(wish, 0.5 + self.fate.delay_s(*where, 3) * 4)

    def _landing(self, command: cmd.LandBatch) -> None:
        """The same batch gives the same answer for ever, if it has landed; else it is judged again."""
        assert command.lane == TARGET
        assert not any(kind == "landing" for kind, _, _ in self._alive), "two landings at once"
        job: Job = ("landing", "", command.batch)
        self._alive.add(job)
        assert self._sent.setdefault(command.batch, command.entries) == command.entries
        task = command.entries[0].task
        where = self._round("landing", task)
        answer = "landed" if command.batch in self._batches else self.fate.landing(*where)
        event: Event
        if answer == "landed":
            event = ev.BatchLanded(at=0.0, lane=TARGET, batch=command.batch, landed=(), commit="")
        elif answer == "conflict" or answer == "gate":
            culprit = Culprit(task=task, kind=answer, paths=("a",) if answer == "conflict" else ())
            event = ev.BatchRejected(at=0.0, lane=TARGET, batch=command.batch, culprits=(culprit,))
        else:
            error = "disk full" if answer == "error" else ""
            event = ev.BatchRejected(at=0.0, lane=TARGET, batch=command.batch, error=error)
        self._later(self.fate.delay_s(*where, 0), event, job)

    def _land(self, batch: int, at: float = 0.0) -> ev.BatchLanded:
        """Move the branch, once."""
        if batch not in self._batches:
            entries = self._sent[batch]
            changed = [entry for entry in entries if entry.commit is not None]
            self.head = f"L{batch}" if changed else self.head
            for entry in entries:
                assert entry.task not in self.landed, f"{entry.task} lands twice"
                self.landed[entry.task] = self.head
            self._batches[batch] = ev.BatchLanded(at=0.0, lane=TARGET, batch=batch, landed=entries, commit=self.head)
        landed = stamped(self._batches[batch], at)
        assert isinstance(landed, ev.BatchLanded)
        return landed

    # --- what comes late, twice, or from nobody ------------------------------------------------------------------

    def again(self, argument: int) -> Event | None:
        return stamped(self.past[-1 - argument % len(self.past)], self.now) if self.past else None

    def foreign(self, argument: int, tasks: Sequence[str]) -> Event:
        """A report that nobody could have made: of no task, of no attempt, of no batch."""
        task, detail = tasks[argument % len(tasks)], argument // 16
        numbers = [n for kind, name, n in self._alive if name == task]
        ahead = 1 + max(numbers, default=98)
        at, x = self.now, f"{task}#foreign"
        made: tuple[Event, ...] = (
            ev.AttemptFinished(at=at, task=task, attempt=ahead, commit=x),
            ev.AttemptFailed(at=at, task=task, attempt=ahead - 2, failure=Failure(kind="permanent")),
            ev.AttemptFailed(at=at, task="nobody", attempt=1, failure=Failure(kind="auth")),
            ev.AttemptGated(at=at, task=task, attempt=ahead, verdict="green"),
            ev.AttemptGated(at=at, task=task, attempt=ahead - 2, verdict="red"),
            ev.Granted(at=at, task=task, attempt=ahead),
            ev.Granted(at=at, task="nobody", attempt=1),
            ev.Denied(at=at, task=task, attempt=ahead, until=at + 99.0),
            ev.BatchLanded(at=at, lane=TARGET, batch=99, landed=(LandEntry(task=task, attempt=1, commit=x),), commit=x),
            ev.BatchLanded(at=at, lane="phase:x", batch=1, landed=(), commit=x),
            ev.BatchRejected(at=at, lane=TARGET, batch=0, culprits=(Culprit(task=task, kind="gate"),)),
            ev.TimerFired(at=at, timer="nothing"),
            ev.AttemptLost(at=at, task=task, attempt=ahead, engine=True),
            ev.AttemptCancelled(at=at, task=task, attempt=ahead - 2),
            ev.ScopeObserved(at=at, task=task, attempt=ahead, paths=("a",)),
            ev.Noticed(at=at, code="changed", message="the user's branch moved"),
        )
        return made[detail % len(made)]


def _end(task: str, attempt: int, fate: AttemptFate, proposed: tuple[Task, ...]) -> Event:
    commit = f"{task}#{attempt}" if fate.saved else None
    match fate.failure:
        case None:
            return ev.AttemptFinished(
                at=0.0,
                task=task,
                attempt=attempt,
                commit=commit,
                summary=f"{task}#{attempt} says so",
                decisions=(f"as {task} wants it",) if fate.already_done else (),
                already_done=fate.already_done,
                paths=("d/x",) if fate.drift > 4 else (),
                proposed=proposed,
            )
        case "lost":
            return ev.AttemptLost(at=0.0, task=task, attempt=attempt, engine=False, commit=commit)
        case kind:
            failure = Failure(kind=kind, message="as told", retry_after_s=fate.retry_after_s)
            return ev.AttemptFailed(at=0.0, task=task, attempt=attempt, failure=failure, commit=commit)


def stamped(event: Event, at: float) -> Event:
    """The same fact at another time."""
    return msgspec.structs.replace(event, at=at)
