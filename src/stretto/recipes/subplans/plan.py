"""A batch whose papers an agent writes, as a plan that runs in the folder itself: one task for each paper."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence

from stretto.model.papers import PAPERS
from stretto.model.plan import Check, Phase, Plan, Task
from stretto.recipes.subplans import placeholder
from stretto.recipes.subplans.batch import Item
from stretto.recipes.subplans.progress import Progress
from stretto.recipes.subplans.prompt import writing_prompt

ESTIMATE_S = 300.0


def plan_of(progress: Progress, items: Sequence[Item], *, fill: bool = False) -> Plan:
    """Paths count from the folder of the plan file. No paper waits for another: a batch has one kind of them, or
    they are filled, each from its own."""
    kinds = tuple(dict.fromkeys(item.kind for item in items))
    return Plan(
        name=f"{progress.plan.name} papers",
        format=PAPERS,
        isolation="none",
        phases=tuple(
            Phase(id=kind, title="SUBPLANs" if kind == "subplans" else "EXECUTION_TASKs", depends_on=kinds[:i])
            for i, kind in enumerate(kinds)
        ),
        tasks=tuple(_task(progress, item, fill=fill) for item in items),
    )


def task_id(item: Item) -> str:
    return item.path.rpartition("/")[2].removesuffix(".md")


def _task(progress: Progress, item: Item, *, fill: bool) -> Task:
    one = progress.by_id[item.id]
    subplan = (one.subplan.path,) if item.kind == "executions" and one.subplan else ()
    return Task(
        id=task_id(item),
        phase=item.kind,
        title=one.achievement.title,
        prompt=writing_prompt(progress, item, fill=fill),
        context=subplan,
        writes=(item.path,),
        artifacts=(item.path,),
        verify=(Check(command=_check(item.path)),),
        effect="artifact",
        estimate_s=ESTIMATE_S,
    )


def _check(path: str) -> str:
    return shlex.join((sys.executable, "-m", placeholder.__name__, path))
