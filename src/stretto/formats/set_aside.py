"""Tasks that a foreign plan has cancelled or put off: no run does them, and nothing is made up about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from msgspec.structs import replace

from stretto.formats.reading import shown
from stretto.model.plan import Task, Value

Aside = Literal["dropped", "later"]
"""`dropped`: it will never be done, and nobody waits for it. `later`: who waits for it is put off too."""


class Told(Value, frozen=True, kw_only=True):
    """What to say of it, at the place of a task."""

    message: str
    hint: str
    task: str
    """The first of them."""
    tasks: tuple[str, ...]


def without(tasks: Sequence[Task], aside: Mapping[str, Aside]) -> tuple[list[Task], list[Told]]:
    """The tasks that are left, and what to tell. Done tasks stay, whatever is said of them."""
    done = {task.id for task in tasks if task.status == "succeeded"}
    dropped = {id for id, why in aside.items() if why == "dropped"} - done
    later = {id for id, why in aside.items() if why == "later"} - done
    whole: dict[str, set[str]] = {}
    for task in tasks:
        whole.setdefault(task.phase, set()).add(task.id)
    waiting: dict[str, list[str]] = {}
    for task in tasks:
        for need in task.depends_on:
            waiting.setdefault(need, []).append(task.id)
    phases = {task.id: task.phase for task in tasks}
    put_off, front = set(later), list(later)
    while front:
        for name in ((id := front.pop()), phases.get(id, "")):
            if name == id and name in whole and phases.get(id) != id:
                continue  # a name of both is the phase
            for other in waiting.pop(name, ()):
                if other not in put_off and other not in done and other not in dropped:
                    put_off.add(other)
                    front.append(other)
    gone = dropped | {phase for phase, members in whole.items() if members <= dropped}
    left = [
        replace(task, depends_on=tuple(need for need in task.depends_on if need not in gone))
        for task in tasks
        if task.id not in dropped and task.id not in put_off
    ]
    return left, list(_tell(tasks, dropped, later, put_off - later))


def _tell(tasks: Sequence[Task], dropped: set[str], later: set[str], waiting: set[str]) -> Iterator[Told]:
    for ids, what, hint in (
        (dropped, "cancelled in this plan: not part of the run, and nobody waits for it", "change its status to do it"),
        (later, "put off in this plan: not part of the run", "change its status to do it"),
        (waiting, "waits for what is put off: not part of the run either", "do that first, or no longer depend on it"),
    ):
        if named := [task.id for task in tasks if task.id in ids]:
            some = ", ".join(shown(id, 30) for id in named[:3]) + (f" and {len(named) - 3} more" if named[3:] else "")
            yield Told(message=f"{some}: {what}", hint=hint, task=named[0], tasks=tuple(named))
