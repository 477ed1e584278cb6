"""What will happen in a simulated run, read from a string of bytes that Hypothesis chooses.

Every choice has its own fixed place in the bytes, and 0 is always the calm choice: shrinking one byte changes one
thing. A task's fate is counted in *rounds*, results that were made durable, so that a crash repeats what it lost.
"""

from __future__ import annotations

from typing import Literal, get_args

from stretto.model.plan import Value
from stretto.model.run import FailureKind

TASKS = 10
_ROUNDS = 5
_ASPECTS = 8
_SLOTS = 8
_PATIENCE = 24
_HEADER = 8
_SLOT = 4
SIZE = _HEADER + _SLOTS * _SLOT + TASKS * _ROUNDS * _ASPECTS
"""Bytes of a fate."""

Deed = Literal[
    "crash", "stop", "stop_now", "stop_by_signal", "cancel", "cancel_some", "retry", "retry_some", "places", "approve",
    "reject", "again", "foreign", "abandon", "replan",
]  # fmt: skip
"""What is done to a run from outside; `again` repeats a report of the past, `foreign` makes one up."""
DEEDS: tuple[Deed, ...] = get_args(Deed)
ORDERLY: tuple[Deed, ...] = ("places", "again", "foreign")
"""Deeds that cannot change which tasks land."""
_WEIGHTED: tuple[Deed, ...] = (
    "again", "foreign", "cancel", "crash", "again", "places", "stop", "cancel", "stop_now", "retry", "again", "crash",
    "cancel_some", "approve", "reject", "foreign", "retry_some", "stop_by_signal", "crash", "cancel", "again",
    "abandon", "replan", "replan",
)  # fmt: skip

PRESSING: tuple[Deed, ...] = ("cancel", "retry", "replan", "stop", "retry_some", "replan", "cancel_some", "stop_now")
"""What people do who change their minds."""
REPLANNING: tuple[Deed, ...] = ("replan", "replan", "crash", "replan", "stop", "replan", "retry", "cancel", "replan")
"""And their plans."""

_FAILURES: tuple[FailureKind, ...] = (
    "failed", "transient", "lost", "timeout", "overloaded", "permanent", "quota", "transient", "idle", "failed",
    "rate_limited", "no_effect", "auth", "out_of_memory", "blocked_on_prompt", "tampered", "setup", "no_room",
)  # fmt: skip
_TROUBLE = (256, 245, 215, 215, 150, 150, 70)
"""From which byte on a choice means trouble, by mood."""


class AttemptFate(Value, frozen=True, kw_only=True):
    duration_s: float
    failure: FailureKind | None
    retry_after_s: float | None
    saved: bool
    """It leaves a commit."""
    already_done: bool
    drift: int
    """0: it stays within its claim; else which stray path it touches."""


class Act(Value, frozen=True, kw_only=True):
    """One deed: after that many events, with an argument."""

    deed: Deed
    after: int
    argument: int


