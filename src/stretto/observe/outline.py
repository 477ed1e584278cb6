"""A plan by level, in a few lines: what `run` shows before it asks."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import groupby

from stretto.analysis.estimate import durations, estimate
from stretto.analysis.graph import build, levels
from stretto.model.plan import Plan
from stretto.model.run import RunSettings
from stretto.observe.paint import Paint, count, cut, line, span

LEVELS, WIDE = 12, 100
"""So many levels, and so many columns of each, are shown of a large plan."""


def outline(plan: Plan, *, done: Collection[str], settings: RunSettings, paint: Paint, short: bool) -> Iterator[str]:
    """Levels are shown, never waited for. `short` leaves out what a large plan has too much of."""
    graph, finished = build(plan), frozenset(done)
    todo = len(plan.tasks) - len(finished)
    took = durations(plan, settings.estimate_s)
    took = [0.0 if task.id in finished else seconds for task, seconds in zip(plan.tasks, took, strict=True)]
    expected = estimate(plan, graph, took, settings.parallel)
    agent = cut(line(settings.agent), 40)
    already = f", {len(finished)} done already" if finished else ""
    name = paint(line(plan.name), "bold")
    yield f"{name}: {count(todo, 'task')} to do{already}; {settings.parallel} at once, by {agent}"
    level = levels(graph)
    order = sorted((level[i], i) for i in range(graph.tasks) if graph.names[i] not in finished)
    groups = [(number, [graph.names[i] for _, i in members]) for number, members in groupby(order, lambda x: x[0])]
    for number, names in groups[: LEVELS if short else None]:
        text = ", ".join(map(line, names))
        yield f"  {paint(f'level {number + 1}', 'dim')}  {cut(text, WIDE) if short else text}"
    if short and len(groups) > LEVELS:
        yield f"  … and {count(len(groups) - LEVELS, 'level')} more"
    if todo > 1 and any(task.estimate_s is not None for task in plan.tasks):
        yield f"  about {span(expected.parallel_s)}; one after the other {span(expected.sequential_s)}"
