"""How long a plan will take, at best and probably: critical path, lower bound, a simulated run (R10.1).

The simulation is list scheduling: whenever a place is free, the most urgent task that may start takes it. Claims are
locks (see `conflicts.Meeting`), and so is whom a task conflicts with; a phase's `max_parallel` is one that so many
share. Tasks that the plan file calls succeeded take no time and no place. Gates, landings, retries and limits are left
out.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from stretto.analysis.bound import lower_bound
from stretto.analysis.conflicts import Meeting, meetings
from stretto.analysis.graph import Graph, ranks, remaining
from stretto.model.plan import Plan, Task, Value

_HARDLY = 1.05
"""So many times the best time is as good as the best: an estimate is no more exact than that."""
NOTHING: Mapping[str, float] = {}
"""Nothing was learned."""


class Estimate(Value, frozen=True, kw_only=True):
    """Expected times of what is left of a plan, in seconds."""

    sequential_s: float
    """One task after the other."""
    parallel_s: float
    """With the given number of places, claims honoured."""
    lower_bound_s: float
    """No schedule can be shorter: the critical path, the work shared evenly, or the longest queue of tasks that are
    kept apart, by a path or by what they conflict with."""
    speedup: float
    """`sequential_s / parallel_s`; 1 when nothing is left."""
    peak_width: int
    """Most tasks at work at once if there were a place for everyone."""


class Schedule(Value, frozen=True, kw_only=True):
    """A simulated run: when its last task ends, the work in it, both in seconds, and the most tasks at once."""

    end_s: float
    work_s: float
    peak: int
    began_s: tuple[float | None, ...]
    """When each task begins, in plan order; None for one that is done, or that never begins."""


def expected(task: Task, default_s: float, learned_s: Mapping[str, float]) -> float:
    """Seconds that a task will take: its estimate, else what was learned of it (by its id), else `default_s`."""
    if task.estimate_s is not None and 0 <= task.estimate_s < math.inf:
        return task.estimate_s
    return learned_s.get(task.id, default_s)


def durations(plan: Plan, default_s: float = 720.0, learned_s: Mapping[str, float] = NOTHING) -> list[float]:
    """Expected seconds of each task, in plan order; 0 for a succeeded one."""
    return [0.0 if task.status == "succeeded" else expected(task, default_s, learned_s) for task in plan.tasks]


def critical_path(plan: Plan, graph: Graph, durations_s: Sequence[float]) -> tuple[str, ...]:
    """Ids of the tasks on the longest chain by expected time that is left; among equals the first in plan order."""
    left = remaining(plan, graph)
    rank, dependents = ranks(left, durations_s), left.dependents()
    path: list[str] = []
    nodes: Sequence[int] = range(len(left.names))
    while nodes:
        node = max(nodes, key=rank.__getitem__)
        if not rank[node]:
            break
        if not left.is_join(node) and plan.tasks[node].status != "succeeded":
            path.append(plan.tasks[node].id)
        nodes = dependents[node]
    return tuple(path)


def estimate(plan: Plan, graph: Graph, durations_s: Sequence[float], places: int = 5) -> Estimate:
    """The plan's times with `places` tasks at once. Tasks on or behind a cycle never run and are left out."""
    met = meetings(plan)
    run = schedule(plan, graph, durations_s, places, met)
    wide = schedule(plan, graph, durations_s, max(1, len(plan.tasks)), met)
    bound = max(lower_bound(plan, remaining(plan, graph), durations_s, met), run.work_s / max(1, places))
    return Estimate(
        sequential_s=run.work_s,
        parallel_s=run.end_s,
        lower_bound_s=min(bound, run.end_s),
        speedup=run.work_s / run.end_s if run.end_s else 1.0,
        peak_width=wide.peak,
    )


def enough(plan: Plan, graph: Graph, durations_s: Sequence[float], most: int = 16) -> int:
    """The fewest places, up to `most`, with which the plan takes hardly longer than with `most` of them."""
    met = meetings(plan)
    best_s = schedule(plan, graph, durations_s, most, met).end_s
    low, high = 1, most  # more places are not always faster, but nearly so: what is found is good, if not the least
    while low < high:
        half = (low + high) // 2
        if schedule(plan, graph, durations_s, half, met).end_s <= best_s * _HARDLY:
            high = half
        else:
            low = half + 1
    return low


def schedule(plan: Plan, graph: Graph, durations_s: Sequence[float], places: int, met: Sequence[Meeting]) -> Schedule:
    """A run with `places` places, as it would go if every task took its expected time."""
    return _Simulation(plan, remaining(plan, graph), durations_s, places, met).run()


