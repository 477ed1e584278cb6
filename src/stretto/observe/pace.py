"""How fast a run goes, and when it may end: what its tasks took, what is left of them, and the way that decides."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence

from stretto.analysis.estimate import expected
from stretto.analysis.graph import Graph, ranks
from stretto.core.coordinator import Coordinator
from stretto.core.events import AttemptStarted, BatchLanded, Event, Granted, RunResumed, RunStarted
from stretto.core.state import State, TaskRecord
from stretto.model.plan import Value
from stretto.model.run import FINAL_STATES

ENOUGH = 2
"""So many landings of this run, at least, teach how long a task takes that nobody has estimated."""


class Forecast(Value, frozen=True, kw_only=True):
    """What is to be expected of the rest of a run."""

    end_at: float | None = None
    """In seconds since the epoch; None where nothing is known to reckon with."""
    critical: frozenset[str] = frozenset()
    """Ids of the tasks on the longest way to the end that is left."""


class Pace:
    """Watches the events of one run, and reckons."""

    def __init__(self) -> None:
        self.took_s: dict[str, float] = {}
        """How long the attempt of a task took that landed, from its place to the landing."""
        self.began_at = 0.0
        """When an engine took the run up last."""
        self._attempts_at: dict[str, float] = {}
        self._learned_s: Mapping[str, float] = {}

    def notify(self, event: Event) -> None:
        match event:
            case RunStarted():
                self.began_at, self._learned_s = event.at, event.expected_s
            case RunResumed():
                self.began_at = event.at
            case Granted() | AttemptStarted():
                self._attempts_at[event.task] = event.at
            case BatchLanded():
                for entry in event.landed:
                    self.took_s[entry.task] = event.at - self._attempts_at.get(entry.task, event.at)
            case _:
                pass

    def forecast(self, coordinator: Coordinator, now: float) -> Forecast:
        """By the longest way that is left, or by the work that is left for the places, whichever is more."""
        state, graph = coordinator.state, coordinator.steps.readiness.graph
        stops = state.drain is not None
        whole_s = self._whole_s(state)
        guess_s = state.settings.estimate_s
        critical = () if stops else _way(state.tasks, graph, [guess_s if s is None else s for s in whole_s])
        if None in whole_s or all(record.state in FINAL_STATES for record in state.tasks):
            return Forecast(critical=frozenset(critical))
        left_s = [_left_s(record, s or 0.0, now, stops=stops) for record, s in zip(state.tasks, whole_s, strict=True)]
        longest_s = max(ranks(graph, left_s), default=0.0)
        shared_s = sum(left_s) / max(1, state.parallel)
        return Forecast(end_at=now + max(longest_s, shared_s), critical=frozenset(critical))

    def _whole_s(self, state: State) -> list[float | None]:
        """Of each task the time that an attempt takes: 0 for one that is over, None where nobody can say."""
        default_s = statistics.median(self.took_s.values()) if len(self.took_s) >= ENOUGH else None
        found: list[float | None] = []
        for record in state.tasks:
            s = 0.0 if record.state in FINAL_STATES else expected(record.task, math.nan, self._learned_s)
            found.append(default_s if math.isnan(s) else s)
        return found


def _left_s(record: TaskRecord, whole_s: float, now: float, *, stops: bool) -> float:
    """What is left of a task. A run that `stops` starts nothing more."""
    match record.state:
        case "running":
            return max(0.0, whole_s - (now - record.since))
        case "gating" | "landing":
            return 0.0
        case _:
            return 0.0 if stops else whole_s


def _way(tasks: Sequence[TaskRecord], graph: Graph, whole_s: Sequence[float]) -> Iterator[str]:
    """The tasks on the longest way from now on, among equals the first in plan order."""
    rank, dependents = ranks(graph, whole_s), graph.dependents()
    nodes: Iterable[int] = range(len(tasks))
    while True:
        nodes = [node for node in nodes if graph.is_join(node) or tasks[node].state not in FINAL_STATES]
        if not nodes:
            return
        node = max(nodes, key=rank.__getitem__)
        if not graph.is_join(node):
            yield tasks[node].id
        nodes = dependents[node]
