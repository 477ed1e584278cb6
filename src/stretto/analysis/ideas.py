"""Changes worth estimating: where a plan waits without a visible reason, or has one task do what two could.

An idea is asked again whenever the plan has changed, for what it has to take with it depends on the rest: whoever would
lose a wait that has a visible reason gets it back, as a dependency of its own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from statistics import median
from typing import Literal, NamedTuple

from stretto.analysis.changes import changed
from stretto.analysis.conflicts import meetings
from stretto.analysis.estimate import durations
from stretto.analysis.globs import is_literal
from stretto.analysis.graph import build, topological
from stretto.analysis.sight import Sight, disjoint
from stretto.analysis.wording import counted, listed, quoted, spoken
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

_TIES = 12
"""A change that has to give back more dependencies than that is no simple one."""
_CROWD = 4
"""So many tasks make a path a hot one."""
_LONG = 2.0
"""So many times the usual task is a long one."""
_PATHS = 8
"""A task whose words name more paths than that does not write them all."""
_READ = 3
"""So many tasks that name a path most likely read it."""
_NO_CLAIMS = frozenset({"parallel-json"})
"""Formats that have no place for the files of a task."""
_INTERFACE = re.compile(
    r"(?:openapi|swagger|asyncapi|schema|interface|contract|protocol|types?)(?:\.[\w.]+)?$|\.(?:proto|graphql|gql|d\.ts|pyi|h|thrift|avsc)$"
    r"|(?:^|/)(?:contracts|interfaces|schemas)/",
    re.IGNORECASE,
)
"""Paths that look like an interface."""


class Proposal(Value, frozen=True, kw_only=True):
    """A change, and why somebody may want it."""

    kind: Literal["dependency", "claim", "split", "contract"]
    reason: str
    tasks: tuple[str, ...]
    changes: tuple[Change, ...]


class _First(NamedTuple):
    """What each node of the graph waited for before anything was changed."""

    waited: list[int]
    """As `_waited` has it."""
    weight: list[tuple[int, int]]
    """More for a node than for those that it waits for."""
    order: list[int]
    """Each node behind those that it waits for."""


Idea = Callable[[Plan], Proposal | None]
"""What it comes to in a plan as it is; None: nothing there."""


def savings(plan: Plan, sight: Sight) -> Iterator[Idea]:
    """Ideas of what need not wait. `sight` is of the plan as it was at first, and so is what each task waited for."""
    waited = _waited(plan)
    weight = [(bits.bit_count(), i) for i, bits in enumerate(waited)]
    first = _First(waited=waited, weight=weight, order=topological(build(plan)))
    left = {task.phase for task in plan.tasks if task.status != "succeeded"}
    for phase in plan.phases:
        for on in phase.depends_on:
            if phase.id in left and on in left:
                yield partial(_loosened, sight, first, phase.id, on)
        if not phase.parallel and phase.id in left:
            yield partial(_unchained, sight, first, phase.id)
    for meeting in meetings(plan):
        if len(meeting.owners) >= _CROWD and is_literal(meeting.path):
            yield partial(_cooled, meeting.path, tuple(plan.tasks[i].id for i in meeting.owners))


def halvings(plan: Plan, default_s: float) -> Iterator[Idea]:
    """Ideas of long tasks that could be two."""
    took_s = durations(plan, default_s)
    usual_s = median([s for s in took_s if s] or [0.0])
    for task, s in zip(plan.tasks, took_s, strict=True):
        if s >= usual_s * _LONG and s and task.status != "succeeded":
            yield partial(_halved, task.id, s)


def claims(plan: Plan, sight: Sight) -> Iterator[Idea]:
    """Ideas of tasks that claim nothing, and whose words name paths; what many name is what all of them read."""
    if plan.format in _NO_CLAIMS:
        return
    often = Counter(path for paths in sight.named for path in paths)
    for i, task in enumerate(plan.tasks):
        paths = tuple(path for path in sight.named[i] if often[path] < _READ)
        if task.writes is None and task.status != "succeeded" and 0 < len(paths) <= _PATHS:
            yield partial(_claimed, task.id, paths)


def contracts(plan: Plan, sight: Sight) -> Iterator[Idea]:
    """Ideas of tasks that wait for another one, of which they name nothing but an interface."""
    numbers = {task.id: i for i, task in reversed(list(enumerate(plan.tasks)))}
    for i, task in enumerate(plan.tasks):
        for name in task.depends_on if task.status != "succeeded" else ():
            other = numbers.get(name)
            if other is None or plan.tasks[other].status == "succeeded":
                continue
            its = plan.tasks[other].writes or ()
            faces = [path for path in its if _INTERFACE.search(path) and is_literal(path)]
            if len(faces) == 1 and len(its) > 1 and sight.names_only(i, faces[0], other):
                yield partial(_agreed, task, plan.tasks[other], faces[0])


def _loosened(sight: Sight, first: _First, phase: str, on: str, plan: Plan) -> Proposal | None:
    """A phase without a wait for another one, but for those of its tasks that visibly need it."""
    drop = DropNeed(phase=phase, on=on)
    return _relaxed(
        sight,
        first,
        plan,
        drop,
        phase,
        f"phase {quoted(phase)} waits for {quoted(on)}, and {{}} of what that makes",
    )


def _unchained(sight: Sight, first: _First, phase: str, plan: Plan) -> Proposal | None:
    """A phase whose tasks run side by side, but for those that visibly need each other."""
    members = [task.id for task in plan.tasks if task.phase == phase]
    graph = build(plan)
    numbers = [i for i, task in enumerate(plan.tasks) if task.phase == phase]
    if len(members) < 2 or not all(before in graph.needs[after] for before, after in pairwise(numbers)):
        return None
    return _relaxed(
        sight,
        first,
        plan,
        MakeParallel(phase=phase),
        phase,
        f"the tasks of phase {quoted(phase)} run one after the other, and {{}} of what those before make",
    )


def _relaxed(
    sight: Sight, first: _First, plan: Plan, change: DropNeed | MakeParallel, phase: str, reason: str
) -> Proposal | None:
    relaxed = changed(plan, (change,))
    found = _ties(sight, first, plan, relaxed)
    if found is None:
        return None
    ties, freed = found
    own = tuple(plan.tasks[i].id for i in freed if plan.tasks[i].phase == phase)
    if not own:
        return None
    tied = {tie.task for tie in ties}
    free = tuple(id for id in own if id not in tied)
    size = sum(task.phase == phase and task.status != "succeeded" for task in plan.tasks)
    every = size - isinstance(change, MakeParallel)  # the first of a chain waits for none of it in any case
    if len(free) >= every:
        told = "its tasks visibly need nothing"
    elif free:
        told = f"{listed(free, 3)} visibly {'needs' if len(free) == 1 else 'need'} nothing"
    else:
        told = "its tasks visibly need only a part"
    kept = tuple(tie.task for tie in ties)
    one = len(kept) == 1
    more = f"; {listed(kept, 3)} then {'waits' if one else 'wait'} for what {'it needs' if one else 'they need'}"
    reason = reason.format(told) + (more if kept else "")
    return Proposal(kind="dependency", reason=reason, tasks=own, changes=(change, *ties))


def _waited(plan: Plan) -> list[int]:
    """For each node of the graph, the tasks that are left and that it waits for in the end, as bits."""
    graph = build(plan)
    waits, before = graph.waits(), [0] * len(graph.names)
    for node in topological(graph):
        for other in waits[node]:
            own = other < graph.tasks and plan.tasks[other].status != "succeeded"
            before[node] |= before[other] | (1 << other if own else 0)
    return before


def _ties(sight: Sight, first: _First, plan: Plan, relaxed: Plan) -> tuple[tuple[AddNeeds, ...], list[int]] | None:
    """The dependencies that give back to each task what it visibly needs of what it waited for at `first`, and the
    tasks that wait for less than in the plan as it is; None where they are too many."""
    now, graph = _waited(plan), build(relaxed)
    waits, then = graph.waits(), [0] * len(graph.names)
    ties: list[AddNeeds] = []
    freed: list[int] = []
    for node in first.order:
        for other in waits[node]:
            own = other < graph.tasks and plan.tasks[other].status != "succeeded"
            then[node] |= then[other] | (1 << other if own else 0)
        if node >= graph.tasks or plan.tasks[node].status == "succeeded":
            continue
        lost = first.waited[node] & ~then[node]
        picked: list[int] = []
        for i in sorted(_ones(lost), key=first.weight.__getitem__, reverse=True):  # those behind come first
            if not then[node] >> i & 1 and sight.sees(node, i):
                picked.append(i)
                then[node] |= then[i] | 1 << i
        if picked:
            ties.append(AddNeeds(task=plan.tasks[node].id, needs=_named(plan, sorted(picked), plan.tasks[node])))
            if len(ties) > _TIES:
                return None
        if now[node] & ~then[node]:
            freed.append(node)
    return tuple(ties), freed


def _named(plan: Plan, picked: list[int], task: Task) -> tuple[str, ...]:
    """The names of these tasks; where they are all that is left of a phase, the name of that."""
    ids = {x.id for x in plan.tasks}
    found: dict[str, None] = {}
    for i in picked:
        its = plan.tasks[i]
        members = [n for n, x in enumerate(plan.tasks) if x.phase == its.phase and x.status != "succeeded"]
        whole = len(members) > 1 and set(members) <= set(picked) and its.phase not in ids and its.phase != task.phase
        found[its.phase if whole else its.id] = None
    return tuple(found)


def _cooled(path: str, tasks: tuple[str, ...], plan: Plan) -> Proposal | None:
    return Proposal(
        kind="claim",
        reason=f"{counted(len(tasks), 'task')} take turns at {quoted(path)}; they need not, if its lines merge in any"
        " order, or if it is split",
        tasks=tasks,
        changes=(AddHotFile(path=path),),
    )


def _halved(id: str, took_s: float, plan: Plan) -> Proposal | None:
    task = next(x for x in plan.tasks if x.id == id)
    paths = task.writes or ()
    chained = any(x.id == task.phase and not x.parallel for x in plan.phases)
    followed = any(id in x.after for x in plan.tasks)
    if len(paths) < 2 or chained or followed or task.artifacts or not disjoint(paths):
        return None
    half = (len(paths) + 1) // 2
    ids, n = {x.id for x in plan.tasks} | {x.id for x in plan.phases}, 2
    while f"{id}-{n}" in ids:
        n += 1
    split = SplitTask(
        task=id,
        id=f"{id}-{n}",
        keeps=paths[:half],
        gives=paths[half:],
        estimate_s=round(took_s / 2),
        waiting=tuple(x.id for x in plan.tasks if id in x.depends_on),
    )
    return Proposal(
        kind="split",
        reason=f"{quoted(id)} takes {spoken(took_s)} and claims {counted(len(paths), 'path')} that lie apart:"
        " two tasks could share them (a sketch: say in each prompt which part is meant)",
        tasks=(id,),
        changes=(split,),
    )


def _claimed(id: str, paths: tuple[str, ...], plan: Plan) -> Proposal | None:
    return Proposal(
        kind="claim",
        reason=f"{quoted(id)} does not say what it writes, and its words name {listed(paths, 3)}",
        tasks=(id,),
        changes=(AddWrites(task=id, writes=paths),),
    )


def _agreed(task: Task, provider: Task, face: str, plan: Plan) -> Proposal | None:
    now = {each.id: each for each in plan.tasks}
    if any(before.writes not in (None, now[before.id].writes) for before in (task, provider)):
        return None  # one of the two has become two tasks, and half of it is not what this was seen of
    id = re.sub(r"\W+", "-", face.rpartition("/")[2].partition(".")[0]).strip("-") or "interface"
    return Proposal(
        kind="contract",
        reason=f"of what {quoted(provider.id)} makes, {quoted(task.id)} names only the interface {quoted(face)}",
        tasks=(task.id, provider.id),
        changes=(UseContract(task=task.id, provider=provider.id, contract=f"{provider.id}-{id}"),),
    )


def _ones(value: int) -> Iterator[int]:
    while value:
        low = value & -value
        yield low.bit_length() - 1
        value ^= low
