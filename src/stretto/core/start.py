"""From RunStarted to the first state: records, ranks and claims."""

from __future__ import annotations

from stretto.analysis.estimate import expected
from stretto.analysis.globs import within
from stretto.analysis.graph import Graph, ranks
from stretto.core.events import RunStarted
from stretto.core.state import Lane, State, TaskRecord
from stretto.model.plan import Plan, Task
from stretto.model.run import TARGET, RunSettings

PRESENCE = ".stretto/tasks/"
"""Beneath it a task that writes nothing claims, in a folder that all share, a name of its own that no file has."""


def first_state(event: RunStarted, graph: Graph) -> State:
    """The state of a run that has just been written down; nothing has been decided yet."""
    plan, settings = event.plan, event.settings
    rank = ranks(graph, [expected(task, settings.estimate_s, event.expected_s) for task in plan.tasks])
    done = frozenset(event.done)
    records = [record_of(i, task, rank[i], plan, settings, event.at) for i, task in enumerate(plan.tasks)]
    for record in records:
        if record.id in done:
            record.state, record.reason = "succeeded", "done before this run"
    return State(
        run=event.run,
        plan=plan,
        settings=settings,
        base=event.base,
        branch=event.branch,
        started_at=event.at,
        expected_s=event.expected_s,
        inherited=event.done,
        at=event.at,
        tasks=records,
        by_id={record.id: record for record in records},
        lanes={TARGET: Lane(name=TARGET, head=event.base)},
        parallel=settings.parallel,
        counts={
            "pending": sum(r.state == "pending" for r in records),
            "succeeded": len(done & {r.id for r in records}),
        },
    )


def record_of(index: int, task: Task, rank_s: float, plan: Plan, settings: RunSettings, at: float) -> TaskRecord:
    """A task of which nothing is known but its plan; `rank_s` is the longest way from its start to the end."""
    claims = claims_of(task, plan, settings)
    return TaskRecord(index=index, task=task, rank=(task.priority, -rank_s, index), claims=claims, since=at)


def claims_of(task: Task, plan: Plan, settings: RunSettings) -> tuple[str, ...] | None:
    """The patterns that exclude others, by the run's conflict policy (R2.4, R2.5)."""
    if settings.conflicts == "allow":
        return None
    if settings.isolation == "none":
        # No landing merges anything there: hot files keep tasks apart, too, and who names no file is met by whoever
        # may touch every file, and by nobody else.
        return ("**",) if task.writes is None else task.writes or (_presence(task),)
    if task.writes is None:
        return ("**",) if settings.conflicts == "serialize-unknown" else None
    return tuple(w for w in task.writes if not any(within(w, hot) for hot in plan.hot_files)) or None


def _presence(task: Task) -> str:
    """Made of the id, which another plan leaves as it is, in letters that mean nothing in a glob."""
    return PRESENCE + task.id.encode("utf-8", "surrogatepass").hex()
