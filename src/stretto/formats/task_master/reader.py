"""Task Master's `tasks.json`: tags, tasks, and their subtasks."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence, Set
from pathlib import Path

from stretto.formats.auto_claude.reader import claimed
from stretto.formats.reading import Read, Reading, Table, kind, known_words, shown
from stretto.formats.set_aside import Aside, without
from stretto.formats.syntax.source import Source, Steps
from stretto.formats.task_master.prompt import Around, prompt
from stretto.model.plan import Phase, Plan, Task, TaskStatus

NAME = "task-master"
LOOSE = "tasks"
"""The phase of the tasks that have no subtasks."""

_PRIORITIES = {"critical": 1, "high": 2, "medium": 3, "low": 4}
_NUMBER = re.compile(r"[0-9]{1,9}")
_MEDIUM = 3
"""What Task Master gives to a task that has none of its priorities."""
_GAP = re.compile(r"[\s_]+")
_ASIDE: dict[str, Aside] = {"cancelled": "dropped", "canceled": "dropped", "deferred": "later"}
_STATUSES: dict[str, TaskStatus] = {
    **dict.fromkeys(("pending", "todo", "blocked", ""), "pending"),
    **dict.fromkeys(("in-progress", "review"), "running"),
    **dict.fromkeys(("done", "completed"), "succeeded"),
    **dict.fromkeys(_ASIDE, "pending"),
}
_MEANINGS: Mapping[str, str] = {**_STATUSES, **_ASIDE}
_MARKS = {"testStrategy", "details", "dependencies", "subtasks"}
"""Keys by which a list of tasks is known as Task Master's."""
_OTHERS = {"prompt", "prompt_file", "depends_on", "phase"}
"""Keys that its tasks never have."""


def recognises(source: Source) -> bool:
    """A list of tasks with titles, at the top or below a tag."""
    return source.syntax == "json" and bool(lists_of(source.tree))


def lists_of(tree: object) -> dict[str, Steps]:
    """Tag names, and where the tasks of each stand; one without a name where the file has no tags."""
    if not isinstance(tree, dict):
        return {}
    if _is_list(tree.get("tasks")):
        return {"": ("tasks",)}
    tags: dict[str, Steps] = {
        tag: (tag, "tasks") for tag, value in tree.items() if isinstance(value, dict) and "tasks" in value
    }
    known = any(_is_list(tree[tag]["tasks"]) for tag in tags)
    empty = tags.keys() == {"master"} and tree["master"]["tasks"] == []
    return tags if known or empty else {}


