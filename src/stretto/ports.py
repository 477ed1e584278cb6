"""Every seam to the world, as a small Protocol. Each has a fake in `stretto.testing` and one contract suite.

An adapter raises on trouble; only `engine/performer.py` turns an exception into an event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol

from stretto.core.events import Event, Wish
from stretto.model.plan import Check, Task, Value
from stretto.model.run import Culprit, Failure, LandEntry, Remark, Usage

# --- processes ---------------------------------------------------------------------------------------------------


class ProcessSpec(Value, frozen=True, kw_only=True):
    """A command to run as a session of its own, with its output in a file (never a pipe: grandchildren hold those)."""

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    """The whole environment; nothing is inherited."""
    log: Path
    """Standard output and error are appended here."""
    errors: Path | None = None
    """Standard error goes here instead, where that is said."""
    input: Path | None = None
    """Standard input; None: there is nothing to read."""
    timeout_s: float
    idle_s: float | None = None
    """End it when the log has not grown for so long; None: never."""
    grace_s: float = 5.0
    cookie: tuple[str, str, str]
    """(run, task, attempt): the values of STRETTO_RUN, STRETTO_TASK and STRETTO_ATTEMPT, by which strays are found."""


class ProcessExit(Value, frozen=True, kw_only=True):
    """How a command ended. Nothing with its cookie is left alive when this is returned."""

    ended: Literal["exit", "timeout", "idle"]
    code: int | None
    """Exit status; None when a signal ended it."""
    signal: int | None = None
    duration_s: float
    cpu_s: float = 0.0


class Processes(Protocol):
    """Runs commands so that their whole tree can always be ended."""

    async def run(self, spec: ProcessSpec) -> ProcessExit:
        """Run to the end. When cancelled: TERM, grace, KILL of the tree, then CancelledError."""
        ...


# --- agents ------------------------------------------------------------------------------------------------------


class Resumption(Value, frozen=True, kw_only=True):
    """An agent with sessions may go on in that of an earlier attempt of its own (R4)."""

    attempt: int
    prompt: str
    """What has happened since, in place of the whole prompt."""


class Assignment(Value, frozen=True, kw_only=True):
    """Everything an agent gets for one attempt."""

    run: str
    task: Task
    attempt: int
    workspace: Path
    prompt: str
    prompt_file: Path
    result_file: Path
    log: Path
    env: Mapping[str, str]
    timeout_s: float
    idle_s: float
    grace_s: float
    resumes: Resumption | None = None
    """For agents that keep sessions; whoever cannot go on with that one begins anew, with the whole prompt."""
    on_answer: Callable[[], None] = lambda: None
    """To be called when the agent's model begins to answer for the first time."""


class Report(Value, frozen=True, kw_only=True):
    """What an agent says at its end. `failure` None is a claim of success, to be checked (R5.1)."""

    failure: Failure | None = None
    usage: Usage = Usage()
    summary: str = ""
    decisions: tuple[str, ...] = ()
    """What it settled that the tasks after this one should keep to."""
    confidence: float | None = None
    already_done: bool = False
    artifacts: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    """What it wanted to do and was not permitted to. No failure of itself."""
    proposal: bytes = b""
    """Its whole result file, where that has `tasks` that it wants added (R8.4)."""


class Agent(Protocol):
    """Does the work of an attempt."""

    reads_story: bool
    """Whether it reads the prompt, and so can go on with half-done work (R4)."""
    codes: bool
    """Whether it is a coding agent: where a task does not say otherwise, nothing changed is nothing done (R5.1)."""

    async def run(self, assignment: Assignment, processes: Processes) -> Report:
        """Work in `assignment.workspace`. Raises AgentError when it cannot even start."""
        ...


# --- workspaces and landing --------------------------------------------------------------------------------------


class Workspace(Value, frozen=True, kw_only=True):
    """A folder that an attempt or a gate has to itself."""

    path: Path
    base: str
    """Commit that it was made from."""
    key: str
    """Which pool it goes back to."""


