"""What can happen to a run: facts, in the past tense (R12).

Every event is durable before the coordinator sees it. `at` is seconds since the epoch, and the only time the core
knows. The union is closed: a new event is a new class here, one `case` in the coordinator, and the adapter that
reports it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from stretto.model.plan import Phase, Plan, Task
from stretto.model.run import Culprit, Failure, LandEntry, LateWork, Remark, RunSettings, Usage, undump


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag=True):
    at: float


class RunStarted(_Event, frozen=True, kw_only=True):
    """The run and everything the core will ever read about it (R8.1)."""

    run: str
    plan: Plan
    settings: RunSettings
    base: str
    """Commit that the run starts from."""
    branch: str
    """Name of the branch it lands on, without `refs/heads/`."""
    done: tuple[str, ...] = ()
    """Ids that count as landed before the run starts: done in the plan file, or outside `only`."""
    expected_s: Mapping[str, float] = {}
    """Task id to seconds, of tasks that nobody estimated, by what earlier runs have shown (R10.1)."""
    core_version: int = 3
    """Raised when the same events would give other commands than before; journals name the version they need."""


class RunResumed(_Event, frozen=True, kw_only=True):
    """An engine took the run over again; every attempt of the former one has been declared lost before this."""

    parallel: int | None = None
    on_approval: Literal["wait", "exit"] | None = None
    """Whether somebody sits there now who can approve; None: as before."""
    late: tuple[LateWork, ...] = ()


class RunAbandoned(_Event, frozen=True, kw_only=True):
    """A person gave the run up: nobody resumes it or builds on what it has landed (R6.4). What it holds stays."""

    by: str = ""


class RunReclaimed(_Event, frozen=True, kw_only=True):
    """A person took that back."""

    by: str = ""


class StopRequested(_Event, frozen=True, kw_only=True):
    """Drain; with `now`, cancel what is running and give it back as `ready` (R8.6)."""

    now: bool = False
    by_signal: bool = False
    """Ctrl-C or HUP rather than `stretto stop`: exit 130 instead of 4 (R11)."""


class TasksCancelled(_Event, frozen=True, kw_only=True):
    """A person gave these tasks up."""

    tasks: tuple[str, ...]


class TasksRetried(_Event, frozen=True, kw_only=True):
    """A person wants these tried again; empty means every failed task and what fell with it (R8.4)."""

    tasks: tuple[str, ...] = ()


class PlanChanged(_Event, frozen=True, kw_only=True):
    """A person has another plan for the run: all its tasks and phases, in full (R8.4)."""

    tasks: tuple[Task, ...]
    phases: tuple[Phase, ...]
    force: bool = False
    """Also what is in flight may change or go; it is interrupted."""


class SettingsChanged(_Event, frozen=True, kw_only=True):
    """The number of places changed."""

    parallel: int


class TaskApproved(_Event, frozen=True, kw_only=True):
    """A person said yes."""

    task: str
    by: str = ""
    note: str = ""


class TaskRejected(_Event, frozen=True, kw_only=True):
    """A person said no; the note goes into the next attempt's prompt."""

    task: str
    by: str = ""
    note: str = ""


Wish = StopRequested | TasksCancelled | TasksRetried | SettingsChanged | PlanChanged | TaskApproved | TaskRejected
"""What a person may ask of a run, through the inbox."""


class RequestReceived(_Event, frozen=True, kw_only=True):
    """A wish from another process, journalled as it came; the core refuses or grants it and answers (R8.3a)."""

    request: str
    wish: Wish


class Granted(_Event, frozen=True, kw_only=True):
    """The shared things an attempt needs are its own."""

    task: str
    attempt: int


class Denied(_Event, frozen=True, kw_only=True):
    """Not now. `until` is when to ask again, in seconds since the epoch."""

    task: str
    attempt: int
    until: float
    reason: str = ""


class AttemptStarted(_Event, frozen=True, kw_only=True):
    """The agent is running in its workspace."""

    task: str
    attempt: int
    agent: str = ""
    """Name of the one that does it; the empty text in journals of an older stretto."""


class AttemptAnswered(_Event, frozen=True, kw_only=True):
    """The agent's first sign of life from its model."""

    task: str
    attempt: int


