"""What is a task in a checklist, and what is only a part of one.

A box is a task with all that stands below it: nobody ticks it before its parts are done, and parts are worded for who
does the whole. Two things are said more plainly than that: boxes within a box that have ids or parts of their own are
the tasks, and the box around them is their group; and a heading such as "Task 3: …" is a task, with its boxes as steps.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from stretto.formats.checklist.marks import State, are_criteria, explained, set_aside, state_of
from stretto.formats.checklist.words import Words, made_id, plain, read_words
from stretto.formats.syntax.markdown_text import Outline
from stretto.model.plan import Value

_TASK_HEADING = ("named", "coded")
_IDS = frozenset({"set", "coded", "dotted", "named", "hash"})
"""Kinds of words that are ids, and by which boxes within a box are tasks; plain numbers change with every line that is
put in, and steps are parts."""
_NUMBERED = ("dotted", "number", "named", "step")
_BULLET = re.compile(r"[ \t]*(?:[-*+]|\d+[.)])[ \t]+")


class Item(Value, frozen=True, kw_only=True):
    """One task of the list. Offsets are places in the text."""

    id: str
    words: Words
    boxes: tuple[int, ...]
    """Those that are ticked when it is done, as positions in the outline; a box's own comes first."""
    section: int
    """The section that it stands in; for a heading, the one around it."""
    heading: int | None = None
    """Which section it is, if it is one."""
    group: int | None = None
    """The box around it, if that is a group."""
    label: str = ""
    """The words right above its list, such as `Backend:`."""
    run: int = 0
    """Which list it stands in, or its group does: those of one list have one number."""
    numbered: bool = False
    start: int
    text_at: int
    end: int
    state: State
    mark: str = ""

    def body(self, text: str) -> str:
        """All that is written for it, in its own lines."""
        own, _, below = _unix(text[self.text_at : self.end]).partition("\n")
        return "\n".join(part for part in (own.strip(), textwrap.dedent(below).rstrip()) if part)


class Group(Value, frozen=True, kw_only=True):
    """A box that holds tasks, and is none itself."""

    words: Words
    numbered: bool
    members: tuple[int, ...]
    """The boxes of its tasks, as positions."""


class Checklist(Value, frozen=True, kw_only=True):
    """A document as tasks. Sections are positions in the outline."""

    items: tuple[Item, ...]
    parents: tuple[int | None, ...]
    """For each section the one around it."""
    criteria: Mapping[int, str]
    """What is to hold in the end, by section."""
    left_out: tuple[int, ...]
    """Boxes that say so, as positions."""
    groups: Mapping[int, Group]
    """By the position of the box."""
    legend: Mapping[str, State]
    """What the document itself says of its marks."""


def checklist_of(outline: Outline, text: str) -> Checklist:
    return _Sorter(outline, text).checklist()


