"""A plan and its analysis, as the JSON that other programs rely on and as text for people."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any

import msgspec

from stretto.analysis.apart import Apart, kept_apart, whole
from stretto.analysis.conflicts import Conflict, conflicts
from stretto.analysis.estimate import NOTHING, critical_path, durations, enough, estimate
from stretto.analysis.graph import Graph, build, levels, topological
from stretto.analysis.lint import ok
from stretto.analysis.wording import counted, spoken
from stretto.model.plan import Finding, Phase, Plan
from stretto.observe.layout import column, flow, row, wrap
from stretto.observe.paint import Paint, cut, fit, line, width_of
from stretto.observe.views.picture import picture
from stretto.observe.views.tree import tree

_LINES, _ROWS = 2, 12
"""What a short text has room for: lines of one level, rows of one section."""
_MOST_BOXES = 60
"""A graph with more is no help in a terminal."""
_TITLE = 8
"""A title that would get fewer columns is left out."""


def check_json(plan: Plan | None, findings: Sequence[Finding]) -> dict[str, Any]:
    """`check --json`. Without a plan, because it could not be read, `format` and `plan` are null."""
    return {
        "ok": plan is not None and ok(findings),
        "format": plan and plan.format,
        "plan": plan and plan.name,
        "findings": [
            {
                "code": finding.code,
                "severity": finding.severity,
                "message": finding.message,
                "location": finding.location and msgspec.structs.asdict(finding.location),
                "hint": finding.hint,
                "tasks": list(finding.tasks),
            }
            for finding in findings
        ],
    }


def show_json(
    plan: Plan,
    *,
    places: int = 5,
    default_s: float = 720.0,
    learned_s: Mapping[str, float] = NOTHING,
    command: str | None = None,
) -> dict[str, Any]:
    """`show --format json`. `places` tasks run at once; one without an estimate takes the seconds that were learned of
    it (by its id), else `default_s`.

    `depends_on` is what a task waits for in the end: its dependencies, its phase's, and its neighbour in a chain,
    with phases replaced by their tasks. `conflicts_with`, where a task has any, has the names that the plan has.
    `level` is null for a task on or behind a cycle. With the `command` that runs the plan, `recommended` has it with
    as many workers as are worth while."""
    graph, took = build(plan), durations(plan, default_s, learned_s)
    level = levels(graph)
    members = _members(graph)
    workers = enough(plan, graph, took) if command is not None else 0
    recommended = {"workers": workers, "command": f"{command} -j {workers}"}
    return {
        "format": plan.format,
        "tasks": [
            {
                "id": task.id,
                "phase": task.phase,
                "depends_on": _expanded(graph.needs[i], graph, members),
                "writes": None if task.writes is None else list(task.writes),
                "level": level[i] if level[i] >= 0 else None,
                "status": task.status,
                **({"conflicts_with": list(task.conflicts_with)} if task.conflicts_with else {}),
            }
            for i, task in enumerate(plan.tasks)
        ],
        "levels": _by_level(plan, level),
        "critical_path": list(critical_path(plan, graph, took)),
        "conflicts": [{"path": x.path, "tasks": list(x.tasks)} for x in conflicts(plan, graph)],
        "estimate": msgspec.structs.asdict(estimate(plan, graph, took, places)),
        **({} if command is None else {"recommended": recommended}),
    }


def _members(graph: Graph) -> dict[int, list[int]]:
    """The tasks that stand for each phase: its own, or for an empty one those of the phases in front of it."""
    found: dict[int, list[int]] = {}
    for node in topological(graph):
        if graph.is_join(node):
            own = [x for x in graph.needs[node] if not graph.is_join(x)]
            found[node] = own or [x for phase in graph.needs[node] for x in found[phase]]
    return found


def _expanded(needs: Iterable[int], graph: Graph, members: dict[int, list[int]]) -> list[str]:
    tasks = (task for node in needs for task in (members.get(node, ()) if graph.is_join(node) else (node,)))
    return [graph.names[i] for i in dict.fromkeys(tasks)]


def _by_level(plan: Plan, level: Sequence[int]) -> list[list[str]]:
    found: list[list[str]] = [[] for _ in range(max((level[i] + 1 for i in range(len(plan.tasks))), default=0))]
    for i, task in enumerate(plan.tasks):
        if level[i] >= 0:
            found[level[i]].append(task.id)
    return found


# --- for people ----------------------------------------------------------------------------------------------------


def show_text(
    plan: Plan,
    *,
    width: int = 80,
    places: int = 5,
    default_s: float = 720.0,
    learned_s: Mapping[str, float] = NOTHING,
    paint: Paint | None = None,
    short: bool = True,
    graph_too: bool = False,
) -> Iterator[str]:
    """The lines of `show`. They keep to `width` columns, but for a name that is wider, which stands by itself.

    `short` leaves out what a large plan has too much of; `graph_too` draws what waits for what."""
    paint = paint or Paint(on=False)
    graph, took = build(plan), durations(plan, default_s, learned_s)
    lines, rows = (_LINES, _ROWS) if short else (10**9, 10**9)
    path = critical_path(plan, graph, took)
    met, apart = conflicts(plan, graph), list(kept_apart(plan))
    sections = [
        (f"Phases ({len(plan.phases)})", _phases(plan, graph, width, rows) if len(plan.phases) > 1 else ()),
        ("Graph: what waits for what", _graph(plan, graph, path, met, width - 2) if graph_too else ()),
        ("Levels: what waits for nothing above it", _levels(plan, levels(graph), width, lines, rows)),
        (f"Critical path: {counted(len(path), 'task')}", flow([line(id) for id in path], " → ", width - 2, 2 * lines)),
        (
            f"Overlaps: {counted(len(met), 'path')} where tasks take turns",
            _overlaps(plan, met, width, lines - 1 or 1, rows),
        ),
        ("Kept apart: never side by side, by `conflicts_with`", _apart(plan, apart, width, lines - 1 or 1, rows)),
        (
            "Expected time",
            [
                part
                for text in _times(plan, graph, took, places, default_s, learned_s)
                for part in wrap(text, width - 2)
            ],
        ),
    ]
    done = sum(task.status == "succeeded" for task in plan.tasks)
    head = f"{line(plan.name) or 'a plan'} ({plan.format}): {counted(len(plan.tasks), 'task')}"
    yield from (paint(text, "bold") for text in wrap(f"{head}, {done:,} done" if done else head, width))
    for title, body in sections:
        body = list(body)
        if body:
            yield ""
            yield from (paint(text, "bold") for text in wrap(title, width))
            yield from (f"  {text}" for text in body)


def _phases(plan: Plan, graph: Graph, width: int, rows: int) -> Iterator[str]:
    sizes, done = dict.fromkeys((phase.id for phase in plan.phases), 0), {phase.id: 0 for phase in plan.phases}
    for task in plan.tasks:
        sizes[task.phase] = sizes.get(task.phase, 0) + 1
        done[task.phase] = done.get(task.phase, 0) + (task.status == "succeeded")
    heads, wide = _heads(plan.phases[:rows], width)
    for phase, head in zip(plan.phases, heads, strict=False):
        told = [counted(sizes[phase.id], "task"), *_about(plan, graph, phase)]
        if done[phase.id]:
            told.insert(1, f"{done[phase.id]:,} done")
        yield from row(head, wide, wrap(", ".join(told), width - wide - 4))
    yield from _rest(len(plan.phases) - rows, "phase")


def _heads(phases: Sequence[Phase], width: int) -> tuple[list[str], int]:
    """The ids, beside them the titles that say more, and how wide their column is: with titles up to half of it all."""
    ids = wide = column((line(phase.id) for phase in phases), width)
    room = width // 2 - ids - 2
    heads = []
    for phase in phases:
        head, title = line(phase.id), line(phase.title)
        if title and title != head and room >= _TITLE and width_of(head) <= ids:
            head = f"{fit(head, ids)}  {cut(title, room)}"
            wide = max(wide, width_of(head))
        heads.append(head)
    return heads, wide


def _about(plan: Plan, graph: Graph, phase: Phase) -> Iterator[str]:
    if phase.depends_on:
        yield f"after {' and '.join(line(x) for x in phase.depends_on)}"
    if not phase.parallel:
        members = [i for i, task in enumerate(plan.tasks) if task.phase == phase.id]
        chained = all(before in graph.needs[after] for before, after in pairwise(members))
        yield "one at a time" if chained else "in the order of its tasks' own dependencies"
    if phase.max_parallel:
        yield f"at most {phase.max_parallel:,} at once"
    policy = phase.on_failure or plan.defaults.on_failure
    if policy in ("stop", "rollback"):
        yield f"{policy}s on failure"


def _levels(plan: Plan, level: Sequence[int], width: int, lines: int, rows: int) -> Iterator[str]:
    """A row a level; neighbours with one task each share a row."""
    groups: list[tuple[str, Sequence[str], str]] = []
    for single, run in groupby(enumerate(_by_level(plan, level), 1), lambda x: len(x[1]) == 1):
        members = list(run)
        if single and len(members) > 1:
            groups.append((f"{members[0][0]}–{members[-1][0]}", [id for _, ids in members for id in ids], " → "))
        else:
            groups.extend((f"{n}", ids, ", ") for n, ids in members)
    yield from _table(plan, groups[:rows], width, lines)
    yield from _rest(len(groups) - rows, "row")
    if stuck := sum(level[i] < 0 for i in range(len(plan.tasks))):
        yield f"never: {counted(stuck, 'task')} on or behind a circle of dependencies"


def _graph(plan: Plan, graph: Graph, path: Sequence[str], met: Sequence[Conflict], width: int) -> Iterator[str]:
    if len(plan.tasks) > _MOST_BOXES:
        yield from wrap("too many tasks for lines: `--format html` draws them", width)
    elif any(graph.waits()[: len(plan.tasks)]):
        yield from tree(picture(plan, graph, durations(plan), path, met, _MOST_BOXES), width)


def _overlaps(plan: Plan, met: Sequence[Conflict], width: int, lines: int, rows: int) -> Iterator[str]:
    yield from _table(plan, [(line(x.path), x.tasks, ", ") for x in met[:rows]], width, lines)
    yield from _rest(len(met) - rows, "path")


def _apart(plan: Plan, found: Sequence[Apart], width: int, lines: int, rows: int) -> Iterator[str]:
    told = []
    for each in found[:rows]:
        task = plan.tasks[each.task]
        names = [*(plan.tasks[i].id for i in each.tasks), *(whole(phase, task) for phase in each.phases)]
        told.append((line(task.id), names, ", "))
    yield from _table(plan, told, width, lines)
    yield from _rest(len(found) - rows, "task")


def _table(plan: Plan, rows: Sequence[tuple[str, Sequence[str], str]], width: int, lines: int) -> Iterator[str]:
    """Rows of a head, ids of tasks, and what stands between them."""
    done = {task.id for task in plan.tasks if task.status == "succeeded"}
    wide = column((head for head, _, _ in rows), width)
    for head, ids, separator in rows:
        names = [_named(id, done) for id in ids]
        yield from row(head, wide, flow(names, separator, width - wide - 4, lines))


def _named(id: str, done: Container[str]) -> str:
    return f"{line(id)} (done)" if id in done else line(id)


def _times(
    plan: Plan, graph: Graph, took: Sequence[float], places: int, default_s: float, learned_s: Mapping[str, float]
) -> Iterator[str]:
    got = estimate(plan, graph, took, places)
    if not got.sequential_s:
        return
    unsaid = [task.id for task in plan.tasks if task.estimate_s is None and task.status != "succeeded"]
    shown = sum(id in learned_s for id in unsaid)
    yield f"one after the other  {spoken(got.sequential_s)}"
    yield f"{fit(f'{places} at once', 19)}  {spoken(got.parallel_s)}, {got.speedup:.1f} times as fast"
    yield f"at the very best     {spoken(got.lower_bound_s)}"
    yield f"most tasks at once   {got.peak_width:,}"
    if shown:
        yield f"(as earlier runs have shown for {counted(shown, 'task')} without an estimate)"
    if unknown := len(unsaid) - shown:
        yield f"({spoken(default_s)} assumed for {counted(unknown, 'task')} without an estimate)"


def _rest(number: int, thing: str) -> Iterator[str]:
    if number > 0:
        yield f"… and {counted(number, f'more {thing}')}"