def _rivals(plan: Plan) -> Iterator[tuple[set[int], set[int]]]:
    """For each name in `conflicts_with` the tasks that run beside none of these, and those that may run together."""
    number = {task.id: i for i, task in enumerate(plan.tasks)}
    against: dict[str, set[int]] = defaultdict(set)
    members: dict[str, set[int]] = defaultdict(set)
    for i, task in enumerate(plan.tasks):
        members[task.phase].add(i)
        for name in task.conflicts_with:
            against[name].add(i)
    for name, rivals in against.items():
        if name in number:
            yield {number[name]}, rivals - {number[name]}
        else:
            yield rivals, members[name] - rivals


class _Simulation:
    """A run in virtual time. A task that is ready stands in one place only: in `ready`, or in the queue of the first
    lock that it cannot have. A lock that is given back calls its first waiter; one that was called and does not take
    all that is left of it calls the next, so that nobody is forgotten."""

    def __init__(
        self, plan: Plan, graph: Graph, durations_s: Sequence[float], places: int, met: Sequence[Meeting]
    ) -> None:
        self._graph, self._durations_s, self._places = graph, durations_s, max(1, places)
        self._dependents = graph.dependents()
        self._missing = [len(set(graph.needs[i]) | set(graph.after[i])) for i in range(len(graph.names))]
        self._done = [task.status == "succeeded" for task in plan.tasks]
        rank = ranks(graph, durations_s)
        self._urgency = [(task.priority, -rank[i], i) for i, task in enumerate(plan.tasks)]
        self._free: list[int] = []
        self._wants: list[list[tuple[int, int]]] = [[] for _ in plan.tasks]
        self._waiting: dict[int, list[tuple[int, float, int]]] = defaultdict(list)
        self._called: dict[int, int] = {}
        self._ready: list[tuple[int, float, int]] = []
        self._running: list[tuple[float, int]] = []
        self._began_s: list[float | None] = [None] * len(plan.tasks)
        self._add_locks(plan, met)

    def _add_locks(self, plan: Plan, met: Sequence[Meeting]) -> None:
        for meeting in met:
            whole = len(meeting.owners) + len(meeting.inside)
            for i in meeting.owners:
                self._wants[i].append((len(self._free), whole))
            for i in meeting.inside:
                self._wants[i].append((len(self._free), 1))
            self._free.append(whole)
        for alone, others in _rivals(plan):
            whole = len(alone) + len(others)
            for i in (*alone, *others):
                self._wants[i].append((len(self._free), whole if i in alone else 1))
            self._free.append(whole)
        narrow = {phase.id: phase.max_parallel for phase in plan.phases if phase.max_parallel}
        lock_of: dict[str, int] = {}
        for i, task in enumerate(plan.tasks):
            if task.phase in narrow:
                if task.phase not in lock_of:
                    lock_of[task.phase] = len(self._free)
                    self._free.append(narrow[task.phase] or 1)
                self._wants[i].append((lock_of[task.phase], 1))

    def run(self) -> Schedule:
        now_s, work_s, peak = 0.0, 0.0, 0
        self._release([i for i, count in enumerate(self._missing) if not count])
        while True:
            while self._ready and len(self._running) < self._places:
                self._start(heapq.heappop(self._ready), now_s)
            if not self._running:
                return Schedule(end_s=now_s, work_s=work_s, peak=peak, began_s=tuple(self._began_s))
            peak = max(peak, len(self._running))
            now_s = self._running[0][0]
            while self._running and self._running[0][0] == now_s:
                task = heapq.heappop(self._running)[1]
                work_s += self._durations_s[task]
                for lock, amount in self._wants[task]:
                    self._free[lock] += amount
                    self._call(lock)
                self._release(self._finish(task))

    def _release(self, nodes: list[int]) -> None:
        """Make these nodes, which wait for nobody, ready; joins and succeeded tasks pass it on at once."""
        for node in nodes:  # grows while it is walked
            if self._graph.is_join(node) or self._done[node]:
                nodes.extend(self._finish(node))
            else:
                heapq.heappush(self._ready, self._urgency[node])

    def _finish(self, node: int) -> list[int]:
        freed = []
        for other in self._dependents[node]:
            self._missing[other] -= 1
            if not self._missing[other]:
                freed.append(other)
        return freed

    def _start(self, entry: tuple[int, float, int], now_s: float) -> None:
        task = entry[2]
        called_by = self._called.pop(task, None)
        blocked = next((lock for lock, amount in self._wants[task] if self._free[lock] < amount), None)
        if blocked is None:
            for lock, amount in self._wants[task]:
                self._free[lock] -= amount
            heapq.heappush(self._running, (now_s + self._durations_s[task], task))
            self._began_s[task] = now_s
        else:
            heapq.heappush(self._waiting[blocked], entry)
        if called_by is not None and called_by != blocked:
            self._call(called_by)

    def _call(self, lock: int) -> None:
        if self._free[lock] and self._waiting.get(lock):
            entry = heapq.heappop(self._waiting[lock])
            self._called[entry[2]] = lock
            heapq.heappush(self._ready, entry)
