"""Statuses written into a beads export; every byte that need not change stays as it is (R6.4)."""

from __future__ import annotations

from collections.abc import Mapping

from stretto.formats.beads.issues import Meaning, Values, meaning_of, records
from stretto.formats.syntax.json_edit import put
from stretto.formats.syntax.parse import parse
from stretto.formats.syntax.source import Edit, Source, Steps

_WORDS: dict[str, str] = {"succeeded": "closed", "running": "in_progress"}
"""The rest is open: beads has no word for a failure."""


def write_statuses(source: bytes, statuses: Mapping[str, str]) -> bytes:
    """The file with these states of its issues, by id; ids that are not in it are left out.

    An issue that is open again loses its `closed_at`, which beads allows for closed ones only. Raises PlanError when
    the file is not JSON."""
    parsed = parse("issues.jsonl", source)
    edits: list[Edit] = []
    for steps, values in records(parsed):
        id = values.get("id")
        wanted = statuses.get(id) if isinstance(id, str) else None
        now = meaning_of(values)
        if wanted is None or _state(now) == (wanted if wanted in _WORDS else "pending"):
            continue
        edits.append(put(parsed, steps, "status", _WORDS.get(wanted, "open")))
        if now == "succeeded":
            edits += _without(parsed, steps, values, "closed_at")
    return parsed.edited(edits)


def _state(meaning: Meaning | None) -> str:
    return meaning if meaning in _WORDS else "pending"


def _without(source: Source, steps: Steps, values: Values, key: str) -> list[Edit]:
    """The edit that takes a member out, with the comma before it."""
    keys = list(values)
    if key not in keys[1:]:
        return []
    node, before = source.node((*steps, key)), source.node((*steps, keys[keys.index(key) - 1]))
    return [(before.end, node.end, "")] if node is not None and before is not None else []
