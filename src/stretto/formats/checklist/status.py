"""Check boxes of a list, ticked and cleared; nothing else of the file is touched (R6.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stretto.formats.checklist.items import Item, checklist_of
from stretto.formats.checklist.marks import State, state_of
from stretto.formats.syntax import markdown_text
from stretto.formats.syntax.markdown_text import Box, Outline
from stretto.formats.syntax.source import Edit, decode


def write_statuses(source: bytes, statuses: Mapping[str, str]) -> bytes:
    """The file with the boxes of succeeded tasks ticked, and those of others that were ticked cleared.

    The parts of a task go with it, and the box around a group is ticked when all of it is done. Ids that are not known
    are left out. Raises PlanError for what is no text."""
    parsed = markdown_text.parse(decode("checklist", source), source)
    assert isinstance(parsed.tree, Outline)
    text, boxes = parsed.text.text, parsed.tree.boxes
    found = checklist_of(parsed.tree, text)
    tick = "X" if text.count("[X]") > text.count("[x]") else "x"
    marks = _Marks(boxes, found.legend)
    groups: dict[int, list[Item]] = {}
    for item in found.items:
        if item.group is not None:
            groups.setdefault(item.group, []).append(item)
        if _changes(item, statuses):
            marks.put(item.boxes, tick if _done(item, statuses) else " ")
    for group, members in groups.items():
        if not any(_changes(item, statuses) for item in members):
            continue
        wanted = [item for item in members if item.state not in ("dropped", "later")]
        whole = all(_done(item, statuses) for item in wanted)
        for item in wanted:  # what was done because its group was says so itself from now on
            marks.put(item.boxes[:1], tick if _done(item, statuses) else " ")
        marks.put((group,), tick if whole else " ")
    return parsed.edited(marks.edits())


def _done(item: Item, statuses: Mapping[str, str]) -> bool:
    state = statuses.get(item.id)
    return item.state == "done" if state is None else state == "succeeded"


def _changes(item: Item, statuses: Mapping[str, str]) -> bool:
    return item.state not in ("dropped", "later") and _done(item, statuses) != (item.state == "done")


class _Marks:
    """What is to stand in boxes from now on."""

    def __init__(self, boxes: Sequence[Box], legend: Mapping[str, State]) -> None:
        self._boxes, self._legend = boxes, legend
        self._found: dict[int, str] = {}

    def put(self, which: Sequence[int], mark: str) -> None:
        """Tick boxes that are not, or clear those that are. Parts that were dropped stay so."""
        for i in which:
            state = state_of(self._boxes[i].mark, self._legend)
            if (mark != " ") != (state == "done") and not (state == "dropped" and i != which[0]):
                self._found[i] = mark

    def edits(self) -> list[Edit]:
        places = ((self._boxes[i], mark) for i, mark in self._found.items())
        return [(box.mark_at, box.mark_at + len(box.mark), mark) for box, mark in places]
