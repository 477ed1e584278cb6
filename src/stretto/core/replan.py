"""Another plan for a run that has begun (R8.4): what has landed stays, the rest becomes as the new plan has it.

Whether it may is a pure question. A task that the new plan does not have is *gone*: it keeps its record, nobody waits
for it, and it counts for nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from stretto.analysis.estimate import expected
from stretto.analysis.graph import Graph, build, cycle, ranks
from stretto.core import readiness
from stretto.core.admission import Admission
from stretto.core.commands import Notify, TakeTasks
from stretto.core.events import PlanChanged
from stretto.core.start import claims_of, record_of
from stretto.core.state import Doom, State, TaskRecord, step
from stretto.core.steps import GRANT, Steps
from stretto.model.plan import Phase, Plan, Task
from stretto.model.run import FINAL_STATES

GONE = "gone from the plan"
CHANGED = "the plan has changed"


class Next(NamedTuple):
    """What would become of the run."""

    plan: Plan
    """Of all tasks: the new plan's, those that the run added to itself, what has landed, and what is gone."""
    gone: frozenset[str]
    graph: Graph
    changed: frozenset[str]
    """Tasks that are there, have not landed, and are something else now."""
    late: frozenset[str]
    """Tasks that could start, or have, and now have to wait for another."""


def refusal(state: State, change: PlanChanged) -> str | None:
    """Why the run cannot have this plan; None when it can."""
    if (why := next(_unsound(state, change), None)) is not None:
        return why
    after = _next(state, change)
    if (circle := cycle(after.graph)) is not None:
        return f"tasks would wait for each other: {' -> '.join(map(repr, circle))}"
    if not change.force:
        touched = after.gone | after.changed | after.late
        for record in state.tasks:
            if _busy(record) and record.id in touched:
                what = "is gone" if record.id in after.gone else "has changed"
                what = "would have to wait for another" if record.id in after.late else what
                return f"{record.id!r} is {record.state} and {what} in the new plan; --force interrupts it"
    return None


def _unsound(state: State, change: PlanChanged) -> Iterator[str]:
    if not change.tasks:
        yield "the new plan has no tasks"
    for kind, ids in (("task", [task.id for task in change.tasks]), ("phase", [phase.id for phase in change.phases])):
        for id, count in Counter(ids).items():
            if count > 1:
                yield f"there is more than one {kind} {id!r}"
    tasks, gone = _tasks(state, change)
    phases = {phase.id for phase in _phases(state, change, tasks)}
    names = phases | {task.id for task in tasks} - gone
    for phase in change.phases:
        for name in phase.depends_on:
            if name not in phases:
                yield f"phase {phase.id!r} waits for {name!r}, which is not in the new plan"
    for task in tasks:
        if task.id in gone or _landed(state, task.id):
            continue
        if task.phase not in phases:
            yield f"{task.id!r} is in phase {task.phase!r}, which is not in the new plan"
        for name in (*task.depends_on, *task.after, *task.conflicts_with):
            if name not in names:
                yield f"{task.id!r} names {name!r}, which is not in the new plan"


def _next(state: State, change: PlanChanged) -> Next:
    tasks, gone = _tasks(state, change)
    plan = replace(state.plan, phases=_phases(state, change, tasks), tasks=tasks)
    graph = build(plan, gone)
    known = state.by_id
    changed = frozenset(task.id for task in tasks if task.id in known and task != known[task.id].task)
    changed |= {id for id in state.gone if id not in gone and not _landed(state, id)}  # it is back
    copies = [_imagined(state, i, task, changed, plan) for i, task in enumerate(tasks)]
    waits, _ = readiness.build(graph, copies)
    late = frozenset(
        copy.id
        for copy in copies
        if copy.id not in gone and copy.state not in ("pending", *FINAL_STATES) and waits.unmet[copy.index]
    )
    return Next(plan, gone, graph, changed - gone, late)


def _tasks(state: State, change: PlanChanged) -> tuple[tuple[Task, ...], frozenset[str]]:
    """All tasks in their new order, and which of them are gone."""
    wanted = {task.id for task in change.tasks}
    found = [_as_it_is(state, task) for task in change.tasks]
    rest = [record for record in state.tasks if record.id not in wanted]
    stays = [r for r in rest if r.id not in state.gone and (r.state == "succeeded" or r.task.added_by)]
    kept = {record.id for record in stays}
    gone = [record for record in rest if record.id not in kept]
    return (*found, *(r.task for r in stays), *(r.task for r in gone)), frozenset(record.id for record in gone)


def _as_it_is(state: State, task: Task) -> Task:
    """As the run has it, if it has landed; else as the new plan has it, with what only the run knows."""
    record = state.by_id.get(task.id)
    if record is None:
        return replace(task, added_by="")
    return record.task if record.state == "succeeded" else replace(
        task, status=record.task.status, added_by=record.task.added_by
    )  # fmt: skip


def _phases(state: State, change: PlanChanged, tasks: Collection[Task]) -> tuple[Phase, ...]:
    """Those of the new plan, and others that still have tasks, which wait for no phase any more."""
    known = {phase.id for phase in change.phases}
    wanted = {task.phase for task in change.tasks}
    used = {task.phase for task in tasks} - wanted
    left = (phase for phase in state.plan.phases if phase.id in used and phase.id not in known)
    return (*change.phases, *(replace(phase, depends_on=()) for phase in left))


