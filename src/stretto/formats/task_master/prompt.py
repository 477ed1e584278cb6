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


def prompt(id: str, values: Mapping[str, object], around: Mapping[str, object]) -> str:
    """Self-contained instructions. `around`: the task of a subtask; empty for a task."""
    parts = [f"# {plain(around.get('title'))}", *_said(around)] if around else []
    above = "\n\n".join(part for part in parts if part.strip("# "))
    if len(above) > _MAX_SHARED:
        above = above[: _MAX_SHARED - 1] + "…"
    title = plain(values.get("title"))
    heading = f"## Your part of it: {title}" if around else f"# {title or 'Your task'}"
    return "\n\n".join(part for part in (above, heading, *_said(values)) if part) + "\n"


def _said(values: Mapping[str, object]) -> Iterator[str]:
    """Everything that helps to do it, keys that nobody knows among them."""
    yield plain(values.get("description"))
    keys = ["details", *(key for key in values if key not in _TOLD and key not in _BOOKKEEPING), "testStrategy"]
    for key in keys:
        text = plain(values.get(key))
        name = _TOLD.get(key) or _NAMES.get(key) or key
        if text:
            yield f"{name}:\n{text}"
