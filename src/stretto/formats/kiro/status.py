"""Check boxes of a Kiro list, ticked and cleared; nothing else of the file is touched (R6.4)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from stretto.formats.kiro.line import TaskLine, lines_of
from stretto.formats.kiro.tree import Part, Tree
from stretto.formats.syntax import markdown_text
from stretto.formats.syntax.markdown_text import Outline
from stretto.formats.syntax.source import Edit, decode
from stretto.model.plan import TaskStatus

MARKS: dict[str, TaskStatus] = {
    **dict.fromkeys((" ", "", "~"), "pending"),
    "-": "running",
    **dict.fromkeys(("x", "X"), "succeeded"),
}


def state_of(line: TaskLine) -> TaskStatus:
    """What the mark says. Queued, `[~]`, is pending."""
    return MARKS.get(line.box.mark, "pending")


def write_statuses(source: bytes, statuses: Mapping[str, str]) -> bytes:
    """The file with these states of its tasks, by id; ids that are not in it are left out.

    A number with parts is ticked once all of them are that are not optional, and cleared when one no longer is.
    Raises PlanError for what is no text."""
    parsed = markdown_text.parse(decode("tasks.md", source), source)
    assert isinstance(parsed.tree, Outline)
    text = parsed.text.text
    tree = Tree(list(lines_of(parsed.tree, text)))
    tick = "X" if len(re.findall(r"\[X\]", text)) > len(re.findall(r"\[x\]", text)) else "x"
    marks: dict[int, str] = {}
    for i in tree.tasks():
        wanted = statuses.get(tree.lines[i].id)
        state = wanted if wanted in ("succeeded", "running") else "pending"
        if wanted is not None and state != state_of(tree.lines[i]):
            marks[i] = {"succeeded": tick, "running": "-"}.get(state, " ")
    for part in tree.top:
        _settle(part, tree, marks, tick)
    return parsed.edited(_edit(tree.lines[i], mark) for i, mark in marks.items())


def _settle(part: Part, tree: Tree, marks: dict[int, str], tick: str) -> tuple[bool, bool]:
    """Whether it is done now, and whether that may have changed."""
    own = part.line
    done = own is not None and marks.get(own, tree.lines[own].box.mark) in ("x", "X")
    changed = own in marks
    if not part.parts or tree.is_task(part):
        for each in part.parts:
            _settle(each, tree, marks, tick)
        return done, changed
    inner = [(each, *_settle(each, tree, marks, tick)) for each in part.parts]
    if own is None or not any(touched for _, _, touched in inner):
        return done, any(touched for _, _, touched in inner)
    needed = [x for x in inner if x[0].line is None or not tree.lines[x[0].line].optional] or inner
    whole = all(is_done for _, is_done, _ in needed)
    if whole != done:
        marks[own] = tick if whole else " "
    return whole, True


def _edit(line: TaskLine, mark: str) -> Edit:
    return line.box.mark_at, line.box.mark_at + len(line.box.mark), mark