def _imagined(state: State, index: int, task: Task, changed: Collection[str], plan: Plan) -> TaskRecord:
    """The record as it would be, for the graph alone."""
    record = state.by_id.get(task.id)
    if record is None:
        return record_of(index, task, 0.0, plan, state.settings, state.at)
    again = record.state == "skipped" or (record.id in changed and record.state not in ("succeeded", "cancelled"))
    again = again or (record.id in state.gone and record.state != "succeeded")
    return replace(record, index=index, task=task, state="pending" if again else record.state, root="")


def _landed(state: State, id: str) -> bool:
    return id in state.by_id and state.by_id[id].state == "succeeded"


def _busy(record: TaskRecord) -> bool:
    """Whether something of it is in flight, or lies before a person."""
    return record.state in ("running", "gating", "landing") or record.wait in ("person", "claims")


def outlook(state: State, change: PlanChanged) -> str:
    """What a plan that can be would change, in words; empty where it changes nothing."""
    after = _next(state, change)
    new = sum(task.id not in state.by_id for task in after.plan.tasks)
    counts = {"added": new, "changed": len(after.changed), "gone": len(after.gone.difference(state.gone))}
    if after.plan == state.plan and not any(counts.values()):
        return ""
    return f"{CHANGED}: " + ", ".join(f"{count} {what}" for what, count in counts.items())


# --- what it does -------------------------------------------------------------------------------------------------


def change_plan(steps: Steps, change: PlanChanged) -> None:
    """Carry out what `refusal` has nothing against."""
    state, message = steps.state, outlook(steps.state, change) or CHANGED
    after = _next(state, change)
    new = frozenset(task.id for task in after.plan.tasks if task.id not in state.by_id)
    before_gone = frozenset(state.gone)
    touched, taking = after.changed | after.late, after.changed | new
    steps.changing = True  # what becomes ready by these is asked again when all is in its place
    for record in state.tasks:
        if record.id in after.gone:
            _drop(steps, record)
        elif record.id in touched:
            _start_over(steps, record, after.changed, back=record.id in before_gone)
    steps.changing = False
    for record in state.tasks:
        if record.state == "skipped":
            step(state, record, "pending", "")
            record.charged = record.lost = record.conflicts = record.overloaded = 0
            record.root = ""
    _put_in_order(steps, after)
    state.critical, state.halted, state.stopping = "", {}, ""
    if state.drain is not None and state.drain.outcome == "failed":
        state.drain = None
    steps.readiness, follows = readiness.build(after.graph, state.tasks)
    steps.follow(follows)
    for record in state.tasks:
        if record.state == "failed":
            steps.halt(record)
    taken = tuple(task for task in after.plan.tasks if task.id in taking)
    if taken:
        steps.emit(TakeTasks(tasks=taken))
    steps.emit(Notify(code="replanned", message=message, tasks=tuple(task.id for task in taken)))


def _drop(steps: Steps, record: TaskRecord) -> None:
    if record.state in ("failed", "skipped"):
        step(steps.state, record, "pending", "")
    if record.state not in FINAL_STATES:
        steps.doom(record, Doom("cancelled", GONE))
    elif record.state == "cancelled":
        record.reason = GONE


def _start_over(steps: Steps, record: TaskRecord, changed: Collection[str], *, back: bool) -> None:
    free = record.doom is None or record.doom.state == "ready"  # nothing is decided, or only that it makes room
    if record.id in changed:
        record.charged = record.lost = record.conflicts = record.overloaded = 0
    if record.state in ("failed", "skipped") or (record.state == "cancelled" and back):
        step(steps.state, record, "pending", CHANGED)
        record.root = ""
    elif record.state not in ("pending", *FINAL_STATES) and (free or back):
        steps.doom(record, Doom("pending", CHANGED))


def _put_in_order(steps: Steps, after: Next) -> None:
    """Every task at its place in the new plan, with the rank and the claims that it has there."""
    state, plan = steps.state, after.plan
    names = [record.id for record in state.tasks]
    rank = ranks(after.graph, [expected(task, state.settings.estimate_s, state.expected_s) for task in plan.tasks])
    records = []
    for index, task in enumerate(plan.tasks):
        record = state.by_id.get(task.id)
        if record is None:
            record = state.by_id[task.id] = record_of(index, task, rank[index], plan, state.settings, state.at)
            state.counts["pending"] = state.counts.get("pending", 0) + 1
        record.index, record.task = index, task
        record.rank = (task.priority, -rank[index], index)
        record.claims = claims_of(task, plan, state.settings)
        records.append(record)
    state.plan, state.gone, state.tasks = plan, tuple(sorted(after.gone)), records
    for lane in state.lanes.values():
        lane.queue = [state.by_id[names[index]].index for index in lane.queue]
    state.approved = [state.by_id[names[index]].index for index in state.approved]
    steps.admission = _admission(state, steps.admission, {name: index for index, name in enumerate(names)})


def _admission(state: State, former: Admission, was: Mapping[str, int]) -> Admission:
    """Who waits and who holds what, with the indexes of now; `was` has those of `former`."""
    limits = {phase.id: phase.max_parallel for phase in state.plan.phases if phase.max_parallel}
    admission = Admission(limits=limits, starts=former.starts)
    blocked = {}
    for record in state.tasks:
        if record.places:
            admission.in_phase[record.task.phase] = admission.in_phase.get(record.task.phase, 0) + 1
        if record.holding:
            admission.hold_as(record, former, was[record.id])
        if was.get(record.id) in former.blocked:
            blocked[record.index] = former.blocked[was[record.id]]
        if record.state == "ready" and not record.asking and GRANT + record.id not in state.timers:
            admission.offer(record)
    admission.restore_blocked({i: n for i, n in sorted(blocked.items()) if i in admission.version}, state)
    return admission
