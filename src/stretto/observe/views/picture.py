"""What a drawing of a plan shows, whatever draws it: boxes, their groups, and the fewest arrows that say it all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from stretto.analysis.apart import kept_apart, pairs, whole
from stretto.analysis.conflicts import Conflict
from stretto.analysis.graph import Graph, levels
from stretto.analysis.reduction import reduced
from stretto.model.plan import Plan, Value
from stretto.observe.paint import line

MOST_BOXES = 400
"""A plan with more tasks is drawn by its phases."""


class Box(Value, frozen=True, kw_only=True):
    """A task; or a whole phase, or the end of one, by what `kind` says."""

    kind: str
    """`task`, `phase`, or `end`: everything of a phase has landed."""
    name: str
    title: str = ""
    group: int | None = None
    """Which of the groups it is in."""
    level: int = 0
    """Counts from 0; -1 on or behind a cycle."""
    done: bool = False
    critical: bool = False
    """On the critical path."""
    took_s: float | None = None
    """Expected; None for the end of a phase."""
    turns: tuple[str, ...] = ()
    """Paths for which it takes turns with others."""
    apart: tuple[str, ...] = ()
    """Whom it is never active beside, in words."""
    beyond: tuple[str, ...] = ()
    """Those of them that no line leads to."""


class Arrow(Value, frozen=True, kw_only=True):
    """From what comes first to what waits for it, as positions among the boxes."""

    first: int
    then: int
    critical: bool = False
    soft: bool = False
    """It waits for an end, whatever that is (`after`)."""


class Pair(Value, frozen=True, kw_only=True):
    """Two tasks that are never active at the same time, as positions among the boxes."""

    first: int
    """Of no later level than the other."""
    then: int


class Picture(Value, frozen=True, kw_only=True):
    """Boxes and arrows. Names and titles are one line each, and as long as they are."""

    name: str
    groups: tuple[str, ...]
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    apart: tuple[Pair, ...] = ()
    folded: bool = False
    """The boxes are phases, for there are too many tasks."""


def picture(
    plan: Plan, graph: Graph, took_s: Sequence[float], path: Sequence[str], met: Sequence[Conflict], most: int
) -> Picture:
    """What there is to draw; more than `most` tasks are folded into their phases."""
    if len(plan.tasks) > most:
        return _phases(plan, graph, took_s, path)
    return _tasks(plan, graph, took_s, path, met)


def group_title(id: str, title: str) -> str:
    id, title = line(id), line(title)
    return f"{id}: {title}" if title and title != id else id


def _tasks(plan: Plan, graph: Graph, took_s: Sequence[float], path: Sequence[str], met: Sequence[Conflict]) -> Picture:
    level, on_path, turns = levels(graph), set(path), _turns(met)
    lines, apart, beyond = _apart(plan, level)
    needs = _joined(graph)
    ends = sorted({x for waits in needs.values() for x in waits if graph.is_join(x)})
    group = {phase.id: i for i, phase in enumerate(plan.phases)}
    boxes = [
        Box(
            kind="task",
            name=line(task.id),
            title=line(task.title),
            group=group.get(task.phase),
            level=level[i],
            done=task.status == "succeeded",
            critical=task.id in on_path and task.status != "succeeded",
            took_s=took_s[i],
            turns=turns.get(task.id, ()),
            apart=apart.get(i, ()),
            beyond=beyond.get(i, ()),
        )
        for i, task in enumerate(plan.tasks)
    ]
    at = {end: len(boxes) + n for n, end in enumerate(ends)}
    boxes += [Box(kind="end", name=line(graph.names[end]), group=end - graph.tasks, level=level[end]) for end in ends]
    arrows = tuple(_arrows(plan, graph, needs, at, path))
    return Picture(
        name=line(plan.name),
        groups=tuple(group_title(phase.id, phase.title) for phase in plan.phases),
        boxes=tuple(boxes),
        arrows=arrows,
        apart=lines,
    )


def _apart(
    plan: Plan, level: Sequence[int]
) -> tuple[tuple[Pair, ...], dict[int, tuple[str, ...]], dict[int, tuple[str, ...]]]:
    """Whom a line keeps apart; for each task whom it is kept apart from, and whom of these by no line."""
    found = list(kept_apart(plan))
    drawn = list(pairs(found))
    words: dict[int, list[str]] = {}
    beyond: dict[int, list[str]] = {}
    for each in found:
        task = plan.tasks[each.task]
        for other in each.tasks:
            words.setdefault(each.task, []).append(line(plan.tasks[other].id))
            words.setdefault(other, []).append(line(task.id))
        beyond[each.task] = [line(whole(phase, task)) for phase in each.phases]
        words.setdefault(each.task, []).extend(beyond[each.task])
    if not drawn:
        beyond = words
    across = {i: (level[i] < 0, level[i], i) for pair in drawn for i in pair}  # as the columns stand
    lines = (sorted(pair, key=across.__getitem__) for pair in drawn)
    return (
        tuple(Pair(first=first, then=then) for first, then in lines),
        {i: tuple(names) for i, names in words.items()},
        {i: tuple(names) for i, names in beyond.items()},
    )


def _turns(met: Sequence[Conflict]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for conflict in met:
        for id in conflict.tasks:
            found.setdefault(id, []).append(line(conflict.path))
    return {id: tuple(paths) for id, paths in found.items()}


def _joined(graph: Graph) -> dict[int, list[int]]:
    """What each node waits for. The end of a phase stays only where it saves arrows."""
    kept: dict[int, list[int]] = {node: list(waits) for node, waits in enumerate(reduced(graph))}
    behind: dict[int, set[int]] = {}
    for node, waits in kept.items():
        for other in waits:
            behind.setdefault(other, set()).add(node)
    for end in range(graph.tasks, len(graph.names)):
        first, then = kept[end], behind.get(end, set())
        if len(first) * len(then) > len(first) + len(then):
            continue
        for node in then:
            kept[node] = list(dict.fromkeys(y for x in kept[node] for y in (first if x == end else (x,))))
        for node in first:
            behind[node] = (behind[node] - {end}) | then
        del kept[end]
    return kept


def _arrows(
    plan: Plan, graph: Graph, needs: Mapping[int, Sequence[int]], at: Mapping[int, int], path: Sequence[str]
) -> Iterator[Arrow]:
    hot = set(_followed(graph, needs, path))
    for node, waits in needs.items():
        if graph.is_join(node) and node not in at:
            continue
        for other in waits:
            yield Arrow(
                first=at.get(other, other),
                then=at.get(node, node),
                critical=(other, node) in hot,
                soft=other in graph.after[node] and other not in graph.needs[node],
            )


def _followed(graph: Graph, needs: Mapping[int, Sequence[int]], path: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The edges that the critical path takes, also where it goes through the ends of phases."""
    node_of = {name: i for i, name in reversed(list(enumerate(graph.names[: graph.tasks])))}
    for first, then in pairwise(node_of[id] for id in path):
        came: dict[int, int] = {}
        front = [then]
        while front and first not in came:
            node = front.pop()
            for other in needs[node]:
                if other not in came and (other == first or graph.is_join(other)):
                    came[other] = node
                    front.append(other)
        node = first
        while node != then and node in came:
            yield node, came[node]
            node = came[node]


