"""Epics of the CFN loop: sprints are the phases of the plan, and what is in a sprint is its tasks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace

from stretto.formats.cfn_epic.claims import claims
from stretto.formats.cfn_epic.gates import epic_gates, gates_of, tell_what_is_words
from stretto.formats.cfn_epic.order import Order
from stretto.formats.cfn_epic.outline import NAME, PHASES, SPRINTS, Node, fold, holders, outline, parts_key
from stretto.formats.cfn_epic.prompt import around_words, epic_words, has_work, prompt
from stretto.formats.cfn_epic.spans import Span, span_of
from stretto.formats.cfn_epic.status import WORDS, aside_of, is_known, settled
from stretto.formats.cfn_epic.strategy import compare
from stretto.formats.reading import Read, Reading, Table, shown
from stretto.formats.set_aside import Aside, without
from stretto.formats.syntax.source import Source
from stretto.model.plan import Check, Phase, Plan, PlanGates, Task

_PRIORITIES = {
    **dict.fromkeys(("critical", "urgent", "highest", "blocker", "p0"), 1),
    **dict.fromkeys(("high", "p1"), 2),
    **dict.fromkeys(("medium", "normal", "p2"), 3),
    **dict.fromkeys(("low", "p3"), 4),
    **dict.fromkeys(("lowest", "p4"), 5),
}
_LOOKS = re.compile(
    r"\s*(?:run|verify|validate|check|review|confirm|ensure|execute|inspect|audit|measure|analy[sz]e)\b", re.IGNORECASE
)
_MAX_PARALLEL = 10_000


def read(source: Source) -> Read:
    """The plan in the file. Keys that are not read are left alone; they stay in the file."""
    return _Reader(source).read()


class _Reader:
    def __init__(self, source: Source) -> None:
        self._reading = Reading(source)
        self._epic = outline(source)
        self._groups = list(self._epic.groups())
        self._whole: dict[str, Aside] = {}

    def read(self) -> Read:
        reading, epic = self._reading, self._epic
        reading.places.mark("plan", ())
        self._look_at_shapes()
        for group in self._groups:
            reading.places.mark(f"phase:{group.id}", group.steps)
        order = Order(reading, epic, _about, _put_aside)
        spans = {group.id: span for group in self._groups if (span := span_of(group)) is not None}
        shared = epic_words(epic)
        phases: list[Phase] = []
        tasks: list[Task] = []
        for group in self._groups:
            edges = order.of_group(group)
            for i, (_, steps) in enumerate(edges):
                reading.places.mark(f"phase:{group.id}:depends_on:{i}", steps)
            chain = order.is_chain(group)
            phases.append(
                Phase(
                    id=group.id,
                    title=shown(group.name, 100),
                    depends_on=tuple(id for id, _ in edges),
                    parallel=not chain,
                    max_parallel=None if chain else self._max_parallel(group),
                )
            )
            tasks += self._tasks(group, order, shared, spans.get(group.id))
        for phase, last in order.joins.items():
            reading.places.mark(f"phase:{phase.id}", phase.steps)
            phases.append(Phase(id=phase.id, title=shown(phase.name, 100), depends_on=last))
        tell_what_is_words(reading, epic)
        plan = self._plan(phases, tasks)
        compare(reading, epic, self._groups, plan, spans)
        return reading.finish(lambda: plan)

    def _plan(self, phases: list[Phase], tasks: list[Task]) -> Plan:
        name = next(filter(None, (x.name for x in reversed(holders(self._epic)))), "") or self._epic.id or "epic"
        gates = epic_gates(self._reading, self._epic)
        for i, (_, steps) in enumerate(gates):
            self._reading.places.mark(f"plan:gates:verify:{i}", steps)
        kept, left = self._left(phases, tasks)
        return Plan(
            name=shown(name, 200),
            format=NAME,
            phases=tuple(kept),
            tasks=tuple(left),
            gates=PlanGates(verify=tuple(check for check, _ in gates)),
        )

    def _left(self, phases: list[Phase], tasks: list[Task]) -> tuple[list[Phase], list[Task]]:
        """Without what is cancelled or put off, and what waits for the latter."""
        if not self._whole:
            return phases, tasks
        needs = {phase.id: phase.depends_on for phase in phases}
        waiting = [replace(task, depends_on=(*task.depends_on, *needs[task.phase])) for task in tasks]
        kept, told = without(waiting, self._whole)
        for each in told:
            steps = self._reading.places.steps(f"task:{each.task}")
            self._reading.report("set-aside", each.message, steps, each.hint, severity="info", tasks=each.tasks)
        before = {task.id: task for task in tasks}
        left = []
        for task in kept:
            still = set(task.depends_on)
            left.append(replace(task, depends_on=tuple(x for x in before[task.id].depends_on if x in still)))
        used = {task.phase for task in left}
        gone = {task.phase for task in tasks} - used
        stay = [phase for phase in phases if phase.id not in gone]
        return [replace(x, depends_on=tuple(y for y in x.depends_on if y not in gone)) for x in stay], left

    def _look_at_shapes(self) -> None:
        """Lists that are none, and entries of them that are no mappings; an epic without any sprints."""
        found = False
        for holder in holders(self._epic):
            table = Table(self._reading, holder.steps, holder.values, "the epic")
            for keys, about in ((PHASES, "phase"), (SPRINTS, "sprint")):
                if (key := holder.key(*keys)) is not None:
                    table.tables(key, about)
                    found = True
        if not found:
            table = self._reading.root("the epic")
            if not table.misspelt("sprints", "phases"):
                table.missing("sprints", "an epic has `sprints`, or `phases` with sprints or tasks in them")
        ids: set[str] = set()
        for child in self._epic.children:
            table = self._table(child)
            if (key := child.key(*SPRINTS)) is not None and child.kind == "phase":
                table.tables(key, "sprint")
            if not child.is_group and child.id in ids:
                message = f"there is more than one phase {shown(child.id)!r}"
                hint = "give every phase an id of its own"
                self._reading.report("duplicate-id", message, child.steps, hint, severity="error")
            ids.add(child.id)
        for group in self._groups:
            if (key := parts_key(group)) is not None:
                self._table(group).tables(key, "part")

    def _table(self, node: Node) -> Table:
        return Table(self._reading, node.steps, node.values, _about(node))

    def _max_parallel(self, group: Node) -> int | None:
        """How many agents may work in a sprint at once, where the sprint or the epic sets a limit."""
        limits = [holder.get("resourcelimits", "resources") for holder in holders(self._epic)]
        holders_of_limit = [group, *(Node("epic", x, ()) for x in limits if isinstance(x, dict))]
        for holder in holders_of_limit:
            own = ("maxparallel", "maxparallelagents", "maxagents", "maxparalleltasks") if holder is group else ()
            limit = holder.get(*own, "maxagentspersprint", "maxagentspersprints")
            if isinstance(limit, int) and not isinstance(limit, bool) and 1 <= limit <= _MAX_PARALLEL:
                return limit if len(group.children) > 1 else None
        return None

    def _tasks(self, group: Node, order: Order, shared: str, span: Span | None) -> list[Task]:
        outer = group.parent if group.parent is not None and group.parent.kind == "phase" else None
        around = [around_words(x) for x in (outer, group if group.children else None) if x is not None]
        seconds = _shares(group, span)
        last = self._closing(group, order)
        found = []
        for node, estimate_s in zip(group.tasks(), seconds, strict=True):
            place = self._reading.places.mark(f"task:{node.id}", node.steps)
            self._look_at(node)
            edges = order.of_task(node)
            for i, (_, steps) in enumerate(edges):
                self._reading.places.mark(f"{place}:depends_on:{i}", steps)
            writes = self._writes(node, place)
            words = [x for y in (outer, group, node) if y is not None for x in order.words.get(y, ())]
            found.append(
                Task(
                    id=node.id,
                    phase=group.id,
                    title=shown(node.name or node.text("description") or node.own_id, 100),
                    prompt=prompt(shared, around, node, list(dict.fromkeys(words))),
                    depends_on=tuple(id for id, _ in edges),
                    writes=writes,
                    verify=self._verify(node, group if node is last else None, place),
                    effect="any" if writes is None or _LOOKS.match(node.name) else "changes",
                    priority=_priority(node),
                    estimate_s=estimate_s,
                    status=settled(node),
                )
            )
        return found

    def _look_at(self, node: Node) -> None:
        """Mistakes of a task or of what is around it, and whether it is set aside."""
        if not has_work(node.values):
            self._table(node).missing("name", "say what is to be done; an id is no prompt")
        around: Node | None = node
        while around is not None:
            if (why := aside_of(around)) is not None:
                self._whole[node.id] = why
                break
            around = around.parent
        for each in (node, node.parent) if node.parent is not None and node is node.parent.tasks()[0] else (node,):
            if not is_known(each) and (key := each.key("status")):
                steps = (*each.steps, key)
                self._reading.unknown_status(_about(each), each.get("status"), steps, (node.id,), WORDS, key=key)

    def _writes(self, node: Node, place: str) -> tuple[str, ...] | None:
        """Files that it lists, and that its deliverables name; None (unknown) where there are none."""
        return self._reading.places.claims(place, claims(node)) or None

    def _verify(self, node: Node, closes: Node | None, place: str) -> tuple[Check, ...]:
        found = gates_of(self._reading, node, node.id)
        if closes is not None and closes is not node:
            found += gates_of(self._reading, closes, node.id)
        for i, (_, steps) in enumerate(found):
            self._reading.places.mark(f"{place}:verify:{i}", steps)
        return tuple(check for check, _ in found)

    def _closing(self, group: Node, order: Order) -> Node | None:
        """The task after which a sprint is done, where there is one; else its checks have no place, which is told."""
        tasks = group.tasks()
        if len(tasks) == 1 or order.is_chain(group):
            return tasks[-1]
        waited = {id for task in tasks for id, _ in order.of_task(task)}
        ends = [task for task in tasks if task.id not in waited]
        if len(ends) == 1:
            return ends[0]
        gates = gates_of(Reading(self._reading.source), group, group.id)
        if gates:
            self._reading.report(
                "check-without-place",
                f"{_about(group)} has a check, but no task that is its last: it is not run",
                gates[0][1],
                "let one task depend on the others, or put the check into a task",
                tasks=tuple(task.id for task in ends),
            )
        return None


def _about(node: Node) -> str:
    if node.kind == "epic":
        return "the epic"
    return f"{'task' if node.kind == 'part' else node.kind} {shown(node.id)!r}"


def _put_aside(node: Node) -> Aside | None:
    """Why no run does anything of it, if so."""
    own = aside_of(node)
    if own is not None or not node.children:
        return own
    whole: set[Aside | None] = {_put_aside(x) for x in node.children}
    return whole.pop() if len(whole) == 1 else None


def _shares(group: Node, span: Span | None) -> Sequence[float | None]:
    """Seconds of each task: what it says itself, the middle of a range; else its share of what the sprint has left."""
    tasks = group.tasks()
    if not group.children:
        return [(span[0] + span[1]) / 2 if span else None]
    own = [span_of(x) for x in tasks]
    said = [(x[0] + x[1]) / 2 if x else None for x in own]
    missing = said.count(None)
    if span is None or not missing:
        return said
    left = (span[0] + span[1]) / 2 - sum(x for x in said if x is not None)
    share = left / missing if left > 0 else None
    return [share if x is None else x for x in said]


def _priority(node: Node) -> int:
    """Its own, else that of its sprint, else that of its phase."""
    around: Node | None = node
    while around is not None and around.kind != "epic":
        value = around.get("priority")
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 5:
            return value
        if isinstance(value, str) and (known := _PRIORITIES.get(fold(value))) is not None:
            return known
        around = around.parent
    return 3
