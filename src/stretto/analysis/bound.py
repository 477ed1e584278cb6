"""A time that no run of a plan can be shorter than, however many tasks work at once (R10.1).

Tasks that exclude each other, for their claims or for what they conflict with, run one after the other: the first of
them begins no sooner than what it waits for allows, and what waits for the last of them comes behind. Which tasks all
exclude each other is hard to say of many; what is found here is true, and not always the most.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from stretto.analysis.conflicts import Meeting
from stretto.analysis.graph import Graph, ranks, topological
from stretto.model.plan import Plan


def lower_bound(plan: Plan, left: Graph, durations_s: Sequence[float], met: Sequence[Meeting]) -> float:
    """Seconds; `left` is the graph of what is left to do."""
    rank, head = ranks(left, durations_s), _heads(left, durations_s)
    possible = set(topological(left))

    def queue(tasks: Sequence[int], abreast: int = 1) -> float:
        own = [i for i in tasks if durations_s[i] and i in possible]
        if not own:
            return 0.0
        tail = min(rank[i] - durations_s[i] for i in own)
        return min(head[i] for i in own) + sum(durations_s[i] for i in own) / abreast + tail

    members: dict[str, list[int]] = defaultdict(list)
    for i, task in enumerate(plan.tasks):
        members[task.phase].append(i)
    return max(
        (
            *rank,
            *(queue(meeting.owners) for meeting in met),
            *(queue(tasks) for tasks in _apart(plan, members, durations_s)),
            *(queue(members[phase.id], phase.max_parallel) for phase in plan.phases if phase.max_parallel),
        ),
        default=0.0,
    )


def _heads(graph: Graph, durations_s: Sequence[float]) -> list[float]:
    """For each node, seconds before which it cannot begin."""
    head = [0.0] * len(graph.names)
    waits = graph.waits()
    for node in topological(graph):
        head[node] = max((head[x] + (0.0 if graph.is_join(x) else durations_s[x]) for x in waits[node]), default=0.0)
    return head


def _apart(plan: Plan, members: dict[str, list[int]], durations_s: Sequence[float]) -> Iterator[list[int]]:
    """Tasks of which every two are kept apart by `conflicts_with`."""
    number = {task.id: i for i, task in reversed(list(enumerate(plan.tasks)))}
    foes: dict[int, set[int]] = defaultdict(set)
    against: dict[str, list[int]] = defaultdict(list)
    for i, task in enumerate(plan.tasks):
        for name in dict.fromkeys(task.conflicts_with):
            if name not in number:
                against[name].append(i)
            elif number[name] != i:
                foes[i].add(number[name])
                foes[number[name]].add(i)
    for phase, rivals in against.items():
        longest = sorted(members.get(phase, ()), key=durations_s.__getitem__, reverse=True)
        inside = [i for i in rivals if plan.tasks[i].phase == phase]
        known = set(inside)
        free = next((i for i in longest if i not in known), None)
        yield inside if free is None else [*inside, free]
        yield from ([i, longest[0]] for i in rivals if i not in known and longest)
    seen: set[int] = set()
    for i in sorted(foes, key=durations_s.__getitem__, reverse=True):
        if i not in seen:
            crowd = {i: None}
            for other in sorted(foes[i], key=durations_s.__getitem__, reverse=True):
                if crowd.keys() <= foes[other]:
                    crowd[other] = None
            seen.update(crowd)
            yield list(crowd)
