"""Check boxes of a spec-kit list, ticked and cleared; nothing else of the file is touched (R6.4)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from stretto.formats.spec_kit.line import is_task
from stretto.formats.spec_kit.reader import lines_of
from stretto.formats.syntax import markdown_text
from stretto.formats.syntax.markdown_text import Box, Outline
from stretto.formats.syntax.source import Edit, decode


def write_statuses(source: bytes, statuses: Mapping[str, str]) -> bytes:
    """The file with the boxes of succeeded tasks ticked and those of others cleared; other ids are left out.

    A box of a part that has an id goes with its task. Raises PlanError for what is no text."""
    parsed = markdown_text.parse(decode("tasks.md", source), source)
    assert isinstance(parsed.tree, Outline)
    text, outline = parsed.text.text, parsed.tree
    tick = "x" if len(re.findall(r"\[x\]", text)) > len(re.findall(r"\[X\]", text)) else "X"
    edits: list[Edit] = []
    for line in lines_of(outline, text):
        if (state := statuses.get(line.id)) is None or (state == "succeeded") == line.done:
            continue
        mark = tick if state == "succeeded" else " "
        edits += [_set(box, mark) for box in outline.boxes if box is line.box or _is_part(text, box, line.box)]
    return parsed.edited(edits)


def _is_part(text: str, box: Box, whole: Box) -> bool:
    return whole.start < box.start < whole.end and is_task(text, box)


def _set(box: Box, mark: str) -> Edit:
    return box.mark_at, box.mark_at + len(box.mark), mark