class Saved(Value, frozen=True, kw_only=True):
    """What a workspace held when it was looked at."""

    commit: str | None
    """None when nothing differs from the base."""
    paths: tuple[str, ...]
    """Every path that differs from the base, as git spells it."""
    dropped: tuple[str, ...] = ()
    """Edits not taken along: of the plan file (R6.4), of files that set-up put there (kept on a ref beside the
    attempt's, R7.1), and what could not be read."""


class Merge(Value, frozen=True, kw_only=True):
    """A candidate for the lane's next head: a commit with the merged tree, not yet on any branch."""

    tip: str
    """Head of the lane it was made on."""
    commit: str
    """Equal to `tip` when the entries change nothing."""
    landed: tuple[LandEntry, ...]
    culprits: tuple[Culprit, ...] = ()
    """Members left out: they conflict."""
    fresh: bool = True
    """The tip has moved since the attempt's base, so its own gates run again (R5.2)."""


class Workspaces(Protocol):
    """Workspaces of one run in one repository; the git kind is `workspace/worktree.py` and `workspace/landing.py`."""

    @property
    def unsaved(self) -> Sequence[str]:
        """After `rescue`: workspaces that could not be saved, and why; they are kept as they are."""
        ...

    def take(self, tasks: Sequence[Task]) -> None:
        """Know these tasks, too, which were added or have changed since the run began (R8.4)."""
        ...

    async def open(
        self,
        *,
        task: str,
        attempt: int,
        base: str,
        role: Literal["agent", "gate"],
        carry: str | None = None,
        conflict: bool = False,
    ) -> Workspace:
        """A clean workspace at `base` with set-up done. `carry`: apply that commit's changes on top, uncommitted;
        with `conflict` as a three-way merge that may leave markers. Landing gates of a batch pass task ""."""
        ...

    async def contents(self, commit: str) -> str:
        """What a workspace at this commit would hold, in short: equal answers, equal files (R6.1a).

        It goes by the commit's tree and by what set-up takes from the user's files, not by what its commands make."""
        ...

    async def save(self, workspace: Workspace, *, task: str, attempt: int, message: str) -> Saved:
        """Commit everything that is neither ignored nor put there by set-up to the attempt's ref (R7.1)."""
        ...

    async def close(self, workspace: Workspace) -> None:
        """Give it back to its pool. Only after `save`, or for a gate."""
        ...

    async def rescue(self) -> Mapping[tuple[str, int], str]:
        """After a crash: save whatever the run's workspaces hold; {(task, attempt): commit}."""
        ...

    async def head(self, lane: str) -> str:
        """Commit at the head of the lane's branch."""
        ...

    async def merge(self, lane: str, batch: int, entries: Sequence[LandEntry], *, known: str) -> Merge:
        """Merge the entries onto the lane's head, without moving it (R6.1).

        Raises WorkspaceError when that head no longer holds `known`, the lane's head as the run knows it: somebody
        moved the branch back, and what had landed would be lost."""
        ...

    async def advance(self, lane: str, batch: int, merge: Merge, statuses: Mapping[str, str]) -> str:
        """Move the lane's branch to the merge, with the plan's `statuses` written (R6.4); the new head.

        Raises GitError when the branch is no longer at `merge.tip`."""
        ...

    async def landed(self, lane: str, batch: int, *, known: str = "") -> str | None:
        """The commit by which this batch has already landed, found by its trailer (R6.1a).

        `known`: the lane's head as the run knows it; while it is still there, nothing can have landed behind its
        back, and nothing is looked for."""
        ...

    async def write_statuses(self, lane: str, statuses: Mapping[str, str]) -> str | None:
        """One closing commit that holds only statuses; None when there is nothing to write (R6.4)."""
        ...

    async def look(self) -> Mapping[str, str]:
        """A fingerprint of what stretto must never touch, by aspect: HEAD, index and status, refs outside its own,
        stash, config, hooks, info/exclude and info/attributes (R7.4). Two looks differ exactly in what changed."""
        ...


