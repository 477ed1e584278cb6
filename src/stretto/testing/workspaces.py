"""Workspaces without git: folders of real files, commits in memory.

The fake of the port `Workspaces`: it passes the same contract suite as the git kind, and is quick enough for tests
that run whole plans. Merging is by whole files; statuses land as data beside the files.
"""

from __future__ import annotations

import hashlib
import itertools
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from stretto.errors import GitError, WorkspaceError
from stretto.model.plan import Task, Value
from stretto.model.run import Culprit, LandEntry
from stretto.ports import Merge, Saved, Workspace

Files = Mapping[str, bytes]
ASPECTS = ("HEAD", "status", "refs", "stash", "config", "hooks", "info/exclude", "info/attributes")


class Snapshot(Value, frozen=True, kw_only=True):
    """A commit."""

    files: Files
    parents: tuple[str, ...] = ()
    statuses: Mapping[str, str] = {}
    batch: tuple[str, int] | None = None


class MemoryRepository:
    """What outlives an engine: commits, lanes, and who was working where."""

    def __init__(self, folder: Path, files: Files) -> None:
        self.folder = folder
        self.commits: dict[str, Snapshot] = {}
        self.heads: dict[str, str] = {}
        self.leases: dict[Path, tuple[str, int, str]] = {}
        """Folder to (task, attempt, base); gates have none."""
        self.base = self.add(Snapshot(files=dict(files)))
        self.heads["target"] = self.base
        self.aspects = dict.fromkeys(ASPECTS, "")
        """What `look` answers; a test that plays an escaping agent changes it."""

    def add(self, commit: Snapshot) -> str:
        """Equal commits have equal ids."""
        parts = [*sorted(commit.files.items()), commit.parents, sorted(commit.statuses.items()), commit.batch]
        id = hashlib.sha1(repr(parts).encode()).hexdigest()
        self.commits[id] = commit
        return id


