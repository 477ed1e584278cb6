"""What an epic consists of: its phases, sprints and their parts as one tree, whatever the dialect calls its keys."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Literal

from stretto.formats.syntax.source import Source, Steps

NAME = "cfn-epic"

Kind = Literal["epic", "phase", "sprint", "part"]
Values = Mapping[str, object]

_HEADERS = ("epic", "epicmetadata")
_MARKS = ("epicid", "epicname", "epicgoal", "epicacceptancecriteria")
PHASES = ("phases", "implementationphases", "epicphases")
SPRINTS = ("sprints",)
_PARTS = {
    "phases": "phase",
    **dict.fromkeys(("tasks", "subtasks", "workitems"), "task"),
    "stories": "story",
    "deliverables": "deliverable",
    "tests": "test",
}
"""Where a sprint keeps its work, the first that has any; what one of it is called."""
_IDS: Mapping[Kind, tuple[str, ...]] = {
    "epic": ("id", "epicid"),
    "phase": ("phaseid", "id", "phasenumber", "phase", "number"),
    "sprint": ("sprintid", "id", "sprintnumber", "sprint", "number"),
    "part": ("id", "taskid", "subtaskid", "deliverableid", "testid", "phaseid", "storyid", "number"),
}
NAMES = ("name", "title", "epicname", "phasename", "sprintname", "taskname", "testname", "phasetitle", "sprinttitle")
_MAX_SLUG = 40


@lru_cache(maxsize=10_000)
def fold(key: str) -> str:
    """A key without case and underscores: `sprint_id`, `sprintId` and `Sprint-ID` are one."""
    return re.sub(r"[\W_]+", "", key).casefold()


class Node:
    """The epic, one of its phases, a sprint, or a part of one."""

    def __init__(self, kind: Kind, values: Values, steps: Steps, parent: Node | None = None) -> None:
        self.kind = kind
        self.values = values
        self.steps = steps
        self.parent = parent
        self.children: list[Node] = []
        self.own_id = ""
        """As the file has it, or made up from the name or the place."""
        self.id = ""
        """The same, made unique in the epic where need be; of a part, with its sprint's id before it."""

    @cached_property
    def keys(self) -> Mapping[str, str]:
        """Folded keys that have a value, and how they are spelled here; the first of two that are one."""
        return {fold(key): key for key, value in reversed(self.values.items()) if value is not None}  # type: ignore[call-overload]

    def key(self, *folded: str) -> str | None:
        """The first of these keys that has a value here, as it is spelled."""
        keys = self.keys
        for each in folded:
            if each in keys:
                return keys[each]
        return None

    def get(self, *folded: str) -> object:
        key = self.key(*folded)
        return self.values[key] if key is not None else None

    def text(self, *folded: str) -> str:
        """The first of these that holds text, on one line."""
        for each in folded:
            if each in self.keys:
                value = self.values[self.keys[each]]
                if isinstance(value, str) and (text := " ".join(value.split())):
                    return text
        return ""

    @cached_property
    def name(self) -> str:
        return self.text(*NAMES)

    @property
    def is_group(self) -> bool:
        """Whether it is a phase of the plan: what has parts, or is one task itself."""
        return self.kind in ("phase", "sprint") and not any(x.kind == "sprint" for x in self.children)

    def groups(self) -> Iterator[Node]:
        """The phases of the plan in it, in the order of the file."""
        if self.is_group:
            yield self
        else:
            for child in self.children:
                yield from child.groups()

    def tasks(self) -> Sequence[Node]:
        """The tasks of a group."""
        return self.children or [self]


def recognises(source: Source) -> bool:
    """Sprints, or the keys of an epic around phases; a wrong one of these still is an epic."""
    tree = source.tree
    if source.syntax != "json" or not isinstance(tree, dict):
        return False
    epic = Node("epic", tree, ())
    header = epic.get(*_HEADERS)
    holders = [epic, Node("epic", header, ())] if isinstance(header, dict) else [epic]
    if any(x.get(mark) is not None for x in holders for mark in _MARKS):
        return True
    if len(holders) > 1 and any(x.key(*PHASES, *SPRINTS) for x in holders):
        return True
    phases = [child for x in holders for child in _mappings(x.get(*PHASES))]
    if any("sprints" in phase for phase in phases):
        return True
    return any(isinstance(x.get("sprints"), list) and x.key(*NAMES, "executionstrategy") for x in holders)


