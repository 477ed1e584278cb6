"""What waits for what in a Kiro list.

Kiro's agent goes from top to bottom, one task after another, unless the list says more: waves, arrows, cc-sdd's `(P)`,
or tasks that all say themselves what they depend on. Everything here is about positions of lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from stretto.formats.kiro.line import TaskLine
from stretto.formats.kiro.marks import Reference
from stretto.formats.kiro.tree import Part, Tree
from stretto.formats.kiro.waves import Graph, Wave
from stretto.model.plan import Value

Kind = Literal["waves", "arrows", "marks", "words", "chain"]
_MANY = 50
"""More tasks than this are waited for through the last of them, which then waits for the others."""

_FAR = 500


class Order(Value, frozen=True, kw_only=True):
    """For each line those that it waits for by its place, and what was found on the way."""

    kind: Kind
    needs: Mapping[int, Sequence[int]]
    left_out: tuple[int, ...] = ()
    """Tasks that the graph does not name."""
    unknown: tuple[Reference, ...] = ()
    """What the graph names and is no task."""
    twice: tuple[Reference, ...] = ()
    """Tasks that stand in several waves."""


def order(tree: Tree, kept: Sequence[int], graph: Graph | None) -> Order:
    """The order of the tasks that are part of the run."""
    if graph is not None:
        return _Waves(tree, kept).order(graph) if graph.waves else _arrows(tree, kept, graph)
    walk = _Walk(tree, kept)
    if any(tree.lines[i].parallel for i in range(len(tree.lines))):
        walk.all(tree.top)
        return Order(kind="marks", needs=walk.needs)
    if _all_say(tree, kept):
        return Order(kind="words", needs=_checkpoints(tree, kept))
    walk.all(tree.top)
    return Order(kind="chain", needs=walk.needs)


def _all_say(tree: Tree, kept: Sequence[int]) -> bool:
    """Whether every task but the first says what it waits for; checkpoints need not."""
    work = [i for i in kept if not tree.lines[i].checkpoint]
    silent = [i for i in work if not any(line.marks.says_needs for line in _chain(tree, i))]
    return len(work) > 1 and silent in ([], work[:1])


def _chain(tree: Tree, i: int) -> list[TaskLine]:
    own = tree.of[i]
    return [tree.lines[x.line] for x in (own, *own.around()) if x.line is not None]


def _checkpoints(tree: Tree, kept: Sequence[int]) -> dict[int, list[int]]:
    """Each checkpoint waits for all above it, and all below wait for it."""
    needs: dict[int, list[int]] = {}
    last: list[int] = []
    since: list[int] = []
    for i in kept:
        needs[i] = list(last)
        if tree.lines[i].checkpoint:
            needs[i] += since
            last, since = [i], []
        else:
            since.append(i)
    return needs


class _Walk:
    """The list from top to bottom; what has `(P)` goes beside the peers right above it."""

    def __init__(self, tree: Tree, kept: Iterable[int]) -> None:
        self._tree = tree
        self._kept = set(kept)
        self.needs: dict[int, list[int]] = {}

    def all(self, parts: Sequence[Part], before: Sequence[int] = ()) -> list[int]:
        """Put these in order behind `before`; those that the next one has to wait for."""
        barrier, beside = list(before), list[int]()
        for part in parts:
            if not self._parallel(part):
                barrier, beside = funnel(beside, self.needs) or barrier, []
            beside += self._one(part, barrier) or ()
        return funnel(beside, self.needs) or barrier

    def _parallel(self, part: Part) -> bool:
        return part.line is not None and self._tree.lines[part.line].parallel

    def _one(self, part: Part, before: list[int]) -> list[int] | None:
        """None where nothing of it is part of the run."""
        ends = before
        if part.line is not None and part.line in self._kept and self._tree.is_task(part):
            self.needs[part.line] = before
            ends = [part.line]
        if part.parts:
            ends = self.all(part.parts, ends)
        return None if ends == before else ends


def funnel(ends: list[int], needs: dict[int, list[int]]) -> list[int]:
    """The same, but through the last of them where there are very many."""
    if len(ends) <= _MANY:
        return ends
    last = max(ends)
    needs[last] = [*needs.get(last, ()), *(i for i in ends if i != last)]
    return [last]


class _Waves:
    """Every task waits for those of the wave before its own, or of the waves that its own depends on.

    A task that the waves leave out gets a place of its own right behind the last wave of those above it."""

    def __init__(self, tree: Tree, kept: Sequence[int]) -> None:
        self._tree = tree
        self._kept = kept
        self._wave: dict[int, int] = {}
        self._needs: dict[int, list[int]] = {}

    def order(self, graph: Graph) -> Order:
        unknown, twice = self._read(graph.waves)
        members: list[list[int]] = [[] for _ in graph.waves]
        between: dict[int, list[int]] = {}
        latest = -1
        for i in self._kept:
            if (at := self._wave.get(i)) is None:
                between.setdefault(latest, []).append(i)
            else:
                members[at].append(i)
                latest = max(latest, at)
        names = {wave.name: n for n, wave in reversed(list(enumerate(graph.waves)))}
        ends: list[list[int]] = []
        front = self._one_by_one(between.get(-1, ()), [])
        for n, wave in enumerate(graph.waves):
            before = ends[-1] if ends else front
            if wave.depends_on is not None:
                named = (names[name] for name in wave.depends_on if name in names)
                before = list(dict.fromkeys([*front, *(i for x in named if x < n for i in ends[x])]))
            for i in members[n]:
                self._needs[i] = [*before, *self._needs.get(i, ())]
            own = funnel(list(members[n]), self._needs) or before
            ends.append(self._one_by_one(between.get(n, ()), own))
        return Order(
            kind="waves",
            needs=self._needs,
            left_out=tuple(i for some in between.values() for i in some if not self._tree.lines[i].done),
            unknown=tuple(unknown),
            twice=tuple(twice),
        )

    def _read(self, waves: Sequence[Wave]) -> tuple[list[Reference], list[Reference]]:
        """Find out the wave of each task. Of a number with parts the wave holds all that no wave names itself."""
        unknown: list[Reference] = []
        twice: list[Reference] = []
        whole: list[tuple[int, Part]] = []
        kept = set(self._kept)
        for n, wave in enumerate(waves):
            for each in wave.tasks:
                part = self._tree.known.get(each.name)
                if part is None:
                    unknown.append(each)
                elif part.parts:
                    whole.append((n, part))
                elif part.line in self._wave:
                    twice.append(each)
                elif part.line is not None:
                    self._wave[part.line] = n
        for n, part in sorted(whole, key=lambda x: -x[1].id.count(".")):
            left = [i for i in self._tree.tasks_of(part) if i not in self._wave]
            self._wave |= dict.fromkeys(left, n)
            walk = _Walk(self._tree, kept.intersection(left))
            walk.all([part])
            for i, needs in walk.needs.items():
                self._needs[i] = needs
        return unknown, twice

    def _one_by_one(self, tasks: Iterable[int], before: list[int]) -> list[int]:
        for i in tasks:
            self._needs[i] = before
            before = [i]
        return before


def _arrows(tree: Tree, kept: Sequence[int], graph: Graph) -> Order:
    """Only what the arrows say. A task that they leave out waits for all above it."""
    needs: dict[int, list[int]] = {}
    unknown: list[Reference] = []
    named: set[int] = set()
    inside: set[str] = set()
    staying = set(kept)
    for before, behind in graph.edges:
        parts = [tree.known.get(end.name) for end in (before, behind)]
        unknown += (end for end, part in zip((before, behind), parts, strict=True) if part is None)
        left, right = parts
        if left is None or right is None:
            continue
        for part in (left, right):
            named.update(tree.tasks_of(part))
            if part.parts and part.id not in inside:
                inside.add(part.id)
                walk = _Walk(tree, staying.intersection(tree.tasks_of(part)))
                walk.all([part])
                for i, own in walk.needs.items():
                    needs[i] = [*own, *needs.get(i, ())]
        ends = funnel([i for i in tree.tasks_of(left) if i in staying], needs)
        for i in tree.tasks_of(right):
            if i in staying:
                needs[i] = [*needs.get(i, ()), *(x for x in ends if x != i)]
    left_out: list[int] = []
    since: list[int] = []
    for i in kept:
        if i in named:
            since.append(i)
        else:
            needs[i] = [*left_out[-1:], *since]
            left_out.append(i)
            since = []
    open_ones = tuple(i for i in left_out if not tree.lines[i].done)
    return Order(kind="arrows", needs=needs, left_out=open_ones, unknown=tuple(unknown))


def apart(tree: Tree, kept: Iterable[int], needs: Mapping[int, Sequence[int]]) -> dict[int, int]:
    """Tasks that share a boundary with one above them and are in no order with it: by cc-sdd's rules such two must not
    run side by side."""
    found: dict[int, int] = {}
    above: dict[str, int] = {}
    for i in kept:
        for name in tree.lines[i].marks.boundary:
            other = above.get(name)
            above[name] = i
            if other is None or i in found or tree.lines[other].done or tree.lines[i].done:
                continue
            if not _reaches(needs, i, other) and not _reaches(needs, other, i):
                found[i] = other
    return found


def _reaches(needs: Mapping[int, Sequence[int]], start: int, goal: int) -> bool:
    """Whether one waits for the other; where that is far away, it is taken for granted."""
    seen, front = {start}, [start]
    while front:
        for other in needs.get(front.pop(), ()):
            if other == goal or len(seen) > _FAR:
                return True
            if other not in seen:
                seen.add(other)
                front.append(other)
    return False
