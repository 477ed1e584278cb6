"""Task states in an epic: the words that people use, and the file with new ones, in its own words (R6.4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal, cast

from stretto.formats.cfn_epic.outline import Node, holders, outline
from stretto.formats.set_aside import Aside
from stretto.formats.syntax import json_text
from stretto.formats.syntax.json_edit import put
from stretto.formats.syntax.source import Edit, Source, decode
from stretto.model.plan import TaskStatus

Word = Literal["pending", "running", "succeeded", "failed"]

_DONE = ("completed", "complete", "done", "finished", "succeeded", "success", "closed", "delivered", "shipped")
_RUNNING = ("in_progress", "running", "started", "active", "ongoing", "wip", "implementing", "in_review", "review")
_FAILED = ("failed", "failure", "error", "rejected")
_PENDING = (
    *("not_started", "pending", "planned", "planning", "todo", "to_do", "ready", "backlog", "blocked", "queued"),
    *("draft", "new", "open", "approved", "scheduled", "proposed", "planning_complete", "waiting", "not_yet_started"),
)
_STATUSES: Mapping[str, Word] = {
    **dict.fromkeys(_PENDING, "pending"),
    **dict.fromkeys(_RUNNING, "running"),
    **dict.fromkeys(_DONE, "succeeded"),
    **dict.fromkeys(_FAILED, "failed"),
}
_ASIDE: Mapping[str, Aside] = {
    **dict.fromkeys(("cancelled", "canceled", "skipped", "dropped", "removed", "obsolete", "superseded"), "dropped"),
    **dict.fromkeys(("deferred", "postponed", "on_hold", "paused", "parked"), "later"),
}
WORDS: Mapping[str, str] = {**_STATUSES, **_ASIDE}
"""Every word that is known, with what it means."""
_DEFAULTS: Mapping[Word, str] = {"succeeded": "completed", "running": "in_progress", "pending": "pending"}
"""Words for a file that has none of that meaning yet. There is none for a failure: most epics know no such word."""
_PLAIN = re.compile(r"[A-Za-z_-]+(?: [A-Za-z]+)*")
_NO_MODELS = {"blocked", "draft", "in_review", "review", "planning_complete"}
"""Words that say more than a state."""
NOTHING: Mapping[Node, Word] = {}


def word_of(node: Node) -> str:
    """Its status, spelled as here: `✅ In Progress` is `in_progress`."""
    value = node.get("status")
    return _spelled(value) if isinstance(value, str) else ""


@lru_cache(maxsize=1_000)
def _spelled(word: str) -> str:
    return "_".join(re.findall(r"[a-z]+", word.casefold()))


def state_of(node: Node) -> Word | None:
    """What its own status says; None where it says nothing, or a word that nobody knows."""
    word = word_of(node)
    return "pending" if word.startswith("ready_for_") else _STATUSES.get(word)


def aside_of(node: Node) -> Aside | None:
    return _ASIDE.get(word_of(node))


def is_known(node: Node) -> bool:
    value = node.get("status")
    empty = value is None or (isinstance(value, str) and not value.strip())
    return empty or state_of(node) is not None or aside_of(node) is not None


def settled(task: Node, above: Mapping[Node, Word] = NOTHING) -> TaskStatus:
    """The state of a task: its own word, else what is done around it is done with all its parts.

    `above`: words that what is around it has instead of its own."""
    if (own := state_of(task)) is not None:
        return own
    around = task.parent
    while around is not None:
        word = above.get(around) or (_header_state(around) if around.kind == "epic" else state_of(around))
        if word is not None or aside_of(around) is not None:
            return "succeeded" if word == "succeeded" else "pending"
        around = around.parent
    return "pending"


def write_statuses(source: bytes, statuses: Mapping[str, str]) -> bytes:
    """The file with these states of its tasks, by id; ids that are not in it are left out.

    When a task changes, so do its sprint, its phase and the epic, where the file has a status for such.
    A file in which nothing has a status stays as it is. Raises PlanError when the file is not JSON."""
    parsed = json_text.parse(decode("epic.json", source), source)
    return parsed.edited(_Writer(parsed).edits(statuses))


def _header_state(epic: Node) -> Word | None:
    return next(filter(None, map(state_of, holders(epic))), None)


class _Writer:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._epic = outline(source)
        self._groups = list(self._epic.groups())
        self._tasks = [task for group in self._groups for task in group.tasks()]
        around = [*self._groups, *self._epic.children, *holders(self._epic)]
        nodes = [x for x in dict.fromkeys((*self._tasks, *around)) if x.get("status") is not None]
        self._kinds = {x.kind for x in nodes}
        """Kinds of nodes that have a status in this file."""
        self._words = _vocabulary(nodes)
        self._with_status: dict[Node | None, bool] = {}
        """Whether something in it has a status."""

    def edits(self, statuses: Mapping[str, str]) -> list[Edit]:
        if not self._kinds:
            return []
        before = {task: settled(task) for task in self._tasks}
        after = {task: self._nearest(statuses.get(task.id), state) for task, state in before.items()}
        above = self._above(before, after)
        changed = {task for task in self._tasks if before[task] != after[task]}
        edits = [
            self._put(task, after[task])
            for task in self._tasks
            if self._misses(task, after, above) or (task in changed and self._has_usually(task))
        ]
        for node, state in above.items():
            for place in holders(node) if node.kind == "epic" else [node]:
                if state_of(place) != state and (node.kind != "epic" or place.get("status") is not None):
                    edits.append(self._put(place, state))
        return edits

    def _nearest(self, state: str | None, before: TaskStatus) -> TaskStatus:
        """What this file can say of a state; a failure is pending, where nothing in it has failed before."""
        if state is None:
            return before
        return state if state in self._words else "pending"  # type: ignore[return-value]

    def _above(self, before: Mapping[Node, TaskStatus], after: Mapping[Node, TaskStatus]) -> dict[Node, Word]:
        """New states of what has a task in it that changes: done when all are, begun when one is."""
        inside: dict[Node, list[Node]] = {}
        changed: dict[Node, None] = {}
        for task in self._tasks:
            around = task.parent
            while around is not None:
                inside.setdefault(around, []).append(task)
                if before[task] != after[task]:
                    changed[around] = None
                around = around.parent
        return {
            node: _sum([after[task] for task in inside[node] if aside_of(task) != "dropped"])
            for node in changed
            if node.kind in self._kinds and aside_of(node) is None
        }

    def _misses(self, task: Node, after: Mapping[Node, TaskStatus], above: Mapping[Node, Word]) -> bool:
        """Whether the file would not say its new state without a word at the task itself."""
        return bool(task.values) and aside_of(task) is None and settled(task, above) != after[task]

    def _has_usually(self, task: Node) -> bool:
        """Whether one beside it, or it, has a status of its own: then all should, so that none looks forgotten."""
        if task.parent not in self._with_status:
            beside = task.parent.children if task.parent else [task]
            self._with_status[task.parent] = any(x.get("status") is not None for x in beside)
        return bool(task.values) and aside_of(task) is None and self._with_status[task.parent]

    def _put(self, node: Node, state: str) -> Edit:
        return put(self._source, node.steps, node.key("status") or "status", self._words[cast(Word, state)])


def _sum(states: list[TaskStatus]) -> Word:
    if all(state == "succeeded" for state in states):
        return "succeeded"
    return "running" if any(state != "pending" for state in states) else "pending"


def _vocabulary(nodes: list[Node]) -> Mapping[Word, str]:
    """The file's own words, and where it has none yet, usual ones in its way to spell."""
    own: dict[Word, str] = {}
    for node in nodes:
        word, state = node.get("status"), state_of(node)
        if state is not None and isinstance(word, str) and _PLAIN.fullmatch(word) and word_of(node) not in _NO_MODELS:
            own.setdefault(state, word)
    dashed = any("-" in word for word in own.values())
    upper = bool(own) and all(word.isupper() for word in own.values())
    usual = {state: word.replace("_", "-") if dashed else word for state, word in _DEFAULTS.items()}
    return {**{state: word.upper() if upper else word for state, word in usual.items()}, **own}
