"""Task states written into Task Master's file; every byte that need not change stays as it is (R6.4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stretto.formats.syntax import json_text
from stretto.formats.syntax.json_edit import put
from stretto.formats.syntax.source import Edit, Steps, decode
from stretto.formats.task_master.reader import aside_of, lists_of, name_in, status_of

_WORDS = {"succeeded": "done", "running": "in-progress"}
"""The rest is pending: the format has no word for a failure."""

Values = Mapping[str, object]


def write_statuses(source: bytes, statuses: Mapping[str, str]) -> bytes:
    """The file with these states of its tasks and subtasks, by id; ids that are not in it are left out.

    A task whose subtasks are all done, but for cancelled ones, becomes done; not with one that is deferred, which
    would count as done with it. Raises PlanError when the file is not JSON."""
    parsed = json_text.parse(decode("tasks.json", source), source)
    edits: list[Edit] = []

    def settle(id: str, values: Values, steps: Steps) -> bool:
        """Whether it is done now."""
        wanted, state = statuses.get(id), status_of(values)
        if wanted is not None and (wanted if wanted in _WORDS else "pending") != state:
            edits.append(put(parsed, steps, "status", _WORDS.get(wanted, "pending")))
            return wanted == "succeeded"
        return state == "succeeded"

    tags = lists_of(parsed.tree)
    for tag, at in tags.items():
        holder = parsed.tree[tag] if tag and isinstance(parsed.tree, dict) else parsed.tree
        for steps, task in _mappings(holder, "tasks", at[:-1]):
            id = name_in(tags, tag) + str(task.get("id", ""))
            parts = [(f"{id}.{_last(part)}", part, place) for place, part in _mappings(task, "subtasks", steps)]
            if not parts:
                settle(id, task, steps)
                continue
            touched, whole = len(edits), status_of(task) == "succeeded"
            done = []
            for part_id, part, place in parts:
                why = aside_of(part)
                if why is not None and (whole or part_id not in statuses):  # a whole that is done leaves it as it is
                    done += [False] if why == "later" else []
                else:
                    done.append(settle(part_id, part, place))
            if len(edits) > touched and all(done) and not whole:
                edits.append(put(parsed, steps, "status", "done"))
    return parsed.edited(edits)


def _mappings(holder: object, key: str, steps: Steps) -> Iterator[tuple[Steps, Values]]:
    values = holder.get(key) if isinstance(holder, dict) else None
    for i, each in enumerate(values if isinstance(values, list) else ()):
        if isinstance(each, dict) and each:
            yield (*steps, key, i), each


def _last(values: Values) -> str:
    """The id of a subtask, without its task's number, which some files put before it."""
    return str(values.get("id", "")).rpartition(".")[2]