class Fate:
    """All the choices of one simulated run."""

    def __init__(self, data: bytes, deeds: tuple[Deed, ...] = DEEDS) -> None:
        self._data = data.ljust(SIZE, b"\0")
        self._trouble = _TROUBLE[self._data[0] % len(_TROUBLE)]
        self._stubborn = self._data[7] % 4 == 3
        """What happens first happens again and again: how else would a limit of 20 be reached?"""
        self._deeds = deeds

    @classmethod
    def pressed(cls, data: bytes) -> Fate:
        """A fate in which people never leave the run alone."""
        return cls._busy(data, PRESSING)

    @classmethod
    def replanning(cls, data: bytes) -> Fate:
        """A fate in which people change the plan again and again."""
        return cls._busy(data, REPLANNING)

    @classmethod
    def _busy(cls, data: bytes, deeds: tuple[Deed, ...]) -> Fate:
        busy = bytearray(data.ljust(SIZE, b"\0"))
        busy[5] = 3  # every slot is used
        for what in range(_HEADER + 1, _HEADER + _SLOTS * _SLOT, _SLOT):
            busy[what] = _WEIGHTED.index(deeds[busy[what] % len(deeds)])
        return cls(bytes(busy))

    @classmethod
    def growing(cls, data: bytes, deeds: tuple[Deed, ...]) -> Fate:
        """A fate in which every other attempt wants something added, and few fail."""
        grown = bytearray(data.ljust(SIZE, b"\0"))
        grown[0] %= 3
        for at in range(_HEADER + _SLOTS * _SLOT + 7, SIZE, _ASPECTS):
            grown[at] |= 192 if grown[at] % 2 else 0
        return cls(bytes(grown), deeds)

    def only(self, deeds: tuple[Deed, ...]) -> Fate:
        """The same fate, with these deeds and no others."""
        return Fate(self._data, deeds)

    def _at(self, task: int, turn: int, aspect: int) -> int:
        if self._stubborn and turn < _PATIENCE:
            turn = 0
        if turn >= _ROUNDS:
            return 0
        return self._data[_HEADER + _SLOTS * _SLOT + (task * _ROUNDS + turn) * _ASPECTS + aspect]

    def attempt(self, task: int, turn: int) -> AttemptFate:
        outcome, time, detail = (self._at(task, turn, aspect) for aspect in (0, 1, 2))
        failure = _FAILURES[(outcome + 5 * detail) % len(_FAILURES)] if outcome >= self._trouble else None
        return AttemptFate(
            duration_s=1.0 + time % 8,
            failure=failure,
            retry_after_s=float(detail) if detail % 3 == 1 else None,
            saved=detail % 8 < 6,
            already_done=detail % 8 == 7,
            drift=detail // 32 if detail % 4 == 3 else 0,
        )

    def gate(self, task: int, turn: int) -> Literal["green", "red", "ask", "error"]:
        byte = self._at(task, turn, 3)
        answers: tuple[Literal["red", "ask", "error"], ...] = ("ask", "red", "ask", "red", "error")
        return answers[byte % 5] if byte >= min(self._trouble, 230) else "green"

    def landing(self, task: int, turn: int) -> Literal["landed", "conflict", "gate", "interrupted", "error"]:
        byte = self._at(task, turn, 4)
        answers: tuple[Literal["conflict", "gate", "interrupted", "error"], ...] = (
            "conflict", "gate", "conflict", "interrupted", "gate", "error",
        )  # fmt: skip
        return answers[byte % 6] if byte >= self._trouble else "landed"

    def proposal(self, task: int, turn: int) -> int:
        """Which tasks the attempt wants added; 0: none."""
        byte = self._at(task, turn, 7)
        return byte if byte >= 192 else 0

    def denied_s(self, task: int, turn: int) -> float:
        """How long the grant is refused; 0: it is given."""
        byte = self._at(task, turn, 5)
        return 1.0 + byte % 11 if byte >= self._trouble else 0.0

    def delay_s(self, task: int, turn: int, aspect: int) -> float:
        """How long gates, landings, cancellations and people take."""
        return (self._at(task, turn, 6) >> (aspect % 4)) % 4 / 2

    def yes(self, task: int, turn: int) -> bool:
        """A person's word on the task."""
        return self._at(task, turn, 6) % 3 != 2

    def landed_unseen(self, batch: int) -> bool:
        """At a crash: the branch had moved, and nobody had been told."""
        return self._data[1 + batch % 4] % 2 == 1

    def acts(self) -> list[Act]:
        """What is done to the run, in order."""
        quiet = (256, 128, 64, 0)[self._data[5] % 4]
        found = []
        for slot in range(_SLOTS):
            start = _HEADER + slot * _SLOT
            use, what, when, argument = self._data[start : start + _SLOT]
            deed = _WEIGHTED[what % len(_WEIGHTED)]
            if use >= quiet and deed in self._deeds:
                found.append(Act(deed=deed, after=1 + when % 70, argument=argument))
        return sorted(found, key=lambda act: act.after)

    def places(self, event: int) -> int | None:
        """How many places a resume asks for; None: as before."""
        return (None, None, None, 1, 3)[(self._data[4] + event) % 5] if self._data[4] else None

    def goes_on(self, end: int, what: Literal["retry", "resume", "early"]) -> bool:
        """Whether people go on with a run that has ended, for the `end`-th time."""
        return self._data[6] >> ({"retry": 0, "resume": 1, "early": 2}[what] + end % 5) & 1 == 1
