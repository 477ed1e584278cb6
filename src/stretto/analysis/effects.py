"""What a task must leave behind to have done anything, where its plan does not say (R5.1)."""

from __future__ import annotations

from collections.abc import Container

from msgspec.structs import replace

from stretto.model.plan import Plan, Task


def settled(plan: Plan, *, coding: Container[str], default: str) -> Plan:
    """The plan with every task's effect said: a coding agent, by its first choice or `default`, makes changes."""

    def whole(task: Task) -> Task:
        if task.effect is not None:
            return task
        agent = task.agent[0] if task.agent else default
        return replace(task, effect="changes" if agent in coding else "any")

    return replace(plan, tasks=tuple(map(whole, plan.tasks)))
