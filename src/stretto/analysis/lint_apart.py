"""Rules about whom a task conflicts with: itself, and those that dependencies keep apart from it anyway."""

from __future__ import annotations

from collections.abc import Iterator

from stretto.analysis.graph import reach, remaining, topological
from stretto.analysis.subject import Subject, finding
from stretto.analysis.wording import listed, quoted
from stretto.model.plan import Finding

_MOST = 2_000
"""Where more tasks than these are conflicted with, nobody looks who is ordered with whom: a bit each, for each task."""


def with_itself(subject: Subject) -> Iterator[Finding]:
    """A task that names itself, which is in its own way no more than any other (R1.2)."""
    for task in subject.plan.tasks:
        if task.id in task.conflicts_with:
            yield finding(
                "self-conflict",
                f"task {quoted(task.id)} conflicts with itself, which keeps nothing apart",
                subject.place(f"task:{task.id}", "conflicts_with", task.conflicts_with.index(task.id)),
                hint="remove it from its own `conflicts_with`, or name the task or the phase that is meant",
                tasks=(task.id,),
            )


def ordered_anyway(subject: Subject) -> Iterator[Finding]:
    """Conflicts between tasks of which one waits for the other already."""
    plan = subject.plan
    names = dict.fromkeys(name for task in plan.tasks for name in task.conflicts_with)
    if not names or not subject.acyclic:
        return
    meant = _meant(subject, names)
    bits = {i: bit for bit, i in enumerate(dict.fromkeys(i for members in meant.values() for i in members))}
    if len(bits) > _MOST:
        return
    graph = remaining(plan, subject.graph)
    order = topological(graph)
    before, behind = reach(order, graph.waits(), bits), reach(order[::-1], graph.dependents(), bits)
    masks = {name: sum(1 << bits[i] for i in members) for name, members in meant.items()}
    for i, task in enumerate(plan.tasks):
        if not task.conflicts_with or task.status == "succeeded":
            continue
        others = {name: masks.get(name, 0) & ~(1 << bits[i] if i in bits else 0) for name in task.conflicts_with}
        if not subject.own_format:  # readers say so of tasks that a foreign plan calls not parallel
            others.pop(task.phase, None)
        spare = [name for name, mask in others.items() if mask and not mask & ~(before[i] | behind[i])]
        if spare:
            yield finding(
                "needless-conflict",
                f"task {quoted(task.id)} conflicts with {listed(spare)}, but its dependencies keep them apart already",
                subject.place(f"task:{task.id}", "conflicts_with", task.conflicts_with.index(spare[0])),
                hint="where they are meant to wait for each other, leave it out of `conflicts_with`; where they are "
                "not, take out the dependency",
                tasks=(task.id,),
            )


def _meant(subject: Subject, names: dict[str, None]) -> dict[str, list[int]]:
    """The tasks that are left of each name; a task counts where a phase has the same id."""
    found: dict[str, list[int]] = {name: [] for name in names}
    for i, task in enumerate(subject.plan.tasks):
        if task.status != "succeeded":
            if subject.numbers[task.id] == i and task.id in found:
                found[task.id].append(i)
            if task.phase in found and task.phase not in subject.numbers:
                found[task.phase].append(i)
    return found