class MemoryWorkspaces:
    """One engine's view of a MemoryRepository; make a second one to play its heir after a crash."""

    unsaved: tuple[str, ...] = ()

    def __init__(self, repository: MemoryRepository) -> None:
        self._repository = repository
        self._mine: dict[Path, str] = {}
        """Open folders and the base of each."""

    def take(self, tasks: Sequence[Task]) -> None:
        """It asks nothing of tasks."""

    async def open(
        self, *, task: str, attempt: int, base: str, role: Literal["agent", "gate"], carry: str | None = None,
        conflict: bool = False,
    ) -> Workspace:  # fmt: skip
        files = dict(self._commit(base).files)
        if carry is not None:
            earlier = self._commit(carry)
            merged, conflicts = _merge(self._commit(earlier.parents[0]).files, files, earlier.files, markers=conflict)
            files = files if conflicts and not conflict else merged
        taken = set(self._repository.leases) | set(self._mine)
        path = next(path for n in itertools.count(1) if (path := self._repository.folder / role / str(n)) not in taken)
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        for name, content in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(content)
        self._mine[path] = base
        if role == "agent":
            self._repository.leases[path] = (task, attempt, base)
        return Workspace(path=path, base=base, key=role)

    async def contents(self, commit: str) -> str:
        return hashlib.sha1(repr(sorted(self._commit(commit).files.items())).encode()).hexdigest()

    async def save(self, workspace: Workspace, *, task: str, attempt: int, message: str) -> Saved:
        if workspace.path not in self._mine:
            raise WorkspaceError(f"{workspace.path} has been given back already")
        commit, paths = self._save(workspace.path, workspace.base)
        return Saved(commit=commit, paths=paths)

    async def close(self, workspace: Workspace) -> None:
        self._mine.pop(workspace.path, None)
        self._repository.leases.pop(workspace.path, None)

    async def rescue(self) -> Mapping[tuple[str, int], str]:
        found = {}
        for path, (task, attempt, base) in list(self._repository.leases.items()):
            if path not in self._mine:
                commit, _ = self._save(path, base)
                del self._repository.leases[path]
                if commit is not None:
                    found[task, attempt] = commit
        return found

    async def head(self, lane: str) -> str:
        try:
            return self._repository.heads[lane]
        except KeyError as error:
            raise GitError(f"the branch of {lane} is gone") from error

    async def merge(self, lane: str, batch: int, entries: Sequence[LandEntry], *, known: str) -> Merge:
        if lane not in self._repository.heads:
            raise GitError(f"the branch of {lane} is gone", hint=f"git branch {lane} {known}")
        tip = head = await self.head(lane)
        if known not in self._history(tip):
            raise WorkspaceError(f"{lane} was moved: it no longer holds {known}", hint=f"git branch -f {lane} {known}")
        landed: list[LandEntry] = []
        culprits: list[Culprit] = []
        fresh = False
        for entry in entries:
            if entry.commit is None:
                fresh = True
            elif entry.commit not in self._history(head):
                theirs, ours = self._commit(entry.commit), self._commit(head)
                base = theirs.parents[0]
                files, conflicts = _merge(self._commit(base).files, ours.files, theirs.files, markers=False)
                if conflicts:
                    culprits.append(Culprit(task=entry.task, kind="conflict", paths=conflicts))
                    continue
                fresh = fresh or base != tip or head != tip
                parents = (head, entry.commit)
                new = Snapshot(files=files, parents=parents, statuses=ours.statuses, batch=(lane, batch))
                head = self._repository.add(new)
            landed.append(entry)
        return Merge(tip=tip, commit=head, landed=tuple(landed), culprits=tuple(culprits), fresh=fresh)

    async def advance(self, lane: str, batch: int, merge: Merge, statuses: Mapping[str, str]) -> str:
        if await self.head(lane) != merge.tip:
            raise GitError(f"{lane} has moved from {merge.tip}")
        candidate = self._commit(merge.commit)
        both = {**candidate.statuses, **statuses}
        head = merge.commit
        if both != candidate.statuses:
            parents = (merge.tip,) if head == merge.tip else candidate.parents
            new = Snapshot(files=candidate.files, parents=parents, statuses=both, batch=(lane, batch))
            head = self._repository.add(new)
        self._repository.heads[lane] = head
        return head

    async def landed(self, lane: str, batch: int, *, known: str = "") -> str | None:
        chain = self._first_parents(await self.head(lane)) if lane in self._repository.heads else []
        return next((id for id in chain if self._commit(id).batch == (lane, batch)), None)

    async def write_statuses(self, lane: str, statuses: Mapping[str, str]) -> str | None:
        head = await self.head(lane)
        before = self._commit(head)
        both = {**before.statuses, **statuses}
        if both == before.statuses:
            return None
        self._repository.heads[lane] = self._repository.add(
            Snapshot(files=before.files, parents=(head,), statuses=both)
        )
        return self._repository.heads[lane]

    async def look(self) -> Mapping[str, str]:
        return dict(self._repository.aspects)

    def _commit(self, id: str) -> Snapshot:
        try:
            return self._repository.commits[id]
        except KeyError as error:
            raise GitError(f"there is no commit {id}") from error

    def _save(self, path: Path, base: str) -> tuple[str | None, tuple[str, ...]]:
        files = {
            file.relative_to(path).as_posix(): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()
        }
        before = self._commit(base)
        paths = tuple(name for name in sorted({*files, *before.files}) if files.get(name) != before.files.get(name))
        if not paths:
            return None, ()
        return self._repository.add(Snapshot(files=files, parents=(base,), statuses=before.statuses)), paths

    def _first_parents(self, id: str) -> list[str]:
        chain = [id]
        while parents := self._commit(chain[-1]).parents:
            chain.append(parents[0])
        return chain

    def _history(self, id: str) -> set[str]:
        seen: set[str] = set()
        waiting = [id]
        while waiting:
            id = waiting.pop()
            if id not in seen:
                seen.add(id)
                waiting += self._commit(id).parents
        return seen


def _merge(base: Files, ours: Files, theirs: Files, *, markers: bool) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Three ways, by whole files; (files, paths in conflict). In conflict ours stay, or both with `markers`."""
    merged, conflicts = dict(ours), []
    for name in sorted({*base, *theirs}):
        was, mine, other = base.get(name), ours.get(name), theirs.get(name)
        if other in (was, mine):
            continue
        if mine != was:
            conflicts.append(name)
            if markers:
                merged[name] = b"<<<<<<< ours\n" + (mine or b"") + b"=======\n" + (other or b"") + b">>>>>>> theirs\n"
        elif other is None:
            del merged[name]
        else:
            merged[name] = other
    return merged, tuple(conflicts)
