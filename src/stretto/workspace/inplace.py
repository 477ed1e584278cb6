"""Workspaces in place: every task of a run works in the folder itself, with or without git (R10.3).

Nothing is copied, committed or merged. What an attempt has changed is seen by comparing the folder before and after; a
landing is a fact of the journal. What is written down for a task at work, so that a crash loses no sight of what it
has done so far, lies in the run's own folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from stretto.errors import GitError, PlanError, SetupError, WorkspaceError
from stretto.model.names import task_dir
from stretto.model.plan import Setup, Task, Value
from stretto.model.run import IN_PLACE, LandEntry, dump, undump
from stretto.ports import Merge, Processes, Saved, StatusKeeper, Workspace
from stretto.workspace import manifest
from stretto.workspace.deliver import write_plan
from stretto.workspace.disk import at, said
from stretto.workspace.environment import run_setup
from stretto.workspace.git import shown
from stretto.workspace.look import look
from stretto.workspace.manifest import Manifest, Mark, Scope, Seen
from stretto.workspace.repository import Repository

_TREE = frozenset({"HEAD", "refs", "stash", "config", "hooks", "info/exclude", "info/attributes"})
"""What nobody may touch although all work in the user's tree; its files and its index are the work itself."""


class Begun(Value, frozen=True, kw_only=True):
    """The files of a task as they were before its first attempt; kept until it lands."""

    task: str
    attempt: int
    """The latest."""
    scope: tuple[str, ...] | None
    """What was the task's own then; None: unknown."""
    files: dict[str, Mark]
    unknown: frozenset[str] = frozenset()
    """What could not be read then."""


_BEGUN = msgspec.json.Decoder(Begun)


class _Attempt(msgspec.Struct, kw_only=True):
    """One at work."""

    task: Task
    before: Seen = Seen()
    """The whole folder, as it was when this attempt began."""
    beside: dict[str, Task] = {}
    """All others that were at work in the folder meanwhile."""


