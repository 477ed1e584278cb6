"""What the core wants done: wishes, in the imperative (R12).

A command carries everything its performer needs, so that performing it reads no core state. Repeating one after a
crash is safe for all but StartAttempt, whose loss is the event AttemptLost.
"""

from __future__ import annotations

import msgspec

from stretto.model.plan import Task
from stretto.model.run import Handoff, LandEntry, Outcome, PastAttempt


class _Command(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag=True):
    pass


class RequestGrant(_Command, frozen=True, kw_only=True):
    """Ask for the shared things an attempt needs: answered by Granted or Denied (R9.1)."""

    task: str
    attempt: int


class ReleaseGrant(_Command, frozen=True, kw_only=True):
    """Give them back."""

    task: str
    attempt: int


class StartAttempt(_Command, frozen=True, kw_only=True):
    """Run the agent on the task, in a workspace made from `base`."""

    task: str
    attempt: int
    lane: str
    base: str
    """Commit: the lane's head as the core knows it, so everything the task depends on is in it (R1.1)."""
    carry: str | None = None
    """Commit of an earlier attempt whose work goes along, for agents that can go on with it."""
    conflict: bool = False
    """The carried work conflicts with `base`: bring it as a merge with markers (R4)."""
    resumes: int | None = None
    """The attempt whose session this one may go on with, by the same agent (R4)."""
    past: tuple[PastAttempt, ...] = ()
    """Earlier attempts, for the prompt."""
    handoffs: tuple[Handoff, ...] = ()
    """What the tasks it waited for have left, in plan order; for the prompt."""
    more_handoffs: int = 0
    """How many more of those tasks there are."""
    timeout_s: float
    idle_s: float
    agents: tuple[str, ...]


class CancelAttempt(_Command, frozen=True, kw_only=True):
    """End the attempt's whole process tree; answered by AttemptCancelled, or by the end that came first."""

    task: str
    attempt: int


class RunGates(_Command, frozen=True, kw_only=True):
    """Judge the attempt's commit (None: the untouched `base`); answered by AttemptGated."""

    task: str
    attempt: int
    commit: str


class AskApproval(_Command, frozen=True, kw_only=True):
    """Tell people that the task waits for their word."""

    task: str
    attempt: int


class LandBatch(_Command, frozen=True, kw_only=True):
    """Merge, gate and advance; the same lane and batch must always give the same answer (R6.1a)."""

    lane: str
    batch: int
    entries: tuple[LandEntry, ...]
    head: str
    """The lane's head as the run knows it: everything that has landed is in it, and must stay in it."""


class TakeTasks(_Command, frozen=True, kw_only=True):
    """Know these tasks from here on: they were not in the plan that the run began with. After a crash the state has
    them."""

    tasks: tuple[Task, ...]


class StartTimer(_Command, frozen=True, kw_only=True):
    """Send TimerFired at `due`, in seconds since the epoch; starting it again changes nothing."""

    timer: str
    due: float


class Answer(_Command, frozen=True, kw_only=True):
    """The core's word on a request (R8.3a)."""

    request: str
    accepted: bool
    why: str = ""


class Notify(_Command, frozen=True, kw_only=True):
    """Something worth a person's attention now; owed by nobody after a crash."""

    code: str
    message: str
    tasks: tuple[str, ...] = ()


class EndRun(_Command, frozen=True, kw_only=True):
    """Nothing is in flight and nothing can start; failures go into the plan's status by one closing commit (R6.4)."""

    outcome: Outcome
    reason: str = ""
    until: float | None = None
    """Earliest time at which going on makes sense, in seconds since the epoch."""
    statuses: dict[str, str] = {}
    """Task id to `failed`, for every task that is finally so; empty unless the run is over for good."""


Command = (
    RequestGrant | ReleaseGrant | StartAttempt | CancelAttempt | RunGates | AskApproval | LandBatch | TakeTasks
    | StartTimer | Answer | Notify | EndRun
)  # fmt: skip
