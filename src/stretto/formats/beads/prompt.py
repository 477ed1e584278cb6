"""The prompt of an issue: all that it says, and what the issues around it say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stretto.formats.auto_claude.prompt import plain
from stretto.formats.beads.issues import Values

_TOLD = {
    "description": "",
    "design": "Design",
    "acceptance_criteria": "Acceptance criteria",
    "notes": "Notes",
    "spec_id": "Specification",
    "external_ref": "See also",
    "labels": "Labels",
}
_MAX_SHARED = 12_000
"""Characters of the issues around one that go with its prompt."""
_MAX_COMMENTS = 8_000


def around_words(around: Sequence[Values]) -> str:
    """What the epics that an issue belongs to say, from the outside in."""
    words = "\n\n".join(
        part for each in around for part in (f"# {plain(each.get('title'))}", *_said(each, ("labels",))) if part
    )
    return words if len(words) <= _MAX_SHARED else words[: _MAX_SHARED - 1] + "…"


def prompt(values: Values, above: str) -> str:
    """Self-contained instructions. `above`: the words around it."""
    heading = f"{'## Your part of it' if above else '# Your task'}: {plain(values.get('title'))} ({values.get('id')})"
    closing = "This is one issue of many; others do the rest. Leave the issues in `.beads` as they are."
    return "\n\n".join(part for part in (above, heading, *_said(values), _comments(values), closing) if part) + "\n"


def _said(values: Values, without: Sequence[str] = ()) -> Iterator[str]:
    for key, name in _TOLD.items():
        if key in values and key not in without and (text := plain(values[key])):
            yield f"{name}:\n{text}" if name else text


def _comments(values: Values) -> str:
    """What people said of it, the last words last; of many only the last."""
    found = values.get("comments")
    texts = [
        f"- {plain(each.get('author')) or 'somebody'}: {plain(each.get('text'))}"
        for each in (found if isinstance(found, list) else ())
        if isinstance(each, dict) and each.get("text")
    ]
    room, kept = _MAX_COMMENTS, list[str]()
    for text in reversed(texts):
        room -= len(text)
        if room < 0:
            break
        kept.insert(0, text)
    return "Comments:\n" + "\n".join(kept) if kept else ""
