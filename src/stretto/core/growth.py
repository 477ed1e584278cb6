"""Tasks that a run adds to itself (R8.4): what an attempt proposes is added when it lands, whole or not at all.

Whether it may be is a pure question. What follows costs as much as a new start of the graph, and only then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from stretto.analysis.estimate import expected
from stretto.analysis.globs import within
from stretto.analysis.graph import Graph, build, cycle, ranks
from stretto.core import readiness
from stretto.core.commands import Notify, TakeTasks
from stretto.core.start import record_of
from stretto.core.state import State, TaskRecord
from stretto.core.steps import Steps
from stretto.model.plan import Plan, Task

_SHOWN = 5


def grow(steps: Steps, adder: TaskRecord) -> None:
    """Add what the attempt of `adder` that is landing has proposed. To be called before it is final: until then its
    phase is open, and nobody who waits for that phase can have started."""
    tasks, adder.proposed = tuple(replace(task, added_by=adder.id) for task in adder.proposed), ()
    if not tasks:
        return
    state = steps.state
    plan = replace(state.plan, tasks=(*state.plan.tasks, *tasks))
    graph = build(plan, state.gone)
    over = {
        phase.id for join, phase in zip(_joins(steps), state.plan.phases, strict=True) if steps.readiness.over[join]
    }
    why = _refusal(state, adder, tasks, over) or _circle(graph)
    if why is not None:
        adder.note = f"its tasks were not added: {why}"
        steps.emit(
            Notify(code="not-added", message=f"what {adder.id!r} wants done is not added: {why}", tasks=(adder.id,))
        )
        return
    _add(steps, plan, graph, tasks)
    named = ", ".join(repr(task.id) for task in tasks[:_SHOWN]) + (", …" if len(tasks) > _SHOWN else "")
    added = tuple(task.id for task in tasks)
    steps.emit(TakeTasks(tasks=tasks))
    steps.emit(Notify(code="added", message=f"{adder.id!r} adds {named}", tasks=(adder.id, *added)))


def _joins(steps: Steps) -> range:
    graph = steps.readiness.graph
    return range(graph.tasks, len(graph.names))


def _add(steps: Steps, plan: Plan, graph: Graph, tasks: Sequence[Task]) -> None:
    state = steps.state
    rank = ranks(graph, [expected(task, state.settings.estimate_s, state.expected_s) for task in plan.tasks])
    state.plan = plan
    for record in state.tasks:
        place = (record.task.priority, -rank[record.index], record.index)
        if place != record.rank:  # more urgent, for more waits behind it (R10.1)
            record.rank = place
            steps.admission.risen(record)
    for index, task in enumerate(tasks, len(state.tasks)):
        record = record_of(index, task, rank[index], plan, state.settings, state.at)
        state.tasks.append(record)
        state.by_id[task.id] = record
    state.counts["pending"] = state.counts.get("pending", 0) + len(tasks)
    steps.readiness, change = readiness.build(graph, state.tasks)
    steps.follow(change)


# --- may it be? --------------------------------------------------------------------------------------------------


def _refusal(state: State, adder: TaskRecord, tasks: Sequence[Task], over: set[str]) -> str | None:
    """Why not; None when nothing speaks against it but what the graph says."""
    return next(_reasons(state, adder, tasks, over), None)


def _reasons(state: State, adder: TaskRecord, tasks: Sequence[Task], over: set[str]) -> Iterator[str]:
    settings = state.settings
    earlier = sum(bool(record.task.added_by) for record in state.tasks)
    if earlier + len(tasks) > settings.growth_most:
        yield f"a run may add {settings.growth_most} tasks (growth.most), and has {earlier} of them"
    depth = _depth(state, adder) + 1
    if depth > settings.growth_depth:
        yield f"they would be of depth {depth}, and growth.depth is {settings.growth_depth}"
    if state.critical:
        yield state.critical
    phases = {phase.id for phase in state.plan.phases}
    names: set[str] = set()
    for task in tasks:
        if task.id in state.by_id or task.id in names:
            yield f"there is a task {task.id!r} already"
        elif task.id in phases:
            yield f"a phase has the name {task.id!r} already"
        names.add(task.id)
    for task in tasks:
        yield from _place(state, adder, task, phases, over)
        for name in (*task.depends_on, *task.after, *task.conflicts_with):
            if name not in names and name not in phases and (name not in state.by_id or name in state.gone):
                yield f"{task.id!r} names {name!r}, which is not in the plan"


def _place(state: State, adder: TaskRecord, task: Task, phases: set[str], over: set[str]) -> Iterator[str]:
    scope = state.settings.growth_scope
    if task.phase not in phases:
        yield f"{task.id!r} is for phase {task.phase!r}, which is not in the plan"
    elif task.phase != adder.task.phase and scope != "plan":
        yield f"{task.id!r} is for phase {task.phase!r}, not for its own (growth.scope is {scope!r})"
    elif task.phase in over:
        yield f"{task.id!r} is for phase {task.phase!r}, which is done"
    elif halt := state.halted.get(task.phase):
        yield halt
    claims = adder.task.writes
    if scope != "claims" or claims is None:
        return
    if task.writes is None:
        yield f"{task.id!r} does not say what it writes, and {adder.id!r} does (growth.scope is 'claims')"
    for path in (*(task.writes or ()), *task.artifacts):
        if not any(within(path, claim) for claim in claims):
            yield f"{task.id!r} is to write {path!r}, which {adder.id!r} may not (growth.scope is 'claims')"


def _depth(state: State, record: TaskRecord) -> int:
    """0 for a task of the plan file."""
    depth = 0
    while record.task.added_by:
        depth, record = depth + 1, state.by_id[record.task.added_by]
    return depth


def _circle(graph: Graph) -> str | None:
    """Who would wait for themselves (R1.3a)."""
    circle = cycle(graph)
    return None if circle is None else f"they would wait for each other: {' -> '.join(map(repr, circle))}"
