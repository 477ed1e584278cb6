"""Which ready task starts next (R2.2, R2.3, R10.1).

A ready task stands in exactly one place: in the heap of those that may be tried, or in the queue of the one thing
that stopped it last: a claimed pattern, a full phase, the reservation of a starving task. When that thing is free
again its best waiter gets a *token* and goes back to the heap; whoever is popped with a token passes it on. So

    a queue with waiters is either busy, or some entry in the heap carries its token

always holds, no wake-up is lost, and a start costs O(log n) however many wait.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

import msgspec

from stretto.analysis.globs import overlap
from stretto.core.breaker import barred
from stretto.core.claims import Claims
from stretto.core.rivals import Rivals, meet
from stretto.core.state import State, TaskRecord

Key = tuple[str, str | tuple[str, str]]
Rank = tuple[int, float, int]
Entry = tuple[Rank, int, Key | None]
"""(rank, version, token); the rank ends in the task's index. Stale when the version is not the task's own."""

RESERVATION: Key = ("reservation", "")
AGENT: Key = ("agent", "")
"""Everybody who may do the task is out."""
OVERTAKEN = 4
"""Starts, as a multiple of the places, that may pass a claim-blocked task before it reserves (R2.3)."""


class Admission(msgspec.Struct):
    """The ready tasks, and what each of them waits for."""

    claims: Claims = msgspec.field(default_factory=Claims)
    rivals: Rivals = msgspec.field(default_factory=Rivals)
    heap: list[Entry] = []
    queues: dict[Key, list[Entry]] = {}
    version: dict[int, int] = {}
    """Index to the version of its one live entry; absent when the task is not offered."""
    versions: int = 0
    in_phase: dict[str, int] = {}
    limits: dict[str, int] = {}
    """`max_parallel` of the phases that have one."""
    starts: int = 0
    blocked: dict[int, int] = {}
    """Tasks stopped by claims or rivals, and how many had started when each was first blocked."""
    blocked_heap: list[Rank] = []
    reserver: int | None = None

    def offer(self, record: TaskRecord) -> None:
        """A task has become ready."""
        self._push(record.index, record.rank, None)

    def risen(self, record: TaskRecord) -> None:
        """A task has become more urgent. Where it is offered it is tried once more, in its new place."""
        if record.index in self.version:
            self._push(record.index, record.rank, None)
        if record.index in self.blocked:
            heapq.heappush(self.blocked_heap, record.rank)

    def restore_blocked(self, blocked: dict[int, int], state: State) -> None:
        """These tasks had been stopped by claims or rivals before, since so many starts."""
        self.blocked = blocked
        self.blocked_heap = sorted(state.tasks[index].rank for index in blocked)

    def withdraw(self, record: TaskRecord) -> None:
        """A task is not ready any more, without having started. Its token, if any, is passed on when it is popped."""
        self.version.pop(record.index, None)
        self.blocked.pop(record.index, None)

    def admit(self, state: State) -> Iterator[TaskRecord]:
        """Take tasks for the free places, best first. The caller starts each before asking for the next."""
        while state.active < state.parallel:
            self._settle_reservation(state)
            if not self.heap:
                return
            rank, version, token = heapq.heappop(self.heap)
            index = rank[2]
            if self.version.get(index) == version:
                record = state.tasks[index]
                key = self.obstacle(state, record)
                if key is None:
                    del self.version[index]
                    self.blocked.pop(index, None)
                    self.starts += 1
                    yield record
                else:
                    self._wait(record, key)
            if token is not None:
                self.wake(state, token)

    def obstacle(self, state: State, record: TaskRecord) -> Key | None:
        """What keeps a ready task from starting though there is a place; None when nothing does. Changes nothing."""
        if barred(state, record):
            return AGENT
        limit = self.limits.get(record.task.phase)
        if limit is not None and self.in_phase.get(record.task.phase, 0) >= limit:
            return ("phase", record.task.phase)
        if record.holding:
            return None
        if (rival := self.rivals.blocker(record.index, record.task, state.by_id)) is not None:
            return rival
        claims = record.claims or ()
        if (pattern := self.claims.blocker(claims, record.index)) is not None:
            return ("claim", pattern)
        if self.reserver is not None and self.reserver != record.index:
            first = state.tasks[self.reserver]
            excluded = _meet(first.claims or (), claims) or meet(first.task, record.task, state.by_id)
            if first.rank < record.rank and excluded:
                return RESERVATION
        return None

    def is_free(self, state: State, record: TaskRecord) -> bool:
        """Whether nobody holds what the task claims, and no rival of it is active."""
        rival = self.rivals.blocker(record.index, record.task, state.by_id)
        return rival is None and self.claims.blocker(record.claims or (), record.index) is None

    def take(self, state: State, record: TaskRecord) -> None:
        """The task holds its claims and its share of its phase from here on."""
        self.in_phase[record.task.phase] = self.in_phase.get(record.task.phase, 0) + 1
        self.hold(state, record)

    def hold(self, state: State, record: TaskRecord) -> None:
        """The task holds its claims, and keeps its rivals away."""
        self.rivals.enter(record.index, record.task, state.by_id)
        if record.claims:
            self.claims.hold(record.index, record.claims)

    def hold_as(self, record: TaskRecord, former: Admission, index: int) -> None:
        """The task holds, and keeps away, what it did when it was `index`: its attempt goes on as it was begun."""
        self.rivals.stand(record.index, *former.rivals.of[index])
        self.claims.hold(record.index, former.claims.of.get(index, ()))

    def leave(self, state: State, record: TaskRecord) -> None:
        """The task gives its share of its phase back."""
        self.in_phase[record.task.phase] -= 1
        if record.task.phase in self.limits:
            self.wake(state, ("phase", record.task.phase))

    def release(self, state: State, record: TaskRecord) -> None:
        """The task gives its claims back, and lets its rivals go on."""
        for key in tuple(self.rivals.leave(record.index)):
            self.wake(state, key)
        for pattern in self.claims.release(record.index):
            self.wake(state, ("claim", pattern))

    def wake(self, state: State, key: Key) -> None:
        """Give the token of `key` to its best waiter, if it is free and has one."""
        queue = self.queues.get(key)
        while queue and not self._busy(key):
            rank, version, _ = heapq.heappop(queue)
            if self.version.get(rank[2]) == version:
                self._push(rank[2], rank, key)
                break
        if not queue:
            self.queues.pop(key, None)

    def forget_barred(self, state: State) -> None:
        """An agent is out: what only it can do is not stopped by claims alone any more, and must not reserve."""
        for index in [index for index in self.blocked if barred(state, state.tasks[index])]:
            del self.blocked[index]
            self._push(index, state.tasks[index].rank, None)

    def try_again(self, key: Key) -> None:
        """Everybody behind `key` is tried once more; for what changes rarely."""
        for rank, version, _ in self.queues.pop(key, ()):
            if self.version.get(rank[2]) == version:
                self._push(rank[2], rank, None)

    def _busy(self, key: Key) -> bool:
        match key:
            case ("claim", str(pattern)):
                return pattern in self.claims.held
            case ("phase", str(phase)):
                return self.in_phase.get(phase, 0) >= self.limits[phase]
            case (("inside" | "against") as side, (kind, id)):
                return self.rivals.is_busy((side, (kind, id)))
            case _:
                return self.reserver is not None

    def _push(self, index: int, rank: Rank, token: Key | None) -> None:
        self.versions += 1
        self.version[index] = self.versions
        heapq.heappush(self.heap, (rank, self.versions, token))

    def _wait(self, record: TaskRecord, key: Key) -> None:
        self.versions += 1
        self.version[record.index] = self.versions
        heapq.heappush(self.queues.setdefault(key, []), (record.rank, self.versions, None))
        if key[0] in ("claim", "inside", "against") and record.index not in self.blocked:
            self.blocked[record.index] = self.starts
            heapq.heappush(self.blocked_heap, record.rank)

    def _settle_reservation(self, state: State) -> None:
        """The best-ranked blocked task reserves once enough others have overtaken it."""
        while self.blocked_heap and self.blocked_heap[0][2] not in self.blocked:
            heapq.heappop(self.blocked_heap)
        best = self.blocked_heap[0][2] if self.blocked_heap else None
        if best is not None and self.starts - self.blocked[best] < OVERTAKEN * state.parallel:
            best = None
        if best == self.reserver:
            return
        self.reserver = best
        self.try_again(RESERVATION)


def _meet(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    return any(overlap(a, b) for a in first for b in second)