class _Sorter:
    def __init__(self, outline: Outline, text: str) -> None:
        self._outline, self._text = outline, text
        self._boxes, self._sections = outline.boxes, outline.sections
        ends = [*(box.start for box in self._boxes[1:]), len(text)]
        self._words = [
            read_words(text[box.text_at : min(box.end, end)]) for box, end in zip(self._boxes, ends, strict=True)
        ]
        self._children: dict[int, list[int]] = {}
        for i, box in enumerate(self._boxes):
            if box.within is not None:
                self._children.setdefault(box.within, []).append(i)
        self._parents = tuple(section.within for section in self._sections)
        self._legend: dict[str, State] = {}
        self._groups: dict[int, Group] = {}

    def checklist(self) -> Checklist:
        tops = [i for i, box in enumerate(self._boxes) if box.within is None]
        labels = dict(zip(tops, self._labels(tops), strict=True))
        legend = self._legends(tops)
        tops = [i for i in tops if i not in legend and not self._is_empty(i)]
        criteria = [i for i in tops if self._in_criteria(i, labels[i][0])]
        if len(criteria) == len(tops):
            criteria = []  # a list of nothing else is a list of tasks
        left_out = set(criteria)
        kept = [i for i in tops if i not in left_out]
        headings = self._headings(kept)
        items = [*self._of_headings(kept, headings), *self._of_boxes(kept, headings, labels)]
        items.sort(key=lambda item: item.start)
        said: dict[int, list[str]] = {}
        for i in criteria:
            said.setdefault(self._boxes[i].section, []).append(_unix(self._line(i)))
        return Checklist(
            items=tuple(_named(items)),
            parents=self._parents,
            criteria={section: "\n".join(lines) for section, lines in said.items()},
            left_out=tuple(criteria),
            groups=self._groups,
            legend=self._legend,
        )

    def _line(self, i: int) -> str:
        """A box as it stands, with all that is below it."""
        return self._text[self._boxes[i].start : self._boxes[i].end].rstrip()

    def _is_empty(self, i: int) -> bool:
        box = self._boxes[i]
        return not self._text[box.text_at : box.end].strip(" \t\r\n*_`~")

    def _legends(self, tops: Sequence[int]) -> set[int]:
        """Boxes that explain marks: two or more in a row whose words are a status and nothing else."""
        found: set[int] = set()
        row: list[int] = []
        for i in [*tops, None]:
            meaning = None if i is None else explained(self._words[i].title)
            same = row and i is not None and self._boxes[i].section == self._boxes[row[-1]].section
            if meaning is not None and i is not None and (same or not row):
                row.append(i)
                continue
            marks = {self._boxes[x].mark for x in row}
            if len(marks) > 1 and len(marks) == len(row):
                for x in row:
                    self._legend[self._boxes[x].mark] = explained(self._words[x].title) or "open"
                found.update(row)
            row = [i] if meaning is not None and i is not None else []
        return found

    def _labels(self, tops: Sequence[int]) -> Iterator[tuple[str, int]]:
        """For each box the words right above its list, and which list that is."""
        label, run, section, end = "", 0, -1, 0
        for i in tops:
            box = self._boxes[i]
            if box.section != section:
                section, label, run = box.section, "", run + 1
                end = self._sections[section].start
                end += len(self._text[end : box.start].split("\n", 1)[0]) if self._sections[section].level else 0
            between = self._text[end : box.start].rpartition("\n")[0].rstrip()
            if between and (found := _label(between.splitlines()[-1], box.indent)) is not None:
                label, run = found, run + 1
            end = max(end, box.end)
            yield label, run

    def _in_criteria(self, i: int, label: str) -> bool:
        titles = (self._sections[at].title for at in self._around(self._boxes[i].section))
        return are_criteria(label) or any(map(are_criteria, titles))

    def _headings(self, tops: Sequence[int]) -> dict[int, Words]:
        """Sections that are tasks: the innermost whose headings say so, and those whose boxes are all steps."""
        steps: dict[int, bool] = {}
        for i in tops:
            section = self._boxes[i].section
            steps[section] = steps.get(section, True) and self._words[i].kind == "step"
        said = {at: read_words(self._sections[at].title) for section in steps for at in self._around(section)}
        inner: set[int] = set()
        outer: set[int] = set()
        for section, only_steps in steps.items():
            found = [at for at in self._around(section) if self._is_task(at, said[at], only_steps and at == section)]
            inner.update(found[:1])
            outer.update(found[1:])
        return {at: said[at] for at in inner - outer}

    def _is_task(self, section: int, words: Words, only_steps: bool) -> bool:
        level = self._sections[section].level
        return (level > 0 and words.kind in _TASK_HEADING) or (level > 1 and only_steps)

    def _around(self, section: int | None) -> Iterator[int]:
        """A section and those around it, from the inside out: six at most, and the document."""
        while section is not None:
            yield section
            section = self._parents[section]

    def _heading_of(self, section: int, headings: Mapping[int, Words]) -> int | None:
        return next((at for at in self._around(section) if at in headings), None)

    def _of_headings(self, tops: Sequence[int], headings: Mapping[int, Words]) -> Iterator[Item]:
        members: dict[int, list[int]] = {}
        for i in tops:
            if (at := self._heading_of(self._boxes[i].section, headings)) is not None:
                members.setdefault(at, []).append(i)
        for at, own in members.items():
            boxes = [x for i in own for x in (i, *self._below(i))]
            states = {self._state(x, at) for x in own} - {"dropped"}
            section, words = self._sections[at], headings[at]
            aside = "dropped" if words.struck else self._aside_of(self._parents[at])
            done = states <= {"done"} and bool(states)
            title = words.title or section.title
            yield Item(
                id=words.id,
                words=replace(words, title=title),
                boxes=tuple(boxes),
                section=self._parents[at] or 0,
                heading=at,
                numbered=bool(words.number),
                start=section.start,
                text_at=self._text.find(section.title, section.start),
                end=self._end_of(at),
                state="done" if done else aside or "open",
            )

    def _end_of(self, at: int) -> int:
        level = self._sections[at].level
        after = (i for i in range(at + 1, len(self._sections)) if self._sections[i].level <= level)
        return self._sections[found].start if (found := next(after, None)) is not None else len(self._text)

    def _below(self, i: int) -> Iterator[int]:
        """The boxes within a box, whatever their depth: those that follow it and end where it does."""
        for x in range(i + 1, len(self._boxes)):
            if self._boxes[x].start >= self._boxes[i].end:
                return
            yield x

    def _of_boxes(
        self, tops: Sequence[int], headings: Mapping[int, Words], labels: Mapping[int, tuple[str, int]]
    ) -> Iterator[Item]:
        for i in tops:
            if self._heading_of(self._boxes[i].section, headings) is not None:
                continue
            children = [x for x in self._children.get(i, ()) if not self._is_empty(x)]
            if any(self._words[x].kind in _IDS or x in self._children for x in children):
                self._groups[i] = Group(words=self._words[i], numbered=self._numbered(i), members=tuple(children))
                whole = self._state(i, self._boxes[i].section)
                yield from (self._item(x, *labels[i], group=i, whole=whole) for x in children)
            else:
                yield self._item(i, *labels[i], group=None, whole="open")

    def _item(self, i: int, label: str, run: int, *, group: int | None, whole: State) -> Item:
        box, words = self._boxes[i], self._words[i]
        state = self._state(i, box.section)
        if state not in ("done", "dropped"):
            state = set_aside(label) or state
        return Item(
            id=words.id,
            words=words,
            boxes=(i, *self._below(i)),
            section=box.section,
            group=group,
            label=label,
            run=run,
            numbered=self._numbered(i),
            start=box.start,
            text_at=box.text_at,
            end=box.end,
            state=whole if whole in ("done", "dropped", "later") else state,
            mark=box.mark,
        )

    def _numbered(self, i: int) -> bool:
        """By its place in a numbered list, or by its id."""
        return self._text[self._boxes[i].start].isdigit() or self._words[i].kind in _NUMBERED

    def _state(self, i: int, section: int) -> State:
        state = state_of(self._boxes[i].mark, self._legend)
        if state == "done":
            return state
        return "dropped" if self._words[i].struck else self._aside_of(section) or state

    def _aside_of(self, section: int | None) -> State | None:
        return next(filter(None, (set_aside(self._sections[at].title) for at in self._around(section))), None)