class InPlaceWorkspaces:
    """The port `Workspaces` for one run in one folder.

    `root` is its real path; `folder` is the run's own, for what has to outlive a crash; `hidden` are paths below the
    root that are no task's work, such as the state folder; `repository` is the one around the root, if there is any;
    `plan_files` hold the plan's statuses, absolute; `processes` may be None when set-up has no commands."""

    unsaved: tuple[str, ...] = ()

    def __init__(
        self, root: Path, *, run: str, folder: Path, tasks: Sequence[Task], hidden: Sequence[Path] = (),
        repository: Repository | None = None, plan_files: Sequence[Path] = (), keeper: StatusKeeper | None = None,
        setup: Setup | None = None, processes: Processes | None = None, env: Mapping[str, str] | None = None,
        setup_timeout_s: float = 600.0,
    ) -> None:  # fmt: skip
        self._root, self._run, self._folder, self._repository = root, run, folder, repository
        self._tasks = {task.id: task for task in tasks}
        self._hidden = frozenset(str(path) for path in (*hidden, *plan_files))
        self._plan_files, self._keeper = tuple(plan_files), keeper
        self._drafts = tuple(os.path.relpath(path.with_name(f".{path.name}."), root) for path in plan_files)
        """How the files begin that a plan is written to before they take its place."""
        self._setup, self._processes = setup or Setup(), processes
        self._env, self._setup_timeout_s = dict(env or {}), setup_timeout_s
        self._fitting = asyncio.Lock()
        self._active: dict[str, _Attempt] = {}
        """By the key of their workspace."""
        self._begun: dict[str, Begun] = {}
        """By task: those that have begun and not landed, as far as this engine has met them."""

    def take(self, tasks: Sequence[Task]) -> None:
        """Know these tasks, too."""
        self._tasks |= {task.id: task for task in tasks}

    # --- attempts -----------------------------------------------------------------------------------------------

    @said
    async def open(
        self, *, task: str, attempt: int, base: str, role: Literal["agent", "gate"], carry: str | None = None,
        conflict: bool = False,
    ) -> Workspace:  # fmt: skip
        """The folder, as it is: a later attempt sees what the earlier ones have left. Raises SetupError."""
        if not self._root.is_dir():
            raise self._gone()
        await self._fit(task, attempt)
        if role == "gate":
            return Workspace(path=self._root, base=base, key="gate")
        mine = _Attempt(task=self._tasks[task], beside={other.task.id: other.task for other in self._active.values()})
        for other in self._active.values():
            other.beside[task] = mine.task
        key = f"{task}#{attempt}"
        self._active[key] = mine
        try:
            mine.before = await self._look()
            await asyncio.to_thread(self._begin, mine.task, attempt, mine.before)
        except BaseException:
            del self._active[key]
            raise
        return Workspace(path=self._root, base=base, key=key)

    @said
    async def save(self, workspace: Workspace, *, task: str, attempt: int, message: str) -> Saved:
        """What has changed; the files stay where they are.

        In the task's own scope it is all that has changed since its first attempt began. Elsewhere it is what nobody
        else claims who was at work meanwhile: seen as drift, and counted as its work only where nobody else was."""
        mine = self._active.get(workspace.key)
        if mine is None:
            raise WorkspaceError(f"{workspace.key} has been given back already")
        now = await self._look()
        own = await self._own(mine.task, now, beside=mine.beside.values())
        scope, theirs = _scope(mine.task), _scope_of_all(mine.beside.values())
        unknown = mine.before.unknown | now.unknown
        differing = manifest.differing(mine.before.files, now.files, unknown=unknown)
        paths = [path for path in differing if path not in scope and path not in theirs]
        others = await self._unignored(paths)
        changed = bool(own or (others and not mine.beside))
        await asyncio.to_thread(self._forgive, mine.task, own, now.files)
        return Saved(commit=IN_PLACE if changed else None, paths=tuple(sorted(map(shown, (*own, *others)))))

    async def close(self, workspace: Workspace) -> None:
        """The attempt is over; the folder stays as it is."""
        self._active.pop(workspace.key, None)

    @said
    async def rescue(self) -> Mapping[tuple[str, int], str]:
        """After a crash: which attempts have left something. Nothing is moved, so nothing can be lost."""
        now = await self._look()
        found = {}
        for begun in await asyncio.to_thread(lambda: list(self._recorded())):
            if begun.task in self._tasks and await self._own(self._tasks[begun.task], now):
                found[begun.task, begun.attempt] = IN_PLACE
        return found

    async def contents(self, commit: str) -> str:
        """Never the same twice: others work in the folder meanwhile, so no check holds for later."""
        return uuid.uuid4().hex

    # --- landing ------------------------------------------------------------------------------------------------

    async def head(self, lane: str) -> str:
        return IN_PLACE

    async def merge(self, lane: str, batch: int, entries: Sequence[LandEntry], *, known: str) -> Merge:
        """All of them: they are in the folder already, and their checks ran there."""
        return Merge(tip=known, commit=known, landed=tuple(entries), fresh=False)

    @said
    async def advance(self, lane: str, batch: int, merge: Merge, statuses: Mapping[str, str]) -> str:
        """Write the statuses into the user's plan (R6.4); what was kept of these tasks is not needed any more."""
        await asyncio.to_thread(self._write, statuses)
        for entry in merge.landed:
            self._begun.pop(entry.task, None)
            self._record(entry.task).unlink(missing_ok=True)
        return merge.tip

    async def landed(self, lane: str, batch: int, *, known: str = "") -> str | None:
        """Only the journal knows; to land once more changes nothing."""
        return None

    @said
    async def write_statuses(self, lane: str, statuses: Mapping[str, str]) -> str | None:
        """Those of tasks that failed, at the end."""
        return IN_PLACE if await asyncio.to_thread(self._write, statuses) else None

    def _write(self, statuses: Mapping[str, str]) -> bool:
        """Read again each time: the user may have edited the plan meanwhile, and keeps every other word of it."""
        if self._keeper is None or not (self._plan_files and statuses):
            return False
        try:
            return write_plan(self._plan_files, self._keeper, statuses)
        except PlanError as error:  # they are in the middle of an edit
            raise WorkspaceError(
                f"the plan cannot be read, so {', '.join(statuses)} cannot be ticked in it: {error}",
                hint=f"mend {self._plan_files[0]}, then: stretto resume {self._run}",
            ) from error

    async def look(self) -> Mapping[str, str]:
        """Of the repository around the folder, what no task may touch (R7.4); without one there is nothing."""
        if self._repository is None:
            return {}
        seen = await look(self._repository, own_branch="")
        return {aspect: mark for aspect, mark in seen.items() if aspect in _TREE}

    # --- the folder ---------------------------------------------------------------------------------------------

    async def _look(self) -> Seen:
        """Raises WorkspaceError where the folder is gone: else all that was in it would seem to be a task's work."""
        try:
            seen = await asyncio.to_thread(manifest.look, self._root, hidden=self._hidden)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise self._gone() from error
        files = {path: mark for path, mark in seen.files.items() if not path.startswith(self._drafts)}
        return msgspec.structs.replace(seen, files=files)

    def _gone(self) -> WorkspaceError:
        return WorkspaceError(
            f"{self._root} is not there any more",
            hint=f"put it back where it was, then: stretto resume {self._run}",
        )

    async def _fit(self, task: str, attempt: int) -> None:
        """Set-up, once in a run: its files are there already, its commands run in the folder. Raises SetupError."""
        done = self._folder / "setup"
        async with self._fitting:
            if self._setup == Setup() or done.exists():
                return
            for path in (*self._setup.copy, *self._setup.link):
                if not (self._root / path).exists():
                    raise SetupError(f"set-up wants {path}, which is not in {self._root}", hint="create it")
            self._folder.mkdir(parents=True, exist_ok=True)
            if self._setup.run:
                if self._processes is None:
                    raise WorkspaceError("set-up has commands, but there is nothing to run them with")
                await run_setup(
                    self._setup, self._root, processes=self._processes, env=self._env,
                    log=self._folder / "setup.log", timeout_s=self._setup_timeout_s,
                    cookie=(self._run, task, str(attempt)),
                )  # fmt: skip
            done.touch()

    async def _unignored(self, paths: Sequence[str]) -> list[str]:
        """Those that git would not ignore: what builds and tests leave behind is nobody's work."""
        if not paths or self._repository is None:
            return list(paths)
        inside = self._repository.inside(self._root) or ""
        prefix = "" if inside in ("", ".") else f"{inside}/"
        asked = [prefix + path for path in paths]
        try:
            if prefix and await self._ignored([inside]):  # all of the folder is: then that says nothing
                return list(paths)
            ignored = await self._ignored(asked)
        except GitError:
            return list(paths)
        return [path for path, name in zip(paths, asked, strict=True) if name not in ignored]

    async def _ignored(self, paths: Sequence[str]) -> frozenset[str]:
        assert self._repository is not None
        listed = b"".join(os.fsencode(path) + b"\0" for path in paths)
        reply = await self._repository.git.run("check-ignore", "-z", "--stdin", input=listed, ok=(0, 1), globs=True)
        return frozenset(reply.fields)

    # --- what a task has done so far ----------------------------------------------------------------------------

    async def _own(self, task: Task, now: Seen, beside: Iterable[Task] = ()) -> list[str]:
        """What is different in the task's own scope since its first attempt began."""
        begun = self._begun_of(task)
        if begun is None:
            return []
        here = await asyncio.to_thread(self._closer, task, now.files)
        paths = manifest.differing(begun.files, here, unknown=begun.unknown | now.unknown)
        if task.writes is not None:
            return paths
        sure, theirs = Scope(task.artifacts), _scope_of_all(beside)
        unsure = [path for path in paths if path not in sure and path not in theirs]
        return [*(path for path in paths if path in sure), *await self._unignored(unsure)]

    def _begin(self, task: Task, attempt: int, now: Seen) -> None:
        """Write down how the task's files are, unless an earlier attempt has."""
        begun = self._begun_of(task)
        files = self._closer(task, now.files) if begun is None else begun.files
        unknown = now.unknown if begun is None else begun.unknown
        self._keep(Begun(task=task.id, attempt=attempt, scope=_patterns(task), files=files, unknown=unknown))

    def _begun_of(self, task: Task) -> Begun | None:
        """None, too, for a task that has another scope now: it begins anew."""
        begun = self._begun.get(task.id) or self._read(self._record(task.id))
        return begun if begun is not None and begun.scope == _patterns(task) else None

    def _closer(self, task: Task, now: Manifest) -> dict[str, Mark]:
        """The task's own part of the folder; of a whole folder nobody reads the files."""
        return dict(now) if task.writes is None else manifest.closer(self._root, now, _scope(task))

    def _forgive(self, task: Task, paths: Sequence[str], now: Manifest) -> None:
        """What one task has changed is not the work of another that waits for its next attempt."""
        active = {other.task.id for other in self._active.values()}
        for begun in list(self._begun.values()):
            if begun.task != task.id and begun.task not in active:
                other = self._tasks[begun.task]
                scope = _scope(other)
                touched = {path for path in paths if path in scope}
                if touched:
                    left = {path: mark for path, mark in begun.files.items() if path not in touched}
                    here = self._closer(other, {path: mark for path, mark in now.items() if path in touched})
                    self._keep(msgspec.structs.replace(begun, files={**left, **here}))

    def _keep(self, begun: Begun) -> None:
        self._begun[begun.task] = begun
        path = self._record(begun.task)
        with at(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(".new")
            draft.write_bytes(dump(begun))
            draft.replace(path)

    def _recorded(self) -> Iterator[Begun]:
        for path in sorted((self._folder / "begun").glob("*.json")):
            if (begun := self._read(path)) is not None:
                yield begun

    def _read(self, path: Path) -> Begun | None:
        """None where there is none, or a crash has left half of one: then nothing is known of it."""
        with contextlib.suppress(OSError, msgspec.DecodeError):
            return undump(path.read_bytes(), _BEGUN)
        return None

    def _record(self, task: str) -> Path:
        return self._folder / "begun" / f"{task_dir(task)}.json"


def _scope(task: Task) -> Scope:
    """What is certainly the task's own: its claims and what it has promised to leave. Unknown scope is everything."""
    return Scope(("**",) if (patterns := _patterns(task)) is None else patterns)


def _patterns(task: Task) -> tuple[str, ...] | None:
    return None if task.writes is None else (*task.writes, *task.artifacts)


def _scope_of_all(tasks: Iterable[Task]) -> Scope:
    """The claims of some tasks; one of unknown scope claims nothing in particular."""
    return Scope(pattern for task in tasks for pattern in (*(task.writes or ()), *task.artifacts))