def _is_list(value: object) -> bool:
    members = [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
    return any(_MARKS & each.keys() for each in members) and not any(_OTHERS & each.keys() for each in members)


def read(source: Source) -> Read:
    """The plan of one tag: the one that Task Master is set to, else `master`, else the first."""
    return _Reader(source).read()


def word_of(values: Mapping[str, object]) -> str:
    """The status as the file has it, spelled as Task Master does."""
    value = values.get("status")
    return _GAP.sub("-", value.strip().casefold()) if isinstance(value, str) else ""


def status_of(values: Mapping[str, object]) -> TaskStatus | None:
    """The task state that it means; None for a word that nobody knows."""
    return _STATUSES.get(word_of(values)) if isinstance(values.get("status"), str | None) else None


def aside_of(values: Mapping[str, object]) -> Aside | None:
    """Whether it is cancelled or put off."""
    return _ASIDE.get(word_of(values))


def name_in(tags: Mapping[str, Steps], tag: str) -> str:
    """What stands before the ids of a tag: nothing, unless there are several, since each numbers its own."""
    return f"{tag}." if len(tags) > 1 else ""


class _Reader:
    def __init__(self, source: Source) -> None:
        self._reading = Reading(source)
        self._tags = lists_of(source.tree)
        self._tag = _chosen(Path(source.file), list(self._tags))
        self._before = name_in(self._tags, self._tag)
        self._ids: set[str] = set()
        self._nameless: set[Steps] = set()
        """Tasks without an id, or with what is none: told already, and no two of them are the same."""
        self._aside: dict[str, Aside] = {}
        self._unclear: list[Steps] = []
        self._lost: list[tuple[str, str, Steps]] = []
        """Tasks with subtasks that wait for what is not there: the task, the name, where it stands."""

    def read(self) -> Read:
        root = self._reading.root("the plan")
        holder = root.table(self._tag) if self._tag else root
        self._reading.places.mark("plan", self._tags[self._tag][:-1])
        tables = holder.tables("tasks", "task") if holder is not None else []
        ids = [self._id(table, None) for table in tables]
        parts = [table.tables("subtasks", "subtask") for table in tables]
        part_ids = [[self._id(part, id) for part in own] for id, own in zip(ids, parts, strict=True)]
        self._ids = {*ids, *(id for own in part_ids for id in own)}
        self._each_once(tables, ids)
        for own, own_ids in zip(parts, part_ids, strict=True):
            self._each_once(own, own_ids)
        phases: list[Phase] = []
        tasks: list[Task] = []
        loose, named_loose = self._before + LOOSE, False
        for table, id, own, own_ids in zip(tables, ids, parts, part_ids, strict=True):
            if own:
                self._reading.places.mark(f"phase:{id}", table.steps)
                phases.append(Phase(id=id, title=shown(_title(table.values), 100)))
                needs = self._needs_of_whole(table, id, set(own_ids))
                self._look_at_whole(table, tuple(own_ids))
                around = Around(table.values)
                tasks += (self._task(x, part, id, around, needs) for x, part in zip(own, own_ids, strict=True))
                continue
            if not named_loose:
                named_loose = True
                phases.append(Phase(id=loose, title="Tasks without subtasks"))
            tasks.append(self._task(table, id, loose, None, []))
        return self._finish(phases, tasks)

    def _finish(self, phases: list[Phase], tasks: list[Task]) -> Read:
        kept, told = without(tasks, self._aside)
        for finding in told:
            self._reading.report(
                "set-aside", finding.message, self._at(finding.task), finding.hint, severity="info", tasks=finding.tasks
            )
        left = {task.id for task in kept}
        waiting = [task for task in tasks if task.id not in left and task.id not in self._aside]
        self._tell_lost([*kept, *waiting])
        for task in waiting:  # what is in the plan is looked at there
            for i, name in enumerate(task.depends_on):
                if name not in self._ids:
                    self._unknown(
                        task.id, name, self._reading.places.steps(f"task:{task.id}:depends_on:{i}"), (task.id,)
                    )
        if self._unclear:
            self._reading.report(
                "sibling-meant",
                f"{len(self._unclear)} dependencies of subtasks could be a sibling or a task; siblings are meant"
                if len(self._unclear) > 1
                else "a dependency of a subtask could be a sibling or a task; the sibling is meant",
                self._unclear[0],
                'write "5.2" for subtask 2 of task 5, and "2" in the list of the task itself for task 2',
                severity="info",
            )
        if len(self._tags) > 1:
            others = ", ".join(shown(tag, 30) for tag in self._tags if tag != self._tag)
            self._reading.report(
                "other-tags",
                f"tag {shown(self._tag, 30)!r} is read; the file has others: {shown(others, 200)}",
                (self._tag,),
                "task-master use-tag NAME changes to another one",
                severity="info",
            )
        used = {task.phase for task in kept}
        name = self._tag or Path(self._reading.source.file).absolute().parent.name or NAME
        return self._reading.finish(
            lambda: Plan(
                name=name, format=NAME, phases=tuple(phase for phase in phases if phase.id in used), tasks=tuple(kept)
            )
        )

    def _at(self, task: str) -> Steps:
        return self._reading.places.steps(f"task:{task}")

    def _id(self, table: Table, parent: str | None) -> str:
        own = table.id("id") or ""
        if not own:
            self._nameless.add(table.steps)
        if table.values.get("id") is None:
            table.missing("id", "every task has a number")
        if parent is not None:
            bare = parent.removeprefix(self._before)
            own = own if own.startswith(f"{bare}.") else f"{bare}.{own}"
        id = self._before + own
        table.about = f"task {shown(id)!r}"
        return id

    def _each_once(self, tables: Sequence[Table], ids: Sequence[str]) -> None:
        """Refuse an id that two tasks of a list have: nobody can tell which of them is meant by it.

        Their subtasks are held against those of the same task only: with its id theirs will change, too."""
        first: dict[str, Table] = {}
        free = 1 + max((int(number) for table in tables if _NUMBER.fullmatch(number := _last(table))), default=0)
        for table, id in zip(tables, ids, strict=True):
            if table.steps in self._nameless or first.setdefault(id, table) is table:
                continue
            other, at = first[id], ("id",)
            place = self._reading.source.location((*other.steps, *at))
            self._reading.refuse(
                "duplicate-id",
                f"the id {shown(id)!r} is given twice: to {shown(_title(other.values), 40)!r} at"
                f" {place.file}:{place.line}:{place.column}, and to {shown(_title(table.values), 40)!r} here",
                (*table.steps, *at),
                f"give one of the two another id{f', such as {free}' if free > 1 else ''}, and name that where"
                " `dependencies` mean it",
            )
            free += free > 1

    def _needs_of_whole(self, table: Table, id: str, parts: Set[str]) -> list[tuple[str, Steps]]:
        """What all subtasks of a task wait for, because it does. That it waits for a part of itself says nothing."""
        found = []
        for name, steps in dict(self._needs(table, None)).items():
            if name != id and name not in parts:
                if name in self._ids:
                    found.append((name, steps))
                else:
                    self._lost.append((id, name, steps))
        return found

    def _look_at_whole(self, table: Table, parts: tuple[str, ...]) -> None:
        """Words of a task with subtasks that nobody knows: told once, not for each of them."""
        if status_of(table.values) is None:
            steps = (*table.steps, "status")
            self._reading.unknown_status(table.about, table.values.get("status"), steps, parts, _MEANINGS)
        self._look_at_priority(table, parts, _MEDIUM)

    def _look_at_priority(self, table: Table, tasks: tuple[str, ...], counts_as: int) -> None:
        value = table.values.get("priority")
        if value in (None, "") or _priority(table.values) is not None:
            return
        word = next(word for word, number in _PRIORITIES.items() if number == counts_as)
        self._reading.report(
            "unknown-priority",
            f"`priority` of {table.about} is {kind(value)}, which is no word that is known; it counts as {word}",
            (*table.steps, "priority"),
            known_words(value, _PRIORITIES),
            tasks=tasks,
        )

    def _unknown(self, id: str, name: str, steps: Steps, tasks: tuple[str, ...]) -> None:
        self._reading.report(
            "unknown-id",
            f"task {shown(id)!r} waits for {shown(name)!r}, which is not in this plan",
            steps,
            "name a task of this plan, or leave it out",
            severity="error",
            tasks=tasks,
        )

    def _tell_lost(self, kept: Sequence[Task]) -> None:
        """What a task waits for in vain, once for all of its subtasks that are left."""
        parts: dict[str, list[str]] = {}
        for task in kept if self._lost else ():
            parts.setdefault(task.phase, []).append(task.id)
        whole = {phase: tuple(ids) for phase, ids in parts.items()}  # one, however much each of them waits for
        for id, name, steps in self._lost:
            if id in whole:
                self._unknown(id, name, steps, whole[id])

    def _task(self, table: Table, id: str, phase: str, parent: Around | None, above: list[tuple[str, Steps]]) -> Task:
        place = self._reading.places.mark(f"task:{id}", table.steps)
        values, around = table.values, parent.values if parent is not None else {}
        if not _title(values) and not values.get("details"):
            table.missing("title", "say what is to be done; a number is no prompt")
        writes = self._writes(table, place)
        priority = _priority(values) or _priority(around) or _MEDIUM
        self._look_at_priority(table, (id,), priority)
        needs = dict([*self._needs(table, phase if parent is not None else None), *above])
        for i, steps in enumerate(needs.values()):
            self._reading.places.mark(f"{place}:depends_on:{i}", steps)
        return Task(
            id=id,
            phase=phase,
            title=shown(_title(values), 100),
            prompt=prompt(values, parent),
            depends_on=tuple(needs),
            writes=writes,
            effect="any" if writes is None else "changes",
            priority=priority,
            status=self._status(table, id, around),
        )

    def _status(self, table: Table, id: str, around: Mapping[str, object]) -> TaskStatus:
        """A task that is done, or set aside, is so with all its parts."""
        for values in (around, table.values):
            if (why := aside_of(values)) is not None:
                self._aside[id] = why
        if status_of(around) == "succeeded":
            return "succeeded"
        status = status_of(table.values)
        if status is None:
            steps = (*table.steps, "status")
            self._reading.unknown_status(table.about, table.values.get("status"), steps, (id,), _MEANINGS)
        return status or "pending"

    def _needs(self, table: Table, parent: str | None) -> list[tuple[str, Steps]]:
        """What a task waits for. In a subtask a plain number is a sibling before it is a task."""
        found = []
        for i, name in enumerate(table.ids("dependencies")):
            steps: Steps = (*table.steps, "dependencies", i)
            whole = self._before + name
            if parent is not None and "." not in name and f"{parent}.{name}" in self._ids:
                if whole in self._ids and whole != parent:
                    self._unclear.append(steps)
                whole = f"{parent}.{name}"
            if whole != parent:  # that a part waits for its whole says nothing
                found.append((whole, steps))
        return found

    def _writes(self, table: Table, place: str) -> tuple[str, ...] | None:
        """Files that the task is to create or modify; None (unknown) where it names none."""
        value = table.values.get("relevantFiles")
        claims: list[tuple[str, Steps]] = []
        for i, each in enumerate(value if isinstance(value, list) else ()):
            path, action = (each.get("path"), each.get("action")) if isinstance(each, dict) else (each, "")
            if not isinstance(path, str) or (isinstance(action, str) and action.casefold() == "reference"):
                continue
            if (claim := claimed(path)) is not None:
                claims.append((claim, (*table.steps, "relevantFiles", i)))
        return self._reading.places.claims(place, claims) or None


def _chosen(file: Path, tags: list[str]) -> str:
    """The tag that Task Master is set to, as its `state.json` says."""
    for folder in list(file.absolute().parents)[:2]:
        try:
            state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(state, dict) and state.get("currentTag") in tags:
            return str(state["currentTag"])
    return "master" if "master" in tags else tags[0]


def _title(values: Mapping[str, object]) -> str:
    texts = (
        " ".join(text.split()) for key in ("title", "name", "description") if isinstance(text := values.get(key), str)
    )
    return next(filter(None, texts), "")


def _priority(values: Mapping[str, object]) -> int | None:
    """None where it has none, or a word that nobody knows."""
    word = values.get("priority")
    return _PRIORITIES.get(word.strip().casefold()) if isinstance(word, str) else None


def _last(table: Table) -> str:
    """The id as its list counts it: without its task's number, which some files put before it."""
    return str(table.values.get("id")).rpartition(".")[2]
