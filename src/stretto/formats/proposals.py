"""Tasks that an attempt wants added to its run, out of its result file: understood, or refused with a place (R8.4).

Whether the run takes them is decided by the core when the attempt lands; here is only what its state does not matter
to.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Final

from msgspec.structs import replace

from stretto.analysis.effects import settled
from stretto.analysis.lint import lint
from stretto.formats.native import read_tasks
from stretto.formats.reading import Read
from stretto.formats.syntax import json_text
from stretto.formats.syntax.source import decode, plan_error
from stretto.model.plan import Finding, Task
from stretto.ports import Agent

FILE: Final = "result.json"


def proposed(body: bytes, task: Task, *, agents: Mapping[str, Agent], default: str) -> tuple[Task, ...]:
    """The tasks in a result file of an attempt of `task`, their effect settled. Raises PlanError."""
    read = read_tasks(json_text.parse(decode(FILE, body), body), task.phase)
    if not read.plan.tasks:
        return ()
    inside = frozenset(other.id for other in read.plan.tasks)
    alone = replace(read.plan, tasks=tuple(_alone(other, inside) for other in read.plan.tasks))
    errors = [*read.findings, *lint(alone, read.places), *_strangers(read, agents, default)]
    if errors := [finding for finding in errors if finding.severity == "error"]:
        raise plan_error(FILE, errors)
    coding = {name for name, agent in agents.items() if agent.codes}
    return settled(read.plan, coding=coding, default=default).tasks


def _alone(task: Task, inside: Container[str]) -> Task:
    """It without what it waits for in the run's plan, which only the core knows as it is by then."""
    needs = tuple(name for name in task.depends_on if name in inside)
    after, foes = (tuple(x for x in names if x in inside) for names in (task.after, task.conflicts_with))
    return replace(task, depends_on=needs, after=after, conflicts_with=foes)


def _strangers(read: Read, agents: Mapping[str, Agent], default: str) -> Iterator[Finding]:
    """Agents that the run does not have: which programs it starts was said when it began."""
    for task in read.plan.tasks:
        for name in task.agent or (default,):
            if name not in agents:
                yield Finding(
                    code="unknown-id",
                    severity="error",
                    message=f"task {task.id!r} is for agent {name!r}, which this run does not have",
                    hint=f"name one that it has: {', '.join(map(repr, agents))}",
                    location=read.places[f"task:{task.id}"],
                )
