"""A plan by level, in a few lines: what `run` shows before it asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from stretto.analysis.estimate import durations, estimate
from stretto.analysis.graph import build, levels
from stretto.model.plan import Plan, Task
from stretto.model.run import RunSettings
from stretto.observe.layout import flow, wrap
from stretto.observe.paint import Paint, count, line, span

LEVELS, LINES = 12, 2
"""So many levels, and so many lines of each, are shown."""
AGENTS = 3
"""So many agents are told by name."""


def outline(
    plan: Plan, *, settings: RunSettings, paint: Paint, width: int = 80, learned_s: Mapping[str, float]
) -> Iterator[str]:
    """Levels are shown, never waited for. Tasks that the plan calls succeeded are left out."""
    graph = build(plan)
    names = [(level, i) for i, level in enumerate(levels(graph)[: graph.tasks]) if plan.tasks[i].status != "succeeded"]
    done = len(plan.tasks) - len(names)
    already = f", {done} done already" if done else ""
    doers = _doers((plan.tasks[i] for _, i in names), settings.agent)
    agent = f", by {doers}" if doers else ""
    name = line(plan.name)
    told = f"{name}: {count(len(names), 'task')} to do{already}; {settings.parallel} at once{agent}"
    first, *more = wrap(told, width)
    yield from (first.replace(name, paint(name, "bold"), 1), *more)
    groups = [(level, list(members)) for level, members in groupby(sorted(names), lambda x: x[0])]
    wide = max((len(f"level {level + 1}") for level, _ in groups[:LEVELS]), default=0)
    for level, members in groups[:LEVELS]:
        head = f"level {level + 1}".ljust(wide)
        for text in flow([line(graph.names[i]) for _, i in members], ", ", width - wide - 4, LINES):
            yield f"  {paint(head, 'dim')}  {text}"
            head = " " * wide
    if len(groups) > LEVELS:
        yield f"  … and {count(len(groups) - LEVELS, 'level')} more"
    if any(plan.tasks[i].estimate_s is not None or plan.tasks[i].id in learned_s for _, i in names):
        times = estimate(plan, graph, durations(plan, settings.estimate_s, learned_s), settings.parallel)
        yield f"  about {span(times.parallel_s)}; one after the other {span(times.sequential_s)}"


def _doers(tasks: Iterable[Task], default: str) -> str:
    """The first choices of these tasks, each once, in their order."""
    firsts = (next(iter(task.agent), default) for task in tasks)
    # Of a command that is given on the spot the kind is enough here.
    found = list(dict.fromkeys("shell" if name.startswith("shell:") else name for name in firsts if name))
    more = f" and {len(found) - AGENTS} more" if len(found) > AGENTS else ""
    return line(", ".join(found[:AGENTS])) + more
