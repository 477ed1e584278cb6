"""Which task or phase of a checklist a name means: an id, a number of the list, or `phase 2`."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cached_property

from stretto.formats.checklist.items import Item
from stretto.formats.checklist.needs import Need
from stretto.formats.checklist.order import Order
from stretto.formats.checklist.words import made_id

_MARKER = re.compile(r"(\d{1,9})[.)]")
_TASKS = {"task", "step", "item", "story", "ticket", "issue"}
_PLURALS = {"stories": "story"}


class Names:
    def __init__(self, items: Sequence[Item], order: Order, text: str) -> None:
        self._items, self._order = items, order
        self._stages = {stage.id: stage for stage in order.stages}
        self._by_name: dict[str, int] = {}
        self._by_number: dict[tuple[int, str], int] = {}
        self._twice: set[str] = set()
        numbers: dict[str, int] = {}
        for i, item in enumerate(items):
            self._by_name.setdefault(item.id.casefold(), i)
            number = item.words.number or ((found[1]) if (found := _MARKER.match(text, item.start)) else "")
            if number:
                self._by_number.setdefault((item.section, number), i)
                if number in numbers:
                    self._twice.add(number)
                numbers.setdefault(number, i)
        self._numbers = numbers

    @cached_property
    def _by_title(self) -> dict[str, int]:
        return {made_id(item.words.title): i for i, item in reversed(list(enumerate(self._items)))}

    @cached_property
    def _titles(self) -> list[str]:
        return sorted(self._by_title)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {item.id: i for i, item in enumerate(self._items)}

    @cached_property
    def _places_of_stages(self) -> dict[str, int]:
        return {stage.id: i for i, stage in enumerate(self._order.stages)}

    def meant(self, need: Need, i: int) -> tuple[str, ...] | None:
        """The ids that a name stands for, without the task itself and what it is in; None: it is not known."""
        first = self._one(need.name, need.thing, i)
        if first is None:
            return None
        if need.until:
            last = self._one(need.until, need.thing, i)
            if last is None:
                return None
            return tuple(id for id in self._between(first, last) if not self._is_own(id, i))
        return () if self._is_own(first, i) else (first,)

    def _is_own(self, id: str, i: int) -> bool:
        return id == self._items[i].id or (id in self._stages and self._order.stage_of[i].id == id)

    def _between(self, first: str, last: str) -> Iterator[str]:
        stages = first in self._stages and last in self._stages
        place = self._places_of_stages if stages else self._places
        start, end = place.get(first), place.get(last)
        if start is None or end is None or start > end:
            yield from (first, last)
        elif stages:
            yield from (stage.id for stage in self._order.stages[start : end + 1])
        else:
            yield from (item.id for item in self._items[start : end + 1])

    def _one(self, name: str, thing: str, i: int) -> str | None:
        thing = _PLURALS.get(thing, thing.removesuffix("s"))
        if thing and thing not in _TASKS:
            id = made_id(f"{thing} {name}")
            return id if id in self._stages else None
        for spelled in (f"{thing}-{name}", name, f"#{name}") if thing else (name,):
            if (found := self._by_name.get(spelled.casefold())) is not None:
                return self._items[found].id
        number = name.removeprefix("#")
        near = self._by_number.get((self._items[i].section, number))
        if near is None and number not in self._twice:
            near = self._numbers.get(number)
        if near is not None:
            return self._items[near].id
        if name in self._stages:
            return name
        titled = self._titled(made_id(name)) if " " in name else None
        return self._items[titled].id if titled is not None else None

    def _titled(self, words: str) -> int | None:
        """The task with this title, or the only one whose title begins so."""
        if (found := self._by_title.get(words)) is not None:
            return found
        at = bisect_left(self._titles, f"{words}-")
        begun = [title for title in self._titles[at : at + 2] if title.startswith(f"{words}-")]
        return self._by_title[begun[0]] if len(begun) == 1 else None
