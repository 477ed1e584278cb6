"""The graph of waits: which task needs which, through phases and chains (R1.2, R1.4, R1.5).

Nodes are ints. Tasks come first, in plan order; then one join node a phase, "this phase is done". A dependency on a
phase is one edge to its join node, never one to each of its tasks, so the graph stays linear in the plan's text.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from stretto.model.plan import Plan


class Graph(msgspec.Struct, frozen=True):
    """Node `i` waits for every node in `needs[i]` to land, and for every node in `after[i]` to be final."""

    names: tuple[str, ...]
    """Task ids, then phase ids."""
    tasks: int
    """How many nodes are tasks; node `tasks + p` is the join of phase `p`."""
    needs: tuple[tuple[int, ...], ...]
    after: tuple[tuple[int, ...], ...]
    dangling: tuple[tuple[str, str], ...]
    """(who, name) of every reference to something that does not exist, in plan order."""

    def is_join(self, node: int) -> bool:
        return node >= self.tasks

    def waits(self) -> Sequence[tuple[int, ...]]:
        """For each node, the nodes that it waits for, for landing or for being final, each once."""
        if not any(self.after):
            return self.needs
        both = zip(self.needs, self.after, strict=True)
        return [tuple(dict.fromkeys(needs + after)) if after else needs for needs, after in both]

    def dependents(self) -> list[list[int]]:
        """For each node, the nodes that wait for it, for landing or for being final, each once."""
        out: list[list[int]] = [[] for _ in self.names]
        for node, others in enumerate(self.waits()):
            for other in others:
                out[other].append(node)
        return out


def build(plan: Plan, gone: Collection[str] = ()) -> Graph:
    """The graph of a plan. With duplicate ids the first one counts; unknown names are left out and listed.

    Tasks that are `gone` wait for nobody, are in no phase, and are not waited for."""
    names = tuple(task.id for task in plan.tasks) + tuple(phase.id for phase in plan.phases)
    node_of = dict(zip(reversed(names), reversed(range(len(names))), strict=True))  # a task wins over a phase, too
    n = len(plan.tasks)
    there = [not gone or task.id not in gone for task in plan.tasks]
    if gone:
        node_of = {name: i for i, name in reversed(list(enumerate(names))) if i >= n or there[i]}
    join_of = dict(zip(reversed(names[n:]), reversed(range(n, len(names))), strict=True))
    dangling: list[tuple[str, str]] = []

    def resolve(who: str, names: Sequence[str], known: Mapping[str, int] = node_of) -> tuple[int, ...]:
        try:
            nodes = tuple([known[name] for name in names])
        except KeyError:
            dangling.extend((who, name) for name in names if name not in known)
            nodes = tuple(known[name] for name in names if name in known)
        return nodes if len(set(nodes)) == len(nodes) else tuple(dict.fromkeys(nodes))

    phase_needs = [resolve(phase.id, phase.depends_on, join_of) for phase in plan.phases]
    needs = [resolve(task.id, task.depends_on) if task.depends_on else () for task in plan.tasks]
    after = [resolve(task.id, task.after) if task.after else () for task in plan.tasks]
    members: dict[str, list[int]] = {phase.id: [] for phase in plan.phases}
    for i, task in enumerate(plan.tasks):
        if there[i]:
            members.setdefault(task.phase, []).append(i)
        else:
            needs[i] = after[i] = ()
    for phase in plan.phases:
        if not phase.parallel:
            added = [bool(plan.tasks[i].added_by) for i in members[phase.id]]
            for before, later in _chain(members[phase.id], added, needs):
                needs[later] = tuple(dict.fromkeys((*needs[later], before)))
    for join, own in enumerate(phase_needs, n):
        if own and join_of[names[join]] == join:
            for i in members[names[join]]:
                needs[i] = tuple(dict.fromkeys(needs[i] + own))
    needs.extend((*members[phase.id], *own) for phase, own in zip(plan.phases, phase_needs, strict=True))
    after.extend(() for _ in plan.phases)
    graph = Graph(names=names, tasks=n, needs=tuple(needs), after=tuple(after), dangling=tuple(dangling))
    return _behind_providers(plan, graph) if any(task.uses for task in plan.tasks) else graph


def _behind_providers(plan: Plan, graph: Graph) -> Graph:
    """Who uses a contract lands behind its provider (R3.1), so whoever waits for a user waits for the provider, too;
    unless that closes a circle, of which lint tells."""
    providers: dict[str, list[int]] = {}
    for i, task in enumerate(plan.tasks):
        for id in task.provides:
            providers.setdefault(id, []).append(i)
    behind = [tuple(i for id in task.uses for i in providers.get(id, ())) for task in plan.tasks]
    needs = []
    for node, own in enumerate(graph.needs):
        found, queue = dict.fromkeys(own), [*own]
        for other in queue:  # grows while it is walked
            for i in behind[other] if other < graph.tasks else ():
                if i != node and i not in found:
                    found[i] = None
                    queue.append(i)
        needs.append(tuple(found))
    further = msgspec.structs.replace(graph, needs=tuple(needs))
    return further if len(topological(further)) == len(graph.names) else graph


def _chain(members: Sequence[int], added: Sequence[bool], needs: Sequence[Sequence[int]]) -> Iterator[tuple[int, int]]:
    """Links of a phase that is not parallel: plan order, unless its tasks name each other (R1.4).

    What was added while it ran changes nothing about that: it comes last in a chain, and makes or breaks none."""
    inside = {member for member, late in zip(members, added, strict=True) if not late}
    if not any(other in inside for member in inside for other in needs[member]):
        yield from itertools.pairwise(members)


def remaining(plan: Plan, graph: Graph) -> Graph:
    """The graph of what is left to do: a task that has already succeeded waits for nobody."""
    if all(task.status != "succeeded" for task in plan.tasks):
        return graph
    done = [task.status == "succeeded" for task in plan.tasks] + [False] * len(plan.phases)
    return msgspec.structs.replace(
        graph,
        needs=tuple(() if gone else x for gone, x in zip(done, graph.needs, strict=True)),
        after=tuple(() if gone else x for gone, x in zip(done, graph.after, strict=True)),
    )


def topological(graph: Graph) -> list[int]:
    """All nodes, each after what it waits for, in plan order where free; nodes on or behind a cycle are missing."""
    missing = list(map(len, graph.waits()))
    dependents = graph.dependents()
    order = [i for i, count in enumerate(missing) if not count]
    for node in order:  # grows while it is walked
        for other in dependents[node]:
            missing[other] -= 1
            if not missing[other]:
                order.append(other)
    return order


def cycle(graph: Graph) -> tuple[str, ...] | None:
    """One cycle, whole, first node repeated at the end; None when there is none."""
    order = set(topological(graph))
    rest = [i for i in range(len(graph.names)) if i not in order]
    if not rest:
        return None
    # Every node left waits for another node left, so walking backwards must come round.
    seen: dict[int, int] = {}
    path: list[int] = []
    node = rest[0]
    while node not in seen:
        seen[node] = len(path)
        path.append(node)
        node = next(x for x in (*graph.needs[node], *graph.after[node]) if x not in order)
    loop = [*path[seen[node] :], node]
    return tuple(graph.names[i] for i in reversed(loop))


def reach(order: Sequence[int], sources: Sequence[Sequence[int]], bits: Mapping[int, int]) -> list[int]:
    """For each node the bits of the nodes that it is reached from; `sources` come before it in `order`."""
    reach = [0] * len(sources)
    for node in order:
        own = 0
        for other in sources[node]:
            got = reach[other] | (1 << bits[other] if other in bits else 0)
            own = own | got if own else got
        reach[node] = own
    return reach


def levels(graph: Graph) -> list[int]:
    """The length of the longest chain of tasks in front of each node, 0 for none; -1 on or behind a cycle."""
    level = [-1] * len(graph.names)
    for node in topological(graph):
        before = (level[x] + (not graph.is_join(x)) for x in (*graph.needs[node], *graph.after[node]))
        level[node] = max(before, default=0)
    return level


def ranks(graph: Graph, durations_s: Sequence[float]) -> list[float]:
    """Longest expected time in seconds from a node's start to the end of everything behind it (R10.1).

    `durations_s` has one entry a task; a join takes no time."""
    rank = [0.0] * len(graph.names)
    dependents = graph.dependents()
    for node in reversed(topological(graph)):
        own = 0.0 if graph.is_join(node) else durations_s[node]
        rank[node] = own + max((rank[x] for x in dependents[node]), default=0.0)
    return rank
