"""spec-kit's `tasks.md`: phases, user stories, and the order that `[P]` and the template's rules give them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from stretto.formats.reading import Read, Reading, shown
from stretto.formats.spec_kit.folder import companions, is_paper, top_of
from stretto.formats.spec_kit.line import Reference, TaskLine, is_task, read_line
from stretto.formats.spec_kit.loose import are_tasks, loose_in, next_id
from stretto.formats.spec_kit.nowhere import Ids, in_prose, strays
from stretto.formats.spec_kit.order import Group, groups_of, order, waits_for
from stretto.formats.spec_kit.prompt import Prompts
from stretto.formats.syntax.markdown_text import Outline
from stretto.formats.syntax.source import Node, Source, listed
from stretto.model.plan import Phase, Plan, Task

NAME = "spec-kit"

_TITLE = re.compile(r"(?:implementation\s+)?tasks?(?:\s+list)?\s*[:\-–—]\s*", re.IGNORECASE)
_MARKS = {" ": "pending", "": "pending", **dict.fromkeys(("x", "X"), "succeeded")}


def recognises(source: Source) -> bool:
    """A task list whose check boxes have ids such as T001, as a rule: a single one is not spec-kit's."""
    tree = source.tree
    return isinstance(tree, Outline) and are_tasks(tree, source.text.text)


def read(source: Source) -> Read:
    """The plan of the list. Prose goes with the prompts; check boxes without an id are told, and not done."""
    assert isinstance(source.tree, Outline)
    return _Reader(source, source.tree).read()


def lines_of(outline: Outline, text: str, top: str = "") -> Iterator[TaskLine]:
    """The tasks in file order. A check box inside of a task is a part of it, whether it has an id or not.

    `top`: the name of the repository's folder, if that is known."""
    inside: set[int] = set()
    for i, box in enumerate(outline.boxes):
        if box.within in inside:
            inside.add(i)
        elif is_task(text, box):
            inside.add(i)
            yield read_line(text, box, top)