def _phases(plan: Plan, graph: Graph, took_s: Sequence[float], path: Sequence[str]) -> Picture:
    level = levels(graph)
    group = {phase.id: i for i, phase in enumerate(plan.phases)}
    of = [group[task.phase] for task in plan.tasks] + list(range(len(plan.phases)))
    members: list[list[int]] = [[] for _ in plan.phases]
    for i, _task in enumerate(plan.tasks):
        members[of[i]].append(i)
    pairs = {(of[x], of[i]) for i in range(graph.tasks) for x in (*graph.needs[i], *graph.after[i]) if of[x] != of[i]}
    on_path = {id: n for n, id in enumerate(path)}
    boxes = [
        Box(
            kind="phase",
            name=line(phase.id),
            title=f"{sum(plan.tasks[i].status == 'succeeded' for i in own):,} of {len(own):,} tasks done",
            level=min((level[i] for i in own), default=0),
            done=all(plan.tasks[i].status == "succeeded" for i in own),
            critical=any(plan.tasks[i].id in on_path for i in own),
            took_s=sum(took_s[i] for i in own),
        )
        for phase, own in zip(plan.phases, members, strict=True)
    ]
    # Phases may wait for each other crosswise, task by task; a picture has each pair one way.
    order = {n: (box.level, n) for n, box in enumerate(boxes)}
    forward = sorted(pair for pair in pairs if order[pair[0]] < order[pair[1]])
    return Picture(
        name=line(plan.name),
        groups=(),
        boxes=tuple(boxes),
        arrows=tuple(Arrow(first=a, then=b) for a, b in forward),
        folded=True,
    )