def _label(line: str, indent: int) -> str | None:
    """The words of a line that names the list below it; None for a sentence, and for a bullet beside it."""
    bullet = _BULLET.match(line)
    if bullet and len(line) - len(line.lstrip()) >= indent:
        return None
    words = line[bullet.end() :].strip() if bullet else line.strip()
    bold = re.fullmatch(r"(\*\*|__).+\1:?", words)
    if not (bullet or bold or words.endswith((":", ":**", ":__"))) or len(words) > 120:
        return None
    return plain(words).strip("*_ ").removesuffix(":").strip()


def _named(items: Sequence[Item]) -> Iterator[Item]:
    """Each with its id: its own, unless others have that too and it may mean something else; or one of its words."""
    times = Counter(item.id for item in items)
    mistaken = _mistaken(items)
    own = {
        item.id
        for item in items
        if item.words.kind in _IDS and (item.words.firm or times[item.id] == 1 or item.id in mistaken)
    }
    taken = Counter(own)
    for item in items:
        if item.id in own:
            yield item
            continue
        made = id = made_id(item.words.title)
        while id in taken:
            taken[made] += 1
            id = f"{made}-{taken[made]}"
        taken[id] = 1
        yield replace(item, id=id)


def _mistaken(items: Sequence[Item]) -> set[str]:
    """Numbers such as `1.2` that stand twice in one list of which most lines have one: there they are ids."""
    lists: dict[tuple[int, int, int | None], list[Item]] = {}
    for item in items:
        if item.heading is None:
            lists.setdefault((item.section, item.run, item.group), []).append(item)
    found: set[str] = set()
    for members in lists.values():
        times = Counter(item.id for item in members if item.words.kind == "dotted")
        if times.total() * 2 > len(members):
            found.update(id for id, count in times.items() if count > 1)
    return found


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