class _Reader:
    def __init__(self, source: Source, outline: Outline) -> None:
        self._outline = outline
        top = top_of(Path(source.file))
        self._lines = list(lines_of(outline, source.text.text, top.name if top else ""))
        self._groups = groups_of(outline, self._lines)
        self._loose = [x for x in loose_in(outline, source.text.text) if x.box.mark not in ("x", "X")]
        text = source.text.text
        ids = Ids(outline, self._lines, text)
        self._strays = [list(strays(line, ids)) for line in self._lines]
        named = {x.name: x for x in reversed(list(in_prose(outline, self._groups, self._lines, text, ids)))}
        self._prose = sorted(named.values(), key=lambda reference: reference.start)
        root = Node(
            0,
            len(source.text.text),
            children={
                "tasks": listed(map(_node, self._lines, self._strays)),
                "phases": self._heads(),
                "loose": listed(Node(x.box.start, x.box.end) for x in self._loose),
                "prose": listed(map(_span, self._prose)),
            },
        )
        self._reading = Reading(Source(source.text, source.data, "markdown", outline, root))
        self._position = {line.id: i for i, line in reversed(list(enumerate(self._lines)))}
        self._context = companions(Path(source.file), top)

    def _heads(self) -> Node:
        starts = (self._outline.sections[group.section].start for group in self._groups)
        return listed(Node(start, start) for start in starts)

    def read(self) -> Read:
        self._reading.places.mark("plan", ())
        for i, group in enumerate(self._groups):
            self._reading.places.mark(f"phase:{group.id}", ("phases", i))
        lines = self._lines
        needs = [self._needs(i) for i in range(len(lines))]
        before = order(self._outline, self._groups, lines, needs)
        tasks = [
            self._task(i, group, tuple(dict.fromkeys((*needs[i], *(lines[n].id for n in before[i])))))
            for group in self._groups
            for i in group.members
        ]
        self._tell_loose()
        self._tell_nowhere()
        phases = waits_for(self._outline, self._groups)
        return self._reading.finish(
            lambda: Plan(
                name=self._title,
                format=NAME,
                phases=tuple(
                    Phase(id=group.id, title=group.title, depends_on=phases[group.id]) for group in self._groups
                ),
                tasks=tuple(tasks),
            )
        )

    def _tell_loose(self) -> None:
        """Open boxes without an id: each that may be a task, and those of check lists together."""
        checks = [i for i, each in enumerate(self._loose) if each.checks]
        following = next_id(self._lines)
        for i, each in enumerate(self._loose):
            if not each.checks:
                self._reading.report(
                    "no-number",
                    f"{shown(each.words, 60)!r} has no id such as {self._lines[0].id}: not done, and not ticked",
                    ("loose", i),
                    f"give it an id of its own, such as {following}, to have it done",
                )
        if checks:
            count = f"{len(checks)} check {'box' if len(checks) == 1 else 'boxes'}"
            self._reading.report(
                "no-number",
                f"{count} of check lists without an id, taken for what is to hold: not done, and not ticked",
                ("loose", checks[0]),
                f"what is work of its own gets the next id, {following}",
                severity="info",
            )

    def _tell_nowhere(self) -> None:
        """Words of order that lead to nothing in the list."""
        for i, references in enumerate(self._strays):
            for n, each in enumerate(references):
                self._reading.report(
                    "outside-need",
                    f"task {shown(self._lines[i].id)!r} waits for {shown(each.name)!r}, which is no task of this list",
                    ("tasks", i, "strays", n),
                    "nothing is waited for; correct the id, as in `(depends on T012)`, or see to it that it is done",
                    tasks=(self._lines[i].id,),
                )
        for n, each in enumerate(self._prose):
            self._reading.report(
                "outside-need",
                f"{shown(each.name)!r} is waited for, and nothing in this list is called so",
                ("prose", n),
                "nothing is waited for; correct it, or take it out",
            )

    @cached_property
    def _prompts(self) -> Prompts:
        return Prompts(self._outline, self._title)

    @cached_property
    def _title(self) -> str:
        title = next((section.title for section in self._outline.sections if section.level == 1), "")
        folder = Path(self._reading.source.file).absolute().parent.name
        return shown(_TITLE.sub("", title, count=1).strip("`*_ []"), 200) or folder or NAME

    def _needs(self, index: int) -> tuple[str, ...]:
        """What the line itself says that it waits for; ranges are in the order of the file."""
        line = self._lines[index]
        found: list[str] = []
        for need in line.needs:
            first, last = self._position.get(need.name), self._position.get(need.until)
            if need.until and first is not None and last is not None and first <= last:
                found += (self._lines[i].id for i in range(first, last + 1) if i != index)
            else:
                found += (need.name, need.until) if need.until else (need.name,)
        return tuple(dict.fromkeys(found))

    def _task(self, index: int, group: Group, depends_on: tuple[str, ...]) -> Task:
        line = self._lines[index]
        place = self._reading.places.mark(f"task:{line.id}", ("tasks", index))
        claims = self._claims(line, index, place)
        for i, need in enumerate(depends_on):
            at = next((n for n, said in enumerate(line.needs) if need in (said.name, said.until)), None)
            steps = ("tasks", index) if at is None else ("tasks", index, "needs", at)
            self._reading.places.mark(f"{place}:depends_on:{i}", steps)
        if line.box.mark not in _MARKS:
            self._reading.unknown_mark(line.id, line.box.mark, ("tasks", index, "status"), _MARKS)
        return Task(
            id=line.id,
            phase=group.id,
            title=shown(line.title, 100),
            prompt=self._prompts.of(group, line),
            context=self._context,
            depends_on=depends_on,
            writes=claims,
            effect="any" if claims is None or line.looks_only else "changes",
            status="succeeded" if line.done else "pending",
        )

    def _claims(self, line: TaskLine, index: int, place: str) -> tuple[str, ...] | None:
        """The files that the words name, without the feature's own papers; None (unknown) where there are none."""
        named = ((path.name, ("tasks", index, "paths", n)) for n, path in enumerate(line.paths))
        return self._reading.places.claims(place, (each for each in named if not is_paper(each[0]))) or None


def _node(line: TaskLine, lost: Sequence[Reference]) -> Node:
    box = line.box
    return Node(
        box.start,
        box.end,
        key=line.id_at,
        children={
            "status": Node(box.mark_at, box.mark_at + len(box.mark)),
            "needs": listed(map(_span, line.needs)),
            "strays": listed(map(_span, lost)),
            "paths": listed(map(_span, line.paths)),
        },
    )


def _span(reference: Reference) -> Node:
    return Node(reference.start, reference.end)
