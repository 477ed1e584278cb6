"""Changes of a plan put into its own file, in the words of its format, with every other byte as it was.

An edit is believed only when the file, read again, is the plan that was meant; else nobody says that it can be done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, assert_never

from stretto.analysis.changes import changed
from stretto.analysis.graph import build
from stretto.errors import PlanError
from stretto.formats.auto_claude.reader import PHASE_IDS
from stretto.formats.load import FORMATS
from stretto.formats.places import Places
from stretto.formats.syntax.edit import CannotEdit, append, keep, put, region, spelled
from stretto.formats.syntax.parse import parse
from stretto.formats.syntax.source import Edit, Source, Steps
from stretto.model.change import (
    AddHotFile,
    AddNeeds,
    AddWrites,
    Change,
    DropNeed,
    MakeParallel,
    SplitTask,
    UseContract,
)
from stretto.model.plan import Plan, Task, Value


class _Words(Value, frozen=True, kw_only=True):
    """What a format calls what is changed; the first of several keys that is there, else the first. Empty: no word."""

    needs: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    claim: Callable[[str], object] = str
    """A path as an entry of such a list."""
    parallel: str = ""
    estimate: Mapping[str, float] = {}
    """Keys, and how many seconds one of what they count is; 0 for text such as `90s`."""
    prompt: str = ""
    whole: bool = False
    """Whether it has a place for hot files and contracts."""


_WORDS: Mapping[str, _Words] = {
    "stretto": _Words(
        needs=("depends_on",),
        writes=("writes",),
        parallel="parallel",
        estimate={"estimate": 0},
        prompt="prompt",
        whole=True,
    ),
    "auto-claude": _Words(
        needs=("dependencies", "depends_on"),
        writes=("files_to_modify", "files_to_create", "files"),
        parallel="parallel_safe",
        estimate={"estimated_minutes": 60.0, "estimated_hours": 3600.0},
        prompt="description",
    ),
    "cfn-epic": _Words(
        needs=("dependencies", "depends_on", "dependsOn"),
        writes=("files", "file_paths", "filePaths"),
    ),
    "task-master": _Words(
        needs=("dependencies",),
        writes=("relevantFiles",),
        claim=lambda path: {"path": path, "action": "modify"},
    ),
}


def amended(file: str, data: bytes, changes: Iterable[Change]) -> bytes | None:
    """The plan file's bytes with the changes made; None where its format, or its spelling, has no way to say one.

    `file` is where the plan lies: a reader may look for others beside it."""
    try:
        wanted = _read(file, data)[1]
        for change in changes:
            source, plan, places = _read(file, data)
            data = source.edited(_edits(source, plan, places, change))
            wanted = changed(wanted, (change,))
        after = _read(file, data)[1]
    except (CannotEdit, KeyError, PlanError):
        return None
    return data if _gist(after) == _gist(wanted) else None


def _read(file: str, data: bytes) -> tuple[Source, Plan, Places]:
    source = parse(file, data)
    format = next((each for each in FORMATS if each.recognises(source)), None)
    if format is None:
        raise CannotEdit
    read = format.read(source)
    if not isinstance(read.places, Places):  # a plan of several files
        raise CannotEdit
    return source, read.plan, read.places


def _gist(plan: Plan) -> object:
    """What a change may touch, and nothing else that reading makes of the file."""
    graph = build(plan)
    return (
        [(name, {graph.names[i] for i in waits}) for name, waits in zip(graph.names, graph.waits(), strict=True)],
        [(x.id, x.phase, set(x.writes or ()), x.writes is None, x.estimate_s, x.uses, x.provides) for x in plan.tasks],
        [(x.id, x.parallel, x.max_parallel) for x in plan.phases],
        plan.hot_files,
        graph.dangling,
    )


def _edits(source: Source, plan: Plan, places: Places, change: Change) -> list[Edit]:
    words = _WORDS.get(plan.format, _Words())
    match change:
        case DropNeed():
            phase = next(x for x in plan.phases if x.id == change.phase)
            return _dropped(source, places, f"phase:{phase.id}", phase.depends_on.index(change.on))
        case MakeParallel():
            _must(bool(words.parallel))
            return [put(source, places.steps(f"phase:{change.phase}"), words.parallel, True)]
        case AddNeeds():
            return [_more(source, places.steps(f"task:{change.task}"), words.needs, change.needs)]
        case AddWrites():
            claims = [words.claim(path) for path in change.writes]
            return [_more(source, places.steps(f"task:{change.task}"), words.writes, claims)]
        case AddHotFile():
            _must(words.whole)
            return [_more(source, (), ("hot_files",), (change.path,))]
        case UseContract():
            _must(words.whole)
            return _contract(source, plan, places, change)
        case SplitTask():
            _must(bool(words.estimate))
            return _split(source, plan, places, words, change)
        case _:
            assert_never(change)


def _must(able: bool) -> None:
    if not able:
        raise CannotEdit


def _more(source: Source, steps: Steps, keys: tuple[str, ...], values: Iterable[object]) -> Edit:
    _must(bool(keys))
    holder = source.node(steps)
    _must(holder is not None and isinstance(holder.children, dict))
    assert holder is not None
    known = holder.children if isinstance(holder.children, dict) else {}
    key = next((key for key in keys if key in known), None)
    if key is None:
        return put(source, steps, keys[0], list(values))
    if source.written((*steps, key)) in ("null", "~", ""):
        return put(source, steps, key, list(values))
    return append(source, (*steps, key), list(values))


def _dropped(source: Source, places: Places, owner: str, n: int) -> list[Edit]:
    """The n-th thing that it depends on, taken out of its list."""
    steps = places.steps(f"{owner}:depends_on:{n}")
    if source.node(steps) is None:
        for key in ("dependencies", "depends_on"):  # one name alone, or in the other list that a format has
            at = (*steps[:-2], key)
            node = source.node(at)
            if node is not None and node.children is None:
                return keep(source, at, ())
            if isinstance(steps[-1], int) and source.node((*at, steps[-1])) is not None:
                steps = (*at, steps[-1])
                break
    _must(isinstance(steps[-1], int))
    node = source.node(steps[:-1])
    _must(node is not None and isinstance(node.children, list))
    assert node is not None
    return keep(source, steps[:-1], [i for i in range(len(node.children or ())) if i != steps[-1]])


def _contract(source: Source, plan: Plan, places: Places, use: UseContract) -> list[Edit]:
    user, provider = places.steps(f"task:{use.task}"), places.steps(f"task:{use.provider}")
    depends_on = next(x for x in plan.tasks if x.id == use.task).depends_on
    provided = use.contract in next(x for x in plan.tasks if x.id == use.provider).provides
    return [
        *_dropped(source, places, f"task:{use.task}", depends_on.index(use.provider)),
        _more(source, user, ("uses",), (use.contract,)),
        *([] if provided else [_more(source, provider, ("provides",), (use.contract,))]),
    ]


# --- one task becomes two ------------------------------------------------------------------------------------------


def _split(source: Source, plan: Plan, places: Places, words: _Words, split: SplitTask) -> list[Edit]:
    task = next(x for x in plan.tasks if x.id == split.task)
    steps = places.steps(f"task:{split.task}")
    start, end, between = region(source, steps)
    own = _half(source, places, words, split, task, split.keeps)
    copy = [*_half(source, places, words, split, task, split.gives), _renamed(source, steps, split.id)]
    if any(a < start or b > end for a, b, _ in (*own, *copy)):
        raise CannotEdit
    text, done, parts = source.text.text, start, list[str]()
    for a, b, new in sorted(copy):
        parts += text[done:a], new
        done = b
    waiting = [_more(source, places.steps(f"task:{id}"), words.needs, (split.id,)) for id in split.waiting]
    return [*own, (end, end, between + "".join((*parts, text[done:end]))), *waiting]


def _half(
    source: Source, places: Places, words: _Words, split: SplitTask, task: Task, paths: tuple[str, ...]
) -> list[Edit]:
    """The task with these of its claims, half of its time, and a word about it."""
    steps = places.steps(f"task:{split.task}")
    lists: dict[Steps, list[int]] = {}
    for k, path in enumerate(task.writes or ()):
        at = places.steps(f"task:{split.task}:writes:{k}")
        _must(isinstance(at[-1], int))
        kept = lists.setdefault(at[:-1], [])
        if path in paths and isinstance(at[-1], int):
            kept.append(at[-1])
    edits = [edit for at, kept in lists.items() for edit in keep(source, at, kept)]
    key = next((key for key in words.estimate if source.node((*steps, key)) is not None), next(iter(words.estimate)))
    edits.append(put(source, steps, key, _time(split.estimate_s, words.estimate[key])))
    node = source.node((*steps, words.prompt))
    said = _value(source, (*steps, words.prompt))
    if node is not None and isinstance(said, str) and "\n" not in source.text.text[node.start : node.end]:
        only = f"{said.rstrip()} (Of that only: {', '.join(paths)})"
        edits.append((node.start, node.end, spelled(source, only)))
    return edits


def _renamed(source: Source, steps: Steps, id: str) -> Edit:
    for key in ("id", "subtask_id", "subtaskId", *PHASE_IDS):
        if source.node((*steps, key)) is not None:
            return put(source, steps, key, id)
    raise CannotEdit


def _time(seconds: float, unit_s: float) -> object:
    if unit_s:
        number = seconds / unit_s
        return int(number) if number == int(number) else number
    minutes, rest = divmod(round(seconds), 60)
    hours, left = divmod(minutes, 60)
    return "".join(f"{number}{unit}" for number, unit in ((hours, "h"), (left, "m"), (rest, "s")) if number) or "1s"


def _value(source: Source, steps: Steps) -> Any:
    value: Any = source.tree
    for step in steps:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value
