"""The numbers of a Kiro list as a tree: 2.1 is a part of 2, wherever it stands; and which of them are tasks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stretto.formats.kiro.line import TaskLine
from stretto.formats.set_aside import Aside


class Part:
    """A number. `line` is None for one that only its parts stand for."""

    __slots__ = ("id", "line", "parent", "parts")

    def __init__(self, id: str, line: int | None, parent: Part | None) -> None:
        self.id = id
        self.line = line
        self.parent = parent
        self.parts: list[Part] = []

    def around(self) -> Iterator[Part]:
        """What it is a part of, from the inside out."""
        part = self.parent
        while part is not None:
            yield part
            part = part.parent

    def below(self) -> Iterator[Part]:
        """Itself and its parts, in file order."""
        yield self
        for part in self.parts:
            yield from part.below()


class Tree:
    """All numbers of a list. Positions are those of the lines."""

    def __init__(self, lines: Sequence[TaskLine]) -> None:
        self.lines = lines
        self.top: list[Part] = []
        self.known: dict[str, Part] = {}
        """The first part of each number."""
        self.of: list[Part] = [self._place(i, line.id) for i, line in enumerate(lines)]
        self.with_own_work = {
            part.line for part in self.of if part.parts and part.line is not None and self._works_itself(part)
        }
        """Lines with parts that are tasks all the same: their parts only test what they make."""

    def _place(self, i: int, id: str) -> Part:
        known = self.known.get(id)
        if known is not None and known.line is None:
            known.line = i
            return known
        return self._add(id, i)

    def _add(self, id: str, line: int | None) -> Part:
        above, _, _ = id.rpartition(".")
        parent = (self.known.get(above) or self._add(above, None)) if above else None
        part = Part(id, line, parent)
        (parent.parts if parent else self.top).append(part)
        self.known.setdefault(id, part)
        return part

    def _works_itself(self, part: Part) -> bool:
        assert part.line is not None
        own = self.lines[part.line]
        inner = [self.lines[x.line] for x in part.parts if x.line is not None]
        if not inner or not all(line.optional or line.tests for line in inner):
            return False
        return own.details if any(not line.optional for line in inner) else own.details or not own.tests

    def is_task(self, part: Part) -> bool:
        return part.line is not None and (not part.parts or part.line in self.with_own_work)

    def tasks(self) -> Iterator[int]:
        """The tasks, in file order."""
        return (i for i, part in enumerate(self.of) if self.is_task(part))

    def tasks_of(self, part: Part) -> list[int]:
        return sorted(x.line for x in part.below() if x.line is not None and self.is_task(x))

    def aside(self) -> dict[int, Aside]:
        """What Kiro leaves alone, done or not: optional parts, and what cc-sdd has found blocked."""
        found: dict[int, Aside] = {}
        for i in self.tasks():
            own = self.of[i]
            chain = [self.lines[x.line] for x in (own, *own.around()) if x.line is not None]
            if any(line.marks.blocked for line in chain):
                found[i] = "later"
            if any(line.optional for line in chain):
                found[i] = "dropped"
        return found

    def phase_of(self, i: int) -> Part:
        """The outermost number around a task; itself where it stands alone."""
        return [self.of[i], *self.of[i].around()][-1]
