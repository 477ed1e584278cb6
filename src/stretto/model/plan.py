"""The plan: what a person wants done, frozen before the run starts.

Every reader in `formats` produces these values and nothing else; every later part of stretto reads them and never
writes them. Ids are strings exactly as the plan file spells them. Durations are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

Effect = Literal["changes", "artifact", "any"]
FailurePolicy = Literal["continue", "stop", "rollback"]
Isolation = Literal["worktree", "none"]
"""Where attempts work: each in a worktree of its own, or all in the folder itself (R10.3)."""
TaskStatus = Literal["pending", "running", "succeeded", "failed", "skipped", "cancelled"]
"""The task state that a plan file implies; `pending` where the format has no status."""


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all data in the model: immutable, compared by content, keyword arguments only.

    What a large plan holds many of, and what cannot be part of a cycle, is `gc=False`: the collector passes it by."""


class Check(Value, frozen=True, kw_only=True, gc=False):
    """One thing that stretto verifies itself (R5.4): a command it runs, or a question it asks a person."""

    kind: Literal["command", "approval"] = "command"
    command: str = ""
    """Shell text; run with `sh -c`, or `bash -o pipefail -c` when `pipefail` is set."""
    pipefail: bool = False
    """Set for commands of foreign plans: a red command in front of a pipe is red."""
    expected: str | None = None
    """One token that must be the last line of the output, or nothing."""
    timeout_s: float | None = None
    instructions: str = ""
    """For an approval: what the person is asked to look at."""


class Contract(Value, frozen=True, kw_only=True, gc=False):
    """An interface that one task provides and others use before it exists (R3)."""

    id: str
    schema: str | None = None
    """A file, relative to the plan file, that says what it looks like; None until its provider publishes it."""


class Setup(Value, frozen=True, kw_only=True):
    """How a workspace is made ready: paths copied and linked from the user's tree, then commands (R7.1)."""

    copy: tuple[str, ...] = ()
    link: tuple[str, ...] = ()
    run: tuple[str, ...] = ()


class Task(Value, frozen=True, kw_only=True, gc=False):
    """A unit of work for one agent."""

    id: str
    phase: str
    title: str = ""
    prompt: str = ""
    prompt_file: str | None = None
    context: tuple[str, ...] = ()
    """Files, relative to the plan file, whose text goes with the prompt."""
    depends_on: tuple[str, ...] = ()
    """Ids of tasks or phases that must have landed first (a task wins where both have the id)."""
    after: tuple[str, ...] = ()
    """Ids of tasks or phases that must be final first, whatever their outcome."""
    conflicts_with: tuple[str, ...] = ()
    """Ids of tasks or phases that it is never active beside; it holds both ways, whatever they claim (R1.2)."""
    provides: tuple[str, ...] = ()
    """Ids of contracts that this task fulfils (R3)."""
    uses: tuple[str, ...] = ()
    """Ids of contracts that it works against: it lands behind their providers, and may start before them (R3.1)."""
    writes: tuple[str, ...] | None = None
    """Claimed paths and globs (R2.3a); None is unknown scope, () writes nothing."""
    verify: tuple[Check, ...] = ()
    artifacts: tuple[str, ...] = ()
    """Paths that must exist in the attempt's commit."""
    effect: Effect | None = "any"
    """By the reader, from R5.1's defaults. None: not said, and settled when the run starts, by who does it."""
    agent: tuple[str, ...] = ()
    """Agent names, first choice first; empty: the run's default."""
    priority: int = 3
    """1 is first, 5 last."""
    critical: bool = False
    optional: bool = False
    timeout_s: float | None = None
    attempts: int | None = None
    estimate_s: float | None = None
    carry: bool = False
    """Let an agent that cannot read its earlier work's story start from it all the same (R4)."""
    added_by: str = ""
    """The task of the same run whose attempt proposed this one; empty for a task of the plan file (R8.4)."""
    status: TaskStatus = "pending"


class Phase(Value, frozen=True, kw_only=True, gc=False):
    """A named group of tasks."""

    id: str
    title: str = ""
    depends_on: tuple[str, ...] = ()
    """Ids of phases."""
    parallel: bool = True
    """False makes the tasks a chain in plan order (R1.4)."""
    max_parallel: int | None = None
    on_failure: FailurePolicy | None = None
    """None: the plan's default."""


class Defaults(Value, frozen=True, kw_only=True):
    """What holds for every task that does not say otherwise. None: the run's settings decide."""

    agent: tuple[str, ...] = ()
    timeout_s: float | None = None
    attempts: int | None = None
    on_failure: FailurePolicy | None = None


class PlanGates(Value, frozen=True, kw_only=True):
    """Landing gates: checks of the merged tree before the branch moves (R5.2)."""

    verify: tuple[Check, ...] = ()


class Plan(Value, frozen=True, kw_only=True):
    """A whole plan. Tasks are in plan order and each names its phase; phases are in plan order too."""

    name: str
    format: str
    """Name of the reader that made it: `stretto`, `auto-claude`, …"""
    phases: tuple[Phase, ...] = ()
    tasks: tuple[Task, ...] = ()
    defaults: Defaults = Defaults()
    gates: PlanGates = PlanGates()
    contracts: tuple[Contract, ...] = ()
    """Those that the plan itself speaks of; a task may provide others."""
    setup: Setup = Setup()
    keep: tuple[str, ...] = ()
    """Ignored paths that are saved with every attempt all the same (R7.1)."""
    hot_files: tuple[str, ...] = ()
    """Globs of files that many tasks touch; they do not exclude each other (R2.5)."""
    prompt_template: str | None = None
    """A file, relative to the plan file, that arranges what every agent is told."""
    status_files: tuple[str, ...] = ()
    """Files, relative to the plan file, that hold the tasks' statuses; empty: the plan file alone does, if any."""
    isolation: Isolation | None = None
    """None: the run's settings decide."""


class Location(Value, frozen=True, kw_only=True, gc=False):
    """A place in a file; line and column count from 1."""

    file: str
    line: int
    column: int


class Finding(Value, frozen=True, kw_only=True):
    """What `check` says about a plan. Codes are stable; see `docs/findings.md`."""

    code: str
    severity: Literal["error", "warning", "info"]
    message: str
    hint: str = ""
    location: Location | None = None
    tasks: tuple[str, ...] = ()
    unsupported: bool = False
    """The key is right, but its machinery is not built yet (R8.7)."""


NO_PLACES: Mapping[str, Location] = {}
