"""Why a task is where it is: what it waits for and since when, or why it failed.

Every question here is a pure predicate over the state; asking changes nothing, and a test asks between events.
"""

from __future__ import annotations

from stretto.analysis.graph import Graph
from stretto.core.breaker import agents_of
from stretto.core.coordinator import Coordinator
from stretto.core.start import PRESENCE
from stretto.core.state import State, TaskRecord
from stretto.errors import StateError
from stretto.model.plan import Value
from stretto.model.run import FINAL_STATES, PastAttempt


class Reason(Value, frozen=True, kw_only=True):
    """One thing that keeps a task from going on. `since` is in seconds since the epoch."""

    code: str
    message: str
    tasks: tuple[str, ...] = ()
    since: float | None = None


class Explanation(Value, frozen=True, kw_only=True):
    """The answer to `stretto explain`."""

    task: str
    phase: str
    state: str
    since: float
    reasons: tuple[Reason, ...]
    attempts: tuple[PastAttempt, ...] = ()
    """Those that did not land, oldest first."""
    commit: str | None = None
    note: str = ""


def explain(coordinator: Coordinator, task: str) -> Explanation:
    """Raises StateError when the run has no such task."""
    state = coordinator.state
    record = state.by_id.get(task)
    if record is None:
        raise StateError(f"there is no task {task!r} in run {state.run}", hint="`stretto status` lists its tasks")
    return Explanation(
        task=record.id,
        phase=record.task.phase,
        state=record.state,
        since=record.since,
        reasons=_reasons(coordinator, record),
        attempts=record.past,
        commit=record.landed or record.commit,
        note=record.note,
    )


def _reasons(coordinator: Coordinator, record: TaskRecord) -> tuple[Reason, ...]:
    state = coordinator.state
    reasons: list[Reason] = []
    match record.state:
        case "pending":
            reasons += _missing(state, coordinator.steps.readiness.graph, record)
        case "ready":
            reasons += _not_started(coordinator, record)
        case "running":
            reasons.append(Reason(code="running", message=f"attempt {record.attempt} is running", since=record.since))
        case "gating":
            reasons.append(
                Reason(code="gating", message=f"the checks of attempt {record.attempt} run", since=record.since)
            )
        case "waiting":
            reasons.append(_waits(coordinator, record))
        case "landing":
            reasons.append(_landing(state, record))
        case _:
            reasons.append(Reason(code=record.state, message=record.reason or record.state, since=record.since))
    if record.drift:
        message = f"attempt {record.attempt} changed files outside its claim: {', '.join(record.drift[:10])}"
        reasons.append(Reason(code="drift", message=message))
    if record.task.added_by:
        message = f"was added by {record.task.added_by!r} while the run went on"
        reasons.append(Reason(code="added", message=message, tasks=(record.task.added_by,)))
    if record.doom is not None:
        message = f"will be {record.doom.state} when what is in flight has reported: {record.doom.reason}"
        reasons.append(Reason(code="decided", message=message))
    if record.state not in FINAL_STATES:
        reasons += _run_wide(state)
    return tuple(reasons)


def _run_wide(state: State) -> list[Reason]:
    if state.abandoned:
        return [Reason(code="abandoned", message="the run has been abandoned")]
    if state.ended is not None:
        why = f": {state.ended_reason}" if state.ended_reason else ""
        return [Reason(code="ended", message=f"the run has ended ({state.ended}{why})")]
    if state.drain is not None:
        return [Reason(code="draining", message=f"the run starts nothing more: {state.drain.reason}")]
    return []


def _missing(state: State, graph: Graph, record: TaskRecord) -> list[Reason]:
    """The dependencies that have not landed, and the tasks it must come after; phases as their open members."""
    reasons = []
    for nodes, code, verb in (
        (graph.needs[record.index], "needs", "to land"),
        (graph.after[record.index], "after", "to end"),
    ):
        for node in nodes:
            if not graph.is_join(node):
                other = state.tasks[node]
                if other.state != "succeeded" and (code == "needs" or other.state not in FINAL_STATES):
                    message = f"waits for {other.id!r} {verb}; it is {other.state}"
                    reasons.append(Reason(code=code, message=message, tasks=(other.id,), since=other.since))
                continue
            left = _open_members(state, graph, node)
            if left:
                shown = ", ".join(repr(r.id) for r in left[:3]) + (
                    f" and {len(left) - 3} more" if len(left) > 3 else ""
                )
                message = f"waits for phase {graph.names[node]!r} {verb}; left: {shown}"
                reasons.append(Reason(code=code, message=message, tasks=tuple(r.id for r in left)))
    return reasons


