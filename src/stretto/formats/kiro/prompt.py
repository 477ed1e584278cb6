"""The prompts of a Kiro list: a task's words, what it is a part of, and the requirements that it names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from stretto.formats.kiro.requirements import Requirements
from stretto.formats.kiro.tree import Tree
from stretto.formats.syntax.markdown_text import Outline, Section, path_of

_SHARED = re.compile(r"overview|notes?\b|conventions?|context|guidelines|概要|概述|备注|メモ|notas", re.IGNORECASE)
_GRAPH = re.compile(r"dependency\s+graph|dependenc(?:y|ies)|\bwaves?\b|execution\s+order", re.IGNORECASE)
_MAX_SHARED = 8_000
"""Characters of what goes with many prompts."""


class Prompts:
    """Self-contained instructions for every task of a list; the feature's papers go along as context files."""

    def __init__(self, outline: Outline, tree: Tree, feature: str, requirements: Requirements) -> None:
        self._sections = outline.sections
        self._tree = tree
        self._requirements = requirements
        self._head = _joined((f"# {feature}", *self._shared()))
        self._above: dict[tuple[int, str], str] = {}
        """What is said of a section and of a number in it: the same for all tasks there."""

    def of(self, i: int) -> str:
        line, part = self._tree.lines[i], self._tree.of[i]
        key = (line.box.section, part.parent.id if part.parent else "")
        if key not in self._above:
            self._above[key] = _joined((self._head, *self._around(i)))
        own = (self._tree.lines[x.line].marks.requirements for x in (part, *part.around()) if x.line is not None)
        wanted = self._requirements.text_of(each for some in own for each in some)
        closing = f"{line.id} is one task of the feature's list; others do the rest. Leave the list itself as it is."
        if line.checkpoint:
            closing += " Nobody can be asked while it runs: say in the result what a person should know."
        return (
            _joined(
                (
                    self._above[key],
                    f"## Your task: {line.id}",
                    line.body,
                    f"## The requirements behind it\n\n{wanted}" if wanted else "",
                    closing,
                )
            )
            + "\n"
        )

    def _shared(self) -> Iterator[str]:
        for section in self._sections:
            if section.level < 2:
                yield _prose(section)
            elif _SHARED.search(section.title) and not _GRAPH.search(section.title) and (prose := _prose(section)):
                yield f"## {section.title}\n\n{prose}"

    def _around(self, i: int) -> Iterator[str]:
        """The heading it stands below, and the words of the numbers that it is a part of."""
        home = [self._sections[x] for x in path_of(self._sections, self._tree.lines[i].box.section)]
        for section in reversed([x for x in home if x.level > 1]):
            if _prose(section) and not _SHARED.search(section.title) and not _GRAPH.search(section.title):
                yield f"## {section.title}\n\n{_prose(section)}"
        for part in reversed(list(self._tree.of[i].around())):
            if part.line is not None:
                line = self._tree.lines[part.line]
                words = line.body.partition("\n")[2] if part.line not in self._tree.with_own_work else ""
                yield f"## Part of {part.id}: {line.title}" + (f"\n\n{_short(words)}" if words.strip() else "")


def _joined(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part)


def _prose(section: Section) -> str:
    """Without the rules between sections."""
    text = re.sub(r"^[ \t]*([-*_])(?:[ \t]*\1){2,}[ \t]*$", "", section.prose, flags=re.MULTILINE)
    return _short(re.sub(r"\n{3,}", "\n\n", text).strip())


def _short(text: str) -> str:
    return text if len(text) <= _MAX_SHARED else text[: _MAX_SHARED - 1] + "…"
