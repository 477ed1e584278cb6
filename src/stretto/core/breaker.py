"""The circuit breaker of an agent: whoever fails on one task after another is given no more of them (R4).

An agent is *out* once its latest attempts have failed on `RunSettings.breaker` different tasks with no attempt of
its own finished in between. Its tasks go to their next agent, or stay `ready`; what it has in flight goes on, and an
attempt that finishes lets it in again. So does a resume: a person has looked.
"""

from __future__ import annotations

from stretto.core.state import State, TaskRecord
from stretto.model.run import FailureKind, RunSettings

BLAMES: frozenset[FailureKind] = frozenset(
    {"transient", "timeout", "idle", "out_of_memory", "failed", "blocked_on_prompt", "no_effect", "permanent"}
)
"""Kinds that may be the agent's own fault. A red check or a conflict is about the work; limits pause by themselves."""


def default_agents(settings: RunSettings) -> tuple[str, ...]:
    """Who does a task that names nobody."""
    return (settings.agent, *settings.fallbacks) if settings.agent else ()


def agents_of(state: State, record: TaskRecord) -> tuple[str, ...]:
    """Who may do the task, first choice first; empty when nobody is named."""
    return record.task.agent or default_agents(state.settings)


def willing(state: State, record: TaskRecord) -> tuple[str, ...]:
    """Those of them that are not out."""
    return tuple(name for name in agents_of(state, record) if name not in state.out)


def barred(state: State, record: TaskRecord) -> bool:
    """Whether everybody who may do the task is out."""
    return bool(state.out) and not willing(state, record) and bool(agents_of(state, record))


def failed(state: State, record: TaskRecord, kind: FailureKind, said: str) -> bool:
    """Write a failure down; whether its agent is out from here on, and was not before."""
    agent = record.agent
    if not agent or kind not in BLAMES or not state.settings.breaker:
        return False
    streak = state.streaks.get(agent, ())
    if record.id not in streak:
        streak = state.streaks[agent] = (*streak, record.id)
    if agent in state.out or len(streak) < state.settings.breaker:
        return False
    state.out[agent] = f"agent {agent!r} failed on {len(streak)} tasks in a row; the last, {record.id!r}: {said}"
    return True


def finished(state: State, record: TaskRecord) -> bool:
    """An attempt has done something; whether its agent was out and is let in again."""
    state.streaks.pop(record.agent, None)
    return state.out.pop(record.agent, None) is not None
