"""beads' issues: epics are phases, the issues of an epic are its tasks, and what blocks an epic blocks all of them."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from stretto.formats.auto_claude.reader import claimed
from stretto.formats.beads.issues import (
    BLOCKS,
    GROUPS,
    PARENT,
    STATUSES,
    Values,
    is_issue,
    is_work,
    kind_of,
    links,
    meaning_of,
    records,
)
from stretto.formats.beads.prompt import around_words, prompt
from stretto.formats.named_paths import named_paths
from stretto.formats.reading import Read, Reading, Table, shown
from stretto.formats.set_aside import Aside, without
from stretto.formats.syntax.source import Source, Steps
from stretto.model.plan import Phase, Plan, Task, TaskStatus, Value

NAME = "beads"
LOOSE = "issues"
"""The phase of the issues that belong to no other."""

_FILES = ("files", "file_list", "planned_files", "touched_files", "paths", "writes")
"""Keys of `metadata` that say which files an issue will touch."""
_CHANGES = frozenset({"bug", "feature", "task", "chore", "story", "refactor"})
_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,}).*?(?:^[ \t]*\1[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_MOST_AROUND = 6
"""Of more issues around one the nearest go with its prompt."""
_MAX_MINUTES = 60 * 24 * 365


def recognises(source: Source) -> bool:
    """Records with a title and a status, and something that only beads' have."""
    return any(is_issue(values, alone=source.syntax == "json-lines") for _, values in records(source))


def read(source: Source) -> Read:
    """The plan of the issues that are work."""
    return _Reader(source).read()


class _Above(Value, frozen=True, kw_only=True):
    """What the issues that one belongs to say for it."""

    needs: Mapping[str, Steps] = {}
    aside: Aside | None = None
    told: tuple[Values, ...] = ()
    """The nearest of them, from the outside in."""
    words: str = ""
    """The same, for prompts."""