def outline(source: Source) -> Node:
    """The tree of an epic. What has another shape than it should is left out here; the reader tells of it."""
    tree = source.tree if isinstance(source.tree, dict) else {}
    epic = Node("epic", tree, ())
    for holder in holders(epic):
        epic.children += _children(holder, "phase", PHASES, epic)
        epic.children += _children(holder, "sprint", SPRINTS, epic)
    for child in epic.children:
        if child.kind == "phase":
            child.children = list(_children(child, "sprint", SPRINTS, child))
    for group in epic.groups():
        key = parts_key(group)
        group.children = list(_children(group, "part", (fold(key),), group)) if key else []
    _name(source, epic)
    return epic


def holders(epic: Node) -> list[Node]:
    """Where an epic's own keys stand: in the file's mapping, and in its header where it has one."""
    key = epic.key(*_HEADERS)
    header = epic.values.get(key) if key else None
    return [epic, Node("epic", header, (key,))] if key and isinstance(header, dict) else [epic]


def parts_key(group: Node) -> str | None:
    """Where a sprint's parts are; None where it is one task itself. Deliverables are parts if each has an id."""
    for folded in _PARTS:
        key = group.key(folded)
        parts = list(_mappings(group.values.get(key))) if key else []
        if parts and (folded not in ("deliverables", "tests") or all(_id_of(Node("part", x, ())) for x in parts)):
            return key
    return None


def _children(holder: Node, kind: Kind, keys: tuple[str, ...], parent: Node) -> Iterator[Node]:
    key = holder.key(*keys)
    value = holder.values.get(key) if key else None
    for i, each in enumerate(value if isinstance(value, list) else ()):
        if isinstance(each, dict) and key:
            yield Node(kind, each, (*holder.steps, key, i), parent)


def _mappings(value: object) -> Iterator[Values]:
    return (x for x in value if isinstance(x, dict)) if isinstance(value, list) else iter(())


def _name(source: Source, epic: Node) -> None:
    """Ids: made up where there are none, and with what is around them where two sprints have the same."""
    epic.own_id = epic.id = _written(source, epic) or ""
    _own_ids(source, epic.children)
    for child in epic.children:
        child.id = child.own_id
        if not child.is_group:
            _own_ids(source, child.children)
    groups = list(epic.groups())
    times = Counter(group.own_id for group in groups)
    for group in groups:
        around = group.parent
        twice = times[group.own_id] > 1 and around is not None and around.kind == "phase"
        group.id = f"{around.own_id}/{group.own_id}" if twice and around else group.own_id
        _own_ids(source, group.children)
        for part in group.children:
            part.id = f"{group.id}/{part.own_id}"


def _own_ids(source: Source, nodes: Sequence[Node]) -> None:
    for node in nodes:
        node.own_id = _written(source, node) or ""
    taken = {node.own_id for node in nodes}
    for i, node in enumerate(nodes):
        if node.own_id:
            continue
        called = _PARTS.get(fold(str(node.steps[-2])), "part") if node.kind == "part" else node.kind
        node.own_id = slug(node.name) or f"{called}-{i + 1}"
        while node.own_id in taken:
            node.own_id = f"{node.own_id}-{i + 1}"
        taken.add(node.own_id)


def _id_of(node: Node) -> str | None:
    """The key of its id: text, or a number; where that numbers phases, it is one of `phase`."""
    for folded in _IDS[node.kind]:
        key = node.keys.get(folded)
        value = node.values.get(key) if key else None
        if isinstance(value, str) and value.strip():
            return key
        if isinstance(value, int | float) and not isinstance(value, bool):
            return key
    return None


def _written(source: Source, node: Node) -> str | None:
    key = _id_of(node)
    if key is None:
        return None
    value = node.values[key]
    if isinstance(value, str):
        return value.strip()
    number = source.written((*node.steps, key)) if isinstance(value, float) else str(value)
    return number if fold(key) in ("id", f"{node.kind}id") else f"{node.kind}-{number}"


def slug(text: str) -> str:
    """Lower-case words with dashes between, as ids are made of names."""
    return "-".join(re.findall(r"\w+", text.casefold()))[:_MAX_SLUG].strip("-_")
