"""A plan by level, in a few lines: what `run` shows before it asks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from stretto.analysis.estimate import durations, estimate
from stretto.analysis.graph import build, levels
from stretto.model.plan import Plan
from stretto.model.run import RunSettings
from stretto.observe.paint import Paint, count, cut, line, span

LEVELS, WIDE = 12, 68
"""So many levels, and so many columns of each, are shown."""


def outline(plan: Plan, *, settings: RunSettings, paint: Paint) -> Iterator[str]:
    """Levels are shown, never waited for. Tasks that the plan calls succeeded are left out."""
    graph = build(plan)
    names = [(level, i) for i, level in enumerate(levels(graph)[: graph.tasks]) if plan.tasks[i].status != "succeeded"]
    done = len(plan.tasks) - len(names)
    already = f", {done} done already" if done else ""
    agent = f", by {cut(line(settings.agent), 40)}" if settings.agent else ""
    name = paint(line(plan.name), "bold")
    yield f"{name}: {count(len(names), 'task')} to do{already}; {settings.parallel} at once{agent}"
    groups = [(level, list(members)) for level, members in groupby(sorted(names), lambda x: x[0])]
    wide = len(f"level {min(len(groups), LEVELS)}")
    for level, members in groups[:LEVELS]:
        tasks = cut(", ".join(line(graph.names[i]) for _, i in members), WIDE)
        yield f"  {paint(f'level {level + 1}'.ljust(wide), 'dim')}  {tasks}"
    if len(groups) > LEVELS:
        yield f"  … and {count(len(groups) - LEVELS, 'level')} more"
    if any(plan.tasks[i].estimate_s is not None for _, i in names):
        times = estimate(plan, graph, durations(plan, settings.estimate_s), settings.parallel)
        yield f"  about {span(times.parallel_s)}; one after the other {span(times.sequential_s)}"
