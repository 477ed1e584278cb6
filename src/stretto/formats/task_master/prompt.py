"""The prompt of a task in Task Master's file: what it says itself, and for a subtask what its task says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stretto.formats.auto_claude.prompt import plain

_TOLD = {"title": "", "description": "", "details": "Details", "testStrategy": "How it will be tested"}
_BOOKKEEPING = frozenset(
    {
        *("id", "status", "priority", "dependencies", "subtasks", "createdAt", "updatedAt", "complexity", "parentId"),
        *("recommendedSubtasks", "metadata", "assignee", "effort", "tags", "previousStatus", "complexityScore"),
        *("expansionPrompt", "complexityReasoning", "parentTaskId", "actualEffort", "databaseId", "dueDate"),
    }
)
_NAMES = {
    "acceptanceCriteria": "Acceptance criteria",
    "relevantFiles": "Files",
    "scopeBoundaries": "Scope",
    "technicalConstraints": "Constraints",
    "implementationApproach": "Approach",
    "codebasePatterns": "Patterns to follow",
    "existingInfrastructure": "What is there already",
}
_MAX_SHARED = 20_000
"""Characters of a task that goes with each of its subtasks."""


class Around:
    """The task of some subtasks, and what each of them is told of it."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self.values = values
        parts = (f"# {plain(values.get('title'))}", *_said(values))
        words = "\n\n".join(part for part in parts if part.strip("# "))
        self.words = words if len(words) <= _MAX_SHARED else words[: _MAX_SHARED - 1] + "…"


def prompt(values: Mapping[str, object], around: Around | None) -> str:
    """Self-contained instructions. `around`: the task of a subtask."""
    title = plain(values.get("title"))
    heading = f"## Your part of it: {title}" if around is not None else f"# {title or 'Your task'}"
    above = around.words if around is not None else ""
    return "\n\n".join([part for part in (above, heading, *_said(values)) if part]) + "\n"


def _said(values: Mapping[str, object]) -> Iterator[str]:
    """Everything that helps to do it, keys that nobody knows among them."""
    yield plain(values.get("description"))
    keys = ["details", *(key for key in values if key not in _TOLD and key not in _BOOKKEEPING), "testStrategy"]
    for key in keys:
        text = plain(values.get(key))
        name = _TOLD.get(key) or _NAMES.get(key) or key
        if text:
            yield f"{name}:\n{text}"
