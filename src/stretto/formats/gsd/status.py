"""Check boxes of plans and of their phases in the roadmap, ticked and cleared; every other byte stays (R6.4).

Summaries, the table of progress and dates are for GSD's own commands, and for the agents that write the summaries.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stretto.errors import PlanError
from stretto.formats.gsd.folder import phase_number
from stretto.formats.gsd.paper import is_plan
from stretto.formats.gsd.roadmap import is_roadmap, is_ticked, phase_around, phase_boxes, plan_boxes
from stretto.formats.syntax import markdown_text
from stretto.formats.syntax.front_matter import front_matter
from stretto.formats.syntax.markdown_text import Box, Outline
from stretto.formats.syntax.source import Edit, decode

_TICK = "x"
"""GSD takes no other for done."""


def write_files(files: Mapping[str, bytes], statuses: Mapping[str, str]) -> dict[str, bytes]:
    """The roadmaps that change when these plans, by id, have these states. Ids without a check box are left out.

    The box of a phase is ticked with the last of what stands open below its heading, and cleared with a plan of it."""
    done = {id.casefold(): state == "succeeded" for id, state in statuses.items()}
    written: dict[str, bytes] = {}
    for path, data in files.items():
        try:
            source = markdown_text.parse(decode(path, data), data)
        except PlanError:
            continue  # whoever made it unreadable has to mend it
        text, outline = source.text.text, source.tree
        if isinstance(outline, Outline) and not is_plan(front_matter(text)) and is_roadmap(text, outline):
            edits = list(_edits(text, outline, done))
            written[path] = source.edited(edits) if edits else data
    return {path: data for path, data in written.items() if data != files[path]}


def _edits(text: str, outline: Outline, done: Mapping[str, bool]) -> Iterator[Edit]:
    plans = {box.mark_at: (phase_number(id.rpartition("-")[0]), done.get(id, is_ticked(box)), box)
             for id, box in plan_boxes(text, outline)}  # fmt: skip
    phases = {box.mark_at: (number, box) for number, box in phase_boxes(text, outline) if box.mark_at not in plans}
    ticked: set[str] = set()
    cleared: set[str] = set()
    for number, now, box in plans.values():
        if now != is_ticked(box):
            (ticked if now else cleared).add(number)
            yield _mark(box, now)
    if not ticked and not cleared:
        return
    is_open = {number for number, now, _ in plans.values() if not now}
    is_open |= {phase_number(id.rpartition("-")[0]) for id, now in done.items() if not now}
    for box in outline.boxes:
        if not is_ticked(box) and box.mark_at not in plans and box.mark_at not in phases:
            is_open.add(phase_around(outline, box) or "")
    for number, box in phases.values():
        if number in (cleared if is_ticked(box) else ticked - is_open):
            yield _mark(box, not is_ticked(box))


def _mark(box: Box, done: bool) -> Edit:
    return box.mark_at, box.mark_at + len(box.mark), _TICK if done else " "
