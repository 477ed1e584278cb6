"""The achievements of a `parallel.json`, wherever in the file they stand, each of them once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from stretto.formats.reading import Reading, Table, shown
from stretto.formats.syntax.source import Source, Steps
from stretto.model.plan import Value

IDS = ("achievement_id", "id", "achievement")
_PART_IDS = ("execution_id", "sub_execution_id", "id", "achievement_id")
_TITLES = ("title", "name")
_LIKELY = {"dependencies", "sub_executions", "estimated_hours", "priority", "blocks"}
"""Keys by which achievements of a plan are told from those of a game."""
_PRIORITY_WORDS = {"critical": 1, "high": 2, "medium": 3, "low": 4}
_PRIORITY = re.compile(r"(?:p|priority[ _-]?)?(\d{1,4})", re.IGNORECASE)
_PATTERN = re.compile(r"(\d{1,9})\.\d{1,9}")
_NO_NAMES = {"", "none", "n/a", "-"}


class Entry(Value, frozen=True, kw_only=True):
    """An achievement, or a part of one: what the file says of it, in one place or several."""

    id: str
    tables: tuple[Table, ...]
    priority: int | None
    """As the file counts: 1 comes first. None where nobody can tell."""
    group: int | None = None
    """Number of the priority group that names it."""
    parts: tuple[Entry, ...] = ()

    @property
    def steps(self) -> Steps:
        return self.tables[0].steps

    @property
    def values(self) -> Mapping[str, object]:
        if len(self.tables) == 1:
            return self.tables[0].values
        return {key: value for table in reversed(self.tables) for key, value in table.values.items()}

    def at(self, key: str) -> Steps:
        """Where it says so."""
        table = next((table for table in self.tables if key in table.values), self.tables[0])
        return (*table.steps, key)

    @property
    def title(self) -> str:
        return one_line(self.values, *_TITLES)


def recognises(source: Source) -> bool:
    """Achievements with a level of parallelization, or with ids and what only a plan says of them."""
    tree = source.tree
    if source.syntax != "json" or not isinstance(tree, dict):
        return False
    if "parallelization_level" in tree:
        return bool({"plan_name", "achievements", "priority_groups"} & tree.keys())
    if "plan_name" in tree and "priority_groups" in tree:
        return True
    found = tree.get("achievements")
    members = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    return any(isinstance(each, dict) and "achievement_id" in each and _LIKELY & each.keys() for each in members)


def achievements_of(reading: Reading, root: Table) -> list[Entry]:
    """In file order. One that a priority group repeats is read once, with what either place says of it."""
    found: list[tuple[str, list[Table]]] = []
    known: dict[str, list[Table]] = {}
    for table in _members(reading, root, "achievements", "achievement"):
        id = _id(table)
        found.append((id, tables := [table]))
        known.setdefault(id, tables)
    groups: dict[str, int] = {}
    for group, number in _groups(root):
        for table in _members(reading, group, "achievements", "achievement"):
            id = _id(table)
            if number is not None:
                groups.setdefault(id, number)
            if id not in known:
                known[id] = []
                found.append((id, known[id]))
            if table.values.keys() - set(IDS[:1]) or not known[id]:
                known[id].append(table)
    return [_entry(reading, id, tables, groups.get(id)) for id, tables in found]


def _entry(reading: Reading, id: str, tables: list[Table], group: int | None) -> Entry:
    whole = Entry(id=id, tables=tuple(tables), priority=None)
    own = priority_of(whole.values.get("priority"))
    pattern = _PATTERN.fullmatch(id)
    by_id = int(pattern[1]) if pattern else None  # the X of X.Y is the priority, says the format
    priority = own if own is not None else group if group is not None else by_id
    holder = next((table for table in tables if table.values.get("sub_executions")), None)
    parts = _members(reading, holder, "sub_executions", "sub-execution") if holder is not None else []
    named = [_part_id(part, id, i) for i, part in enumerate(parts)]
    return Entry(
        id=id,
        tables=tuple(tables),
        priority=priority,
        group=group,
        parts=tuple(Entry(id=name, tables=(part,), priority=priority) for name, part in zip(named, parts, strict=True)),
    )


def is_of_the_form(id: str) -> bool:
    """X.Y, as the format wants the ids of achievements."""
    return _PATTERN.fullmatch(id) is not None


def priority_of(value: object) -> int | None:
    match value:
        case int() if not isinstance(value, bool) and abs(value) < 10_000:
            return value
        case str():
            word = value.strip().casefold()
            number = _PRIORITY.fullmatch(word)
            return int(number[1]) if number else _PRIORITY_WORDS.get(word)
        case _:
            return None


def names(entry: Entry, *keys: str, strict: bool = True) -> Iterator[tuple[str, Steps]]:
    """The ids that these keys list, and where: texts, numbers, `"1.1, 1.2"`, or mappings with an id.

    `strict`: what is none of these is refused, and else left out."""
    for key in keys:
        table = next((table for table in entry.tables if table.values.get(key) is not None), None)
        if table is not None:
            yield from names_in(table, key, strict=strict)


def names_in(table: Table, key: str, *, strict: bool = True) -> Iterator[tuple[str, Steps]]:
    value = table.values.get(key)
    inside = isinstance(value, list)
    for i, each in enumerate(value if isinstance(value, list) else [value]):
        more: tuple[str | int, ...] = (i,) if inside else ()
        if isinstance(each, dict):
            last = next((name for name in IDS if each.get(name) is not None), None)
            if last is not None:
                more, each = (*more, last), each[last]
        steps: Steps = (*table.steps, key, *more)
        match each:
            case str():
                for name in each.split(","):
                    name = re.sub(r"^achievement\s+", "", name.strip(), flags=re.IGNORECASE)
                    if name.casefold() not in _NO_NAMES:
                        yield name, steps
            case int() | float() if not isinstance(each, bool):
                yield table.reading.source.written(steps), steps
            case None:
                continue
            case _ if strict:
                table.wrong(key, "a list of ids", each, *more)


def one_line(values: Mapping[str, object], *keys: str) -> str:
    """The first of these that holds text, on one line."""
    texts = (" ".join(text.split()) for key in keys if isinstance(text := values.get(key), str))
    return next(filter(None, texts), "")


def _members(reading: Reading, holder: Table, key: str, about: str) -> list[Table]:
    """Mappings in a list, or below their ids; an entry that is a text or a number is an id, or a title, by itself."""
    value = holder.get(key)
    if isinstance(value, dict):
        keyed = [(name, each) for name, each in value.items() if isinstance(each, dict)]
        if len(keyed) == len(value):
            steps: Steps = (*holder.steps, key)
            return [
                Table(reading, (*steps, name), {IDS[0]: name, **each}, f"{about} {shown(name)!r}")
                for name, each in keyed
            ]
    if value is None:
        return []
    if not isinstance(value, list):
        holder.wrong(key, f"a list of {about}s", value)
        return []
    found = []
    for i, each in enumerate(value):
        steps = (*holder.steps, key, i)
        match each:
            case dict():
                found.append(Table(reading, steps, each, f"{about} {i + 1}"))
            case str() if each.strip():
                word = IDS[0] if about == "achievement" else "title"
                found.append(Table(reading, steps, {word: each.strip()}, f"{about} {i + 1}"))
            case int() | float() if about == "achievement" and not isinstance(each, bool):
                found.append(Table(reading, steps, {IDS[0]: reading.source.written(steps)}, f"{about} {i + 1}"))
            case _:
                holder.wrong(key, f"a list of {about}s", each, i)
    return found


def _groups(root: Table) -> Iterator[tuple[Table, int | None]]:
    """Priority groups and their numbers: a list of mappings, or lists and mappings below a number."""
    value = root.get("priority_groups")
    match value:
        case None:
            return
        case dict():
            for key, each in value.items():
                steps: Steps = (*root.steps, "priority_groups", key)
                about = f"priority group {shown(key)!r}"
                group = each if isinstance(each, dict) else {"achievements": each}
                yield Table(root.reading, steps, group, about), priority_of(key)
        case list():
            for i, table in enumerate(root.tables("priority_groups", "priority group")):
                number = priority_of(table.values.get("priority"))
                yield table, number if number is not None else i + 1 if "priority" not in table.values else None
        case _:
            root.wrong("priority_groups", "a list of priority groups", value)


def _id(table: Table) -> str:
    id = table.id(*IDS) or ""
    if all(table.values.get(key) is None for key in IDS):
        table.missing(IDS[0], "every achievement has an id such as 1.2")
    if isinstance(id, str):
        id = id.strip()
    table.about = f"achievement {shown(id)!r}"
    return id


def _part_id(table: Table, whole: str, index: int) -> str:
    """Ids of parts begin with that of their whole; one without an id is told by its place."""
    if all(table.values.get(key) is None for key in _PART_IDS):
        if not one_line(table.values, *_TITLES):
            table.missing(_PART_IDS[0], "every sub-execution has an id such as 1.2.1")
        own = f"{whole}.{index + 1}"
    else:
        own = (table.id(*_PART_IDS) or "").strip()
        own = own if own.startswith(whole) and own != whole else f"{whole}.{own}"
    table.about = f"sub-execution {shown(own)!r}"
    return own
