"""Words of order in a spec-kit list that lead to no task, story or phase of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from stretto.formats.spec_kit.line import Reference, TaskLine, needs_in
from stretto.formats.spec_kit.order import REFERENCE, Group, awaited, labelled, sections_of_order
from stretto.formats.syntax.markdown_text import Outline

_DIGITS = re.compile(r"T-?(\d+)", re.IGNORECASE)
_BEGINS = re.compile(r"^[^\w\n]*(?:[xX]\][^\w\n]*)?(T-?\d[\d.-]*[a-z]?)\b", re.IGNORECASE | re.MULTILINE)
"""An id at the start of a line: of a task, of its part, or of what is told without a box."""


class Ids:
    """The ids of a list, and the manner in which they are written."""

    def __init__(self, outline: Outline, lines: Sequence[TaskLine], text: str) -> None:
        self._known = {line.id.casefold() for line in lines}
        of_order = set(sections_of_order(outline)) - {line.box.section for line in lines}
        for i in range(len(outline.sections)):
            if i not in of_order:
                self._known.update(each[1].casefold() for each in _BEGINS.finditer(text, *extent(outline, i, text)))
        self._lengths = {len(found[1]) for line in lines if (found := _DIGITS.match(line.id))}

    def lacks(self, name: str) -> bool:
        """Whether it is written as ids are here, and is none: `T1059` beside `T001` is something else."""
        digits = _DIGITS.match(name)
        return digits is not None and len(digits[1]) in self._lengths and name.casefold() not in self._known


def extent(outline: Outline, i: int, text: str) -> tuple[int, int]:
    """Where a section begins and ends, without those in it."""
    following = outline.sections[i + 1 : i + 2]
    return outline.sections[i].start, following[0].start if following else len(text)


def strays(line: TaskLine, ids: Ids) -> Iterator[Reference]:
    """What a task's own words name, each once."""
    said = {name for need in line.needs for name in (need.name, need.until)}
    yield from {
        each.name: each for each in reversed(line.strays) if each.name not in said and ids.lacks(each.name)
    }.values()


def in_prose(
    outline: Outline, groups: Sequence[Group], lines: Sequence[TaskLine], text: str, ids: Ids
) -> Iterator[Reference]:
    """What the sections that tell of dependencies name, in file order as far as they go."""
    busy = {line.box.section for line in lines}
    known = {_named("story", group.story) for group in groups} | {_named("phase", group.id) for group in groups}
    known |= {_named("story", line.story) for line in lines}
    for section in outline.sections:
        known.update(map(_called, REFERENCE.finditer(section.title)))
    for i in sections_of_order(outline):
        if i in busy:
            continue  # `Phase 1: Dependencies` has tasks of its own, which speak for themselves
        start, end = extent(outline, i, text)
        for need in needs_in(text[start:end], start):
            for name in (need.name, need.until):
                if ids.lacks(name):
                    at = text.find(name, need.start)
                    yield Reference(name=name, start=at, end=at + len(name))
        yield from _groups(outline.sections[i].prose, known, text, start)


def _groups(prose: str, known: set[tuple[str, str]], text: str, at: int) -> Iterator[Reference]:
    """Stories and phases that others wait for and that are nowhere; of a kind that the list's headings have."""
    kinds = {kind for kind, name in known if re.fullmatch(r"\d+(?:\.\d+)*", name)}
    for label, words in labelled(prose):
        whose = set(map(_called, REFERENCE.finditer(label)))
        if not whose or not whose <= known:
            continue
        at = max(at, text.find(f"**{label}", at))  # one that is broken over lines is looked for from where we are
        for said in awaited(words):
            for reference in REFERENCE.finditer(said):
                named = _called(reference)
                if named[0] not in kinds or named in known:
                    continue
                if found := re.compile(r"\s+".join(map(re.escape, reference[0].split()))).search(text, at):
                    at = found.end()
                    yield Reference(name=" ".join(reference[0].split()), start=found.start(), end=at)


def _called(reference: re.Match[str]) -> tuple[str, str]:
    return _named("story", reference["story"]) if reference["story"] else _named("phase", reference["phase"])


def _named(kind: str, name: str) -> tuple[str, str]:
    return kind, name.lstrip("0") or name
