"""Another plan for a simulated run: what people may think of, and what the watcher expects of it (R8.4).

Like the rest of the watcher's account it searches for everything anew, and never looks at the core.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from stretto.core.events import PlanChanged
from stretto.model.plan import Plan, Task
from stretto.testing.books import Note, Rules


class Wanted(NamedTuple):
    """The run's plan after the change, and what it means for whom."""

    plan: Plan
    gone: frozenset[str]
    new: frozenset[str]
    changed: frozenset[str]
    late: frozenset[str]
    """Could start, or have, and would have to wait."""


def wanted(rules: Rules, change: PlanChanged) -> Wanted | None:
    """What is wanted; None when no run could have it."""
    ids = [task.id for task in change.tasks]
    phases = {phase.id for phase in change.phases}
    if not ids or len(set(ids)) < len(ids):
        return None
    mine = {id: note.task for id, note in rules.notes.items()}
    landed = {note.id for note in rules.notes.values() if note.state == "succeeded"}
    tasks = [_merged(task, mine.get(task.id), task.id in landed) for task in change.tasks]
    others = [task for id, task in mine.items() if id not in ids]
    stay = [task for task in others if (task.id in landed or task.added_by) and task.id not in rules.gone]
    leave = [task for task in others if task not in stay]
    gone = frozenset(task.id for task in leave)
    known = {*ids, *(task.id for task in stay), *phases}
    for task in (*tasks, *stay):
        names = (*task.depends_on, *task.after, *task.conflicts_with)
        if task.id not in landed and not (known.issuperset(names) and task.phase in phases):
            return None
    plan = replace(rules.plan, tasks=(*tasks, *stay, *leave), phases=change.phases)
    there = rules.other(plan, gone)
    if any(("task", task.id) in there.reached(task) for task in plan.tasks):
        return None
    back = {id for id in rules.gone if id in ids and id not in landed}
    changed = {task.id for task in tasks if task.id in mine and task != mine[task.id]} | back
    for note in there.notes.values():
        was = rules.notes.get(note.id)
        again = was is None or was.state == "skipped" or note.id in back
        again = again or (note.id in changed and was is not None and was.state not in ("succeeded", "cancelled"))
        note.state = "pending" if again or was is None else was.state
    late = {
        note.id
        for note in there.notes.values()
        if note.state != "pending" and not note.final and note.id not in gone and not there.may_start(note)
    }
    return Wanted(plan, gone, frozenset(set(ids) - mine.keys()), frozenset(changed), frozenset(late))


def _merged(task: Task, mine: Task | None, landed: bool) -> Task:
    if mine is None:
        return replace(task, added_by="")
    return mine if landed else replace(task, added_by=mine.added_by, status=mine.status)


def in_flight(note: Note) -> bool:
    return note.state in ("running", "gating", "landing") or note.person or note.approved


def other_plan(rules: Rules, argument: int, at: float) -> PlanChanged:
    """What somebody might make of the plan file: by `argument`, up to two edits, and with or without force."""
    there = {t.id: t for t in rules.plan.tasks if t.id not in rules.gone and not t.added_by}
    tasks = list(there.values())
    for edit in (argument % 8, argument // 8 % 8):
        tasks = _edited(tasks, rules, edit, argument // 4)
    return PlanChanged(at=at, tasks=tuple(tasks), phases=rules.plan.phases, force=argument // 64 % 2 == 1)


def _edited(tasks: list[Task], rules: Rules, edit: int, argument: int) -> list[Task]:
    if not tasks:
        return tasks
    i = argument % len(tasks)
    some, other = tasks[i], tasks[argument // 3 % len(tasks)]
    match edit:
        case 0:
            return _without(tasks, {some.id})
        case 1:
            changed = replace(some, writes=other.writes, priority=1 + argument % 5, optional=argument % 3 == 0)
            return [*tasks[:i], changed, *tasks[i + 1 :]]
        case 2:
            new = Task(id=f"n{argument % 5}", phase=some.phase, depends_on=(other.id,) if argument % 2 else ())
            return tasks if new.id in rules.notes else [*tasks[:i], new, *tasks[i:]]
        case 3:
            return tasks[::-1]
        case 4:
            waits = () if other.id in some.depends_on else (*some.depends_on, other.id)
            return [*tasks[:i], replace(some, depends_on=waits), *tasks[i + 1 :]]
        case 5:
            return _without(tasks, {task.id for task in tasks[i::2]})
        case 6 if argument % 2:
            return [*tasks[:i], replace(some, after=("nobody",)), *tasks[i + 1 :]]
        case _:
            known = {task.id for task in tasks}
            back = [task for task in rules.plan.tasks if task.id in rules.gone and task.id not in known]
            return [*tasks, *(replace(task, depends_on=(), after=(), conflicts_with=()) for task in back)]


def _without(tasks: list[Task], ids: set[str]) -> list[Task]:
    """Nobody names what is not there any more."""

    def rest(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if name not in ids)

    return [
        replace(t, depends_on=rest(t.depends_on), after=rest(t.after), conflicts_with=rest(t.conflicts_with))
        for t in tasks
        if t.id not in ids
    ]
