"""Kiro's `tasks.md`: numbers, their parts, the waves of the dependency graph, and cc-sdd's marks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from stretto.formats.kiro.folder import companions, home_of, is_paper
from stretto.formats.kiro.line import TaskLine, lines_of, number_of
from stretto.formats.kiro.marks import Reference, spread
from stretto.formats.kiro.order import Order, apart, order
from stretto.formats.kiro.prompt import Prompts
from stretto.formats.kiro.remarks import Remarks
from stretto.formats.kiro.requirements import beside
from stretto.formats.kiro.status import MARKS, state_of
from stretto.formats.kiro.tree import Part, Tree
from stretto.formats.kiro.waves import Graph, Trouble, graph_of
from stretto.formats.reading import Read, Reading, shown
from stretto.formats.set_aside import without
from stretto.formats.syntax.markdown_text import Outline
from stretto.formats.syntax.source import Node, Source, Steps, listed
from stretto.model.plan import Phase, Plan, Task, Value

NAME = "kiro"
LOOSE = "tasks"
"""The phase of the tasks that stand alone."""
_MANY = 50
"""A number with more tasks than this is waited for as a phase."""

_TITLE = re.compile(
    r"(?:implementation\s+)?(?:plan|tasks?)(?:\s+(?:list|document))?\s*(?:[:：\-–—]\s*|$)|(?:任务|タスク)\S*[:：]\s*",
    re.IGNORECASE,
)
_SIGN = re.compile(
    r"^[ \t]*[-*+][ \t]+(?:_(?:Requirements?|Depends|Boundary|Blocked|Validates)\b[^\r\n]*:|\*\*Validates:)"
    r"|^#{1,6}[ \t]+Task Dependency Graph\b|\"waves\"[ \t]*:",
    re.MULTILINE | re.IGNORECASE,
)
_HINT = re.compile(r"^#[ \t]+Implementation Plan\b|^[ \t]*[-*+][ \t]+\[.?\]\\?\*[ \t]+\d", re.MULTILINE)


def recognises(source: Source) -> bool:
    """Numbered check boxes with a mark of Kiro's; or most boxes numbered, and a hint such as a 1.1 of a 1."""
    tree, text = source.tree, source.text.text
    if not isinstance(tree, Outline):
        return False
    numbers = {number for box in tree.boxes if (number := number_of(text, box)) is not None}
    if not numbers or _SIGN.search(text) is not None:
        return bool(numbers)
    tops = [box for box in tree.boxes if box.within is None]
    if sum(number_of(text, box) is not None for box in tops) * 2 < len(tops):
        return False
    nested = any(number.rpartition(".")[0] in numbers for number in numbers)
    return nested or _HINT.search(text) is not None or ".kiro" in Path(source.file).parts


def read(source: Source) -> Read:
    """The plan of the list. Everything that is no numbered check box is prose, and goes with the prompts."""
    assert isinstance(source.tree, Outline)
    return _Reader(source, source.tree).read()


class _Need(Value, frozen=True, kw_only=True):
    """Tasks, or a phase, that a task says it waits for."""

    names: tuple[str, ...]
    tasks: tuple[int, ...] = ()
    steps: Steps


