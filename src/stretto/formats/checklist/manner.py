"""How the tasks of a checklist are called, and whether a name that leads nowhere can be nothing but one of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property

from stretto.formats.checklist.items import Checklist
from stretto.formats.checklist.needs import Need
from stretto.formats.checklist.words import Words
from stretto.formats.syntax.markdown_text import Outline

_MARKER = re.compile(r"(\d{1,9})[.)]")
_NUMBER = re.compile(r"[^\w\n]*+(?:[^\W\d]++[\s#]++)?+(#?[\w.-]*\d[\w.-]*)")
"""The first name with a number of a box or a heading, whether that is a task or not."""
_TASKS = {"task", "item"}
_OTHERS = {"step", "story", "ticket", "issue"}
_NEAR = 3
"""How far behind the last of its group a number may be that was a task once, and is no version of something."""


class Manner:
    def __init__(self, outline: Outline, checklist: Checklist, text: str) -> None:
        self._outline, self._list, self._text = outline, checklist, text
        self._items = checklist.items

    def surely(self, need: Need, name: str) -> bool:
        """Whether `name`, which stands in the need and is of no task, is meant for one and nothing else."""
        manner = _manner(name)
        if not need.ends or not self._is_called(manner, need.thing) or name.casefold() in self._all_names:
            return False
        group, last = _split(name)
        if not _is_number(manner) or need.thing:
            return True
        if manner == "0":  # parts of the task may have numbers, too, and much is counted
            return need.firm and need.own and last <= 2 * self._highest[group] + _NEAR
        return need.firm or (group in self._highest and last <= self._highest[group] + _NEAR)

    def _is_called(self, manner: str, thing: str) -> bool:
        """Whether tasks have names of that manner, such as `0.0` for `1.4`, and go by that word."""
        count = self._manners[manner]
        if count < 2 or (_is_number(manner) and count * 2 < len(self._items)):
            return False
        if not _is_number(manner):
            return thing in {"", *_TASKS, *_OTHERS}
        called = self._kinds or (_TASKS | {"step"} if "." in manner else _TASKS)  # a plain 2 is also a step of a task
        return thing == "" or thing in called

    @cached_property
    def _called(self) -> list[str]:
        """What each task is known by that has a number or an id."""
        return [name for item in self._items if (name := self._name(item.words, item.start))]

    def _name(self, words: Words, start: int) -> str:
        marker = _MARKER.match(self._text, start)
        return words.number or words.id or (marker[1] if marker else "")

    @cached_property
    def _manners(self) -> Counter[str]:
        return Counter(map(_manner, self._called))

    @cached_property
    def _highest(self) -> Mapping[str, int]:
        """The last number of each group: 4 for `1.` where `1.4` is."""
        found: dict[str, int] = {}
        for group, last in map(_split, self._called):
            found[group] = max(last, found.get(group, last))
        return found

    @cached_property
    def _kinds(self) -> frozenset[str]:
        """The words that tasks are called by: `task`, `step`."""
        words = (item.words for item in self._items)
        return frozenset(each.id.rpartition("-")[0] for each in words if each.kind in ("named", "step"))

    @cached_property
    def _all_names(self) -> frozenset[str]:
        """Also of what is no task: of parts, of boxes around tasks, and of headings."""
        return frozenset(self._names())

    def _names(self) -> Iterator[str]:
        starts = (self._text.find(section.title, section.start) for section in self._outline.sections)
        for at in (*starts, *(box.text_at for box in self._outline.boxes)):
            if found := _NUMBER.match(self._text, max(at, 0)):
                yield found[1].rstrip(".-").casefold()
        yield from (found[1] for box in self._outline.boxes if (found := _MARKER.match(self._text, box.start)))


def _manner(name: str) -> str:
    return re.sub(r"(?<=0)[a-z]$", "", re.sub(r"\d+", "0", name.casefold()))


def _is_number(manner: str) -> bool:
    return manner[:1] in ("#", "0")


def _split(name: str) -> tuple[str, int]:
    """`1.` and 4 of `1.4`."""
    digits = re.search(r"(?<!\d)(\d+)[a-z]?$", name)
    return (name[: digits.start()], int(digits[1][:9])) if digits else (name, 0)
