"""Task states written into an Auto-Claude plan; every byte that need not change stays as it is (R6.4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stretto.formats.auto_claude.reader import TASK_IDS, status_of, subtasks_key
from stretto.formats.syntax import json_text
from stretto.formats.syntax.json_edit import put
from stretto.formats.syntax.source import Edit, Source, Steps, decode
from stretto.model.plan import TaskStatus

_WORDS: dict[str, str] = {
    "succeeded": "completed",
    "failed": "failed",
    "running": "in_progress",
    "pending": "pending",
    "skipped": "pending",
    "cancelled": "pending",
}


def write_statuses(source: bytes, statuses: Mapping[str, str]) -> bytes:
    """The file with these states of its subtasks, by id; ids that are not in it are left out.

    When a subtask changes, so do the statuses of its phase and of the plan, where the file has such keys.
    Raises PlanError when the file is not JSON."""
    parsed = json_text.parse(decode("implementation_plan.json", source), source)
    tree = parsed.tree if isinstance(parsed.tree, dict) else {}
    edits: list[Edit] = []
    after: list[TaskStatus] = []
    for steps, phase in _mappings(tree.get("phases"), ("phases",)):
        key = subtasks_key(phase)
        states: list[TaskStatus] = []
        changed = False
        for at, subtask in _mappings(phase.get(key), (*steps, key)):
            state = status_of(subtask.get("status")) or "pending"
            wanted = statuses.get(_id(parsed, subtask, at) or "")
            word = _WORDS.get(wanted or "")
            if word and state not in (wanted, status_of(word)):
                edits.append(put(parsed, at, "status", word))
                state = status_of(word) or "pending"
                changed = True
            states.append(state)
        if changed and "status" in phase:
            edits += _update(parsed, steps, phase, "status", _phase_word(states))
        after += states
    if edits:
        for name, word in _plan_words(tree, after).items():
            edits += _update(parsed, (), tree, name, word)
    return parsed.edited(edits)


def _mappings(value: object, steps: Steps) -> Iterator[tuple[Steps, dict[str, object]]]:
    for i, each in enumerate(value if isinstance(value, list) else ()):
        if isinstance(each, dict):
            yield (*steps, i), each


def _id(source: Source, subtask: Mapping[str, object], steps: Steps) -> str | None:
    for key in TASK_IDS:
        match subtask.get(key):
            case str() as id:
                return id
            case int() | float():
                return source.written((*steps, key))
            case _:
                continue
    return None


def _phase_word(states: Sequence[TaskStatus]) -> str:
    if all(state == "succeeded" for state in states):
        return "completed"
    return "in_progress" if any(state in ("succeeded", "running", "failed") for state in states) else "pending"


def _plan_words(tree: Mapping[str, object], states: Sequence[TaskStatus]) -> dict[str, str]:
    """`status` and `planStatus` as Auto-Claude itself derives them from the subtasks."""
    signoff = tree.get("qa_signoff")
    if all(state == "succeeded" for state in states):
        approved = isinstance(signoff, dict) and signoff.get("status") == "approved"
        return {"status": "human_review" if approved else "ai_review", "planStatus": "review"}
    if any(state in ("succeeded", "running", "failed") for state in states):
        return {"status": "in_progress", "planStatus": "in_progress"}
    if tree.get("status") == "human_review" and tree.get("planStatus") == "review":
        return {}  # a person is to approve the plan before work begins
    return {"status": "backlog", "planStatus": "pending"}


def _update(source: Source, steps: Steps, values: Mapping[str, object], key: str, word: str) -> list[Edit]:
    return [put(source, steps, key, word)] if key in values and values[key] != word else []
