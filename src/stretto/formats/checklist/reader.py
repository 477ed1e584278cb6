"""A plain Markdown checklist: any document with check boxes that no other reader knows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from stretto.formats.checklist.files import claims_of
from stretto.formats.checklist.folder import Papers
from stretto.formats.checklist.items import Item, checklist_of
from stretto.formats.checklist.manner import Manner
from stretto.formats.checklist.marks import MARKS
from stretto.formats.checklist.names import Names
from stretto.formats.checklist.needs import needs_of, without_code
from stretto.formats.checklist.order import Order
from stretto.formats.checklist.prompt import Prompts
from stretto.formats.checklist.words import plain, urgency
from stretto.formats.reading import Read, Reading, shown
from stretto.formats.set_aside import without
from stretto.formats.syntax.markdown_text import Outline, Section
from stretto.formats.syntax.source import Node, Source, Steps, listed
from stretto.model.plan import Phase, Plan, Task

NAME = "checklist"

_URGENT = re.compile(
    r"\b(critical|urgent|high|medium|low)(?:est)?[ -]prio|^\W*(critical|urgent|high|medium|low)\W*$", re.IGNORECASE
)
_LOOKS = re.compile(
    r"run|verify|validate|check|review|confirm|ensure|test|execute|inspect|audit|manually|smoke|benchmark|measure|read"
    r"|decide|discuss|research|investigate|explore|evaluate|ask|monitor",
    re.IGNORECASE,
)
"""A task that begins with one of these may well change nothing."""


def recognises(source: Source) -> bool:
    """Check boxes in Markdown."""
    return isinstance(source.tree, Outline) and bool(source.tree.boxes)


def read(source: Source) -> Read:
    """The plan of the list."""
    assert isinstance(source.tree, Outline)
    return _Reader(source, source.tree).read()


class _Reader:
    def __init__(self, source: Source, outline: Outline) -> None:
        text = source.text.text
        self._outline, self._file = outline, Path(source.file)
        self._list = checklist_of(outline, text)
        self._items = self._list.items
        self._raw = [text[item.text_at : item.end] for item in self._items]
        words = [without_code(raw) for raw in self._raw]
        self._said = [needs_of(each) for each in words]
        self._claimed = [list(claims_of(each)) for each in words]
        self._order = Order(outline, self._list, [said.nothing for said in self._said])
        self._names = Names(outline, self._list, self._order, text)
        self._manner = Manner(outline, self._list, text)
        title = next((section.title for section in outline.sections if section.level == 1), "")
        self._title = shown(plain(title), 200) or self._file.stem or NAME
        self._prompts = Prompts(outline, self._list, text, self._title, self._file.name)
        self._papers = Papers(self._file)
        self._reading = Reading(Source(source.text, source.data, "markdown", outline, self._nodes()))

    def read(self) -> Read:
        places = self._reading.places
        places.mark("plan", ())
        for i, stage in enumerate(self._order.stages):
            places.mark(f"phase:{stage.id}", ("phases", i))
        needs = [self._needs(i) for i in range(len(self._items))]
        tasks = [self._task(i, tuple(needs[i])) for stage in self._order.stages for i in stage.members]
        kept, told = without(tasks, {x.id: x.state for x in self._items if x.state == "dropped" or x.state == "later"})
        at = {item.id: i for i, item in reversed(list(enumerate(self._items)))}
        waits = self._order.waits({at[task.id] for task in kept}, {i: list(x) for i, x in enumerate(needs)})
        ordered = [self._placed(task, at[task.id], waits, needs[at[task.id]]) for task in kept]
        for finding in told:
            self._reading.report(
                "set-aside",
                finding.message,
                ("tasks", at[finding.task]),
                finding.hint,
                severity="info",
                tasks=finding.tasks,
            )
        self._tell()
        used = {task.phase for task in ordered}
        phases = tuple(
            Phase(id=x.id, title=shown(plain(x.title), 100), depends_on=tuple(n for n in x.depends_on if n in used))
            for x in self._order.stages
            if x.id in used
        )
        return self._reading.finish(lambda: Plan(name=self._title, format=NAME, phases=phases, tasks=tuple(ordered)))

    def _needs(self, i: int) -> dict[str, Steps]:
        """What a task says that it waits for, each with where it says so."""
        found: dict[str, Steps] = {}
        unknown: list[tuple[str, Steps]] = []
        ambiguous: list[tuple[str, tuple[str, ...], Steps]] = []
        itself: list[Steps] = []
        bare = [need for need in self._said[i].needs if need.bare]
        counted = self._names.is_counted(bare, i)
        for n, need in enumerate(self._said[i].needs):
            if need.bare and counted:
                continue
            steps: Steps = ("tasks", i, "needs", n)
            named = self._names.meant(need, i)
            if named == () and self._names.is_itself(need, i):
                itself.append(steps)
            if named is None and (several := self._names.several(need, i)):
                ambiguous.append((need.name, several, steps))
            elif named is None:
                name = self._names.unknown(need, i)
                if (need.sure and need.told and not need.tool) or self._manner.surely(need, name):
                    unknown.append((f"{need.thing} {name}".strip(), steps))
            for id in named or ():
                found.setdefault(id, steps)
        if itself:
            self._reading.report(
                "outside-need",
                f"task {shown(self._items[i].id)!r} says that it waits for itself",
                itself[0],
                "nothing is waited for; name the task that it needs, or leave the words out",
                tasks=(self._items[i].id,),
            )
        for name, several, steps in ambiguous[:1]:
            ids = ", ".join(shown(id) for id in several[:3]) + (", …" if len(several) > 3 else "")
            self._reading.report(
                "ambiguous-id",
                f"task {shown(self._items[i].id)!r} waits for {shown(name)!r}, which may be each of {ids}",
                steps,
                "none of them is waited for; give each an id or number of its own",
                tasks=(self._items[i].id,),
            )
        for name, steps in dict(reversed(unknown)).items():
            self._reading.report(
                "outside-need",
                f"task {shown(self._items[i].id)!r} waits for {shown(name)!r}, which is no task of this list",
                steps,
                "nothing is waited for; see to it that it is done, or name the task as the list does",
                tasks=(self._items[i].id,),
            )
        return found

    def _task(self, i: int, needs: tuple[str, ...]) -> Task:
        item = self._items[i]
        words = item.words
        place = self._reading.places.mark(f"task:{item.id}", ("tasks", i))
        named = ((path, ("tasks", i, "paths", n)) for n, (path, _, _) in enumerate(self._claimed[i]))
        claims = self._reading.places.claims(place, (each for each in named if each[0] != self._file.name))
        if item.state == "unknown":
            own = self._list.legend
            known = {**own, **{mark: means for mark, means in MARKS.items() if mark not in own}}
            self._reading.unknown_mark(item.id, item.mark, ("tasks", i, "status"), known)
        first = re.match(r"\W*(\w+)", words.title)
        looks_only = first is not None and _LOOKS.fullmatch(first[1]) is not None
        return Task(
            id=item.id,
            phase=self._order.stage_of[i].id,
            title=shown(words.title, 100),
            prompt=self._prompts.of(item),
            context=self._papers.of(self._raw[i]),
            depends_on=needs,
            writes=claims or None,
            effect="any" if not claims or looks_only else "changes",
            priority=words.priority or self._urgency(item) or 3,
            optional=words.optional,
            status="succeeded" if item.state == "done" else "pending",
        )

    def _urgency(self, item: Item) -> int | None:
        """What the headings around a task say of all tasks there: `High priority`."""
        at: int | None = item.section
        while at is not None:
            if (said := self._heading_urgency(self._outline.sections[at])) is not None:
                return said
            at = self._list.parents[at]
        return None

    def _heading_urgency(self, section: Section) -> int | None:
        found = _URGENT.search(section.title)
        return urgency(f"({found[1] or found[2]})") if found else urgency(section.title)

    def _placed(self, task: Task, i: int, waits: Mapping[int, Sequence[str]], needs: Mapping[str, Steps]) -> Task:
        """The task with what it waits for by its words, then by its place."""
        names = tuple(dict.fromkeys((*task.depends_on, *(x for x in waits[i] if x != task.id))))
        for n, name in enumerate(names):
            self._reading.places.mark(f"task:{task.id}:depends_on:{n}", needs.get(name, ("tasks", i)))
        return replace(task, depends_on=names)

    def _tell(self) -> None:
        """What was guessed, and what was left out."""
        loose = [i for i in self._order.loose if self._items[i].state != "done"]
        if loose:
            self._reading.report(
                "order-unsaid",
                "this list does not say what comes first: bullets beside each other may be done at once; only numbers, "
                "headings such as `Phase 2`, and words such as `(after ID)` are taken for an order",
                ("tasks", min(loose)),
                "where one thing needs another, write `1. [ ]` in place of `- [ ]`, or `(after ID)` behind the words",
                severity="info",
            )
        if self._list.left_out:
            count = len(self._list.left_out)
            self._reading.report(
                "criteria-boxes",
                f"{count} {'boxes say' if count > 1 else 'box says'} what is to hold in the end: part of the prompts, "
                "and no task",
                ("criteria", 0),
                "put what is work of its own below another heading",
                severity="info",
            )

    def _nodes(self) -> Node:
        boxes = self._outline.boxes
        return Node(
            0,
            self._outline.boxes[-1].end,
            children={
                "tasks": listed(self._node(i) for i in range(len(self._items))),
                "phases": listed(Node(stage.at, stage.at) for stage in self._order.stages),
                "criteria": listed(Node(boxes[i].start, boxes[i].end) for i in self._list.left_out),
            },
        )

    def _node(self, i: int) -> Node:
        item = self._items[i]
        box = self._outline.boxes[item.boxes[0]]
        at = item.text_at
        return Node(
            item.start,
            item.end,
            key=at + item.words.id_at,
            children={
                "status": Node(box.mark_at, box.mark_at + len(box.mark)),
                "needs": listed(Node(at + need.start, at + need.end) for need in self._said[i].needs),
                "paths": listed(Node(at + start, at + end) for _, start, end in self._claimed[i]),
            },
        )