class _Reader:
    def __init__(self, source: Source) -> None:
        self._reading = Reading(source)
        self._all = records(source)
        self._issues: dict[str, tuple[Table, Values]] = {}
        self._gone: set[str] = set()
        """Ids that nobody waits for: what is deleted, and what is no work."""
        self._aside: dict[str, Aside] = {}
        self._known: dict[str, _Above] = {}
        self._within: dict[str, list[str]] = {}

    def read(self) -> Read:
        self._reading.places.mark("plan", ())
        twice = list(self._collect())
        groups = [id for id in self._issues if id in self._children]
        tasks = [
            self._task(id, table, values) for id, (table, values) in self._issues.items() if id not in self._children
        ]
        tasks += (self._task(id, table, values) for id, table, values in twice)
        kept, told = without(tasks, self._aside)
        for finding in told:
            at = self._reading.places.steps(f"task:{finding.task}")
            self._reading.report("set-aside", finding.message, at, finding.hint, severity="info", tasks=finding.tasks)
        used = dict.fromkeys(task.phase for task in kept)
        for id in used:
            self._reading.places.mark(f"phase:{id}", self._issues[id][0].steps if id in self._issues else ())
        found = tuple(Phase(id=id, title=self._title_of(id)) for id in (*groups, LOOSE) if id in used)
        home = Path(self._reading.source.file).absolute().parent
        name = (home.parent if home.name == ".beads" else home).name or NAME
        return self._reading.finish(lambda: Plan(name=name, format=NAME, phases=found, tasks=tuple(kept)))

    def _collect(self) -> Iterator[tuple[str, Table, Values]]:
        """Take up all issues; those that have an id that another has, too."""
        for steps, values in self._all:
            table = Table(self._reading, steps, values, f"issue {shown(str(values.get('id')))!r}")
            if not is_work(values):
                if isinstance(values.get("id"), str):
                    self._gone.add(str(values["id"]))
                continue
            if values.get("id") is None:
                table.missing("id", "every issue has one")
            id = table.id("id") or ""
            if meaning_of(values) == "dropped" and values.get("status") == "tombstone":
                self._gone.add(id)
            elif id in self._issues:
                yield id, table, values
            else:
                self._issues[id] = table, values

    @cached_property
    def _parents(self) -> dict[str, str]:
        """Of each issue the one that it belongs to: by a link, a key, or its own id (`bd-1.2` belongs to `bd-1`)."""
        found: dict[str, str] = {}
        for id, (_, values) in self._issues.items():
            named = [name for kind, name, _ in links(values) if kind == PARENT]
            if isinstance(parent := values.get("parent"), str):
                named.append(parent)
            if "." in id:
                named.append(id.rpartition(".")[0])
            for name in named:
                if name in self._issues and name != id:
                    found[id] = name
                    break
        return self._without_loops(found)

    def _without_loops(self, parents: dict[str, str]) -> dict[str, str]:
        """Issues that are their own ancestors belong to nobody."""
        sound: set[str] = set()
        for id in list(parents):
            way: dict[str, None] = {}
            at: str | None = id
            while at is not None and at not in sound and at not in way:
                way[at] = None
                at = parents.get(at)
            if at is not None and at in way:
                loop = list(way)[list(way).index(at) :]
                for each in loop:
                    del parents[each]
                self._reading.report(
                    "cycle",
                    f"{shown(', '.join(loop[:5]), 100)}: each belongs to the next, and the last to the first",
                    self._issues[at][0].steps,
                    "take out one of these parent-child dependencies",
                    severity="error",
                )
            sound.update(way)
        return parents

    @cached_property
    def _children(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for id, parent in self._parents.items():
            found.setdefault(parent, []).append(id)
        return found

    def _above(self, id: str) -> _Above:
        """What the issues that one belongs to say for it."""
        way: list[str] = []
        at = self._parents.get(id)
        while at is not None and at not in self._known:
            way.append(at)
            at = self._parents.get(at)
        above = self._known[at] if at is not None else _Above()
        for each in reversed(way):
            table, values = self._issues[each]
            own = dict(self._links(each, table, values))
            told = (*above.told, values)[-_MOST_AROUND:]
            above = self._known[each] = _Above(
                needs={**above.needs, **own} if own else above.needs,
                aside=above.aside or self._word(values) or self._aside.get(each),
                told=told,
                words=around_words(told),
            )
        return above

    def _word(self, values: Values) -> Aside | None:
        meaning = meaning_of(values)
        if meaning == "dropped":
            return "dropped"
        return "later" if meaning == "later" or _is_put_off(values) else None

    def _title_of(self, id: str) -> str:
        values = self._issues[id][1] if id in self._issues else {"title": "Issues of no epic"}
        return shown(" ".join(str(values.get("title") or "").split()), 100)

    def _task(self, id: str, table: Table, values: Values) -> Task:
        place = self._reading.places.mark(f"task:{id}", table.steps)
        above = self._above(id)
        title = table.text("title")
        if not title.strip() and not values.get("description"):
            table.missing("title", "say what is to be done; an id is no prompt")
        needs = {**dict(self._links(id, table, values)), **above.needs}
        needs.pop(id, None)
        for i, steps in enumerate(needs.values()):
            self._reading.places.mark(f"{place}:depends_on:{i}", steps)
        writes = self._writes(table, values, place)
        return Task(
            id=id,
            phase=self._parents.get(id, LOOSE),
            title=shown(" ".join(title.split()), 100),
            prompt=prompt(values, above.words),
            depends_on=tuple(needs),
            writes=writes,
            effect="changes" if writes and kind_of(values) in _CHANGES else "any",
            priority=_priority(values),
            estimate_s=_estimate_s(values),
            status=self._status(id, table, values, above.aside),
        )

    def _status(self, id: str, table: Table, values: Values, above: Aside | None) -> TaskStatus:
        meaning = meaning_of(values)
        if meaning == "succeeded":
            return "succeeded"
        if meaning is None:
            self._reading.unknown_status(
                table.about, values.get("status"), (*table.steps, "status"), (id,), STATUSES, counts_as="open"
            )
        kind = kind_of(values)
        aside: Aside | None = "later" if kind in GROUPS or kind == "gate" else None
        aside = self._word(values) or above or self._aside.get(id) or aside
        if aside:
            self._aside[id] = aside
        return "running" if meaning == "running" and not aside else "pending"

    def _links(self, id: str, table: Table, values: Values) -> Iterator[tuple[str, Steps]]:
        """What holds an issue up, and where it says so."""
        for kind, name, i in links(values):
            if kind not in BLOCKS or name in self._gone or name == id:
                continue
            if kind == "conditional-blocks" or name.startswith("external:"):
                self._aside[id] = "later"  # it runs only if the other fails, or waits for another project
            elif not self._is_within(id, name):
                yield from ((need, (*table.steps, "dependencies", i)) for need in self._meant(name))

    def _is_within(self, id: str, name: str) -> bool:
        """Whether an issue belongs to another, which can only be done after it."""
        at = self._parents.get(id) if name in self._children else None
        while at is not None and at != name:
            at = self._parents.get(at)
        return at is not None

    def _meant(self, name: str) -> list[str]:
        """Who waits for an epic waits for all issues of it: by its phase, and those of the epics within it."""
        if name not in self._children:
            return [name]
        if meaning_of(self._issues[name][1]) == "succeeded":
            return []
        if name not in self._within:
            self._within[name] = self._groups_within(name)
        return self._within[name]

    def _groups_within(self, name: str) -> list[str]:
        """An epic and those within it that have issues of their own."""
        found: list[str] = []
        front = [name]
        while front:
            at = front.pop()
            found.append(at)
            front += (x for x in self._children[at] if x in self._children)
        return [x for x in found if any(child not in self._children for child in self._children[x])]

    def _writes(self, table: Table, values: Values, place: str) -> tuple[str, ...] | None:
        """The files that `metadata` lists, else those that the words name; None (unknown) where there are none."""
        claims: dict[str, str] = {claim: "metadata" for raw in _listed(values) if (claim := claimed(raw)) is not None}
        if not claims:
            for key in ("title", "description", "design"):
                text = values.get(key)
                words = _without_code(text) if isinstance(text, str) else ""
                for path, _, _ in named_paths(words):
                    claims.setdefault(path, key)
        return self._reading.places.claims(place, ((x, (*table.steps, key)) for x, key in claims.items())) or None


def _without_code(text: str) -> str:
    return _FENCE.sub("", text) if "```" in text or "~~~" in text else text


def _listed(values: Values) -> list[str]:
    metadata = values.get("metadata")
    if metadata is None:
        return []
    if isinstance(metadata, str):
        try:
            metadata = json.loads(metadata)
        except (ValueError, RecursionError):
            return []
    found: list[str] = []
    known: Values = metadata if isinstance(metadata, dict) else {}
    for key in _FILES:
        value = known.get(key)
        found += (each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str))
    return found


def _priority(values: Values) -> int:
    """From 0 (first) to 4; 2 where it is none."""
    value = values.get("priority")
    if isinstance(value, str) and re.fullmatch(r"[pP]?[0-4]", value.strip()):
        value = int(value.strip()[-1])
    return value + 1 if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 4 else 3


def _estimate_s(values: Values) -> float | None:
    value = values.get("estimated_minutes")
    plain = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < _MAX_MINUTES
    return float(value) * 60 if plain and isinstance(value, int | float) else None


def _is_put_off(values: Values) -> bool:
    """Whether it is to wait for a day that has not come."""
    value = values.get("defer_until")
    try:
        day = datetime.datetime.fromisoformat(value) if isinstance(value, str) else None
        return day is not None and day.astimezone(datetime.UTC) > datetime.datetime.now(datetime.UTC)
    except (ValueError, OverflowError):
        return False
