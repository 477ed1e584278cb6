"""The prompts of a checklist: a task's words with all that stands below them, and what the document says around it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from stretto.formats.checklist.items import Checklist, Item
from stretto.formats.syntax.markdown_text import Outline

_MAX_PROSE = 6_000
"""Characters of one section's prose that go with its tasks."""
_MAX_OTHERS = 6_000
"""Of sections without tasks, which tell of the whole."""
_MAX_ABOVE = 16_000
"""Of all that stands before the task."""
_MAX_BODY = 60_000
_RULE = re.compile(r"^[ \t]*([-*_])(?:[ \t]*\1){2,}[ \t]*$", re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


class Prompts:
    """Self-contained instructions for every task of a list."""

    def __init__(self, outline: Outline, checklist: Checklist, text: str, title: str, name: str) -> None:
        self._sections, self._list, self._text = outline.sections, checklist, text
        self._title, self._name = title, name
        self._tasks_in = self._with_tasks(checklist.items)
        self._groups = {n: outline.boxes[n] for n in checklist.groups}
        self._firsts = {n: outline.boxes[group.members[0]].start for n, group in checklist.groups.items()}
        self._proses: dict[int, str] = {}
        """What sections say, for there may be many lists in one."""
        self._whole = self._papers()
        self._near = self._all_criteria()
        self._above: dict[tuple[int, int | None, str], str] = {}
        """What is said around a task: the same for all of one list."""

    def of(self, item: Item) -> str:
        key = (item.section, item.group, item.label)
        if key not in self._above:
            self._above[key] = _shortened(_joined(self._around(item)), _MAX_ABOVE)
        closing = (
            f"This is one task of a list ({self._name}); others do the rest."
            " Do what it asks, all its parts too, and leave the boxes of the list as they are."
        )
        body = _shortened(item.body(self._text), _MAX_BODY)
        return _joined((self._above[key], f"## Your task: {item.id}", body, closing)) + "\n"

    def _with_tasks(self, items: Sequence[Item]) -> set[int]:
        found: set[int] = set()
        for item in items:
            at: int | None = item.section if item.heading is None else item.heading
            while at is not None and at not in found:
                found.add(at)
                at = self._list.parents[at]
        return found

    def _around(self, item: Item) -> Iterator[str]:
        way: list[int] = []
        at: int | None = item.section
        while at is not None:
            way.append(at)
            at = self._list.parents[at]
        way.reverse()
        yield f"# {self._title}"
        if 0 not in way:
            yield self._prose(0)
        outermost = max((at for at in way if self._sections[at].level <= 1), default=-1)
        if outermost < 0:
            yield self._whole
        for at in way:
            section = self._sections[at]
            if section.level > 0 and section.title != self._title:
                yield f"{'#' * max(2, section.level)} {section.title}"
            yield self._prose(at)
            if section.level <= 1 and at == outermost:
                yield self._whole
        if item.group is not None:
            box = self._groups[item.group]
            yield " ".join(self._text[box.text_at : self._firsts[item.group]].split())[:_MAX_PROSE].strip()
        elif item.label:
            yield f"{item.label}:"
        yield from self._criteria(way)

    def _papers(self) -> str:
        """The sections right below the title that have no tasks: they tell of the whole."""
        parts: list[str] = []
        room = _MAX_OTHERS
        for at, parent in enumerate(self._list.parents):
            apart = at not in self._tasks_in and at not in self._list.criteria
            if apart and (parent is None or self._sections[parent].level <= 1) and self._sections[at].level > 1:
                part = f"## {self._sections[at].title}\n\n{prose}" if (prose := self._prose(at)) else ""
                if part and len(part) <= room:
                    room -= len(part)
                    parts.append(part)
        return "\n\n".join(parts)

    def _criteria(self, way: Sequence[int]) -> Iterator[str]:
        """What is to hold in the end: of the sections around the task, and of those right below them."""
        if texts := [self._near[at] for at in way if at in self._near]:
            yield _shortened("What is to hold in the end:\n\n" + "\n".join(texts), _MAX_PROSE)

    def _all_criteria(self) -> Mapping[int, str]:
        found: dict[int, list[str]] = {}
        for at, text in self._list.criteria.items():
            parent = self._list.parents[at]
            own = at if at in self._tasks_in or parent is None else parent
            found.setdefault(own, []).append(text)
        return {at: _shortened("\n".join(texts), _MAX_PROSE) for at, texts in found.items()}

    def _prose(self, at: int) -> str:
        if at not in self._proses:
            self._proses[at] = self._cleaned(at)
        return self._proses[at]

    def _cleaned(self, at: int) -> str:
        """Without comments, and without the rules between sections."""
        text = _RULE.sub("", _COMMENT.sub("", self._sections[at].prose))
        return _shortened(re.sub(r"\n{3,}", "\n\n", text).strip(), _MAX_PROSE)


def _joined(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part)


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
