"""An agent without a process, and the assignment of an attempt, for tests of whatever calls agents."""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from stretto.model.plan import Task
from stretto.model.run import Failure
from stretto.model.surroundings import surroundings
from stretto.ports import Assignment, Processes, Report


class FakeAgent:
    """Calls `play` in place of a process and keeps every assignment it was given."""

    codes = False

    def __init__(
        self,
        play: Callable[[Assignment], Report | Awaitable[Report]] = lambda assignment: Report(),
        *,
        reads_story: bool = True,
    ) -> None:
        self.play = play
        self.reads_story = reads_story
        self.assignments: list[Assignment] = []

    async def run(self, assignment: Assignment, processes: Processes) -> Report:
        self.assignments.append(assignment)
        try:
            async with asyncio.timeout(assignment.timeout_s):
                played = self.play(assignment)
                return await played if inspect.isawaitable(played) else played
        except TimeoutError:
            return Report(failure=Failure(kind="timeout", message=f"not done after {assignment.timeout_s:g} s"))


def assignment(
    folder: Path,
    *,
    prompt: str = "",
    task: Task | None = None,
    attempt: int = 1,
    timeout_s: float = 60.0,
    idle_s: float = 60.0,
) -> Assignment:
    """An attempt whose workspace is `folder / "workspace"` (made here), with its other files beside it."""
    workspace = folder / "workspace"
    workspace.mkdir(parents=True, exist_ok=True)
    return Assignment(
        run=f"run-{os.getpid()}",  # a cookie is unique on its machine
        task=task or Task(id="task", phase="phase", prompt=prompt),
        attempt=attempt,
        workspace=workspace,
        prompt=prompt,
        prompt_file=folder / "prompt.md",
        result_file=folder / "result.json",
        log=folder / "log",
        env={**surroundings(os.environ), "STRETTO_STATE_DIR": str(folder)},
        timeout_s=timeout_s,
        idle_s=idle_s,
        grace_s=0.5,
    )


async def until_said(assignment: Assignment, text: str, *, within_s: float = 20.0) -> str:
    """The log of a running attempt as soon as it holds `text`. Raises TimeoutError."""
    async with asyncio.timeout(within_s):
        while text not in (log := _log_of(assignment)):  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.01)
    return log


def _log_of(assignment: Assignment) -> str:
    return assignment.log.read_text(errors="replace") if assignment.log.exists() else ""
