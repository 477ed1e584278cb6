"""From a journal back to a state, and what that state is owed (R8.1)."""

from __future__ import annotations

from collections.abc import Iterable

from stretto.core import merge_queue
from stretto.core.commands import (
    Answer,
    AskApproval,
    CancelAttempt,
    Command,
    LandBatch,
    RequestGrant,
    RunGates,
    StartTimer,
)
from stretto.core.coordinator import Coordinator
from stretto.core.events import AttemptLost, Event
from stretto.core.state import State, TaskRecord


def replay(events: Iterable[Event], answers: list[Answer] | None = None) -> Coordinator:
    """The coordinator after these events. Its commands are thrown away: they were performed, or are owed.

    All but the answers, if somebody collects them: a state does not remember that it has been asked something."""
    coordinator = Coordinator()
    for event in events:
        commands = coordinator.handle(event)
        if answers is not None:
            answers.extend(command for command in commands if isinstance(command, Answer))
    return coordinator


def lost_attempts(state: State) -> tuple[TaskRecord, ...]:
    """Attempts that nobody runs any more after the engine died: each is owed an AttemptLost, never a second start."""
    return tuple(record for record in state.tasks if record.state == "running")


def outstanding(state: State) -> list[Command]:
    """Commands whose answer has not come, from the state alone. All of them may be repeated safely."""
    owed: list[Command] = []
    for record in state.tasks:
        if record.asking or record.granted:
            # A grant in use is asked for again as well: whoever keeps the books may have died with the engine.
            owed.append(RequestGrant(task=record.id, attempt=record.attempt))
        if record.state == "running" and record.doom is not None:
            owed.append(CancelAttempt(task=record.id, attempt=record.attempt))
        elif record.state == "gating":
            owed.append(RunGates(task=record.id, attempt=record.attempt, commit=record.commit or record.base))
        elif record.wait == "person":
            owed.append(AskApproval(task=record.id, attempt=record.attempt))
    owed.extend(_landings(state))
    owed.extend(StartTimer(timer=timer, due=due) for timer, due in state.timers.items())
    return owed


def _landings(state: State) -> list[LandBatch]:
    return [merge_queue.command_of(lane, lane.batch) for lane in state.lanes.values() if lane.batch is not None]


def declare_lost(record: TaskRecord, at: float, commit: str | None) -> AttemptLost:
    """The engine's death is no fault of the task, and is not charged (R4)."""
    return AttemptLost(at=at, task=record.id, attempt=record.attempt, engine=True, commit=commit)
