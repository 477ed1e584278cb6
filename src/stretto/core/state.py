"""The state of a run: one record a task, one a lane. Only the coordinator writes it; everybody may read it.

`LEGAL` says which step may follow which, and the diagram in ARCHITECTURE.md is drawn from it. All of it is plain data
that compares by content, so "replay gives the same state" is one `==`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from stretto.errors import IllegalTransition
from stretto.model.plan import Plan, Task
from stretto.model.run import (
    TARGET,
    LandEntry,
    Outcome,
    PastAttempt,
    RunSettings,
    RunState,
    TaskState,
    Usage,
)

LEGAL: Mapping[TaskState, tuple[TaskState, ...]] = {
    "pending": ("ready", "skipped", "cancelled"),
    "ready": ("pending", "running", "skipped", "cancelled"),  # back to pending only by PlanChanged
    "running": ("gating", "ready", "waiting", "failed", "skipped", "cancelled"),
    "gating": ("landing", "ready", "waiting", "failed", "skipped", "cancelled"),
    "landing": ("succeeded", "ready", "failed", "skipped", "cancelled"),
    "waiting": ("ready", "landing", "failed", "skipped", "cancelled"),
    "succeeded": (),
    "failed": ("pending",),  # these three only by TasksRetried and PlanChanged
    "skipped": ("pending",),
    "cancelled": ("pending",),
}

Wait = Literal["timer", "person", "claims"]
"""What a `waiting` task waits for: a timer of its own, a person, or (approved) its claims."""


class Doom(msgspec.Struct, frozen=True):
    """A decision that waits until what is in flight has reported (R6.1a)."""

    state: Literal["skipped", "cancelled", "ready", "pending"]
    reason: str


class TaskRecord(msgspec.Struct, kw_only=True):
    """Everything the run knows of one task."""

    index: int
    """Place in plan order."""
    task: Task
    rank: tuple[int, float, int]
    """Sorts the most urgent first: priority, longest way to the end, plan order (R10.1)."""
    claims: tuple[str, ...] | None
    """Paths that exclude others; None when it excludes nobody (unknown scope, hot files only, `allow`)."""
    state: TaskState = "pending"
    reason: str = ""
    since: float = 0.0
    attempt: int = 0
    """Number of the latest attempt; it only grows."""
    starts: int = 0
    charged: int = 0
    lost: int = 0
    conflicts: int = 0
    overloaded: int = 0
    past: tuple[PastAttempt, ...] = ()
    agent: str = ""
    """Who does, or did, the latest attempt; empty when nobody was named."""
    base: str = ""
    """Commit that the latest attempt started from."""
    commit: str | None = None
    """What the latest attempt left; None when it changed nothing or has not ended."""
    landed: str | None = None
    """Commit of the lane by which it landed."""
    paths: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()
    """Those of `paths` that it had not claimed."""
    carry: str | None = None
    conflict: bool = False
    resumes: int | None = None
    """The attempt whose session the next one may go on with; it was `agent`'s."""
    holding: bool = False
    """Its claims are its own."""
    asking: bool = False
    """Its grant has been asked for."""
    granted: bool = False
    wait: Wait | None = None
    doom: Doom | None = None
    usage: tuple[Usage, ...] = ()
    root: str = ""
    """Of a task that fell with another: the failure at the root of it."""
    summary: str = ""
    decisions: tuple[str, ...] = ()
    proposed: tuple[Task, ...] = ()
    """Tasks that its latest attempt wants added when it lands (R8.4)."""
    note: str = ""
    """A person's or the agent's word that the report should show: approved by whom, already done."""

    @property
    def id(self) -> str:
        return self.task.id

    @property
    def places(self) -> bool:
        """Whether it takes one of the run's places (R9.2)."""
        return self.asking or self.state == "running" or self.state == "gating"


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A landing on its way; out of everyone's hands until it reports."""

    number: int
    entries: tuple[LandEntry, ...]


class Lane(msgspec.Struct, kw_only=True):
    """One branch that tasks land on, one batch at a time."""

    name: str
    head: str
    queue: list[int] = []
    """Indexes of tasks in `landing` that are in no batch yet, in the order they became ready."""
    batch: Batch | None = None
    batches: int = 0


class Drain(msgspec.Struct, frozen=True, kw_only=True):
    """The run starts nothing more. `outcome` is how it will end, `now` whether running attempts are being ended."""

    outcome: Outcome
    reason: str
    now: bool = False
    by_signal: bool = False
    until: float | None = None
    lands: bool = True
    """Finished work still lands; not while landing itself is what went wrong."""

    @property
    def hurries(self) -> bool:
        """Nothing new is sent to land any more."""
        return self.now or not self.lands


class State(msgspec.Struct, kw_only=True):
    """The whole run."""

    run: str
    plan: Plan
    settings: RunSettings
    base: str
    branch: str
    started_at: float
    at: float
    """Time of the latest event."""
    tasks: list[TaskRecord]
    by_id: dict[str, TaskRecord]
    lanes: dict[str, Lane]
    parallel: int
    active: int = 0
    """Places taken now."""
    counts: dict[TaskState, int] = {}
    """How many tasks are in each state; states without tasks may be missing."""
    approved: list[int] = []
    """Indexes of approved tasks that have not got their claims back yet."""
    timers: dict[str, float] = {}
    drain: Drain | None = None
    critical: str = ""
    """Set when a critical task has finally failed: why nothing more starts."""
    halted: dict[str, str] = {}
    """Phases with the policy `stop` that have stopped, and why."""
    streaks: dict[str, tuple[str, ...]] = {}
    """By agent: the tasks that it has failed on since it last finished an attempt."""
    out: dict[str, str] = {}
    """Agents that get no more tasks, and why."""
    ended: Outcome | None = None
    ended_reason: str = ""
    ended_until: float | None = None
    by_signal: bool = False
    stopping: str = ""
    """Why the run's own policy `stop` lets nothing more start; outlasts a drain for another reason, and a crash."""
    resumes: int = 0
    expected_s: Mapping[str, float] = {}
    """Task id to seconds, as RunStarted has it."""
    gone: tuple[str, ...] = ()
    """Ids of tasks that a later plan did not have any more (R8.4); sorted."""
    inherited: tuple[str, ...] = ()
    """Ids that were done before the run started, also of tasks that it does not have."""
    closed: bool = False
    """The failures of an ended run are in the plan's status."""
    abandoned: bool = False
    """A person has given it up: nothing goes on, and nobody builds on it (R6.4)."""
    delivered: str = ""
    """The commit of the user's branch that got the run's landings last; empty before."""

    @property
    def lane(self) -> Lane:
        return self.lanes[TARGET]

    @property
    def run_state(self) -> RunState:
        if self.abandoned:
            return "abandoned"
        if self.ended is not None:
            return "failed" if self.ended == "stuck" else self.ended
        return "running" if self.drain is None else "draining"


def step(state: State, record: TaskRecord, after: TaskState, reason: str) -> None:
    """The only way a task changes state."""
    before = record.state
    if after not in LEGAL[before]:
        raise IllegalTransition(record.id, before, after)
    state.counts[before] -= 1
    state.counts[after] = state.counts.get(after, 0) + 1
    record.state, record.reason, record.since = after, reason, state.at
