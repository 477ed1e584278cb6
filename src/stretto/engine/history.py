"""What the latest runs of a repository have shown of how long attempts take (R10.1), read from their journals."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence

from stretto.analysis.learned import Shown, identity, learned, size_of
from stretto.core.events import AttemptFinished, AttemptStarted, BatchLanded, Event, RunStarted
from stretto.engine.home import RepositoryHome, RunHome
from stretto.engine.journal import events_after, latest_of, reading
from stretto.errors import StateError
from stretto.model.agent import AgentSpec
from stretto.model.plan import Task

RUNS, EVENTS = 20, 10_000
"""So many runs, the latest, and so many of their events are read: a preview must not wait for a long history."""
LONGEST_S = 10 * 365 * 86400.0
"""No attempt takes as long: a clock was wrong, or the journal is damaged."""


def expected_s(
    runs: RepositoryHome, tasks: Sequence[Task], *, agents: Mapping[str, AgentSpec], default: str
) -> dict[str, float]:
    """What `learned` says of these tasks, by the latest runs."""
    if all(task.estimate_s is not None for task in tasks):
        return {}
    return learned(tasks, shown(runs), agents=agents, default=default)


def shown(runs: RepositoryHome, *, events: int = EVENTS) -> list[Shown]:
    """The attempts that landed in the latest runs. A run whose files are damaged or not understood shows nothing."""
    found: list[Shown] = []
    left = events
    for home in runs.runs()[: -RUNS - 1 : -1]:
        if left <= 0:
            break
        with contextlib.suppress(StateError):
            read, attempts = _of(home, left)
            left -= read
            found += attempts
    return found


def _of(home: RunHome, most: int) -> tuple[int, list[Shown]]:
    """(events read, attempts that landed) of one run; the latest where `most` events are not all."""
    agents = home.launch().agents
    with reading(home.journal) as connection:
        started = next(events_after(connection, 0), None)
        if started is None or not isinstance(started.event, RunStarted):
            return 0, []
        events = list(latest_of(connection, (AttemptStarted, AttemptFinished, BatchLanded), most))
    return len(events), list(_landed(started.event, agents, events))


def _landed(run: RunStarted, agents: Mapping[str, AgentSpec], events: Sequence[Event]) -> Iterator[Shown]:
    """`events` are the newest first: of an attempt its landing is met before its end, and that before its start."""
    tasks = {task.id: task for task in run.plan.tasks}
    landed: set[tuple[str, int]] = set()
    ended_at: dict[tuple[str, int], float] = {}
    for event in events:
        match event:
            case BatchLanded():
                landed |= {(entry.task, entry.attempt) for entry in event.landed}
            case AttemptFinished():
                if (event.task, event.attempt) in landed:
                    ended_at[event.task, event.attempt] = event.at
            case AttemptStarted():
                task = tasks.get(event.task)
                took_s = ended_at.get((event.task, event.attempt), -math.inf) - event.at
                if task is not None and 0 < took_s < LONGEST_S and (spec := agents.get(event.agent)) is not None:
                    yield Shown(who=identity(event.agent, spec), size=size_of(task), took_s=took_s)
            case _:
                pass
