"""Rules about what waits for what: cycles, atomic phases, what chains cost."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from msgspec import structs

from stretto.analysis.cycles import knots, shortest_cycle, spelled
from stretto.analysis.estimate import schedule
from stretto.analysis.graph import build, remaining, topological
from stretto.analysis.subject import Subject, finding
from stretto.analysis.wording import counted, listed, quoted, spoken
from stretto.model.plan import Finding, Location

_GROUPS = 3
"""So many groups of tasks that nothing orders are spelled out for a phase."""
_WORTH = 1.01
"""A chain is worth a word when it makes the run longer than this."""


def cycles(subject: Subject) -> Iterator[Finding]:
    """One finding for every knot of tasks that wait for each other (R1.5)."""
    if subject.acyclic:
        return
    graph = subject.graph
    waits = graph.waits()
    for node in range(len(graph.names)):
        if node in waits[node]:
            kind = "phase" if graph.is_join(node) else "task"
            yield finding(
                "self-dependency",
                f"{kind} {quoted(graph.names[node])} waits for itself",
                _edge_place(subject, node, node),
                hint="remove it from its own `depends_on`",
                tasks=() if graph.is_join(node) else (graph.names[node],),
            )
    possible = set(subject.order)
    for knot in knots([i for i in range(len(graph.names)) if i not in possible], waits):
        if any(graph.is_join(i) and i in waits[i] for i in knot):
            continue  # a phase that waits for itself drags its own tasks in; it has been named
        loop = shortest_cycle(knot, waits)
        more = len(knot) - len(loop)
        chained = next((x for x, y in zip(loop, [loop[-1], *loop], strict=False) if _is_chain(subject, x, y)), None)
        hint = "remove one of these dependencies"
        if chained is not None:
            phase = quoted(subject.plan.tasks[chained].phase)
            hint += f"; the tasks of phase {phase} wait for one another in plan order, because it is not parallel"
        if more:
            hint += f"; {counted(more, 'other')} in the same knot may close a circle too"
        if behind := _behind(subject, knot):
            hint += f"; {listed(behind, 3)} {'waits' if len(behind) == 1 else 'wait'} for them in vain"
        yield finding(
            "cycle",
            f"a circle of dependencies, none of which can ever start: {spelled(graph, [*loop, loop[0]])}",
            _edge_place(subject, loop[0], loop[-1]),
            hint=hint,
            tasks=tuple(graph.names[i] for i in loop if not graph.is_join(i)),
        )


def _behind(subject: Subject, knot: Sequence[int]) -> list[str]:
    """Tasks outside of a knot that can never start because of it, in plan order."""
    dependents, inside = subject.graph.dependents(), set(knot)
    seen, front = set(knot), [*knot]
    for node in front:  # grows while it is walked
        for other in dependents[node]:
            if other not in seen:
                seen.add(other)
                front.append(other)
    return [subject.graph.names[i] for i in sorted(seen - inside) if not subject.graph.is_join(i)]


def atomic_phases(subject: Subject) -> Iterator[Finding]:
    """Phases that land as one commit or not at all: not built yet (R8.7), and not to be waited for in a circle."""
    plan, graph = subject.plan, subject.graph
    asking = [
        (f"phase {quoted(x.id)}", f"phase:{x.id}", "on_failure") for x in plan.phases if x.on_failure == "rollback"
    ]
    if plan.defaults.on_failure == "rollback":
        asking.insert(0, ("`defaults`", "plan", "defaults:on_failure"))
    for who, owner, field in asking:
        yield finding(
            "unsupported",
            f"`on_failure: rollback` of {who} is not supported yet: a phase lands task by task",
            subject.place(owner, field),
            hint="use `continue` or `stop`",
        )
    atomic = [graph.tasks + p for p, phase in enumerate(plan.phases) if subject.atomic(phase)]
    if atomic and subject.acyclic:
        yield from _group_cycles(subject, atomic)


def _group_cycles(subject: Subject, joins: Sequence[int]) -> Iterator[Finding]:
    """R1.3a: with every atomic phase contracted to one node, nothing may wait in a circle."""
    plan, graph = subject.plan, subject.graph
    join_of = {graph.names[join]: join for join in reversed(joins)}
    stands_for = list(range(len(graph.names)))
    for i, task in enumerate(plan.tasks):
        stands_for[i] = join_of.get(task.phase, i)
    waits: list[dict[int, None]] = [{} for _ in graph.names]
    for node, others in enumerate(graph.waits()):
        waits[stands_for[node]] |= {stands_for[x]: None for x in others if stands_for[x] != stands_for[node]}
    contracted = [tuple(x) for x in waits]
    for knot in knots(range(len(graph.names)), contracted):
        loop = shortest_cycle(knot, contracted)
        phase = next(i for i in loop if i in joins)
        yield finding(
            "wait-cycle",
            f"phase {quoted(graph.names[phase])} lands as one, which closes a circle:"
            f" {spelled(graph, [*loop, loop[0]])}",
            subject.place(f"phase:{graph.names[phase]}"),
            hint="a task outside the phase must not stand between two of its tasks",
            tasks=tuple(graph.names[i] for i in loop if not graph.is_join(i)),
        )


def chains(subject: Subject) -> Iterator[Finding]:
    """What it costs that the tasks of some phases run one after the other (R1.4)."""
    plan = subject.plan
    if not subject.acyclic or all(phase.parallel for phase in plan.phases):
        return
    free = structs.replace(plan, phases=tuple(structs.replace(phase, parallel=True) for phase in plan.phases))
    free_graph = build(free)
    if free_graph.needs == subject.graph.needs:
        return
    sizes = {phase.id: 0 for phase in plan.phases if not phase.parallel and phase.id not in subject.named}
    for task in subject.left:
        if task.phase in sizes:
            sizes[task.phase] += 1
    chained = [id for id, size in sizes.items() if size > 1]
    met, places = subject.meetings, subject.settings.parallel
    now_s = schedule(plan, subject.graph, subject.durations_s, places, met).end_s
    free_s = schedule(free, free_graph, subject.durations_s, places, met).end_s
    if not chained or now_s <= free_s * _WORTH:
        return
    word = subject.parallel_key
    yield finding(
        "chain-cost",
        f"{listed(chained)} {'runs its' if len(chained) == 1 else 'run their'} tasks one after the other: the plan"
        f" takes about {spoken(now_s)} with {places} at once, {spoken(free_s)} if they were parallel",
        subject.place(f"phase:{chained[0]}", word),
        hint="where the tasks of a phase do not need each other, "
        + (f"say `{word}: true`" if word else "say what each of them waits for"),
    )


def unchained(subject: Subject) -> Iterator[Finding]:
    """Phases that are not parallel, and yet no chain, because their tasks name each other (R1.4)."""
    plan, word = subject.plan, subject.parallel_key
    phases = {x.id: x for x in plan.phases if not x.parallel and x.max_parallel != 1 and x.id in subject.named}
    if not phases or not subject.acyclic:
        return
    for id, groups in _abreast(subject, phases).items():
        shown = "; ".join(listed(group) for group in groups[:_GROUPS])
        more = f"; and {counted(len(groups) - _GROUPS, 'more group')}" if len(groups) > _GROUPS else ""
        yield finding(
            "parallel-anyway",
            f"phase {quoted(id)} is not {f'`{word}`' if word else 'parallel'}, but its tasks name each other; then only"
            f" these dependencies order them, and none orders {shown}{more}",
            subject.place(f"phase:{id}", word),
            hint=(f"if they may run side by side, say `{word}: true`; if not, " if word else "if they may not, ")
            + "let each depend on the one before it",
            tasks=tuple(task for group in groups for task in group),
        )


def _abreast(subject: Subject, phases: Collection[str]) -> dict[str, list[list[str]]]:
    """For each of the phases, groups of tasks that are left and that nothing orders: those with equally many tasks
    in front of them. Tasks with fewer or more may be free of each other as well."""
    tasks, graph = subject.plan.tasks, remaining(subject.plan, subject.graph)
    level = [0] * len(graph.names)
    groups: dict[tuple[str, int], list[str]] = {}
    counts = [i < graph.tasks and tasks[i].status != "succeeded" for i in range(len(graph.names))]
    for node in topological(graph):
        level[node] = max((level[x] + counts[x] for x in (*graph.needs[node], *graph.after[node])), default=0)
    for i, task in enumerate(tasks):
        if counts[i] and task.phase in phases:
            groups.setdefault((task.phase, level[i]), []).append(task.id)
    found: dict[str, list[list[str]]] = {}
    for (phase, _), group in sorted(groups.items(), key=lambda x: x[0][1]):
        if len(group) > 1:
            found.setdefault(phase, []).append(group)
    return found


def _edge_place(subject: Subject, waiter: int, other: int) -> Location | None:
    graph, name = subject.graph, subject.graph.names[other]
    if graph.is_join(waiter):
        phase = subject.plan.phases[waiter - graph.tasks]
        k = phase.depends_on.index(name) if name in phase.depends_on else None
        return subject.place(f"phase:{phase.id}", "depends_on", k)
    task = subject.plan.tasks[waiter]
    for field, names in (("depends_on", task.depends_on), ("after", task.after)):
        if name in names:
            return subject.place(f"task:{task.id}", field, names.index(name))
    return subject.place(f"task:{task.id}")


def _is_chain(subject: Subject, waiter: int, other: int) -> bool:
    """Whether `waiter` waits for `other` only because their phase is not parallel."""
    graph = subject.graph
    if graph.is_join(waiter) or graph.is_join(other):
        return False
    task = subject.plan.tasks[waiter]
    return graph.names[other] not in (*task.depends_on, *task.after) and task.phase == subject.plan.tasks[other].phase
