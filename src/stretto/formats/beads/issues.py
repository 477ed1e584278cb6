"""The records of a beads export, and what its words mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from stretto.formats.syntax.source import Source, Steps
from stretto.model.plan import TaskStatus

Values = Mapping[str, object]
Meaning = TaskStatus | Literal["later", "dropped"]

STATUSES: dict[str, Meaning] = {
    "open": "pending",
    **dict.fromkeys(("in_progress", "hooked"), "running"),
    "closed": "succeeded",
    **dict.fromkeys(("blocked", "deferred"), "later"),
    **dict.fromkeys(("tombstone", "pinned"), "dropped"),
}
_NO_WORK = frozenset(
    {"message", "event", "agent", "role", "rig", "convoy", "slot", "wisp", "merge-request", "merge_request", "config"}
)
"""Types that beads keeps for itself."""
GROUPS = frozenset({"epic", "milestone", "molecule"})
"""Types that are no work of their own."""
BLOCKS = frozenset({"blocks", "blocked-by", "depends-on", "waits-for", "conditional-blocks", ""})
"""Types of dependencies that hold an issue up; that of its parent does so by what holds the parent up."""
PARENT = "parent-child"


def records(source: Source) -> list[tuple[Steps, Values]]:
    """The issues and where they stand: one a line, in a list, or a single one. What is no mapping is left out."""
    tree = source.tree
    if isinstance(tree, dict):
        return [((), tree)] if source.syntax == "json" else []
    if not isinstance(tree, list) or source.syntax not in ("json", "json-lines"):
        return []
    return [((i,), each) for i, each in enumerate(tree) if isinstance(each, dict)]


def is_issue(values: Values, *, alone: bool) -> bool:
    """Whether a record has what every issue has. `alone`: it has a line of its own; else it must say its type, too."""
    return "id" in values and "title" in values and "status" in values and (alone or "issue_type" in values)


def is_work(values: Values) -> bool:
    """Whether it is an issue of a project, and not one of beads' own records or patterns."""
    kind = values.get("_type")
    own = isinstance(kind, str) and kind != "issue"
    return (
        not own
        and kind_of(values) not in _NO_WORK
        and not any(values.get(key) is True for key in ("ephemeral", "is_template", "wisp"))
    )


def kind_of(values: Values) -> str:
    value = values.get("issue_type")
    return value.strip().casefold() if isinstance(value, str) else "task"


def meaning_of(values: Values) -> Meaning | None:
    """What its status means; None for a word that nobody knows."""
    value = values.get("status")
    if value is None:
        return "pending"
    return STATUSES.get(value.strip().casefold().replace("-", "_")) if isinstance(value, str) else None


def links(values: Values) -> Iterator[tuple[str, str, int]]:
    """Type, id and position of each dependency that is plain."""
    found = values.get("dependencies")
    for i, each in enumerate(found if isinstance(found, list) else ()):
        if isinstance(each, str):
            yield "blocks", each, i
        elif isinstance(each, dict):
            kind, id = each.get("type"), each.get("depends_on_id")
            if isinstance(id, str) and id:
                yield (kind.strip().casefold() if isinstance(kind, str) else ""), id, i
