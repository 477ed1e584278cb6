"""Which tasks a screen shows: all of them where they fit; else what matters, under the heads of their phases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from stretto.core.state import State, TaskRecord
from stretto.model.run import FINAL_STATES, TaskState
from stretto.observe.cells import BLANK, Line, Piece, cell, clipped, flat
from stretto.observe.paint import count
from stretto.observe.taskrow import Columns, Scene, columns, phase_name, task_row

MATTERS: Mapping[TaskState, int] = {
    "running": 0, "gating": 0, "waiting": 1, "failed": 2, "landing": 3, "ready": 4, "pending": 5, "skipped": 6,
    "cancelled": 6, "succeeded": 7,
}  # fmt: skip
"""What is shown first where not everything fits."""
FIRST = 2
"""Up to here a task is shown before the heads of phases that have none such."""
_KINDS: Sequence[tuple[str, tuple[TaskState, ...]]] = (
    ("failed", ("failed",)),
    ("at work", ("running", "gating")),
    ("to land", ("landing",)),
    ("waiting", ("waiting",)),
    ("skipped", ("skipped",)),
    ("cancelled", ("cancelled",)),
    ("to come", ("ready", "pending")),
)


class Group(NamedTuple):
    """A phase, and its tasks in plan order."""

    name: str
    records: list[TaskRecord]


def roster(scene: Scene, width: int, room: int) -> list[Line]:
    """At most `room` lines of at most `width` columns."""
    groups, to = _groups(scene.state), columns(scene, width)
    heads = len(groups) > 1
    rows = sum(len(group.records) + heads for group in groups)
    if rows <= room:
        airy = heads and rows + len(groups) - 1 <= room
        return list(_whole(scene, groups, to, airy=airy))
    return _part(scene, groups, to, room) if room > 0 else []


def everything(scene: Scene, width: int, room: int, offset: int) -> tuple[list[Line], int]:
    """At most `room` lines of all that there are, from `offset` on; and where that came to be: scrolling has an end.

    Where they do not all fit, the last line counts them."""
    groups, to = _groups(scene.state), columns(scene, width)
    whole: list[tuple[Group, TaskRecord | None]] = []
    for group in groups:
        whole += [(group, None)] if len(groups) > 1 else []
        whole += [(group, record) for record in group.records]
    size = room if len(whole) <= room else max(0, room - 1)
    offset = max(0, min(offset, len(whole) - size))
    shown = whole[offset : offset + size]
    lines = [_head(group, (), to) if record is None else task_row(scene, record, to) for group, record in shown]
    if size < len(whole):
        where = Piece(f"lines {offset + 1} to {offset + len(shown)} of {len(whole)}", "dim")
        lines.append(clipped((where,), width))
    return lines[: max(0, room)], offset


def _groups(state: State) -> list[Group]:
    names = {phase.id: phase_name(phase) for phase in state.plan.phases}
    members: dict[str, list[TaskRecord]] = {phase.id: [] for phase in state.plan.phases}
    for record in state.tasks:
        members.setdefault(record.task.phase, []).append(record)
    return [Group(names.get(phase, flat(phase)), records) for phase, records in members.items() if records]


def _whole(scene: Scene, groups: Sequence[Group], to: Columns, *, airy: bool) -> Iterator[Line]:
    for n, group in enumerate(groups):
        if airy and n:
            yield BLANK
        if len(groups) > 1:
            yield _head(group, (), to)
        for record in group.records:
            yield task_row(scene, record, to)


def _part(scene: Scene, groups: Sequence[Group], to: Columns, room: int) -> list[Line]:
    """What matters. The order stays that of the plan, so that a line stays where it is."""
    heads = len(groups) > 1
    chosen, opened = _choose(groups, room, heads=heads)
    lines: list[Line] = []
    rest: list[TaskRecord] = []
    for n, group in enumerate(groups):
        hidden = [record for record in group.records if record.index not in chosen]
        if n in opened:
            lines.append(_head(group, hidden, to))
        else:
            rest += hidden
        lines += (task_row(scene, record, to) for record in group.records if record.index in chosen)
    if rest:
        phases = f"{count(len(groups) - len(opened), 'more phase')}: " if heads else ""
        lines.append(clipped((Piece(f"… {phases}{_counted(rest, done=True)}", "dim"),), to.width))
    return lines


def _choose(groups: Sequence[Group], room: int, *, heads: bool) -> tuple[set[int], set[int]]:
    """Indexes of the tasks that get a line, and numbers of the phases that get a head; one line is for the rest."""
    of = {record.index: n for n, group in enumerate(groups) for record in group.records}
    candidates = sorted((record for group in groups for record in group.records), key=_matters)
    chosen: set[int] = set()
    opened: set[int] = set()
    left = room - 1

    def take(record: TaskRecord) -> bool:
        nonlocal left
        price = 1 + (heads and of[record.index] not in opened)
        if price > left:
            return False
        left -= price
        chosen.add(record.index)
        opened.update((of[record.index],) if heads else ())
        return True

    first = [record for record in candidates if MATTERS[record.state] <= FIRST]
    for record in first:
        take(record)
    closed = len(groups) - len(opened)
    if heads and closed <= left + 1:  # all heads fit, and no line is needed for the rest
        left -= closed - 1
        opened.update(range(len(groups)))
    for record in candidates[len(first) :]:
        if not take(record):
            break
    return chosen, opened


def _matters(record: TaskRecord) -> tuple[int, float, tuple[int, float, int]]:
    """Sorts what matters most first: of what is over the latest, of the rest the most urgent."""
    over = record.state in FINAL_STATES
    return MATTERS[record.state], -record.since if over else 0.0, record.rank


def _head(group: Group, hidden: Sequence[TaskRecord], to: Columns) -> Line:
    done = sum(record.state == "succeeded" for record in group.records)
    failed = sum(record.state == "failed" for record in group.records)
    pieces = [
        cell(group.name, to.phase - 1, "bold"),
        Piece(" "),
        Piece(f"{done} of {len(group.records)} done", "green" if done == len(group.records) else "dim"),
    ]
    if failed:
        pieces.append(Piece(f", {failed} failed", "red"))
    rest = _counted([record for record in hidden if record.state != "failed"], done=False)
    if rest:
        pieces.append(Piece(f"; not shown: {rest}", "dim"))
    return clipped(pieces, to.width)


def _counted(records: Sequence[TaskRecord], *, done: bool) -> str:
    found = [(word, sum(record.state in states for record in records)) for word, states in _KINDS]
    landed = sum(record.state == "succeeded" for record in records)
    told = [f"{number} {word}" for word, number in found if number]
    return ", ".join(([f"{landed} done"] if done and landed else []) + told)
