"""The prompt of a task in a spec-kit list: its words, and what the list says about its phase and its story."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stretto.formats.markdown_text import Outline, Section
from stretto.formats.spec_kit_line import TaskLine
from stretto.formats.spec_kit_order import Group

_CONVENTIONS = re.compile(r"conventions?\b", re.IGNORECASE)
_MAX_SHARED = 8_000
"""Characters of what goes with many prompts."""


def prompt(outline: Outline, feature: str, group: Group, line: TaskLine) -> str:
    """Self-contained instructions; the feature's papers go along as context files."""
    return "\n\n".join(part for part in _parts(outline, feature, group, line) if part) + "\n"


def _parts(outline: Outline, feature: str, group: Group, line: TaskLine) -> Iterator[str]:
    yield f"# {feature}"
    home, own = outline.sections[group.section], outline.sections[line.box.section]
    yield f"## {home.title}" if home.title else ""
    yield _prose(home) if home.level > 1 else ""
    if own is not home:
        yield f"### {own.title}"
        yield _prose(own)
    yield f"## Your task: {line.id}"
    yield line.body
    for section in outline.sections:
        if section.level > 1 and _CONVENTIONS.search(section.title):
            yield f"## {section.title}"
            yield _prose(section)
    yield f"{line.id} is one task of the feature's list, and others do the rest. Leave the list itself as it is."


def _prose(section: Section) -> str:
    """Without the rules between sections."""
    text = re.sub(r"^[ \t]*([-*_])(?:[ \t]*\1){2,}[ \t]*$", "", section.prose, flags=re.MULTILINE)
    text = re.sub(r"\n{3,}", "\n\n", text).strip()
    return text if len(text) <= _MAX_SHARED else text[: _MAX_SHARED - 1] + "…"