# --- gates -------------------------------------------------------------------------------------------------------


class Verdict(Value, frozen=True, kw_only=True):
    """A gate's answer."""

    color: Literal["green", "red", "ask"]
    remarks: tuple[Remark, ...] = ()


class GateCall(Value, frozen=True, kw_only=True):
    """What one check is asked to judge."""

    run: str
    task: Task | None
    """None for the plan's own landing gates."""
    attempt: int
    check: Check
    workspace: Path
    log: Path
    env: Mapping[str, str]
    timeout_s: float
    grace_s: float


class Gate(Protocol):
    """Judges one check; one implementation a kind of check."""

    async def judge(self, call: GateCall, processes: Processes) -> Verdict:
        """Raises GateError when the check could not be run at all."""
        ...


# --- time, limits, journal ---------------------------------------------------------------------------------------


class Clock(Protocol):
    """The wall clock, in seconds since the epoch."""

    def now(self) -> float: ...


class Limits(Protocol):
    """Shared grants (R9.1). The answer of `request` is now, or the time at which to ask again."""

    async def request(self, *, run: str, task: Task, attempt: int) -> float | None:
        """None: granted. A number: denied until then, in seconds since the epoch."""
        ...

    async def release(self, *, run: str, task: str, attempt: int) -> None: ...


class Recorded(Value, frozen=True, kw_only=True):
    """An event with its place in the journal, from 1 without a gap."""

    seq: int
    event: Event


class Journal(Protocol):
    """The durable facts of one run. One owner at a time."""

    async def append(self, events: Sequence[Event]) -> int:
        """Returns when all of them are durable: the seq of the last."""
        ...

    def read(self, after: int = 0) -> Iterable[Recorded]:
        """Every event after `after`, in order. Raises JournalMismatch at a gap."""
        ...


class Request(Value, frozen=True, kw_only=True):
    """A wish as it lies in the inbox table."""

    id: str
    at: float
    wish: Wish


class Inbox(Protocol):
    """Where other processes leave wishes (R8.3)."""

    def put(self, wish: Wish, *, request: str) -> None:
        """Leave a wish; a second one with the same id changes nothing."""
        ...

    def waiting(self) -> Sequence[Request]:
        """Wishes that nobody has journalled yet, oldest first."""
        ...

    def answered(self, request: str) -> tuple[bool, str] | None:
        """(accepted, why), or None while it waits."""
        ...

    def answer(self, request: str, *, accepted: bool, why: str) -> None: ...


class Engine(Value, frozen=True, kw_only=True):
    """The process that owns a run."""

    pid: int
    host: str


class RunReader(Protocol):
    """How everybody else sees a run; the Temporal engine can serve it too (R8.3)."""

    def events(self, after: int = 0) -> Iterable[Recorded]:
        """Durable events after `after`; empty when there is nothing new."""
        ...

    def engine(self) -> Engine | None:
        """Who runs it now."""
        ...

    def log(self, task: str, attempt: int, offset: int = 0) -> bytes:
        """A chunk of an attempt's output from `offset` on; empty at its end."""
        ...


class Observer(Protocol):
    """Looks, never decides. One that raises is dropped."""

    def notify(self, batch: Sequence[Recorded]) -> None: ...


class StatusWriter(Protocol):
    """Writes task states into the bytes of a plan file and changes nothing else (R6.4); readers offer it."""

    def __call__(self, source: bytes, statuses: Mapping[str, str]) -> bytes: ...


class StatusKeeper(Protocol):
    """The same for all the files that hold a plan's statuses: what is in each, by its path; what changes comes back.

    Paths may count from anywhere, but all from the same place; a file that is not there is left out."""

    def __call__(self, files: Mapping[str, bytes], statuses: Mapping[str, str]) -> Mapping[str, bytes]: ...
