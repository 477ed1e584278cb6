"""What to do next, and what is won by doing it side by side."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

from stretto.model.plan import Value
from stretto.recipes.subplans.progress import Progress, Standing

Action = Literal[
    "batch_subplan",
    "create_subplan",
    "batch_execution",
    "create_execution",
    "fill",
    "execute_parallel",
    "execute",
    "approve",
    "blocked",
    "complete",
]
UNSAID_S = 3600.0
"""An achievement without an estimate counts as so many seconds."""


class Advice(Value, frozen=True, kw_only=True):
    """The recommended next action, and the achievements that it is about."""

    action: Action
    ids: tuple[str, ...] = ()
    level: int | None = None
    """The level for a batch; None where its achievements are on several."""
    why: str


class Opportunity(Value, frozen=True, kw_only=True):
    """Achievements of one level that can go on at the same time."""

    level: int
    ids: tuple[str, ...]
    sequential_s: float
    parallel_s: float
    guessed: tuple[str, ...] = ()
    """Those without an estimate, which count as an hour."""

    @property
    def saving(self) -> int:
        """Percent of the time that is saved."""
        return round(100 * (1 - self.parallel_s / self.sequential_s))


def advice(progress: Progress, landed: Collection[str] = ()) -> Advice:
    """`landed`: achievements that a run has done, and that nobody has approved yet."""
    if not progress.open:
        return Advice(action="complete", why="everything is complete or skipped")
    if progress.circle:
        return Advice(action="blocked", ids=tuple(dict.fromkeys(progress.circle)), why=_blocked(progress))
    done = [one for one in progress.open if one.id in landed]
    if done:
        return _advice("approve", done, "a run has done this, and nobody has approved it")
    available = progress.available
    if not available:
        return Advice(action="blocked", ids=tuple(one.id for one in progress.open), why=_blocked(progress))
    if hollow := [one for one in available if one.hollow]:
        return _advice("fill", hollow, "these papers are placeholders")
    bare = [one for one in available if one.status != "failed" and not one.subplan and not one.executions]
    if bare:
        batch = _first_level(bare)
        return _advice("batch_subplan" if batch[1:] else "create_subplan", batch, "no SUBPLAN yet")
    planned = [one for one in available if one.subplan and one.missing_executions]
    if planned:
        batch = _first_level(planned)
        return _advice("batch_execution" if batch[1:] else "create_execution", batch, "no EXECUTION_TASK yet")
    many = len(available) > 1 or any(len(one.open_parts) > 1 for one in available)
    return _advice("execute_parallel" if many else "execute", available, "papers are there; the work can start")


def opportunities(progress: Progress) -> tuple[Opportunity, ...]:
    """Levels with two open achievements or more, and those whose parts can run side by side."""
    found = []
    for level in progress.levels:
        members = [one for one in progress.open if one.level == level]
        times = [time for one in members for time in _times(one)]
        if len(times) > 1:
            found.append(
                Opportunity(
                    level=level,
                    ids=tuple(one.id for one in members),
                    sequential_s=sum(times),
                    parallel_s=max(times),
                    guessed=tuple(one.id for one in members if one.achievement.estimate_s is None),
                )
            )
    return tuple(found)


def whole(progress: Progress) -> tuple[float, float]:
    """Seconds of all that is open, one after another, and with everything as early as its dependencies allow."""
    end: dict[str, float] = {}
    total = 0.0
    for one in sorted((one for one in progress.open if one.level is not None), key=lambda one: one.level or 0):
        times = _times(one)
        total += sum(times)
        end[one.id] = max(times) + max((end.get(need, 0.0) for need in one.waits_for), default=0.0)
    return total, max(end.values(), default=0.0)


def _times(one: Standing) -> list[float]:
    """Of what is open of it, in seconds."""
    own = one.achievement
    if (parts := len(own.parts)) > 1:
        share = (own.estimate_s or UNSAID_S * parts) / parts
        return [part.estimate_s or share for part in one.open_parts]
    return [own.estimate_s or UNSAID_S]


def _first_level(members: Sequence[Standing]) -> list[Standing]:
    """The available ones of the lowest level among them: a batch is of one level."""
    lowest = min(one.level or 0 for one in members)
    return [one for one in members if (one.level or 0) == lowest]


def _advice(action: Action, members: Sequence[Standing], why: str) -> Advice:
    found = {one.level for one in members}
    level = next(iter(found)) if len(found) == 1 else None
    return Advice(action=action, ids=tuple(one.id for one in members), level=level, why=why)


def _blocked(progress: Progress) -> str:
    if progress.circle:
        return f"these wait for each other: {' → '.join(progress.circle)}"
    strangers = sorted({need for one in progress.open for need in one.waits_for} - progress.by_id.keys())
    return f"not in this plan, and not approved: {', '.join(strangers)}"
