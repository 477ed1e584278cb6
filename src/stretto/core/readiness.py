"""What each task still waits for in the graph, kept as counters (R1).

A node is *met* when a task has landed, or a phase is done; it is *over* when it will never change again. Dependencies
wait for met, `after` waits for over. Everything walks a work list: a chain of 10,000 tasks must not recurse.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from stretto.analysis.graph import Graph
from stretto.core.state import TaskRecord
from stretto.model.run import FINAL_STATES


class Change(msgspec.Struct):
    """What a finished task means for others."""

    ready: list[int]
    """Tasks with nothing left to wait for."""
    broken: list[tuple[int, str, str]]
    """Tasks that can never start now: why, and the failure at the root of it."""


class Readiness(msgspec.Struct):
    """Counters over the graph. `unmet[i]` is how many things node `i` still waits for."""

    graph: Graph
    need_dependents: list[list[int]]
    after_dependents: list[list[int]]
    unmet: list[int]
    open: list[int]
    """For a join: how many of its members and phases are not over yet."""
    broken: dict[int, str]
    """Joins that can never be done, and the failure at the root of it."""
    over: list[bool]

    def finished(self, record: TaskRecord) -> Change:
        """A task has become final."""
        root = record.root or f"{record.id!r} {'failed' if record.state == 'failed' else f'was {record.state}'}"
        return self._walk(record.index, record.state == "succeeded", root, record.task.optional)

    def _walk(self, start: int, met: bool, root: str, optional: bool) -> Change:
        change = Change([], [])
        work: list[tuple[int, bool, str]] = [(start, met, root)]
        for node, met, root in work:  # grows while it is walked
            if self.over[node]:
                continue
            self.over[node] = True
            for other in self.after_dependents[node]:
                self._one_less(other, work, change)
            for other in self.need_dependents[node]:
                join = self.graph.is_join(other)
                if met or (optional and join and node == start):
                    self._one_less(other, work, change)
                else:
                    self._break(node, other, root, change)
                if join:
                    self.open[other] -= 1
                    if not self.open[other] and other in self.broken:
                        work.append((other, False, self.broken[other]))
        return change

    def _one_less(self, node: int, work: list[tuple[int, bool, str]], change: Change) -> None:
        self.unmet[node] -= 1
        if self.unmet[node]:
            return
        if self.graph.is_join(node):
            work.append((node, True, ""))
        else:
            change.ready.append(node)

    def _break(self, node: int, dependent: int, root: str, change: Change) -> None:
        """`dependent` has lost what it needs. A join's dependents are lost at once; it is over with its last member."""
        pending = [(node, dependent)]
        for before, after in pending:
            if not self.graph.is_join(after):
                change.broken.append((after, self._why(before, root), root))
            elif after not in self.broken:
                self.broken[after] = root
                pending += [(after, other) for other in self.need_dependents[after]]

    def _why(self, node: int, root: str) -> str:
        """Names what is missing and the root, never the whole chain: it may be thousands long."""
        name = repr(self.graph.names[node])
        if self.graph.is_join(node):
            return f"needs phase {name}, but {root}"
        return (
            f"needs {name}, which {root.removeprefix(name).strip()}"
            if root.startswith(f"{name} ")
            else f"needs {name}, but {root}"
        )


def build(graph: Graph, records: Sequence[TaskRecord]) -> tuple[Readiness, Change]:
    """Counters for tasks in whatever states they are, and what follows for those that are `pending`."""
    size = len(graph.names)
    need_dependents: list[list[int]] = [[] for _ in range(size)]
    after_dependents: list[list[int]] = [[] for _ in range(size)]
    for node in range(size):
        for other in graph.needs[node]:
            need_dependents[other].append(node)
        for other in graph.after[node]:
            after_dependents[other].append(node)
    readiness = Readiness(
        graph=graph,
        need_dependents=need_dependents,
        after_dependents=after_dependents,
        unmet=[len(graph.needs[i]) + len(graph.after[i]) for i in range(size)],
        open=[len(graph.needs[i]) for i in range(size)],
        broken={},
        over=[False] * size,
    )
    ready: dict[int, None] = {}
    broken: dict[int, tuple[int, str, str]] = {}
    for node in range(size):
        if not readiness.unmet[node]:
            # A phase without members that waits for nothing is done from the start, and passes that on (R1.5).
            change = readiness._walk(node, True, "", False) if graph.is_join(node) else Change([node], [])
            _collect(change, ready, broken)
    for record in records:
        if record.state in FINAL_STATES:
            _collect(readiness.finished(record), ready, broken)
    pending = [record.index for record in records if record.state == "pending"]
    change = Change(
        ready=[node for node in pending if node in ready and node not in broken],
        broken=[broken[node] for node in pending if node in broken],
    )
    return readiness, change


def _collect(change: Change, ready: dict[int, None], broken: dict[int, tuple[int, str, str]]) -> None:
    ready.update(dict.fromkeys(change.ready))
    for lost in change.broken:
        broken.setdefault(lost[0], lost)