def _open_members(state: State, graph: Graph, join: int) -> list[TaskRecord]:
    """Tasks that a phase still waits for, through the phases that it needs itself."""
    seen, work, left = {join}, [join], []
    for node in work:
        for other in graph.needs[node]:
            if graph.is_join(other):
                if other not in seen:
                    seen.add(other)
                    work.append(other)
            elif state.tasks[other].state != "succeeded":
                left.append(state.tasks[other])
    return left


def _not_started(coordinator: Coordinator, record: TaskRecord) -> list[Reason]:
    state, admission = coordinator.state, coordinator.steps.admission
    reasons = []
    if record.reason:
        reasons.append(Reason(code="again", message=f"will be tried again: {record.reason}", since=record.since))
    if record.asking:
        return [*reasons, Reason(code="grant", message="has asked for what it shares with others", since=record.since)]
    key = admission.obstacle(state, record)
    match key:
        case (("inside" | "against") as side, (kind, id)):
            others = tuple(state.tasks[i].id for i in admission.rivals.who((side, (kind, id))) if i != record.index)
            named = ", ".join(f"{other!r} ({state.by_id[other].state})" for other in others)
            since = min((state.by_id[other].since for other in others), default=None)
            message = f"is never to be active beside {named}"
            reasons.append(Reason(code="conflict", message=message, tasks=others, since=since))
        case ("claim", str(pattern)):
            holders = tuple(state.tasks[i].id for i in admission.claims.holders(pattern) if i != record.index)
            named = ", ".join(f"{h!r} ({state.by_id[h].state})" for h in holders)
            message = f"its claim meets {pattern!r}, held by {named}"
            if pattern.startswith(PRESENCE):
                message = f"it may touch any file, and in the same folder is at work {named}"
            since = min((state.by_id[h].since for h in holders), default=None)
            reasons.append(Reason(code="claim", message=message, tasks=holders, since=since))
        case ("agent", _):
            for agent in agents_of(state, record):
                reasons.append(Reason(code="breaker", message=state.out[agent]))
        case ("phase", str(phase)):
            limit = admission.limits[phase]
            reasons.append(Reason(code="phase-full", message=f"phase {phase!r} runs {limit} at a time"))
        case ("reservation", _) if admission.reserver is not None:
            first = state.tasks[admission.reserver].id
            message = f"{first!r} has been overtaken long enough; its paths are kept free for it"
            reasons.append(Reason(code="reserved", message=message, tasks=(first,)))
        case _:
            pass
    if state.active >= state.parallel:
        busy = tuple(r.id for r in state.tasks if r.places)
        message = f"all {state.parallel} places are taken; it is more urgent work's turn"
        reasons.append(Reason(code="places", message=message, tasks=busy))
    if f"grant:{record.id}" in state.timers:
        reasons.append(Reason(code="grant", message=record.reason, since=record.since))
    if not reasons and state.ended is None and state.drain is None:
        reasons.append(Reason(code="ready", message="may start now", since=record.since))
    return reasons


def _waits(coordinator: Coordinator, record: TaskRecord) -> Reason:
    state = coordinator.state
    if record.wait == "timer":
        due = state.timers.get(f"backoff:{record.id}")
        until = "" if due is None else f"; next try in {max(0.0, due - state.at):.0f} s"
        return Reason(code="backoff", message=f"waits after {record.reason}{until}", since=record.since)
    if record.wait == "person":
        message = f"{record.reason}; a yes or a no lets it go on"
        return Reason(code="approval", message=message, since=record.since)
    admission = coordinator.steps.admission
    if (rival := admission.rivals.blocker(record.index, record.task, state.by_id)) is not None:
        others = tuple(state.tasks[i].id for i in admission.rivals.who(rival) if i != record.index)
        message = f"approved; lands when {', '.join(map(repr, others))} is no longer active"
        return Reason(code="conflict", message=message, tasks=others, since=record.since)
    pattern = admission.claims.blocker(record.claims or (), record.index)
    return Reason(code="claim", message=f"approved; takes its claim again when {pattern!r} is free", since=record.since)


def _landing(state: State, record: TaskRecord) -> Reason:
    lane = state.lane
    if lane.batch is not None and any(entry.task == record.id for entry in lane.batch.entries):
        return Reason(code="landing", message=f"is landing, as batch {lane.batch.number}", since=record.since)
    first = tuple(entry.task for entry in lane.batch.entries) if lane.batch is not None else ()
    place = lane.queue.index(record.index)
    ahead = (*first, *(state.tasks[i].id for i in lane.queue[:place]))
    message = "waits for its turn to land" + (f"; ahead of it: {', '.join(map(repr, ahead))}" if ahead else "")
    return Reason(code="queue", message=message, tasks=ahead, since=record.since)
