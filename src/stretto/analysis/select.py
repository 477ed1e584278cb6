"""A part of a plan, as a plan of its own: `run --only`, `--with-deps`, `--phase`.

Tasks that are left out vanish. Where a task that stays waited for one that goes, it waits for what that one waited
for, so the order among those that stay is kept; that the work itself will be missing is a finding.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from stretto.analysis.graph import Graph, build, topological
from stretto.errors import PlanError
from stretto.model.plan import Finding, Plan, Value

NOTHING: Mapping[str, Finding] = {}


class Selection(Value, frozen=True, kw_only=True):
    """The smaller plan, and what there is to say about it."""

    plan: Plan
    findings: tuple[Finding, ...] = ()


def select(
    plan: Plan,
    *,
    only: Sequence[str] = (),
    phase: str | None = None,
    with_deps: bool = False,
    done: Iterable[str] = (),
    aside: Mapping[str, Finding] = NOTHING,
) -> Selection:
    """The tasks of `only` (ids of tasks or phases) that are in `phase`, each where it is given; else the whole plan.

    `with_deps` adds everything they wait for, except what is `done`. Raises PlanError for ids that do not exist, and
    where nothing is left. `aside`: why tasks that the file has are no part of the plan."""
    if not only and phase is None:
        return Selection(plan=plan)
    graph, finished = build(plan), frozenset(done)
    chosen = _named(plan, only, phase, aside)
    if with_deps:
        chosen = _with_needs(plan, graph, chosen, finished)
    instead = _stand_ins(graph, chosen)
    number = {task.id: i for i, task in reversed(list(enumerate(plan.tasks)))}
    short = _left_out(plan, chosen, finished)
    tasks, findings = [], []
    for i, task in enumerate(plan.tasks):
        if i not in chosen:
            continue
        depends_on: dict[str, None] = {}
        missing: list[str] = []
        for name in task.depends_on:
            node = number.get(name)
            if node is None or node in chosen:
                depends_on[name] = None
                missing += short.get(name, ()) if node is None else ()
            else:
                depends_on |= dict.fromkeys(graph.names[x] for x in instead[node])
                missing += [name] if name not in finished else []
        after, foes = (
            tuple(name for name in names if name not in number or number[name] in chosen)
            for names in (task.after, task.conflicts_with)
        )
        tasks.append(replace(task, depends_on=tuple(depends_on), after=after, conflicts_with=foes))
        if missing:
            findings.append(_missing(repr(task.id), missing))
    kept = {plan.tasks[i].phase for i in chosen}
    for group in plan.phases:
        missing = [task for need in group.depends_on for task in short.get(need, ())]
        if group.id in kept and missing:
            findings.append(_missing(f"phase {group.id!r}", missing))
    return Selection(plan=replace(plan, tasks=tuple(tasks)), findings=tuple(findings))


def _named(plan: Plan, only: Sequence[str], phase: str | None, aside: Mapping[str, Finding]) -> set[int]:
    tasks = {task.id for task in plan.tasks}
    phases = {p.id for p in plan.phases}
    if phase is not None and phase not in phases:
        raise PlanError(f"there is no phase {phase!r} in this plan", hint=_near(phase, phases))
    for name in only:
        if name not in tasks | phases and name in aside:
            raise PlanError(f"task {name!r} is set aside: {aside[name].message}", hint=aside[name].hint)
        if name not in tasks | phases:
            raise PlanError(f"there is no task {name!r} in this plan", hint=_near(name, tasks | phases))
    wanted = set(only)
    chosen = {
        i
        for i, task in enumerate(plan.tasks)
        if (not only or task.id in wanted or task.phase in wanted - tasks) and phase in (None, task.phase)
    }
    if not chosen:
        what = "no task" if not only else f"nothing of {', '.join(map(repr, only))}"
        where = f"phase {phase!r}" if phase is not None else "this plan"
        there = [task.id for task in plan.tasks if phase in (None, task.phase)]
        raise PlanError(f"{what} is in {where}", hint=f"in it: {_some(there)}" if there else "it has no task")
    return chosen


def _near(name: str, names: Iterable[str]) -> str:
    known = sorted(names)
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"there {'is' if len(known) == 1 else 'are'} {_some(known)}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _with_needs(plan: Plan, graph: Graph, chosen: set[int], done: frozenset[str]) -> set[int]:
    work, seen = sorted(chosen), set(chosen)
    for node in work:  # grows while it is walked
        for other in graph.needs[node]:
            if other not in seen and (graph.is_join(other) or plan.tasks[other].id not in done):
                seen.add(other)
                work.append(other)
    return {node for node in seen if not graph.is_join(node)}


def _stand_ins(graph: Graph, chosen: set[int]) -> dict[int, tuple[int, ...]]:
    """For each task that goes, the tasks that stay and that it waits for, through whatever else goes."""
    found: dict[int, tuple[int, ...]] = {}
    for node in topological(graph):
        if node not in chosen:
            sources = (((x,) if x in chosen else found.get(x, ())) for x in graph.needs[node])
            found[node] = tuple(dict.fromkeys(x for source in sources for x in source))
    return {node: found.get(node, ()) for node in range(len(graph.names)) if node not in chosen}


def _left_out(plan: Plan, chosen: set[int], done: frozenset[str]) -> dict[str, list[str]]:
    """For each phase the tasks that go although they are not done."""
    short: dict[str, list[str]] = {}
    for i, task in enumerate(plan.tasks):
        if i not in chosen and task.id not in done:
            short.setdefault(task.phase, []).append(task.id)
    return short


def _missing(who: str, missing: Sequence[str]) -> Finding:
    named = ", ".join(map(repr, missing[:5])) + (", …" if len(missing) > 5 else "")
    return Finding(
        code="dependency-left-out",
        severity="warning",
        message=f"{who} needs {named}: not done and not selected",
        hint="--with-deps selects what is needed, too",
        tasks=tuple(missing),
    )
