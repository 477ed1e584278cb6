"""Where a plan asks for content, so that no paper can be filled from it."""

from __future__ import annotations

import re
from pathlib import Path

from stretto.model.achievements import Achievement, Achievements
from stretto.recipes.subplans.folder import text_of
from stretto.recipes.subplans.placeholder import marks


def asking(home: Path, plan: Achievements, about: Achievement, text: str) -> str:
    """What asks for content in a paper filled with this text, and where in the plan that stands; empty: nothing."""
    mark = next(marks(text), "")
    return f"{_place(home, plan, about, mark)} asks for content: {mark}" if mark else ""


def _place(home: Path, plan: Achievements, about: Achievement, mark: str) -> str:
    """A file, with the line where only one can be meant."""
    if plan.paper and (line := _line_in_section(text_of(home / plan.paper), about, mark)):
        return f"{home / plan.paper}:{line}"
    told = (about.more, about.check, *(part.told for part in about.parts))
    names = [plan.file, plan.paper] if any(mark in words for words in told) else [plan.paper, plan.file]
    for name in filter(None, names):
        lines = [n for n, words in enumerate(text_of(home / name).split("\n"), 1) if mark in words]
        if lines:
            return f"{home / name}:{lines[0]}" if len(lines) == 1 else str(home / name)
    return str(home / plan.file)


def _line_in_section(text: str, about: Achievement, mark: str) -> int:
    """The line of the plan in words, from 1, in which the achievement's section has the mark; 0 where it has none."""
    whole = [(n, words.strip()) for n, words in enumerate(text.split("\n"), 1) if words.strip()]
    own = [words.strip() for words in about.section.split("\n") if words.strip()]
    last = next((i for i, words in enumerate(own) if mark in marks(words)), None)
    if last is None:
        return 0
    named = re.compile(rf"(?<![\w.]){re.escape(about.id)}(?![\w.])")
    for start in range(1, len(whole) - last):
        if named.search(whole[start - 1][1]) and all(whole[start + i][1] == own[i] for i in range(last + 1)):
            return whole[start + last][0]
    return 0
