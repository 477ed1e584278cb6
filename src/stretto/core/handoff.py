"""What the tasks before one leave to it, for its prompt: read from the state, decided by nobody."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from stretto.analysis.graph import Graph
from stretto.core.state import TaskRecord
from stretto.model.run import Handoff

MOST = 40
"""So many tasks hand something on to one; of a phase with thousands it is the last ones."""
_PATHS = 50
"""So many of its paths go along."""


def handoffs(graph: Graph, records: Sequence[TaskRecord], index: int) -> tuple[tuple[Handoff, ...], int]:
    """Of the tasks that it waits for, those it names before the members of phases; in plan order, and how many more.

    It costs no more than `MOST` a call, however many members a phase has."""
    waits = (*graph.needs[index], *graph.after[index])
    named = sorted({node for node in waits if not graph.is_join(node)})
    chosen = dict.fromkeys(named[-MOST:])
    more = len(named) - len(chosen)
    joins = list(dict.fromkeys(node for node in waits if graph.is_join(node)))
    for join in joins:  # grows: for a phase without tasks stands what that phase waits for
        needs = graph.needs[join]
        members = bisect_left(needs, graph.tasks)  # its tasks come first, in plan order, then the phases before it
        if not members:
            joins += [node for node in needs if node not in joins]
        last = needs[max(0, members - (MOST - len(chosen))) : members]
        phase = records[needs[0]].task.phase if members else ""
        told_twice = sum(records[node].task.phase == phase for node in named) if members else 0
        known = sum(node in chosen for node in last)
        chosen |= dict.fromkeys(last)
        more += members - len(last) - (told_twice - known)
    return tuple(_handoff(records[node]) for node in sorted(chosen)), more


def _handoff(record: TaskRecord) -> Handoff:
    if record.state != "succeeded":
        return Handoff(task=record.id, state=record.state, reason=record.reason)
    return Handoff(
        task=record.id,
        state=record.state,
        summary=record.summary,
        decisions=record.decisions,
        paths=record.paths[:_PATHS],
        changed=len(record.paths),
        commit=record.landed,
    )
