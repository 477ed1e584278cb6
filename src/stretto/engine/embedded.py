"""The embedded engine: one asyncio process, one journal, and the loop of ARCHITECTURE.md.

A run is always begun the same way, whether new or after a crash: replay the journal, declare lost what nobody runs
any more, do again what is owed, and say RunResumed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal

from stretto.core.commands import Answer
from stretto.core.coordinator import Coordinator
from stretto.core.events import CLOSED, Event, Noticed, RequestReceived, RunResumed, StopRequested
from stretto.core.recovery import declare_lost, lost_attempts, outstanding, replay
from stretto.engine.abandonment import refuse_abandoned
from stretto.engine.launch import DETACHED
from stretto.engine.performer import Performer
from stretto.errors import AdapterError, StrettoError
from stretto.model.run import LateWork, Outcome
from stretto.ports import Clock, Inbox, Journal, Observer, Recorded, Workspaces

INBOX_S = 0.2
"""How often the inbox table and the PAUSE file are looked at, in seconds."""


class EmbeddedEngine:
    """Runs one run to its end. `performer` is made by `make_performer` once the plan is known from the journal."""

    def __init__(
        self,
        *,
        journal: Journal,
        inbox: Inbox,
        workspaces: Workspaces,
        clock: Clock,
        pause_files: Sequence[Path],
        make_performer: Callable[[Coordinator, Callable[[Event], None]], Performer],
        observers: Sequence[Observer] = (),
    ) -> None:
        self._journal, self._inbox, self._workspaces, self._clock = journal, inbox, workspaces, clock
        self._pause_files, self._observers = tuple(pause_files), list(observers)
        self._make_performer = make_performer
        self._arrived: asyncio.Queue[Event] = asyncio.Queue()
        self._seen_requests: set[str] = set()
        self._paused = False

    async def run(self, *, on_approval: Literal["wait", "exit"] | None = None) -> Coordinator:
        """Until the run ends; the coordinator in its final state. Raises whatever bug a job has hit."""
        answers: list[Answer] = []
        coordinator = replay((recorded.event for recorded in self._journal.read()), answers)
        for answer in answers:  # the inbox keeps the first one, so this adds only those that a crash has swallowed
            self._inbox.answer(answer.request, accepted=answer.accepted, why=answer.why)
        refuse_abandoned(coordinator.state)
        self._performer = self._make_performer(coordinator, self._arrived.put_nowait)
        try:
            async with asyncio.TaskGroup() as group:
                watch = group.create_task(self._watch_inbox())
                await self._performer.first_look()
                await self._begin(coordinator, on_approval)
                while coordinator.state.ended is None:
                    await self._take(coordinator, await self._batch())
                watch.cancel()
        except* StrettoError as errors:
            raise errors.exceptions[0] from errors
        finally:
            await self._performer.close()
        await self._close(coordinator)
        return coordinator

    async def _begin(self, coordinator: Coordinator, on_approval: Literal["wait", "exit"] | None) -> None:
        """Recovery (R8.1). Wishes that were left while no engine ran count before anything starts again."""
        saved = await self._workspaces.rescue()
        state = coordinator.state
        owed = outstanding(state)
        lost = lost_attempts(state)
        now = self._clock.now()
        died = {(record.id, record.attempt) for record in lost}
        late = [LateWork(task=task, attempt=n, commit=it) for (task, n), it in saved.items() if (task, n) not in died]
        first: list[Event] = [declare_lost(r, now, saved.get((r.id, r.attempt))) for r in lost]
        first += [Noticed(at=now, code="unsaved", message=said) for said in self._workspaces.unsaved]
        first += self._wishes()
        first.append(RunResumed(at=now, on_approval=on_approval, late=tuple(late)))
        first += self._pause()
        for command in owed:
            self._performer.perform(command)
        await self._take(coordinator, first)

    async def _batch(self) -> list[Event]:
        """Whatever has arrived by now: one commit for all of it."""
        batch = [await self._arrived.get()]
        while not self._arrived.empty():
            batch.append(self._arrived.get_nowait())
        return batch

    async def _take(self, coordinator: Coordinator, batch: list[Event]) -> None:
        last = await self._journal.append(batch)  # a fact is durable before anyone acts on it
        if self._performer.broken is not None:
            raise self._performer.broken
        for event in batch:
            for command in coordinator.handle(event):
                self._performer.perform(command)
        drain = coordinator.state.drain
        if drain is not None and drain.now:
            self._performer.hurry()
        first = last - len(batch) + 1
        self._notify([Recorded(seq=first + i, event=event) for i, event in enumerate(batch)])

    def _notify(self, batch: Sequence[Recorded]) -> None:
        for observer in list(self._observers):
            try:
                observer.notify(batch)
            except Exception:  # noqa: BLE001  an observer looks and never decides; one that raises is dropped
                self._observers.remove(observer)

    def _wishes(self) -> Iterable[Event]:
        for request in self._inbox.waiting():
            if request.id not in self._seen_requests:
                self._seen_requests.add(request.id)
                yield RequestReceived(at=self._clock.now(), request=request.id, wish=request.wish)

    async def _watch_inbox(self) -> None:
        """Wishes of other processes, and the PAUSE file (R8.3, R8.6)."""
        while True:
            await asyncio.sleep(INBOX_S)
            for event in (*self._wishes(), *self._pause()):
                self._arrived.put_nowait(event)

    def _pause(self) -> Iterable[Event]:
        """A PAUSE file, once: it does what `stretto stop` does, and is named, for who finds the run stopped."""
        file = None if self._paused else next((file for file in self._pause_files if file.exists()), None)
        if file is not None:
            self._paused = True
            now = self._clock.now()
            yield Noticed(at=now, code="pause", message=f"{file} is there: no task starts until it is removed")
            yield StopRequested(at=now)

    def stop(self, *, now: bool = False) -> None:
        """What a signal or the front's death means (R8.2); from the event loop."""
        self._arrived.put_nowait(StopRequested(at=self._clock.now(), now=now, by_signal=True))

    def detach(self) -> None:
        """Nobody follows the run any more, and that is meant so; from the event loop."""
        message = "the run goes on in the background"
        self._arrived.put_nowait(Noticed(at=self._clock.now(), code=DETACHED, message=message))

    async def _close(self, coordinator: Coordinator) -> None:
        """Late facts and wishes still belong into the journal; then failures go into the plan's status by one commit
        (R6.4). A wish that is left after this finds that no engine runs."""
        late = [self._arrived.get_nowait() for _ in range(self._arrived.qsize())]
        late += self._wishes()
        if late:
            await self._journal.append(late)
            for event in late:
                for command in coordinator.handle(event):
                    if isinstance(command, Answer):
                        self._performer.perform(command)
        end = self._performer.end
        if end is None or end.outcome not in ("succeeded", "failed"):
            return
        try:
            if end.statuses:
                await self._workspaces.write_statuses(coordinator.state.lane.name, end.statuses)
            closing = Noticed(at=self._clock.now(), code=CLOSED, message="")
        except AdapterError as error:  # still owed: the next resume, or `land`, tries again
            message = f"the failures could not be written into the plan: {error}"
            closing = Noticed(at=self._clock.now(), code="unwritten", message=message)
        await self._journal.append([closing])
        coordinator.handle(closing)


def exit_code(outcome: Outcome, *, by_signal: bool) -> int:
    """What the process says at its end (R11)."""
    match outcome:
        case "succeeded":
            return 0
        case "failed":
            return 1
        case "stopped":
            return 130 if by_signal else 4
        case "paused":
            return 4
        case "stuck":
            return 70
