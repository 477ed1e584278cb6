"""The hand-written execution strategy of an epic, held against what its sprints' own dependencies say."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from stretto.formats.cfn_epic.names import Names, listed
from stretto.formats.cfn_epic.outline import Node, holders
from stretto.formats.cfn_epic.spans import Span, said, spans_in
from stretto.formats.reading import Reading, Table, shown
from stretto.formats.syntax.source import Steps
from stretto.model.plan import Plan

_GROUPS = ("independentgroups", "parallelgroups", "groups", "executiongroups", "stages")
_MAX_GROUPS = 200
"""More hand-written groups than this are not looked at."""


class _Group:
    def __init__(self, node: Node, table: Table, members: list[str]) -> None:
        self.node, self.table, self.members = node, table, members
        self.name = node.name or f"group {int(table.steps[-1]) + 1}"
        self.parallel = node.get("parallelizable", "parallel", "canrunparallel") is True


def compare(reading: Reading, epic: Node, groups: Sequence[Node], plan: Plan, spans: Mapping[str, Span]) -> None:
    """Tell every difference. The strategy itself orders nothing. `spans`: how long each sprint takes, by id."""
    for holder in holders(epic):
        key = holder.key("executionstrategy", "executionplan")
        value = holder.values.get(key) if key else None
        if isinstance(value, dict) and key:
            strategy = Node("epic", value, (*holder.steps, key))
            _Comparison(reading, strategy, groups, plan, spans).tell()


class _Comparison:
    def __init__(
        self, reading: Reading, strategy: Node, groups: Sequence[Node], plan: Plan, spans: Mapping[str, Span]
    ) -> None:
        self._reading, self._strategy, self._spans = reading, strategy, spans
        self._sprints = {group.id: group for group in groups}
        self._names = Names(groups)
        self._waits = _waits(plan)
        self._dependents: dict[str, list[str]] = {id: [] for id in self._waits}
        for id, others in self._waits.items():
            for other in others:
                self._dependents[other].append(id)

    def tell(self) -> None:
        key = self._strategy.key(*_GROUPS)
        found: list[_Group] = []
        if key is not None:
            table = Table(self._reading, self._strategy.steps, self._strategy.values, "the execution strategy")
            for entry in table.tables(key, "group")[:_MAX_GROUPS]:
                found.append(self._group(entry))
            self._tell_missing(found, (*self._strategy.steps, key))
        for group in found:
            self._tell_parallel(group)
            self._tell_order(group, found)
            self._tell_duration(group)
        self._tell_total()

    def _group(self, table: Table) -> _Group:
        node = Node("part", table.values, table.steps)
        key = node.key("sprints", "phases", "sprintids", "members")
        value = table.values.get(key) if key else None
        members: list[str] = []
        for i, name in enumerate(value if isinstance(value, list) else ()):
            meant = self._names.find(name, node) if isinstance(name, str) else None
            if meant is not None:
                members.append(meant.node.id)
            elif key:
                what = shown(str(name))
                self._differ(f"the execution strategy names {what!r}, which is no sprint here", (*table.steps, key, i))
        return _Group(node, table, members)

    def _tell_missing(self, groups: Sequence[_Group], steps: Steps) -> None:
        named = {id for group in groups for id in group.members}
        missing = [shown(id, 40) for id in self._sprints if id not in named]
        if missing and named:
            self._differ(f"the execution strategy leaves out {listed(missing)}", steps)

    def _tell_parallel(self, group: _Group) -> None:
        """A group that says it is parallel, and whose sprints wait for each other."""
        if not group.parallel:
            return
        behind = _reached(group.members, self._dependents)
        late = [id for id in dict.fromkeys(group.members) if id in behind]
        if late:
            self._differ(
                f"group {shown(group.name)!r} says that its sprints run side by side, but {listed(late)} "
                f"wait{'s' if len(late) == 1 else ''} for another of them",
                group.table.steps,
            )

    def _tell_order(self, group: _Group, groups: Sequence[_Group]) -> None:
        """A group that waits for another, of which its sprints do not need everything."""
        names = Names([x.node for x in groups])
        key = group.node.key("dependson", "dependencies")
        value = group.table.values.get(key) if key else None
        wanted = value if isinstance(value, list) else [value] if isinstance(value, str) else []
        by_node = {x.node: x for x in groups}
        for i, name in enumerate(wanted):
            steps = (*group.table.steps, key or "", i) if isinstance(value, list) else (*group.table.steps, key or "")
            meant = names.find(name, group.node) if isinstance(name, str) else None
            before = [by_node[meant.node].members] if meant is not None else []
            if not before and isinstance(name, str) and (sprint := self._names.find(name, group.node)) is not None:
                before = [[sprint.node.id]]
            if not before:
                self._differ(f"group {shown(group.name)!r} waits for {shown(str(name))!r}, which is no group", steps)
                continue
            needed = _reached(group.members, self._waits)
            free = [id for id in before[0] if id in self._waits and id not in needed]
            if free:
                self._differ(
                    f"group {shown(group.name)!r} waits for {shown(str(name))!r}, but none of its sprints waits for "
                    f"{listed(free)}",
                    steps,
                    "their own dependencies count; add one if the order matters",
                    info=True,
                )

    def _tell_duration(self, group: _Group) -> None:
        key = group.node.key("estimatedduration", "duration", "durationestimate")
        value = group.table.values.get(key) if key else None
        spans = spans_in(value) if isinstance(value, str) else []
        members = [id for id in dict.fromkeys(group.members) if id in self._waits]
        if not spans or not members or any(id not in self._spans for id in members):
            return
        real = self._longest(members) if group.parallel else _total(self._spans[id] for id in members)
        if _apart(spans[0], real):
            self._differ(
                f"group {shown(group.name)!r} is said to take {said(spans[0])}; its sprints take {said(real)}",
                (*group.table.steps, key or ""),
                info=True,
            )

    def _tell_total(self) -> None:
        """The hand-written totals against the critical path, and against everything one after another."""
        members = [id for id in self._sprints if id in self._waits]
        key = self._strategy.key("totalduration", "estimatedduration", "estimatedtotalduration")
        value = self._strategy.values.get(key) if key else None
        if key is None or not members or any(id not in self._spans for id in members):
            return
        totals = Node("part", value if isinstance(value, dict) else {"parallel": value}, (*self._strategy.steps, key))
        sums = _total(self._spans[id] for id in members)
        for name, real, what in (
            ("parallel", self._longest(members), "the longest chain of its sprints takes"),
            ("sequential", sums, "its sprints one after another take"),
        ):
            text = totals.get(name)
            spans = spans_in(text) if isinstance(text, str) else []
            if spans and _apart(spans[0], real):
                steps = (*totals.steps, totals.key(name) or "") if isinstance(value, dict) else totals.steps
                self._differ(f"the strategy says {said(spans[0])} {name}; {what} {said(real)}", steps, info=True)

    def _longest(self, members: Collection[str]) -> Span:
        """The least and the most that a chain through these sprints takes; nothing where they go round in a circle."""
        inside = set(members)
        ends: dict[str, Span] = {}
        try:
            order = list(TopologicalSorter(self._waits).static_order())
        except CycleError:
            return 0.0, float("inf")
        for id in order:
            own = self._spans[id] if id in inside else (0.0, 0.0)
            before = [ends[x] for x in self._waits[id]]
            ends[id] = (
                own[0] + max((x[0] for x in before), default=0.0),
                own[1] + max((x[1] for x in before), default=0.0),
            )
        return max((x[0] for x in ends.values()), default=0.0), max((x[1] for x in ends.values()), default=0.0)

    def _differ(self, message: str, steps: Steps, hint: str = "", *, info: bool = False) -> None:
        hint = hint or "the sprints' own dependencies count; mend the strategy, or leave it out"
        self._reading.report("strategy-differs", message, steps, hint, severity="info" if info else "warning")


def _waits(plan: Plan) -> Mapping[str, Sequence[str]]:
    """For each sprint those that it, or anything in it, waits for."""
    home = {task.id: task.phase for task in plan.tasks}
    found: dict[str, dict[str, None]] = {phase.id: dict.fromkeys(phase.depends_on) for phase in plan.phases}
    for task in plan.tasks:
        found[task.phase].update(dict.fromkeys(home.get(need, need) for need in task.depends_on))
    return {id: [x for x in others if x in found and x != id] for id, others in found.items()}


def _reached(start: Iterable[str], onward: Mapping[str, Sequence[str]]) -> set[str]:
    """Everything that can be got to from these."""
    seen: set[str] = set()
    front = [id for id in start if id in onward]
    while front:
        for id in onward[front.pop()]:
            if id not in seen:
                seen.add(id)
                front.append(id)
    return seen


def _total(spans: Iterable[Span]) -> Span:
    both = list(spans)
    return sum(x[0] for x in both), sum(x[1] for x in both)


def _apart(told: Span, real: Span) -> bool:
    return told[1] < real[0] * 0.99 or told[0] > real[1] * 1.01
