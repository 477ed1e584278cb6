"""Every exception stretto raises on purpose, and the exit code each one means (R11).

    StrettoError                  .hint: what to do about it          exit
    ├── PlanError                 the plan is wrong; .findings           2
    ├── ConfigError               a setting or an argument is wrong      2
    ├── NotSupportedYet           right, but not built yet (R8.7)        2
    ├── RepositoryError           git or the repository will not do      2
    ├── AdapterError              an adapter's; in a run the performer turns it into an event: .kind of R4
    │   │                         outside of one: the disk or git said no  3
    │   ├── AgentError
    │   ├── WorkspaceError        GitError is its git kind, SetupError that of set-up
    │   └── GateError             the check could not run (a red gate is a verdict, not an error)
    ├── StateError                                                       3
    │   ├── RunNotFound
    │   ├── RunLeased             another engine owns it; .holder
    │   └── JournalMismatch       the journal does not fit: a gap, or written by a newer stretto
    ├── Paused                    nothing moved; a person has to act     4
    └── InternalError             a bug in stretto                      70
        ├── IllegalTransition
        └── InvariantViolated

Failed work (an agent that fails, a red gate, a conflict) is data, `model.run.Failure`, and never an exception here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stretto.model.plan import Finding


class StrettoError(Exception):
    """Something a person should read: one message, one hint.

    A hint is one line of words, or a few; a command in it stands on a line alone or at its end, behind a colon, and
    works as it stands, in the very state in which it is told."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class PlanError(StrettoError):
    """The plan cannot be run; `findings` says where and why."""

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "", findings: tuple[Finding, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.findings = findings


class ConfigError(StrettoError):
    """A setting, flag or environment variable is wrong."""

    exit_code = 2


class NotSupportedYet(StrettoError):
    """What was asked is part of the design, and its machinery is not built yet."""

    exit_code = 2


class RepositoryError(StrettoError):
    """Git is missing or too old, or this repository cannot carry a run."""

    exit_code = 2


class AdapterError(StrettoError):
    """An adapter could not do its work. The performer makes an event of it; outside of a run a person reads it."""

    exit_code = 3


class AgentError(AdapterError):
    """The agent could not be started or spoken to."""


class WorkspaceError(AdapterError):
    """A workspace could not be made, saved or landed."""


class GitError(WorkspaceError):
    """Git said no; `stderr` is its own word."""

    def __init__(self, message: str, *, stderr: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.stderr = stderr


class SetupError(WorkspaceError):
    """What the plan's set-up names is not there, or one of its commands failed: so it will be for every task."""


class GateError(AdapterError):
    """A check could not be run at all."""


class StateError(StrettoError):
    """The recorded state of a run, or somebody's hold on it, forbids this."""

    exit_code = 3


class RunNotFound(StateError):
    """No such run here."""


class RunLeased(StateError):
    """Another engine owns the run; `holder` names it."""

    def __init__(self, message: str, *, holder: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.holder = holder


class JournalMismatch(StateError):
    """The journal has a gap, or was written by a version that this one cannot read."""


class Paused(StrettoError):
    """Nothing was moved; a person has to act first."""

    exit_code = 4


class InternalError(StrettoError):
    """A bug in stretto: please report it."""

    exit_code = 70


class IllegalTransition(InternalError):
    """A task was asked to take a step that LEGAL forbids."""

    def __init__(self, task: str, before: str, after: str) -> None:
        super().__init__(f"task {task!r} cannot go from {before} to {after}")
        self.task, self.before, self.after = task, before, after


class InvariantViolated(InternalError):
    """Something that must always hold does not."""
