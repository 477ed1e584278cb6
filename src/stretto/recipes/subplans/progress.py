"""How far every achievement is, by the papers in the folder, and what of it can go on now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Literal

import msgspec

from stretto.model.achievements import Achievement, Achievements, Part
from stretto.model.papers import SETTLED, Keys, Known, Step, part_number, steps_of
from stretto.model.plan import Value
from stretto.recipes.subplans.folder import Found, Look
from stretto.recipes.subplans.levels import levels

Status = Literal[Step, "in_progress"]
FRESH_S = 24 * 3600.0
"""An execution that was written to in the last so many seconds is being worked on."""


class Standing(Value, frozen=True, kw_only=True):
    """Where one achievement stands."""

    achievement: Achievement
    status: Status
    level: int | None
    """None on a circle, and behind one."""
    waits_for: tuple[str, ...]
    """What comes before it and is neither complete nor skipped."""
    subplan: Found | None
    executions: tuple[Found, ...]
    steps: tuple[Step, ...]
    """How far its parts are, in their order."""

    @property
    def id(self) -> str:
        return self.achievement.id

    @property
    def is_settled(self) -> bool:
        return self.status in SETTLED

    @property
    def is_available(self) -> bool:
        """Whether somebody could go on with it now."""
        return not self.is_settled and not self.waits_for

    @property
    def open_parts(self) -> tuple[Part, ...]:
        return tuple(part for _, part in self._open)

    @property
    def _open(self) -> tuple[tuple[int, Part], ...]:
        """With their places among all parts."""
        return tuple((i, part) for i, part in enumerate(self.achievement.parts) if self.steps[i] not in SETTLED)

    @property
    def tasks(self) -> tuple[int, int]:
        """(done, all of them) of the tasks that it is in a run: itself, or its parts. What is skipped is none."""
        steps = self.steps if self.achievement.parts else (self.status,)
        return sum(step == "complete" for step in steps), sum(step != "skipped" for step in steps)

    @property
    def hollow(self) -> tuple[Found, ...]:
        """Its papers that say nothing yet."""
        papers = (self.subplan, *self.executions) if self.subplan else self.executions
        return tuple(found for found in papers if found.hollow)

    @property
    def missing_executions(self) -> tuple[int, ...]:
        """Numbers of executions that it should have: one for each open part, or one."""
        have = {found.paper.number for found in self.executions}
        if not self.achievement.parts:
            return () if have else (1,)
        wanted = (part_number(part.id, i) for i, part in self._open)
        return tuple(number for number in dict.fromkeys(wanted) if number not in have)


class Progress(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    plan: Achievements
    standings: tuple[Standing, ...]
    """In plan order."""
    circle: tuple[str, ...] = ()

    @cached_property
    def by_id(self) -> dict[str, Standing]:
        return {one.id: one for one in self.standings}

    @cached_property
    def keys(self) -> Keys:
        """What new papers are called."""
        return Keys(self.plan.ids)

    @property
    def done(self) -> int:
        return sum(one.status == "complete" for one in self.standings)

    @property
    def total(self) -> int:
        """Without what is skipped."""
        return sum(one.status != "skipped" for one in self.standings)

    @property
    def percent(self) -> int:
        return self.done * 100 // self.total if self.total else 100

    @property
    def tasks(self) -> tuple[int, int]:
        """(done, all of them), as `stretto show` counts the plan."""
        each = [one.tasks for one in self.standings]
        return sum(done for done, _ in each), sum(total for _, total in each)

    @property
    def open(self) -> tuple[Standing, ...]:
        return tuple(one for one in self.standings if not one.is_settled)

    @property
    def available(self) -> tuple[Standing, ...]:
        """What somebody could go on with now: nothing while a circle is there, for nobody runs such a plan."""
        return () if self.circle else tuple(one for one in self.standings if one.is_available)

    @property
    def levels(self) -> tuple[int, ...]:
        return tuple(sorted({one.level for one in self.standings if one.level is not None}))


def progress_of(plan: Achievements, look: Look, *, now: float) -> Progress:
    """`now`: seconds since the epoch."""
    depth = levels(plan.achievements)
    steps = {one.id: _steps(one, look) for one in plan.achievements}
    status = {one.id: _status(one, look, *steps[one.id], now) for one in plan.achievements}
    settled = {id for id, word in status.items() if word in SETTLED} | look.approved
    return Progress(
        plan=plan,
        standings=tuple(
            Standing(
                achievement=one,
                status=status[one.id],
                level=depth.of.get(one.id),
                waits_for=tuple(need for need in one.needs if need not in settled),
                subplan=next(_of(look.papers[one.id], "subplan_created"), None),
                executions=tuple(_of(look.papers[one.id], "execution_created")),
                steps=steps[one.id][1],
            )
            for one in plan.achievements
        ),
        circle=depth.circle,
    )


def _status(one: Achievement, look: Look, step: Step, parts: Sequence[Step], now: float) -> Status:
    if step not in SETTLED and parts and SETTLED.issuperset(parts):
        return "complete" if "complete" in parts else "skipped"
    if step == "execution_created":
        begun = (found for found in look.papers[one.id] if found.paper.step == step and not found.untouched)
        return "in_progress" if any(now - found.touched_s < FRESH_S for found in begun) else step
    return step


def _steps(one: Achievement, look: Look) -> tuple[Step, tuple[Step, ...]]:
    """How far it is, and its parts."""
    parts = [_known(part, look, part_number(part.id, i)) for i, part in enumerate(one.parts)]
    return steps_of(_known(one, look, 0), parts)


def _known(one: Achievement | Part, look: Look, number: int) -> Known:
    return Known(papers=tuple(found.paper for found in look.papers[one.id]), said=one.said, number=number)


def _of(papers: Sequence[Found], step: Step) -> Iterator[Found]:
    return (found for found in papers if found.paper.step == step)
