"""What waits for what: the level's own rule, and what the file writes by hand a second time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal

from stretto.formats.parallel_json.achievements import Entry, names, names_in, priority_of
from stretto.formats.reading import Reading, Table, shown
from stretto.formats.syntax.source import Steps
from stretto.model.plan import Value

Level = Literal[1, 2, 3]
"""How far apart things are that may run side by side: parts of an achievement, a priority, the whole plan."""

LOOSE = "achievements"
"""The phase of achievements of which nobody can tell the priority."""
_FROM = ("from_achievement", "from", "achievement", "achievement_id")
_TO = ("to_achievement", "to", "depends_on", "dependencies")
_WAVES = ("parallel_execution_waves", "execution_waves", "waves")
_BESIDE = ("parallelizable_with", "can_parallelize_with")
_MOST_STEPS = 200_000
"""So far is looked for what waits for what by way of others; a check of a huge plan must not take minutes."""


class Need(Value, frozen=True, kw_only=True):
    name: str
    steps: Steps


def level_of(reading: Reading, root: Table) -> Level:
    """The level; what is none is told, and read as 3, where nothing but dependencies orders anything."""
    value = root.get("parallelization_level")
    found = re.fullmatch(r"(?:level)?[ _-]*([123])", str(value).strip().casefold()) if _is_word(value) else None
    if found is None:
        said = f"`parallelization_level` {shown(str(value))!r} is none of the format" if value is not None else (
            "this plan says no `parallelization_level`"
        )  # fmt: skip
        reading.report(
            "odd-level",
            f"{said}; it is read as level_3: dependencies alone order the achievements",
            ("parallelization_level",),
            "level_1 splits achievements, level_2 runs priorities one after another, level_3 looks at dependencies",
        )
    return (1, 2, 3)[int(found[1]) - 1] if found else 3


def _is_word(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and len(str(value)[:40]) < 40


def phase_of(entry: Entry) -> str:
    """The phase of an achievement that is one task. Only level 2 makes these phases wait for each other."""
    return LOOSE if entry.priority is None else f"priority-{entry.priority}"


def needs_of(reading: Reading, root: Table, entries: Sequence[Entry]) -> list[list[Need]]:
    """What each entry waits for, once each: its dependencies, and those across priorities."""
    found: list[dict[str, Steps]] = [{} for _ in entries]
    for entry, needs in zip(entries, found, strict=True):
        for name, steps in names(entry, "dependencies", "depends_on"):
            needs.setdefault(name, steps)
    own = {entry.id: needs for entry, needs in zip(reversed(entries), reversed(found), strict=True)}
    for row in root.tables("cross_priority_dependencies", "dependency"):
        from_key = next((key for key in _FROM if row.values.get(key) is not None), _FROM[0])
        to_key = next((key for key in _TO if row.values.get(key) is not None), _TO[0])
        for id, at in names_in(row, from_key):
            if id not in own:
                message = f"`cross_priority_dependencies` says what {shown(id)!r} waits for, which is not in this plan"
                hint = "it reads: from_achievement waits for to_achievement"
                reading.report("unknown-id", message, at, hint, severity="error")
                continue
            for name, steps in names_in(row, to_key):
                own[id].setdefault(name, steps)
    return [[Need(name=name, steps=steps) for name, steps in needs.items()] for needs in found]


def chained(priorities: Sequence[int]) -> dict[str, tuple[str, ...]]:
    """Phases of priorities, each behind the one before it."""
    return {
        f"priority-{later}": (f"priority-{earlier}",) for earlier, later in pairwise(sorted(set(priorities)))
    }  # fmt: skip


class Contradiction(Value, frozen=True, kw_only=True):
    """A second place in the file that says otherwise than the dependencies."""

    message: str
    steps: Steps
    tasks: tuple[str, ...]


def contradictions(
    root: Table, entries: Sequence[Entry], needs: Sequence[Sequence[Need]], level: Level
) -> Iterator[Contradiction]:
    """What `blocks`, `parallelizable_with`, waves and groups say by hand, and the graph does not."""
    waits = _Waits(entries, needs, level)
    for kind in (_blocks(entries, waits), _beside(entries, waits), _waves(root, waits), _groups(entries)):
        found = list(kind)
        if found:
            first = found[0]
            more = f", and {len(found) - 1} more of that kind" if len(found) > 1 else ""
            tasks = tuple(dict.fromkeys(id for each in found for id in each.tasks))
            yield Contradiction(message=f"{first.message}{more}; {_COUNTS}", steps=first.steps, tasks=tasks)


_COUNTS = "what counts is `dependencies`, `priority` and the level"


class _Waits:
    """Who waits for whom, also by way of others."""

    def __init__(self, entries: Sequence[Entry], needs: Sequence[Sequence[Need]], level: Level) -> None:
        self._needs = {entry.id: [need.name for need in own] for entry, own in zip(entries, needs, strict=True)}
        self._priority = {entry.id: entry.priority for entry in entries} if level == 2 else {}
        self._left = _MOST_STEPS
        self._known: dict[str, set[str]] = {}

    def knows(self, id: str) -> bool:
        return id in self._needs

    def directly(self, id: str) -> Sequence[str]:
        return self._needs[id]

    def ids(self) -> Iterator[str]:
        return iter(self._needs)

    def behind(self, later: str, earlier: str) -> bool:
        """Whether one waits for the other. True where finding out would take too long."""
        mine, theirs = self._priority.get(later), self._priority.get(earlier)
        if mine is not None and theirs is not None and mine > theirs:
            return True
        return earlier in self._before(later) or self._left <= 0

    def _before(self, id: str) -> set[str]:
        if id not in self._known:
            seen: set[str] = set()
            front = [id]
            while front and self._left > 0:
                for name in self._needs.get(front.pop(), ()):
                    self._left -= 1
                    if name not in seen:
                        seen.add(name)
                        front.append(name)
            self._known[id] = seen
        return self._known[id]


def _blocks(entries: Sequence[Entry], waits: _Waits) -> Iterator[Contradiction]:
    for entry in entries:
        for name, steps in names(entry, "blocks", strict=False):
            if waits.knows(name) and name != entry.id and not waits.behind(name, entry.id):
                message = f"{shown(entry.id)!r} says that it blocks {shown(name)!r}, which does not wait for it"
                yield Contradiction(message=message, steps=steps, tasks=(entry.id, name))


def _beside(entries: Sequence[Entry], waits: _Waits) -> Iterator[Contradiction]:
    told: set[frozenset[str]] = set()
    for entry in entries:
        for name, steps in names(entry, *_BESIDE, strict=False):
            pair = frozenset((entry.id, name))
            if not waits.knows(name) or name == entry.id or pair in told:
                continue
            for later, earlier in ((entry.id, name), (name, entry.id)):
                if earlier in waits.directly(later):
                    told.add(pair)
                    message = (
                        f"{shown(entry.id)!r} and {shown(name)!r} should run side by side, "
                        f"but {shown(later)!r} waits for {shown(earlier)!r}"
                    )
                    yield Contradiction(message=message, steps=steps, tasks=(later, earlier))


def _waves(root: Table, waits: _Waits) -> Iterator[Contradiction]:
    number, steps = _numbers(root)
    for later in waits.ids():
        for earlier in waits.directly(later):
            if later in number and earlier in number and number[earlier] >= number[later] and later != earlier:
                message = f"{shown(later)!r} waits for {shown(earlier)!r}, which the waves have " + (
                    "in the same one" if number[earlier] == number[later] else "in a later one"
                )
                yield Contradiction(message=message, steps=steps, tasks=(later, earlier))


def _numbers(root: Table) -> tuple[dict[str, int], Steps]:
    """The wave of each achievement, and where the waves stand."""
    key = next((key for key in _WAVES if isinstance(root.values.get(key), list | dict)), None)
    if key is None:
        return {}, ()
    value = root.values[key]
    waves = list(value.values()) if isinstance(value, dict) else value
    number: dict[str, int] = {}
    for i, wave in enumerate(waves if isinstance(waves, list) else ()):
        if isinstance(wave, dict):
            wave = next(
                (wave[name] for name in ("achievements", "items", "tasks") if isinstance(wave.get(name), list)), ()
            )
        for each in wave if isinstance(wave, list) else ():
            name = each.get("achievement_id") if isinstance(each, dict) else each
            if isinstance(name, str):
                number.setdefault(name.strip(), i)
    return number, (*root.steps, key)


def _groups(entries: Sequence[Entry]) -> Iterator[Contradiction]:
    for entry in entries:
        own = priority_of(entry.values.get("priority"))
        if own is not None and entry.group is not None and own != entry.group:
            message = f"{shown(entry.id)!r} has priority {own}, and stands in the group of priority {entry.group}"
            yield Contradiction(message=message, steps=entry.at("priority"), tasks=(entry.id,))
