"""What a plan is after a change (`model/change.py`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import assert_never

from msgspec.structs import replace

from stretto.model.change import (
    AddHotFile,
    AddNeeds,
    AddWrites,
    Change,
    DropNeed,
    MakeParallel,
    SplitTask,
    UseContract,
)  # fmt: skip
from stretto.model.plan import Phase, Plan, Task


def changed(plan: Plan, changes: Iterable[Change]) -> Plan:
    """The plan with the changes made, one after the other; what they name has to be in it."""
    for change in changes:
        plan = _changed(plan, change)
    return plan


def _changed(plan: Plan, change: Change) -> Plan:
    match change:
        case DropNeed():
            return _phase(plan, change.phase, lambda x: replace(x, depends_on=_without(x.depends_on, change.on)))
        case MakeParallel():
            return _phase(plan, change.phase, lambda x: replace(x, parallel=True))
        case AddNeeds():
            return _task(plan, change.task, lambda x: replace(x, depends_on=_with(x.depends_on, change.needs)))
        case AddWrites():
            return _task(plan, change.task, lambda x: replace(x, writes=change.writes))
        case AddHotFile():
            return replace(plan, hot_files=(*plan.hot_files, change.path))
        case SplitTask():
            return _split(plan, change)
        case UseContract():
            return _contract(plan, change)
        case _:
            assert_never(change)


def _phase(plan: Plan, id: str, make: Callable[[Phase], Phase]) -> Plan:
    return replace(plan, phases=tuple(make(phase) if phase.id == id else phase for phase in plan.phases))


def _task(plan: Plan, id: str, make: Callable[[Task], Task]) -> Plan:
    return replace(plan, tasks=tuple(make(task) if task.id == id else task for task in plan.tasks))


def _split(plan: Plan, split: SplitTask) -> Plan:
    tasks: list[Task] = []
    for task in plan.tasks:
        if task.id == split.task:
            tasks.append(replace(task, writes=split.keeps, estimate_s=split.estimate_s))
            tasks.append(replace(task, id=split.id, writes=split.gives, estimate_s=split.estimate_s))
        elif task.id in split.waiting:
            tasks.append(replace(task, depends_on=_with(task.depends_on, (split.id,))))
        else:
            tasks.append(task)
    return replace(plan, tasks=tuple(tasks))


def _contract(plan: Plan, use: UseContract) -> Plan:
    plan = _task(
        plan,
        use.task,
        lambda x: replace(x, depends_on=_without(x.depends_on, use.provider), uses=_with(x.uses, (use.contract,))),
    )
    return _task(plan, use.provider, lambda x: replace(x, provides=_with(x.provides, (use.contract,))))


def _with(names: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*names, *more)))


def _without(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(x for x in names if x != name)
