"""The run: what happens to a plan, as plain data shared by the core, the engines and every reader."""

from __future__ import annotations

from typing import Literal, TypeVar

import msgspec

from stretto.model.plan import Isolation, Value

T = TypeVar("T")

FailureKind = Literal[
    "transient", "overloaded", "rate_limited", "quota", "lost", "timeout", "idle", "out_of_memory", "failed",
    "blocked_on_prompt", "gate", "conflict", "no_effect", "tampered", "permanent", "auth", "no_room", "setup",
    "cancelled",
]  # fmt: skip
"""Kinds of R4; what each costs is the table in `core/retry.py`."""

TaskState = Literal[
    "pending", "ready", "running", "gating", "landing", "waiting", "succeeded", "failed", "skipped", "cancelled"
]  # fmt: skip
FINAL_STATES: frozenset[TaskState] = frozenset({"succeeded", "failed", "skipped", "cancelled"})

RunState = Literal["running", "draining", "paused", "stopped", "succeeded", "failed", "abandoned"]
Outcome = Literal["succeeded", "failed", "stopped", "paused", "stuck"]
"""How a run ended (R12). `stuck` is a bug in stretto, exit 70."""

ConflictPolicy = Literal["serialize", "serialize-unknown", "refuse", "allow"]
"""What happens to tasks whose claims overlap (R2.5)."""

GrowthScope = Literal["claims", "phase", "plan"]
"""Where an attempt may add tasks (R8.4): in its own phase and within its task's claims; in its own phase, whatever
they write; or in any phase."""

TARGET = "target"
"""The lane of all tasks outside atomic phases: the branch `stretto/<run>`."""
IN_PLACE = "in-place"
"""Stands for every commit of a run that works in the folder itself: there is none (R10.3)."""


class Failure(Value, frozen=True, kw_only=True):
    """Failed work as data. `retry_after_s` is what the far side asked for, in seconds from the failure."""

    kind: FailureKind
    message: str = ""
    retry_after_s: float | None = None


class Usage(Value, frozen=True, kw_only=True):
    """What an attempt spent, as its agent tells it; None is unknown, never zero."""

    input_tokens: int | None = None
    """All that the model was sent, from a prompt cache or not."""
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    """The part of `input_tokens` that was read from a prompt cache."""
    cache_write_tokens: int | None = None
    """The part of `input_tokens` that was written to one."""
    cost_usd: float | None = None


class Remark(Value, frozen=True, kw_only=True):
    """One thing a gate found: which check, what it said (the end of its output), where the whole output is."""

    check: str
    message: str
    log: str | None = None


class RunSettings(Value, frozen=True, kw_only=True):
    """Everything the core reads besides the plan, recorded in RunStarted (R8.1). Defaults are R9.6's."""

    parallel: int = 5
    attempts: int = 3
    timeout_s: float = 900.0
    idle_s: float = 600.0
    gate_timeout_s: float = 600.0
    setup_timeout_s: float = 600.0
    grace_s: float = 5.0
    drain_timeout_s: float = 600.0
    breaker: int = 5
    """On so many different tasks in a row an agent may fail before it gets no more of them; 0: on any number (R4)."""
    estimate_s: float = 720.0
    """Expected duration of a task that nobody estimated: 12 minutes (R10.1)."""
    agent: str = ""
    """Who does a task that names nobody."""
    fallbacks: tuple[str, ...] = ()
    """Who does it when that one is out, in this order."""
    on_failure: Literal["continue", "stop"] = "continue"
    """Policy of phases that name none; `stop` here is the run's own policy (R4)."""
    growth_most: int = 100
    """So many tasks may be added to a run by its own attempts (R8.4)."""
    growth_depth: int = 3
    """A task of the plan file adds tasks of depth 1, one of these tasks of depth 2, and so on: up to this."""
    growth_scope: GrowthScope = "claims"
    run_stops: bool = False
    """`stop` was written in the plan's defaults or on the command line: it concerns the run, not a phase."""
    conflicts: ConflictPolicy = "serialize"
    isolation: Isolation = "worktree"
    on_approval: Literal["wait", "exit"] = "exit"


class LandEntry(Value, frozen=True, kw_only=True):
    """A finished attempt in a batch. `commit` is what the agent left; None when it changed nothing."""

    task: str
    attempt: int
    commit: str | None


class Culprit(Value, frozen=True, kw_only=True):
    """A member of a batch that did not land, and why: a conflict with `paths`, or red gates with `remarks`."""

    task: str
    kind: Literal["conflict", "gate"]
    paths: tuple[str, ...] = ()
    remarks: tuple[Remark, ...] = ()


class PastAttempt(Value, frozen=True, kw_only=True):
    """An attempt that did not land: told to the next one in its prompt, and to people by `explain`."""

    attempt: int
    failure: Failure
    commit: str | None = None
    remarks: tuple[Remark, ...] = ()


class LateWork(Value, frozen=True, kw_only=True):
    """What an attempt had left in a worktree that could not be saved when it ended, and was when its run went on."""

    task: str
    attempt: int
    commit: str


class Handoff(Value, frozen=True, kw_only=True):
    """What a task leaves to those that come after it: told to them in their prompts."""

    task: str
    state: TaskState
    """`succeeded`: what it did is in the base. Any other: it came to nothing, because of `reason`."""
    reason: str = ""
    summary: str = ""
    decisions: tuple[str, ...] = ()
    """What it settled for those after it, in its agent's words."""
    paths: tuple[str, ...] = ()
    """Files that it changed, or the first of them."""
    changed: int = 0
    """How many files it changed."""
    commit: str | None = None
    """The landing; None where it was done before this run."""


def dump(value: msgspec.Struct) -> bytes:
    """JSON for journal and files; the inverse is `undump`."""
    return msgspec.json.encode(value)


def undump(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """What a file or a row of the state folder says. Raises msgspec.DecodeError, whatever the damage is.

    msgspec alone has other errors for a byte that is not UTF-8, for brackets without end, and for a number or a text
    where SQLite should hold bytes."""
    try:
        return decoder.decode(body)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError(f"it is not UTF-8: {error.reason} 0x{error.object[error.start]:02x}") from error
    except (UnicodeError, RecursionError, TypeError) as error:
        raise msgspec.DecodeError(str(error)) from error
