"""Green verdicts of a run, kept: the same checks on the same files are not run twice (R6.1a).

One small file a verdict, named by its question. What cannot be read, or tells of another question, is no verdict: the
checks run again, which is always right and only takes time. Red is never kept: a red check is always judged again.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from stretto.engine.home import write_whole
from stretto.errors import StateError
from stretto.model.plan import Check, Value
from stretto.model.run import dump, undump


class Proof(Value, frozen=True, kw_only=True):
    """One thing that was proved: a check of some kind, with all that it goes by."""

    kind: str
    check: Check
    artifacts: tuple[str, ...] = ()
    timeout_s: float


class Question(Value, frozen=True, kw_only=True):
    """What a group of checks, run one after the other in one workspace, was asked."""

    contents: str
    """What the workspace held (`Workspaces.contents`)."""
    task: str
    """Checks see it in their environment; "" for the plan's own."""
    env: str
    """Fingerprint of the rest of that environment."""
    proofs: tuple[Proof, ...]

    @property
    def name(self) -> str:
        return hashlib.sha256(dump(self)).hexdigest()


class Green(Value, frozen=True, kw_only=True):
    """All of them were green."""

    question: Question
    at: float
    """Seconds since the epoch."""
    logs: tuple[str, ...]
    """What each of them printed."""


_GREENS = msgspec.json.Decoder(Green)


class Verdicts:
    """The green verdicts in `folder`. Any process that owns the run may use it, one after the other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, question: Question) -> Green | None:
        try:
            found = undump(self._path(question).read_bytes(), _GREENS)
        except (OSError, msgspec.DecodeError):
            return None
        return found if found.question == question else None

    def keep(self, green: Green) -> None:
        """Remember it past the death of this process. On a disk that takes nothing more it is forgotten."""
        with contextlib.suppress(StateError, OSError):
            self._folder.mkdir(exist_ok=True)
            write_whole(self._path(green.question), dump(green))

    def _path(self, question: Question) -> Path:
        return self._folder / f"{question.name}.json"


def fingerprint(env: Mapping[str, str]) -> str:
    """The same for equal environments; says nothing of what is in them."""
    return hashlib.sha256(repr(sorted(env.items())).encode("utf-8", "surrogateescape")).hexdigest()
