"""Check boxes of a spec-kit list without an id: tasks that would be left out, or what is only to hold in the end."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stretto.formats.spec_kit.line import TaskLine, is_task
from stretto.formats.spec_kit.order import is_phase
from stretto.formats.syntax.markdown_text import Box, Outline, path_of
from stretto.model.plan import Value

_OWN = re.compile(r"^\*\*Input\*\*:[ \t]*Design documents|\[ID\] \[P\?\]", re.MULTILINE)
"""Words of spec-kit's own template."""
_CHECKS = re.compile(
    r"\b(?:check[ -]?(?:lists?|points?)|criteria|criterion|definition of done|dod|sign[ -]?offs?|gates?)\b",
    re.IGNORECASE,
)
"""What headings and labels say above boxes that are no work of their own."""
_MAYBE_CHECKS = re.compile(
    r"\b(?:validat\w*|verif\w*|acceptance|reviews?|read(?:y|iness)|quality|coverage|success|metrics|summary|progress"
    r"|notes?|dependenc(?:y|ies)|prerequisites?|task generation|status|done when)\b",
    re.IGNORECASE,
)
"""The same, unless it is a phase that is called so."""
_NUMBER = re.compile(r"(T-?)(\d+)")


class Loose(Value, frozen=True, kw_only=True):
    """A box without an id that is no part of a task."""

    box: Box
    words: str
    checks: bool
    """It stands where boxes only say what is to hold."""


def are_tasks(outline: Outline, text: str) -> bool:
    """Whether boxes with ids are the rule: half of those that may be tasks, or words of the template say it."""
    inside = _inside(outline, text)
    tasks = [i for i in inside if outline.boxes[i].within not in inside]
    if not tasks:
        return False
    if _OWN.search(text) or any(
        "[US" in text[x.text_at : _line_end(text, x)] for x in (outline.boxes[i] for i in tasks)
    ):
        return True
    return sum(not each.checks for each in loose_in(outline, text)) <= len(tasks)


def loose_in(outline: Outline, text: str) -> Iterator[Loose]:
    """Those with words, in file order. A box around tasks is their heading, and boxes within a loose one its parts."""
    inside = _inside(outline, text)
    around = _around(outline, inside)
    homes = {at for i in inside for at in path_of(outline.sections, outline.boxes[i].section)}
    checked = {section: _is_check(outline, section, homes) for section in {box.section for box in outline.boxes}}
    label, before = "", None
    for i, box in enumerate(outline.boxes):
        same = before is not None and before.section == box.section
        start = _line_end(text, before) if same and before is not None else outline.sections[box.section].start
        said = _label(text[start : box.start])
        if said is not None:
            label = said
        elif not same or (i - 1 in inside):
            label = ""
        before = box
        if i in inside or i in around or (box.within is not None and box.within not in around):
            continue
        if box.mark.isalpha() and box.mark not in "xX":
            continue  # `- [P] tasks = different files`, as the template explains its marks
        if words := text[box.text_at : _line_end(text, box)].strip(" \t\r\n*_`~"):
            yield Loose(box=box, words=words, checks=checked[box.section] or _says_check(label))


def next_id(lines: list[TaskLine]) -> str:
    """The id behind the highest of a list, spelled as that is."""
    numbers = [(int(found[2][:9]), found[1], len(found[2])) for line in lines if (found := _NUMBER.match(line.id))]
    number, letter, width = max(numbers, default=(0, "T", 3))
    return f"{letter}{number + 1:0{min(width, 9)}}"


def _inside(outline: Outline, text: str) -> set[int]:
    """Boxes with ids, and all that stand within them, as positions."""
    found: set[int] = set()
    for i, box in enumerate(outline.boxes):
        if box.within in found or is_task(text, box):
            found.add(i)
    return found


def _around(outline: Outline, inside: set[int]) -> set[int]:
    """Boxes without ids around those with ids."""
    found: set[int] = set()
    for i in inside:
        at = outline.boxes[i].within
        while at is not None and at not in found and at not in inside:
            found.add(at)
            at = outline.boxes[at].within
    return found


def _is_check(outline: Outline, section: int, homes: set[int]) -> bool:
    """Whether a heading around says so below which there are no tasks."""
    titles = (outline.sections[at].title for at in path_of(outline.sections, section) if at not in homes)
    return any(_CHECKS.search(title) or (_MAYBE_CHECKS.search(title) and not is_phase(title)) for title in titles)


def _says_check(label: str) -> bool:
    return _CHECKS.search(label) is not None or _MAYBE_CHECKS.search(label) is not None


def _label(between: str) -> str | None:
    """The line right above a list that names it, such as `**Checkpoint**:`; None where there is none."""
    lines = [line for line in between.splitlines() if line.strip()]
    if not lines or len(lines[-1]) > 120:
        return None
    last = lines[-1].strip()
    whole = re.fullmatch(r"\W*(\*\*|__)[^*_]+\1\W*", last) is not None
    return last if whole or last.rstrip("*_ ").endswith(":") else None


def _line_end(text: str, box: Box) -> int:
    """Of the box's own line."""
    found = text.find("\n", box.text_at, box.end)
    return box.end if found < 0 else found
