"""What goes on side by side in an engine, each ending in what it has to tell, whatever becomes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from stretto.core.events import Event

T = TypeVar("T")
Job = asyncio.Task[Any]


class Jobs:
    """The jobs of one run. `broken` hears of an exception that none should end with: a bug."""

    def __init__(self, report: Callable[[Event], None], broken: Callable[[BaseException], None]) -> None:
        self._report = report
        self._broken = broken
        self._going: set[Job] = set()

    def start(self, work: Coroutine[Any, Any, Any]) -> Job:
        job = asyncio.create_task(work)
        self._going.add(job)
        job.add_done_callback(self._done)
        return job

    def start_telling(self, work: Coroutine[Any, Any, Event], given_up: Callable[[], Event]) -> Job:
        """Start what ends in one event. A job that is cancelled before its first step never runs a line of its own, so
        what is then to be told is known from the start."""

        def tell(done: asyncio.Task[Event]) -> None:
            if done.cancelled():
                self._report(given_up())
            elif done.exception() is None:
                self._report(done.result())

        job = self.start(work)
        job.add_done_callback(tell)
        return job

    async def close(self) -> None:
        """Cancel them all, and wait until each has ended."""
        for job in list(self._going):
            job.cancel()
        while self._going:
            await asyncio.wait(self._going)

    def _done(self, job: Job) -> None:
        self._going.discard(job)
        if not job.cancelled() and (error := job.exception()) is not None:
            self._broken(error)


async def whole(work: Coroutine[Any, Any, T]) -> T:
    """Do it to the end even when cancelled: half of it would be something that nobody tells of."""
    task = asyncio.ensure_future(work)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise
    return task.result()
