"""The states of phases: the words of the format, read and written back (R6.4)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from stretto.formats.dynamic_phases import shape
from stretto.formats.syntax import json_text
from stretto.formats.syntax.json_edit import listed, put
from stretto.formats.syntax.source import Edit, Source, Steps, decode
from stretto.model.plan import TaskStatus

COMPLETED, FAILED, CURRENT = "completedPhaseNumbers", "failedPhaseNumbers", "currentPhaseNumber"
SKIPPED = "skipped"

_GAP = re.compile(r"[\s_]+")
_STATUSES: dict[str, TaskStatus] = {
    **dict.fromkeys(("pending", "not-started", "todo", "blocked", ""), "pending"),
    **dict.fromkeys(("in-progress", "running", "executing", "building"), "running"),
    **dict.fromkeys(("completed", "complete", "done"), "succeeded"),
    **dict.fromkeys(("failed", "error"), "failed"),
    SKIPPED: "pending",
}
MEANINGS: Mapping[str, str] = _STATUSES | {SKIPPED: SKIPPED}
"""Every word that is known, with what it means."""
_WORDS = {
    "succeeded": "completed",
    "failed": "failed",
    "running": "in-progress",
    "pending": "pending",
    # In a run these are undone; the file's own `skipped` is for good.
    "skipped": "pending",
    "cancelled": "pending",
}

Values = Mapping[str, object]


class Lists:
    """The numbers that a plan lists as completed and as failed."""

    def __init__(self, plan: Values) -> None:
        self.completed = _ids(plan.get(COMPLETED))
        self.failed = _ids(plan.get(FAILED))

    def state(self, id: str) -> TaskStatus:
        if id in (self.completed or ()):
            return "succeeded"
        return "failed" if id in (self.failed or ()) else "pending"

    def differs(self, id: str, state: TaskStatus) -> bool:
        """Whether a list contradicts what a phase says itself. A plan without the list says nothing."""
        return any(
            ids is not None and (id in ids) is not (state == word)
            for ids, word in ((self.completed, "succeeded"), (self.failed, "failed"))
        )


def word_of(phase: Values) -> str | None:
    """The status as the file has it, in the format's spelling; None where it says nothing."""
    value = phase.get("status")
    if value is None:
        return None
    return _GAP.sub("-", value.strip().casefold()) if isinstance(value, str) else "?"


def state_of(phase: Values, id: str, lists: Lists) -> TaskStatus | None:
    """The task state of a phase: its own word, else the plan's lists. None for a word that nobody knows."""
    word = word_of(phase)
    return lists.state(id) if word is None else _STATUSES.get(word)


def write_statuses(source: bytes, statuses: Mapping[str, str]) -> bytes:
    """The file with these states of its phases, by id; ids that are not in it are left out.

    The plan's lists of completed and failed numbers follow, and so does the number of the phase whose turn it is,
    where the file has them. Raises PlanError when the file is not JSON."""
    parsed = json_text.parse(decode("phase plan", source), source)
    steps = shape.find(parsed.tree)
    if steps is None:
        return source
    plan = shape.at(parsed.tree, steps)
    lists = Lists(plan)
    edits: list[Edit] = []
    changed: dict[str, str] = {}
    turn: list[tuple[str, str]] = []
    for i, phase in shape.phases(plan):
        id = shape.id_of(phase.get(shape.number_key(phase)))
        if id is None:
            continue
        state = state_of(phase, id, lists) or "pending"
        word = SKIPPED if word_of(phase) == SKIPPED else _WORDS[state]
        wanted = _WORDS.get(statuses.get(id, ""))
        if wanted is not None and state not in (statuses[id], _STATUSES[wanted]):
            edits.append(put(parsed, (*steps, "phases", i), "status", wanted))
            changed[id] = word = wanted
        turn.append((id, word))
    if changed:
        edits += _relisted(parsed, (*steps, COMPLETED), plan.get(COMPLETED), changed, "completed")
        edits += _relisted(parsed, (*steps, FAILED), plan.get(FAILED), changed, "failed")
        edits += _turned(parsed, (*steps, CURRENT), plan.get(CURRENT), turn)
    return parsed.edited(edits)


def _ids(value: object) -> frozenset[str] | None:
    if not isinstance(value, list):
        return None
    return frozenset(id for each in value if (id := shape.id_of(each)) is not None)


def _relisted(parsed: Source, steps: Steps, value: object, changed: Mapping[str, str], word: str) -> list[Edit]:
    """A list of numbers that agrees with what has changed."""
    if not isinstance(value, list):
        return []
    ids = [shape.id_of(each) for each in value]
    keep = [i for i, id in enumerate(ids) if changed.get(id or "", word) == word]
    there = {ids[i] for i in keep}
    add = [
        id if shape.is_short_number(id) else json.dumps(id)
        for id, now in changed.items()
        if now == word and id not in there
    ]
    return [listed(parsed, steps, keep, add)] if add or len(keep) < len(ids) else []


def _turned(parsed: Source, steps: Steps, value: object, turn: list[tuple[str, str]]) -> list[Edit]:
    """The number of the phase at work, else of the first that is open, else the one behind the last."""
    node = parsed.node(steps)
    if node is None or isinstance(value, bool) or not isinstance(value, int | float):
        return []
    running = next((id for id, word in turn if word == "in-progress"), None)
    left = next((id for id, word in turn if word in ("pending", "failed")), None)
    id = running or left
    if id is None and turn and shape.is_short_number(turn[-1][0]):
        id = str(int(turn[-1][0]) + 1)
    fits = id is not None and shape.is_short_number(id) and id != shape.id_of(value)
    return [(node.start, node.end, id)] if id is not None and fits else []