class _Reader:
    def __init__(self, source: Source, outline: Outline) -> None:
        self._outline = outline
        self._file = Path(source.file)
        home = home_of(self._file)
        text = source.text.text
        top = home.parent.name if home else ""
        self._lines = list(lines_of(outline, text, top))
        self._tree = Tree(self._lines)
        self._spots: list[Node] = []
        root = Node(
            0,
            len(text),
            children={"tasks": listed(map(_node, self._lines)), "spots": Node(0, len(text), children=self._spots)},
        )
        self._reading = Reading(Source(source.text, source.data, "markdown", outline, root))
        self._context = companions(self._file, home)
        self._requirements = beside(self._file.absolute().parent)

    def _spot(self, start: int, end: int) -> Steps:
        self._spots.append(Node(start, end))
        return "spots", len(self._spots) - 1

    def read(self) -> Read:
        tree, lines = self._tree, self._lines
        self._reading.places.mark("plan", ())
        aside = tree.aside()
        tasks = list(tree.tasks())
        kept = [i for i in tasks if i not in aside or lines[i].done]
        graph = self._graph()
        placed = order(tree, kept, graph)
        phases = self._phases(tasks)
        home = {i: id for id, (_, members) in phases.items() for i in members}
        named = {i: list(self._named(i, phases)) for i in tasks}
        full = {i: [*placed.needs.get(i, ()), *(x for need in named[i] for x in need.tasks)] for i in kept}
        after = apart(tree, kept, full) if placed.kind != "chain" else {}
        made = [self._task(i, home[i], placed, named[i], after.get(i)) for i in tasks]
        left, _ = without(made, {lines[i].id: why for i, why in aside.items()})
        staying = {task.id for task in left}
        remarks = Remarks(self._reading, self._outline, tree, kept, self._spot)
        remarks.set_aside([i for i in tasks if lines[i].id not in staying], aside)
        remarks.say(placed, graph, after, self._requirements)
        used = {task.phase for task in left}
        return self._reading.finish(
            lambda: Plan(
                name=self._title,
                format=NAME,
                phases=tuple(Phase(id=id, title=title) for id, (title, _) in phases.items() if id in used),
                tasks=tuple(left),
            )
        )

    @cached_property
    def _prompts(self) -> Prompts:
        return Prompts(self._outline, self._tree, self._title, self._requirements)

    @cached_property
    def _title(self) -> str:
        title = next((section.title for section in self._outline.sections if section.level == 1), "")
        return shown(_TITLE.sub("", title, count=1).strip("`*_ []"), 200) or self._file.absolute().parent.name or NAME

    def _graph(self) -> Graph | None:
        found = graph_of(self._reading.source.text.text, self._outline)
        if isinstance(found, Trouble):
            message = f"the task dependency graph cannot be read, and does not count: {found.message}"
            hint = 'Kiro writes {"waves": [{"id": 0, "tasks": ["1.1"]}]}'
            self._reading.report("graph-unread", message, self._spot(found.at, found.at), hint)
            return None
        return found

    def _phases(self, tasks: Sequence[int]) -> dict[str, tuple[str, list[int]]]:
        """The outermost numbers that have parts, with their tasks; and one for those without."""
        ids = {self._lines[i].id for i in tasks}
        found: dict[str, tuple[str, list[int]]] = {}
        for i in tasks:
            top = self._tree.phase_of(i)
            if not top.parts:
                found.setdefault(LOOSE, ("Tasks without parts", []))[1].append(i)
                continue
            id = f"{top.id}." if top.id in ids else top.id
            if id not in found:
                start = self._lines[i if top.line is None else top.line].box.start
                self._reading.places.mark(f"phase:{id}", self._spot(start, start))
                found[id] = (self._heading(top, i), [])
            found[id][1].append(i)
        return found

    def _heading(self, top: Part, first: int) -> str:
        if top.line is not None:
            return shown(self._lines[top.line].title, 100)
        section = self._outline.sections[self._lines[first].box.section]
        return shown(section.title, 100) if section.level > 1 else ""

    def _named(self, i: int, phases: Mapping[str, tuple[str, list[int]]]) -> Iterator[_Need]:
        """What a task, and what it is a part of, says that it waits for."""
        part = self._tree.of[i]
        chain = [part, *part.around()]
        for own in chain:
            if own.line is None or (own is not part and own.line in self._tree.with_own_work):
                continue
            for n, need in enumerate(self._lines[own.line].marks.needs):
                steps: Steps = ("tasks", own.line, "needs", n)
                for name in spread(need.name, need.until):
                    other = self._tree.known.get(name)
                    if other is None:
                        yield _Need(names=(name,), steps=steps)
                    elif other in chain:
                        continue  # that a part waits for its whole says nothing
                    elif other.parent is None and len(phases.get(name, ("", []))[1]) > _MANY:
                        yield _Need(names=(name,), steps=steps)
                    else:
                        inner = self._tree.tasks_of(other)
                        yield _Need(names=tuple(self._lines[x].id for x in inner), tasks=tuple(inner), steps=steps)

    def _task(self, i: int, phase: str, placed: Order, named: Sequence[_Need], after: int | None) -> Task:
        line = self._lines[i]
        steps: Steps = ("tasks", i)
        place = self._reading.places.mark(f"task:{line.id}", steps)
        needs: dict[str, Steps] = {self._lines[x].id: steps for x in placed.needs.get(i, ())}
        needs |= {name: need.steps for need in named for name in need.names}
        needs.pop(line.id, None)
        for n, where in enumerate(needs.values()):
            if where is not steps:
                self._reading.places.mark(f"{place}:depends_on:{n}", where)
        if line.box.mark not in MARKS:
            self._reading.unknown_mark(line.id, line.box.mark, (*steps, "status"), MARKS)
        claims = self._claims(line, i, place)
        return Task(
            id=line.id,
            phase=phase,
            title=shown(line.title, 100),
            prompt=self._prompts.of(i),
            context=self._context,
            depends_on=tuple(needs),
            after=() if after is None else (self._lines[after].id,),
            writes=claims,
            effect="any" if claims is None or line.looks_only else "changes",
            status=state_of(line),
        )

    def _claims(self, line: TaskLine, i: int, place: str) -> tuple[str, ...] | None:
        """The files that the words name, without the feature's own papers; None (unknown) where there are none."""
        named = ((path.name, ("tasks", i, "paths", n)) for n, path in enumerate(line.paths))
        return self._reading.places.claims(place, (each for each in named if not is_paper(each[0]))) or None


def _node(line: TaskLine) -> Node:
    box = line.box
    return Node(
        box.start,
        box.end,
        key=line.id_at,
        children={
            "status": Node(box.mark_at, box.mark_at + len(box.mark)),
            "needs": listed(_span(need) for need in line.marks.needs),
            "requirements": listed(_span(each) for each in line.marks.requirements),
            "paths": listed(_span(path) for path in line.paths),
        },
    )


def _span(reference: Reference) -> Node:
    return Node(reference.start, reference.end)
