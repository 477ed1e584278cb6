"""Statuses in the task files of an epic, and how far it is in its own; every other byte stays (R6.4).

When a task was updated, and whether the epic is completed, is for ccpm's own commands to say.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePath

from stretto.errors import PlanError
from stretto.formats.ccpm.paper import STATES, Paper, is_epic, is_task_file
from stretto.formats.syntax.source import Edit, decode
from stretto.model.plan import TaskStatus

_WORDS: Mapping[str, str] = {"succeeded": "closed", "running": "in-progress"}
_PLAIN = "open"
_REFERENCE = re.compile(
    r"[*_`\[]{0,3}(?:Task[ \t]+)?#?(?P<id>[\w-]+?)(?:\.md)?(?=[*_`\]]{0,3}(?:[\s:–—,(]|$))", re.IGNORECASE
)
_PROGRESS = re.compile(r"\d{1,3}(?:\.\d+)?")


def write_files(files: Mapping[str, bytes], statuses: Mapping[str, str]) -> dict[str, bytes]:
    """The files that change when these tasks, by id, have these states. Ids that have no file are left out.

    Words are those that the epic uses already. `progress` and the ticks of the epic follow from all files given."""
    papers: dict[str, Paper] = {}
    for path, data in files.items():
        try:
            papers[path] = Paper(decode(path, data), data)
        except PlanError:
            continue  # whoever made it unreadable has to mend it
    tasks = {PurePath(path).stem: path for path, paper in papers.items() if _is_task(path, paper)}
    wanted = {id: _state(statuses[id]) for id in tasks if id in statuses}
    if not wanted:
        return {}
    words = _dialect(papers[path] for path in tasks.values())
    edits: dict[str, list[Edit]] = {path: [] for path in papers}
    states: dict[str, TaskStatus] = {}
    for id, path in tasks.items():
        paper = papers[path]
        now = STATES.get(paper.status, "pending")
        states[id] = wanted.get(id, now)
        field = paper.field("status")
        if states[id] != now and field is None:
            edits[path].append(_added(paper, words.get(states[id], _PLAIN)))
        elif states[id] != now and field is not None:
            gap = " " if paper.text[field.value.start - 1 : field.value.start] == ":" else ""
            edits[path].append((field.value.start, field.value.end, gap + words.get(states[id], _PLAIN)))
    for path, paper in papers.items():
        if is_epic(paper.front) and not _is_task(path, paper):
            edits[path] += _progress(paper, states)
            edits[path] += _ticks(paper, {id: states[id] for id in wanted})
    written = {path: papers[path].source.edited(each) for path, each in edits.items() if each}
    return {path: data for path, data in written.items() if data != files[path]}


def _is_task(path: str, paper: Paper) -> bool:
    return is_task_file(PurePath(path).name, paper.front)


def _added(paper: Paper, word: str) -> Edit:
    """The key that a file without a status gets, as its first."""
    key = min(field.at for field in paper.front.fields.values())
    start = paper.text.rfind("\n", 0, key) + 1
    indent = re.match(r"[ \t]*", paper.text[start:key])
    newline = "\r\n" if paper.text[:start].endswith("\r\n") else "\n"
    return start, start, f"{indent[0] if indent else ''}status: {word}{newline}"


def _state(status: str) -> TaskStatus:
    return "succeeded" if status == "succeeded" else "running" if status == "running" else "pending"


def _dialect(papers: Iterator[Paper]) -> dict[str, str]:
    """The words that the files use most for what is done and for what is at work."""
    words = dict(_WORDS)
    seen = Counter(field.value.text for paper in papers if (field := paper.field("status")) is not None)
    for word, _ in reversed(seen.most_common()):
        state = STATES.get(re.sub(r"[\s_]+", "-", word.casefold()), "pending")
        if state in words and word:
            words[state] = word
    return words


def _progress(paper: Paper, states: Mapping[str, TaskStatus]) -> Iterator[Edit]:
    """`progress`, in percent of the tasks that are closed."""
    field = paper.field("progress")
    found = _PROGRESS.search(paper.text, field.value.start, field.value.end) if field else None
    if found is not None:
        done = sum(state == "succeeded" for state in states.values())
        yield found.start(), found.end(), str(100 * done // len(states))


def _ticks(paper: Paper, states: Mapping[str, TaskStatus]) -> Iterator[Edit]:
    """The check boxes that begin with the number of a task."""
    for box in paper.outline.boxes:
        found = _REFERENCE.match(paper.text, box.text_at, box.end)
        state = states.get(found["id"]) if found else None
        ticked = box.mark in ("x", "X")
        if state is not None and ticked != (state == "succeeded"):
            yield box.mark_at, box.mark_at + len(box.mark), " " if ticked else "x"
