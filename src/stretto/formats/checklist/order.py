"""What waits for what in a checklist by its place.

A list says nothing about order, so only what is plain counts: numbers are a sequence, and so are headings such as
"Phase 2" or "Sprint 3". In a list where one says `[P]`, the others wait for all above them.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from stretto.formats.checklist.items import Checklist
from stretto.formats.checklist.words import made_id
from stretto.formats.syntax.markdown_text import Outline

_STAGE = (
    r"phase|stage|sprint|step|milestone|wave|week|day|iteration|part|increment|fase|etapa|[ée]tape|schritt|этап|фаза|шаг"
    r"|阶段|フェーズ|단계"
)
_SAYS_ORDER = re.compile(
    rf"[\W_]*+(?:(?:{_STAGE})\s*#?(?:\d|[IVX]+\b|[A-Z]\b)|M\d+\b|[^\W\d]+\s+\d+(?:\.\d+)*\s*(?::|[-–—]\s)|v?\d+(?:\.\d+)*[.):]?(?:\s|$))",
    re.IGNORECASE,
)
_STAGE_ID = re.compile(rf"[\W_]*({_STAGE})\s*#?(\d+(?:\.\d+)*|[A-Z]\b)", re.IGNORECASE)
_MANY = 100
"""More waits than this for each of several tasks are led through one."""


@dataclass(slots=True)
class Stage:
    """A phase: the tasks of one section, of one group, or of one list where the lists come one after another."""

    id: str
    title: str
    at: int
    """Offset of what it is named after."""
    members: list[int] = field(default_factory=list)
    depends_on: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class _Branch:
    """Tasks, and others that hold tasks, in file order; `ordered`: one after another."""

    entries: list[_Branch | int]
    ordered: bool = False
    whole: Stage | None = None
    """The phase that has exactly what is in it."""


class Order:
    """The phases of a list, and for each task those that it waits for by its place.

    `explicit`: for each task whether it says that it waits for nothing."""

    def __init__(self, outline: Outline, checklist: Checklist, explicit: Sequence[bool]) -> None:
        self._sections, self._list, self._explicit = outline.sections, checklist, explicit
        self._items = checklist.items
        self._position = {item.id: i for i, item in reversed(list(enumerate(self._items)))}
        self._stage_ids: dict[str, Stage] = {}
        self._waits: dict[int, dict[str, None]] = {}
        self._kept: set[int] = set()
        self._needs: Mapping[int, Sequence[str]] = {}
        self.loose: list[int] = []
        """The first task of each list whose tasks stand side by side."""
        self._roots = self._tree()
        self.stages = sorted(self._stage_ids.values(), key=lambda stage: stage.members[0])
        self.stage_of = {i: stage for stage in self.stages for i in stage.members}

    # --- phases ---

    def _tree(self) -> list[_Branch | int]:
        own: dict[int, list[int]] = {}
        below: dict[int, dict[int, _Branch | int]] = {}
        used: set[int] = set()
        for i, item in enumerate(self._items):
            if item.heading is None:
                own.setdefault(item.section, []).append(i)
            else:
                below.setdefault(item.section, {})[item.heading] = i
            at: int | None = item.section
            while at is not None and at not in used:
                used.add(at)
                at = self._list.parents[at]
        roots: list[_Branch | int] = []
        for at in sorted(used, reverse=True):  # those within others first
            branch = self._section(at, own.get(at, []), below.get(at, {}))
            parent = self._list.parents[at]
            if parent is None:
                roots.insert(0, branch)
            else:
                below.setdefault(parent, {})[at] = branch
        return roots

    def _section(self, at: int, own: Sequence[int], below: Mapping[int, _Branch | int]) -> _Branch:
        """The lists of a section, and what is below it: sections, and headings that are tasks."""
        runs: dict[int, list[int]] = {}
        for i in own:
            runs.setdefault(self._items[i].run, []).append(i)
        labels = [self._items[members[0]].label for members in runs.values()]
        staged = len(runs) > 1 and any(map(_SAYS_ORDER.match, labels))
        headings = [x for _, x in sorted(below.items()) if isinstance(x, int)]
        home: Stage | None = None
        lists: list[_Branch | int] = []
        for members, label in zip(runs.values(), labels, strict=True):
            single = [i for i in members if self._items[i].group is None]
            stage = None
            if single:
                stage = self._stage(label, self._items[single[0]].start) if staged and label else home or self._home(at)
                home = home if staged and label else stage
                stage.members += single
            alone = len(single) == len(members) and (bool(staged and label) or (len(runs) == 1 and not headings))
            lists.append(self._run(members, stage if alone else None))
        if headings:
            home = home or self._home(at)
            home.members = sorted((*home.members, *headings))
        titles = [self._sections[n].title for n in below]
        ordered = any(map(_SAYS_ORDER.match, titles)) or any(self._items[i].numbered for i in headings)
        return _Branch([_Branch(lists, staged), _Branch([x for _, x in sorted(below.items())], ordered)])

    def _home(self, at: int) -> Stage:
        return self._stage(self._sections[at].title, self._sections[at].start)

    def _stage(self, title: str, at: int) -> Stage:
        found = _STAGE_ID.match(title)
        made = made_id(f"{found[1]} {found[2]}" if found else title) if re.search(r"\w", title) else "main"
        made = f"{made}-phase" if made in self._position else made
        id, n = made, 1
        while id in self._stage_ids or id in self._position:
            n += 1
            id = f"{made}-{n}"
        self._stage_ids[id] = stage = Stage(id=id, title=title, at=at)
        return stage

    def _run(self, members: Sequence[int], whole: Stage | None) -> _Branch:
        """One list: its tasks, and its groups with theirs."""
        entries: list[_Branch | int] = []
        numbered: list[bool] = []
        groups: dict[int, list[int]] = {}
        for i in members:
            group = self._items[i].group
            if group is None:
                entries.append(i)
                numbered.append(self._items[i].numbered)
            elif group in groups:
                groups[group].append(i)
            else:
                groups[group] = [i]
                stage = self._stage(self._list.groups[group].words.title, self._items[i].start)
                stage.members = groups[group]
                entries.append(_Branch(groups[group], whole=stage))  # type: ignore[arg-type]
                numbered.append(self._list.groups[group].numbered)
        for entry in entries:
            if isinstance(entry, _Branch):
                own = [x for x in entry.entries if isinstance(x, int)]
                entry.ordered = self._is_sequence(own, [self._items[x].numbered for x in own])
        single = [i for i in members if self._items[i].group is None]
        return _Branch(entries, self._is_sequence(single, numbered), whole)

    def _is_sequence(self, tasks: Sequence[int], numbered: Sequence[bool]) -> bool:
        """All have numbers, or one says that it may run beside others: then the rest may not."""
        says = all(numbered) or any(self._items[i].words.parallel for i in tasks)
        return len(numbered) > 1 and says

    def _by_words(self, entries: Sequence[_Branch | int]) -> bool:
        """Of the tasks behind the first, most say which of the others they wait for: then numbers are only names."""
        tasks = [x for x in entries if isinstance(x, int)]
        ids = {self._items[i].id for i in tasks}
        says = sum(self._explicit[i] or not ids.isdisjoint(self._needs.get(i, ())) for i in tasks[1:])
        return len(tasks) == len(entries) and says * 2 > len(tasks) - 1

    def _says_some(self, entries: Sequence[_Branch | int]) -> bool:
        """Whether words of the tasks themselves say something about order; what they leave open may be meant so."""
        return any(self._explicit[i] or self._needs.get(i) for i in entries if isinstance(i, int))

    # --- order ---

    def waits(self, kept: set[int], needs: Mapping[int, Sequence[str]]) -> Mapping[int, Sequence[str]]:
        """What each task waits for, and by the way each phase. `kept`: tasks that are part of the run; `needs`: what
        they name."""
        self._kept, self._needs, self._waits = kept, needs, {i: {} for i in kept}
        for root in self._roots:
            self._place(root, [])
        return {i: list(names) for i, names in self._waits.items()}

    def _place(self, entry: _Branch | int, before: Sequence[str]) -> list[str]:
        """Let an entry wait for those; what has to be waited for to have all of it."""
        if isinstance(entry, int):
            if entry not in self._kept:
                return []
            self._waits[entry].update(dict.fromkeys(before))
            return [self._items[entry].id]
        if entry.whole:
            phases = [name for name in before if name in self._stage_ids]
            entry.whole.depends_on.update(dict.fromkeys(phases))
            before = [name for name in before if name not in self._stage_ids]
        if entry.ordered and not self._by_words(entry.entries):
            ends = self._one_by_one(entry, before)
        else:
            ends = [end for x in entry.entries for end in self._place(x, before)]
            if len(ends) > 1 and isinstance(entry.entries[0], int) and not self._says_some(entry.entries):
                self.loose.append(min(self._position[end] for end in ends if end in self._position))
        return [entry.whole.id] if entry.whole and ends else ends

    def _one_by_one(self, branch: _Branch, before: Sequence[str]) -> list[str]:
        """As they stand; those that say that they are parallel and stand together run side by side."""
        first, beside = list(before), list[str]()
        for entry in self._sorted(branch.entries):
            parallel = isinstance(entry, int) and self._items[entry].words.parallel
            waits = first if parallel else beside or first
            if len(waits) > _MANY and (parallel or not isinstance(entry, int)):
                first = waits = [self._through(waits)]
            ends = self._place(entry, waits)
            if parallel:
                beside += ends
            elif ends:
                first, beside = ends, []
        return beside or (first if first != list(before) else [])

    def _through(self, names: Sequence[str]) -> str:
        """Let the last of many wait for the others, so that it is enough to wait for that one."""
        *others, last = names
        if last in self._stage_ids:
            self._stage_ids[last].depends_on.update(dict.fromkeys(x for x in others if x in self._stage_ids))
        else:
            self._waits[self._position[last]].update(dict.fromkeys(others))
        return last

    def _sorted(self, entries: Sequence[_Branch | int]) -> Iterator[_Branch | int]:
        """Each task behind those of its list that it names; in file order wherever that leaves a choice."""
        place = {self._items[x].id: n for n, x in enumerate(entries) if isinstance(x, int)}
        left: dict[int, set[int]] = {}
        blocks: dict[int, list[int]] = {}
        for n, x in enumerate(entries):
            names = self._needs.get(x, ()) if isinstance(x, int) else ()
            left[n] = {place[name] for name in names if name in place and place[name] != n}
            for other in left[n]:
                blocks.setdefault(other, []).append(n)
        ready = [n for n in left if not left[n]]
        placed: set[int] = set()
        while ready:
            placed.add(n := heapq.heappop(ready))
            yield entries[n]
            for other in blocks.get(n, ()):
                left[other].discard(n)
                if not left[other]:
                    heapq.heappush(ready, other)
        yield from (entries[n] for n in left if n not in placed)  # a cycle, which lint will tell