class ScopeObserved(_Event, frozen=True, kw_only=True):
    """The attempt touched `paths`; those outside its claim are drift (R2.6)."""

    task: str
    attempt: int
    paths: tuple[str, ...]


class AttemptFinished(_Event, frozen=True, kw_only=True):
    """The agent says it is done, and everything it wrote is in `commit` (R5.1: a claim, not yet a success)."""

    task: str
    attempt: int
    commit: str | None
    """None when it changed nothing."""
    paths: tuple[str, ...] = ()
    usage: Usage = Usage()
    summary: str = ""
    decisions: tuple[str, ...] = ()
    """What it settled for the tasks after it."""
    already_done: bool = False
    confidence: float | None = None
    dropped: tuple[str, ...] = ()
    """Edits that were not taken along: the plan file itself (R6.4)."""
    refused: tuple[str, ...] = ()
    """What the agent wanted to do and was not permitted to."""
    proposed: tuple[Task, ...] = ()
    """Tasks that it wants done as well: added when it lands (R8.4)."""


class AttemptFailed(_Event, frozen=True, kw_only=True):
    """The attempt ended without success. `commit` keeps what it had written."""

    task: str
    attempt: int
    failure: Failure
    commit: str | None = None
    usage: Usage = Usage()


class AttemptLost(_Event, frozen=True, kw_only=True):
    """Nobody knows how the attempt ended. `engine`: because the engine died, which costs the task nothing (R4)."""

    task: str
    attempt: int
    engine: bool
    commit: str | None = None


class AttemptCancelled(_Event, frozen=True, kw_only=True):
    """The attempt was ended on our word, and nothing of it is left running."""

    task: str
    attempt: int
    commit: str | None = None


class AttemptGated(_Event, frozen=True, kw_only=True):
    """The task's gates have spoken: red with `remarks`, green, or `ask`: green but for a person's word."""

    task: str
    attempt: int
    verdict: str
    """`green`, `red` or `ask`."""
    remarks: tuple[Remark, ...] = ()
    error: bool = False
    """The check itself could not run: tried again like a transient failure, not held against the work."""


class BatchLanded(_Event, frozen=True, kw_only=True):
    """The lane's branch moved to `commit` with `landed` in it; `culprits` stayed out."""

    lane: str
    batch: int
    landed: tuple[LandEntry, ...]
    commit: str
    culprits: tuple[Culprit, ...] = ()


class BatchRejected(_Event, frozen=True, kw_only=True):
    """Nothing of the batch landed. Without culprits it was interrupted, and is sent again later."""

    lane: str
    batch: int
    culprits: tuple[Culprit, ...] = ()
    error: str = ""
    """The landing itself could not be done (disk full, the branch moved by hand): the run pauses for a person."""


class TimerFired(_Event, frozen=True, kw_only=True):
    """A timer that the core asked for is due."""

    timer: str


DELIVERED = "delivered"
"""Code of the notice that the user's branch has got the run's landings; its message is that branch's commit."""


CLOSED = "closed"
"""Code of the notice that an ended run's failures are in the plan's status (R6.4)."""


class Noticed(_Event, frozen=True, kw_only=True):
    """Something people should know that changes no decision: the user's tree changed, a plan file differs."""

    code: str
    message: str
    tasks: tuple[str, ...] = ()


Event = (
    RunStarted | RunResumed | RunAbandoned | RunReclaimed | StopRequested | TasksCancelled | TasksRetried
    | SettingsChanged | PlanChanged | TaskApproved | TaskRejected | RequestReceived | Granted | Denied | AttemptStarted
    | AttemptAnswered | ScopeObserved | AttemptFinished | AttemptFailed | AttemptLost | AttemptCancelled | AttemptGated
    | BatchLanded | BatchRejected | TimerFired | Noticed
)  # fmt: skip

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Event)


def encode(event: Event) -> bytes:
    """The journal's form: one JSON object whose `kind` is the class name."""
    return _encoder.encode(event)


def decode(body: bytes) -> Event:
    """The inverse of `encode`. Raises msgspec.DecodeError on damage, an unknown kind or a wrong field."""
    event: Event = undump(body, _decoder)
    return event
