"""Which task or phase of a checklist a name means: an id, a number of the list, or `phase 2`."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cache, cached_property

from stretto.formats.checklist.items import Checklist
from stretto.formats.checklist.needs import Need
from stretto.formats.checklist.order import Order
from stretto.formats.checklist.words import made_id, plain
from stretto.formats.syntax.markdown_text import Outline

_MARKER = re.compile(r"(\d{1,9})[.)]")
_CALLED = re.compile(r"[*_`~]*(?:(T\d+)(?!\w)|(?:(?<=[*_`])(\w[\w.-]*)[*_`]|(\w[\w.-]*):(?=[\s*_`])))")
"""A first word that a task may go by, though it is no id: `T7`, one that is marked, or one before a colon."""
_FIRST = re.compile(r"[*_`~]*(?=[^\W_])([\w](?:[\w.-]*\w)?)(?=[\s*`~:,)]|$)")
_LIKE_AN_ID = re.compile(r"(?=.*[^\W\d_])(?=.*[\d-])", re.DOTALL)
"""Letters, and a digit or a hyphen: most words have neither, and numbers have no letters."""
_TASKS = {"task", "step", "item", "story", "ticket", "issue"}
_MOST = 4


class Names:
    def __init__(self, outline: Outline, checklist: Checklist, order: Order, text: str) -> None:
        self._sections, self._parents = outline.sections, checklist.parents
        items = checklist.items
        self._items, self._order = items, order
        self._stages = {stage.id: stage for stage in order.stages}
        self._by_name: dict[str, int] = {}
        self._by_number: dict[tuple[int | None, str], list[int]] = {}
        """In a section, and in all of the list (None)."""
        self._called: dict[str, list[int]] = {}
        """By what tasks may be called besides."""
        self._begun: dict[str, list[int]] = {}
        """By first words that look like an id: `a-1`, `db-schema`."""
        for i, item in enumerate(items):
            self._by_name.setdefault(item.id.casefold(), i)
            number = item.words.number or ((found[1]) if (found := _MARKER.match(text, item.start)) else "")
            for section in (item.section, None) if number else ():
                self._by_number.setdefault((section, number), []).append(i)
            called = _CALLED.match(text, item.text_at)
            for name in {item.words.id.casefold(), (called[called.lastindex or 0] if called else "").casefold()} - {""}:
                self._called.setdefault(name, []).append(i)
            if (first := _FIRST.match(text, item.text_at)) and _LIKE_AN_ID.match(first[1]):
                self._begun.setdefault(first[1].rstrip("_").casefold(), []).append(i)

    @cached_property
    def _by_title(self) -> dict[str, int]:
        return {made_id(item.words.title): i for i, item in reversed(list(enumerate(self._items)))}

    @cached_property
    def _titles(self) -> list[str]:
        return sorted(self._by_title)

    @cached_property
    def _headings(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for n, section in enumerate(self._sections):
            found.setdefault(made_id(plain(section.title)), []).append(n)
        return found

    @cached_property
    def _places(self) -> dict[str, int]:
        return {item.id: i for i, item in enumerate(self._items)}

    @cached_property
    def _places_of_stages(self) -> dict[str, int]:
        return {stage.id: i for i, stage in enumerate(self._order.stages)}

    def meant(self, need: Need, i: int) -> tuple[str, ...] | None:
        """The ids that a name stands for, without the task itself and what it is in; None: it is not known."""
        first = self._named(need, need.name, i)
        if first is None:
            return self._headed(need, i) or None
        if need.until:
            last = self._named(need, need.until, i)
            if last is None:
                return None
            return tuple(id for id in self._between(first, last) if not self._is_own(id, i))
        return () if self._is_own(first, i) else (first,)

    def is_counted(self, needs: Sequence[Need], i: int) -> bool:
        """Whether plain numbers behind `(after` count something: one is of this task, or of one that comes later."""
        meant = [ids for need in needs if (ids := self.meant(need, i)) is not None]
        return any(not ids or any(self._places.get(id, i) >= i for id in ids) for ids in meant)

    def _headed(self, need: Need, i: int) -> tuple[str, ...]:
        """The phases below a heading, or of a group, that is named in quotes; none where the task is in it."""
        if not need.quoted or not (need.sure or need.ends):
            return ()
        own, phases = self._below(made_id(need.name))
        return () if i in own else phases

    @cache  # noqa: B019  the names live no longer than their list is read
    def _below(self, name: str) -> tuple[frozenset[int], tuple[str, ...]]:
        """The tasks below the heading, or of the group, with this name, and their phases."""
        at = self._headings.get(name, [])
        if len(at) == 1:
            members = [n for n, item in enumerate(self._items) if at[0] in self._around(item.section)]
        else:
            stages = [] if at else [stage for stage in self._order.stages if made_id(plain(stage.title)) == name]
            members = list(stages[0].members) if len(stages) == 1 else []
        return frozenset(members), tuple(dict.fromkeys(self._order.stage_of[n].id for n in members))

    def _around(self, section: int) -> Iterator[int]:
        """A section, and all that it is in."""
        at: int | None = section
        while at is not None:
            yield at
            at = self._parents[at]

    def several(self, need: Need, i: int) -> tuple[str, ...]:
        """The tasks that a name which is not known may mean, where those are more than one: the first few."""
        if name := self.unknown(need, i):
            called = self._called.get(name.casefold()) or self._begun.get(name.casefold(), [])
            found = self._numbered(name, i) or (called if need.sure else [])
            return tuple(self._items[n].id for n in found[:_MOST]) if need.thing in {"", *_TASKS} else ()
        return ()

    def unknown(self, need: Need, i: int) -> str:
        """Which end of it is not known; empty: both are, or there is but one."""
        names = (name for name in (need.name, need.until) if name)
        return next((name for name in names if self._named(need, name, i) is None), "")

    def is_itself(self, need: Need, i: int) -> bool:
        """Whether a task says of itself that it waits for it, and means nothing else by the name."""
        plain = need.sure and not need.until and not need.tool and (need.own or not need.name.isdigit())
        return plain and self._named(need, need.name, i) == self._items[i].id

    def _numbered(self, name: str, i: int) -> list[int]:
        """The tasks with a number: those of the section, else of the whole list."""
        number = name.removeprefix("#")
        return self._by_number.get((self._items[i].section, number)) or self._by_number.get((None, number), [])

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

    def _named(self, need: Need, name: str, i: int) -> str | None:
        found = self._one(name, need.thing, i, need.sure)
        if found is None and need.thing in {"", *_TASKS} and len(begun := self._begun.get(name.casefold(), [])) == 1:
            digits = any(map(str.isdigit, name))  # `well-known` is also a word
            plain = need.ends and (need.firm or (digits and not need.tool))
            return self._items[begun[0]].id if plain or (need.sure and digits) else None
        return found

    def _one(self, name: str, thing: str, i: int, sure: bool) -> str | None:
        if thing and thing not in _TASKS:
            id = made_id(f"{thing} {name}")
            return id if id in self._stages else None
        for spelled in (f"{thing}-{name}", name, f"#{name}") if thing else (name,):
            if (found := self._by_name.get(spelled.casefold())) is not None:
                return self._items[found].id
        numbered = self._numbered(name, i)
        if len(numbered) == 1:
            return self._items[numbered[0]].id
        if name in self._stages:
            return name
        if numbered:
            return None
        if sure and (called := self._called.get(name.casefold())):
            return self._items[called[0]].id if len(called) == 1 else None
        titled = self._titled(made_id(name)) if " " in name else None
        return self._items[titled].id if titled is not None else None

    def _titled(self, words: str) -> int | None:
        """The task with this title, or the only one whose title begins so."""
        if (found := self._by_title.get(words)) is not None:
            return found
        at = bisect_left(self._titles, f"{words}-")
        begun = [title for title in self._titles[at : at + 2] if title.startswith(f"{words}-")]
        return self._by_title[begun[0]] if len(begun) == 1 else None
