"""The prompts of a spec-kit list: a task's words, and what the list says about its phase and its story."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from stretto.formats.spec_kit.line import TaskLine
from stretto.formats.spec_kit.order import Group
from stretto.formats.syntax.markdown_text import Outline, Section

_CONVENTIONS = re.compile(r"conventions?\b", re.IGNORECASE)
_MAX_SHARED = 8_000
"""Characters of what goes with many prompts."""


class Prompts:
    """Self-contained instructions for every task of a list; the feature's papers go along as context files."""

    def __init__(self, outline: Outline, feature: str) -> None:
        self._sections = outline.sections
        self._feature = feature
        conventions = (x for x in outline.sections if x.level > 1 and _CONVENTIONS.search(x.title))
        self._conventions = "\n\n".join(f"## {x.title}\n\n{_prose(x)}" for x in conventions)
        self._above: dict[tuple[int, int], str] = {}
        """What is said of a phase and of a section in it: the same for all tasks there."""

    def of(self, group: Group, line: TaskLine) -> str:
        key = (group.section, line.box.section)
        if key not in self._above:
            self._above[key] = _joined(self._around(*key))
        closing = f"{line.id} is one task of the feature's list; others do the rest. Leave the list itself as it is."
        task = f"## Your task: {line.id}"
        return _joined((self._above[key], task, line.body, self._conventions, closing)) + "\n"

    def _around(self, phase: int, section: int) -> Iterator[str]:
        home, own = self._sections[phase], self._sections[section]
        yield f"# {self._feature}"
        yield f"## {home.title}" if home.level > 1 else ""
        yield _prose(home) if home.level > 1 else ""
        if own is not home:
            yield f"### {own.title}"
            yield _prose(own)


def _joined(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part)


def _prose(section: Section) -> str:
    """Without the rules between sections."""
    text = re.sub(r"^[ \t]*([-*_])(?:[ \t]*\1){2,}[ \t]*$", "", section.prose, flags=re.MULTILINE)
    text = re.sub(r"\n{3,}", "\n\n", text).strip()
    return text if len(text) <= _MAX_SHARED else text[: _MAX_SHARED - 1] + "…"
