"""Which tasks the plan keeps apart: never active at the same time, whatever files they write (`conflicts_with`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stretto.model.plan import Plan, Task, Value

_FEW = 6
"""A phase of more tasks that one is kept apart from is spoken of as a whole."""
_MOST = 120
"""So many pairs, and then no more, are told one by one."""


class Apart(Value, frozen=True, kw_only=True):
    """What one task says, without what another one has said of it already. Numbers are places in `plan.tasks`."""

    task: int
    tasks: tuple[int, ...] = ()
    """Told one by one; so are those of a small phase."""
    phases: tuple[str, ...] = ()
    """All of these, but for itself."""


def kept_apart(plan: Plan) -> Iterator[Apart]:
    """Everything that is said, in plan order; what is done is in nobody's way, and left out."""
    number = {task.id: i for i, task in reversed(list(enumerate(plan.tasks)))}
    members: dict[str, list[int]] = {}
    for i, task in enumerate(plan.tasks):
        if task.status != "succeeded":
            members.setdefault(task.phase, []).append(i)
    told: set[tuple[int, int]] = set()
    for i, task in enumerate(plan.tasks):
        if task.status == "succeeded" or not task.conflicts_with:
            continue
        ones: list[int] = []
        phases: list[str] = []
        for name in dict.fromkeys(task.conflicts_with):
            named = [number[name]] if name in number else members.get(name, [])
            new = [x for x in named if x != i and plan.tasks[x].status != "succeeded"]
            new = [x for x in new if (min(i, x), max(i, x)) not in told]
            if name in number or (len(named) <= _FEW and len(told) + len(new) <= _MOST):
                ones += new
                told.update((min(i, x), max(i, x)) for x in new)
            elif new:
                phases.append(name)
        if ones or phases:
            yield Apart(task=i, tasks=tuple(dict.fromkeys(ones)), phases=tuple(phases))


def whole(phase: str, task: Task) -> str:
    """A phase that the task is kept apart from, in words."""
    return "the rest of its phase" if phase == task.phase else f"all of {phase}"


def pairs(found: Sequence[Apart]) -> Iterator[tuple[int, int]]:
    """What is told one by one, if that is not too much; the first of a pair is the one that says it."""
    if sum(len(each.tasks) for each in found) <= _MOST:
        yield from ((each.task, other) for each in found for other in each.tasks)
