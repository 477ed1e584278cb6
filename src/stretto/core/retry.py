"""What a failure costs and where the next attempt starts: the table of R4, and the arithmetic of backoff."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Literal

import msgspec

from stretto.core.state import TaskRecord
from stretto.model.run import Failure, FailureKind

Budget = Literal["charged", "overloaded", "lost", "conflicts", "free"]
Next = Literal["again", "backoff", "never", "pause"]

LIMITS: Mapping[Budget, int] = {"overloaded": 20, "lost": 3, "conflicts": 3}
"""Failures of that budget that a task survives; `charged` is the plan's own number of attempts, `free` has none."""


class Rule(msgspec.Struct, frozen=True):
    """How one kind is treated. `carry`: the next attempt may go on from what this one left, with `resume` also
    in its session."""

    budget: Budget
    then: Next
    carry: bool = False
    resume: bool = False
    keep_claims: bool = False


RULES: Mapping[FailureKind, Rule] = {
    "transient": Rule("charged", "backoff", carry=True, resume=True),
    "overloaded": Rule("overloaded", "backoff", carry=True, resume=True),
    "rate_limited": Rule("free", "pause", carry=True, resume=True),
    "quota": Rule("free", "pause", carry=True, resume=True),
    "lost": Rule("lost", "again", carry=True, resume=True),
    "timeout": Rule("charged", "again"),
    "idle": Rule("charged", "again"),
    "out_of_memory": Rule("charged", "again"),
    "failed": Rule("charged", "again"),
    "blocked_on_prompt": Rule("charged", "again"),
    "gate": Rule("charged", "again", carry=True, resume=True, keep_claims=True),
    "conflict": Rule("conflicts", "again", carry=True, keep_claims=True),
    "no_effect": Rule("charged", "again"),
    "tampered": Rule("charged", "again"),
    "permanent": Rule("free", "never"),
    "auth": Rule("free", "pause"),
    "no_room": Rule("free", "pause", carry=True, resume=True),
    "setup": Rule("free", "pause"),
    "cancelled": Rule("charged", "again"),
}
"""`rate_limited`, `quota` and `auth` pause the whole run until accounts are known one by one."""

BACKOFF_FIRST_S = 2.0
BACKOFF_CAP_S = 300.0


def charge(record: TaskRecord, rule: Rule, attempts: int) -> tuple[bool, int]:
    """Write the failure into the task's books: (whether its budget is used up, how many of this budget so far)."""
    match rule.budget:
        case "charged":
            record.charged += 1
            return record.charged >= attempts, record.charged
        case "overloaded":
            record.overloaded += 1
            return record.overloaded >= LIMITS["overloaded"], record.overloaded
        case "lost":
            record.lost += 1
            return record.lost >= LIMITS["lost"], record.lost
        case "conflicts":
            record.conflicts += 1
            return record.conflicts >= LIMITS["conflicts"], record.conflicts
        case "free":
            return False, 0


def delay_s(run: str, record: TaskRecord, failure: Failure, count: int) -> float:
    """Seconds until the next try: 2, 4, 8 … at most 300, spread by up to a quarter so that a herd does not return
    at once. The spread is a hash of run, task and attempt: the same in every replay."""
    digest = hashlib.sha256(f"{run}\0{record.id}\0{record.attempt}".encode()).digest()
    spread = 1 + int.from_bytes(digest[:4]) / 2**32 / 4
    backoff = min(BACKOFF_CAP_S, BACKOFF_FIRST_S * 2.0 ** min(count - 1, 16) * spread)
    return max(backoff, failure.retry_after_s or 0.0)
