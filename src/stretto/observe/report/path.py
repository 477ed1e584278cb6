"""The critical path that a run really took: from its last landing back, each time to what was waited for last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stretto.analysis.graph import Graph, build
from stretto.core.state import State
from stretto.model.plan import Value
from stretto.observe.story import Try


class Step(Value, frozen=True, kw_only=True):
    """One task on the path. Seconds; `waited_s`: from when nothing stood before it until its first start."""

    task: str
    waited_s: float
    took_s: float


def path_taken(state: State, tries: Sequence[Try]) -> tuple[Step, ...]:
    """First step first; empty before anything is over."""
    began: dict[str, float] = {}
    over: dict[str, float] = {}
    for one in tries:
        began.setdefault(one.task, one.began_at)
        if one.over_at is not None:
            over[one.task] = one.over_at
    if not over:
        return ()
    graph = build(state.plan, state.gone)
    index = {record.id: record.index for record in state.tasks}
    steps: list[Step] = []
    task: str | None = max(over, key=lambda name: over[name])
    while task is not None:
        before = _latest(graph, index[task], over, by=began[task])
        free = over[before] if before is not None else state.started_at
        steps.append(Step(task=task, waited_s=max(0.0, began[task] - free), took_s=over[task] - began[task]))
        task = before
    return tuple(reversed(steps))


def _latest(graph: Graph, task: int, over: Mapping[str, float], *, by: float) -> str | None:
    """Of the tasks that this one had to wait for, the one that was over last."""
    found: set[str] = set()
    seen, work = {task}, [task]
    for node in work:  # grows while it is walked
        for other in (*graph.needs[node], *graph.after[node]):
            if other not in seen:
                seen.add(other)
                if graph.is_join(other):
                    work.append(other)
                elif over.get(graph.names[other], by + 1) <= by:
                    found.add(graph.names[other])
    return max(found, key=lambda name: (over[name], name), default=None)
