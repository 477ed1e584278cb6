"""Who must not be active beside whom, whatever paths they claim (R1.2, `conflicts_with`).

A *name* is that of a task or of a phase. An active task is inside its own name and that of its phase, and is against
the names that it conflicts with; nobody may be against a name while another task is inside it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import msgspec

from stretto.model.plan import Task

Name = tuple[str, str]
"""(`task` or `phase`, id)"""
Key = tuple[str, Name]
"""(`inside` or `against`, name): what a task waits to become free."""


class Rivals(msgspec.Struct):
    """Where the active tasks stand."""

    inside: dict[Name, dict[int, None]] = {}
    against: dict[Name, dict[int, None]] = {}
    of: dict[int, tuple[tuple[Name, ...], tuple[Name, ...]]] = {}
    """Of each active task the names that it is inside of, and those that it is against."""

    def blocker(self, index: int, task: Task, ids: Collection[str]) -> Key | None:
        """What keeps the task from becoming active; None when nothing does. `ids`: those of all tasks."""
        for name in foes(task, ids):
            if self._others(self.inside, name, index):
                return ("inside", name)
        for name in _own(task) if self.against else ():
            if self._others(self.against, name, index):
                return ("against", name)
        return None

    def enter(self, index: int, task: Task, ids: Collection[str]) -> None:
        """The task is active from here on."""
        self.stand(index, _own(task), tuple(foes(task, ids)))

    def stand(self, index: int, inside: tuple[Name, ...], against: tuple[Name, ...]) -> None:
        """Who is active stands there."""
        self.of[index] = inside, against
        for name in inside:
            self.inside.setdefault(name, {})[index] = None
        for name in against:
            self.against.setdefault(name, {})[index] = None

    def leave(self, index: int) -> Iterator[Key]:
        """The task is active no longer; what became free by that."""
        inside, against = self.of.pop(index, ((), ()))
        for name in inside:
            if _out(self.inside, name, index):
                yield ("inside", name)
        for name in against:
            if _out(self.against, name, index):
                yield ("against", name)

    def is_busy(self, key: Key) -> bool:
        return key[1] in (self.inside if key[0] == "inside" else self.against)

    def who(self, key: Key) -> tuple[int, ...]:
        """The active tasks that stand there."""
        return tuple((self.inside if key[0] == "inside" else self.against).get(key[1], ()))

    @staticmethod
    def _others(table: dict[Name, dict[int, None]], name: Name, index: int) -> bool:
        return any(other != index for other in table.get(name, ()))


def foes(task: Task, ids: Collection[str]) -> Iterator[Name]:
    """The names that it must not meet; a task counts where a phase has the same id."""
    return (("task" if name in ids else "phase", name) for name in task.conflicts_with)


def meet(first: Task, second: Task, ids: Collection[str]) -> bool:
    """Whether one of the two is against the other."""
    return any(name in _own(other) for one, other in ((first, second), (second, first)) for name in foes(one, ids))


def _own(task: Task) -> tuple[Name, Name]:
    return (("task", task.id), ("phase", task.phase))


def _out(table: dict[Name, dict[int, None]], name: Name, index: int) -> bool:
    """Whether it was the last one there."""
    there = table.get(name)
    if there is None or index not in there:
        return False
    del there[index]
    if not there:
        del table[name]
    return not there
