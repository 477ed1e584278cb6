"""Which finished work lands next (R6.1). One batch at a time per lane; a sent batch is out of everyone's hands."""

from __future__ import annotations

from stretto.core.commands import LandBatch
from stretto.core.state import Batch, Lane, State
from stretto.model.run import LandEntry

BATCH_SIZE = 1
"""Members of a batch; more need bisection (R6.2), which is not built yet."""


def next_batch(state: State, lane: Lane) -> LandBatch | None:
    """Send the next batch when the lane is free and somebody waits."""
    if lane.batch is not None or not lane.queue:
        return None
    members = lane.queue[:BATCH_SIZE]
    del lane.queue[:BATCH_SIZE]
    records = [state.tasks[index] for index in members]
    lane.batches += 1
    lane.batch = Batch(
        number=lane.batches,
        entries=tuple(LandEntry(task=r.id, attempt=r.attempt, commit=r.commit) for r in records),
    )
    return command_of(lane, lane.batch)


def command_of(lane: Lane, batch: Batch) -> LandBatch:
    return LandBatch(lane=lane.name, batch=batch.number, entries=batch.entries, head=lane.head)


def in_batch(lane: Lane, task: str) -> bool:
    """Whether the task is on its way, so that no decision may touch it (R6.1a)."""
    return lane.batch is not None and any(entry.task == task for entry in lane.batch.entries)


def report(lane: Lane, number: int) -> Batch | None:
    """Take the batch back that has reported; None when it is not the one on its way (a repeated or foreign report)."""
    batch = lane.batch
    if batch is None or batch.number != number:
        return None
    lane.batch = None
    return batch
