"""Workspaces of one run as git worktrees: handed out clean, saved whole, given back warm (R7.1)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import msgspec

from stretto.errors import GitError, RepositoryError, WorkspaceError
from stretto.model.plan import Setup
from stretto.ports import Processes, Saved, StatusKeeper, Workspace
from stretto.workspace import disk, environment, leavings, refs
from stretto.workspace.disk import said
from stretto.workspace.git import shown
from stretto.workspace.landing import UNRESOLVED, Landing, let_go
from stretto.workspace.look import look
from stretto.workspace.pool import Fitting, Lease, Pool, Role, Slot, key_of
from stretto.workspace.repository import Repository
from stretto.workspace.saving import LOCKFILES, free, rescue, save
from stretto.workspace.snapshot import populated, untracked
from stretto.workspace.spare import Spare
from stretto.workspace.trees import apply

_IN_THE_WAY = re.compile(r"'(?P<ref>refs/[^']+)' exists; cannot create")


class GitWorkspaces(Landing):
    """The port `Workspaces` for one run in one git repository; what lands is in `Landing`.

    `branch` without `refs/heads/`; `plan_files` as git spells them, none when the plan lies outside the repository;
    `env` is the whole environment of set-up commands; `processes` may be None when set-up has none."""

    def __init__(
        self, repository: Repository, *, run: str, branch: str, pool_root: Path, setup: Setup | None = None,
        keep: Sequence[str] = (), hot_files: Sequence[str] = (), plan_files: Sequence[str] = (),
        keeper: StatusKeeper | None = None, processes: Processes | None = None,
        env: Mapping[str, str] | None = None, titles: Mapping[str, str] | None = None, setup_timeout_s: float = 600.0,
    ) -> None:  # fmt: skip
        with disk.at(pool_root):
            pool_root.mkdir(parents=True, exist_ok=True)
        root = Path(os.path.realpath(pool_root))
        super().__init__(
            repository.store, repository.common, run=run, branch=branch, folder=root, titles=titles or {},
            hot_files=hot_files, plan_files=plan_files, keeper=keeper,
        )  # fmt: skip
        self._repository = repository
        self._setup, self._keep = setup or Setup(), tuple(keep)
        self._processes, self._env, self._setup_timeout_s = processes, dict(env or {}), setup_timeout_s
        self._pool = Pool(root, repository.store, repository.common, repository.view)
        self._pool.remember_ignores(run, repository.ignores)
        self._slots: dict[Path, Slot] = {}
        self.unsaved: tuple[str, ...] = ()
        """After `rescue`: folders whose work could not be saved, each with the reason (R7.3)."""

    async def create_branch(self, base: str) -> None:
        """Make the run's branch and base ref at `base`, both or none; again is fine for the same run.

        Raises RepositoryError when the branch exists and is not this run's."""
        branch, mark = f"refs/heads/{self._branch}", refs.base(self._run)
        if await self._git.resolve(mark) == base and await self._git.resolve(branch):
            return
        await self._repository.check_branch(self._branch)
        new = f"create {branch} {base}\ncreate {mark} {base}\n"
        try:
            await self._git.run("update-ref", "-m", "stretto: run started", "--stdin", input=new.encode())
        except GitError as error:
            raise _no_branch(self._branch, error) from error

    @said
    async def open(
        self, *, task: str, attempt: int, base: str, role: Role, carry: str | None = None, conflict: bool = False,
    ) -> Workspace:  # fmt: skip
        """A clean worktree at `base` with set-up done, and `carry`'s changes on top where they apply cleanly.

        With `conflict` they come as a merge that may leave markers. Raises WorkspaceError when set-up fails."""
        key = key_of(self._setup, role)
        lease = Lease(
            run=self._run, task=task, attempt=attempt, base=base, role=role,
            plan_files=self._plan_files, keep=self._keep, view=self._pool.view.mark,
        )  # fmt: skip
        slot = await self._take(key, base, lease)
        try:
            await self._fit(slot, base, cookie=(self._run, task, str(attempt)))
            if carry is not None:
                lease = await self._carry(slot, lease, carry, conflict=conflict)
            slot.lease = lease
        except BaseException:
            await self._take_back(slot)
            raise
        self._slots[slot.path] = slot
        return Workspace(path=slot.path, base=base, key=key)

    @said
    async def contents(self, commit: str) -> str:
        """The commit's tree, how much of it is to be seen, and a fingerprint of what set-up brings along."""
        parts = [(await self._git.commits((commit,)))[commit].tree, self._pool.view.mark]
        if self._setup != Setup():
            parts.append(await asyncio.to_thread(environment.fingerprint, self._setup, self._repository.root))
        return " ".join(filter(None, parts))

    @said
    async def save(self, workspace: Workspace, *, task: str, attempt: int, message: str) -> Saved:
        """Commit the files as they are, whatever was done to the worktree's git state, to the attempt's ref.

        Saving the same files again gives the same commit; other files go to a ref of their own beside it."""
        slot = self._slots.get(workspace.path)
        lease = slot.lease if slot else None
        if slot is None or lease is None:
            raise WorkspaceError(f"{workspace.path} has been given back already")
        return await save(self._pool, slot, msgspec.structs.replace(lease, task=task, attempt=attempt), message)

    @said
    async def close(self, workspace: Workspace) -> None:
        """Give it back; the next one to use it cleans it, unless it holds what could not be saved (R7.3)."""
        slot = self._slots.pop(workspace.path, None)
        if slot is not None:
            try:
                await free(self._pool, slot)
                await let_go(self._git, self._common, f"refs/heads/{self._branch}", ours=slot.path)
            finally:
                slot.release()

    @said
    async def rescue(self) -> Mapping[tuple[str, int], str]:
        """Save what dead engines of this run left in worktrees; {(task, attempt): commit} where there was something.

        What cannot be saved stays where it is, out of everyone's use, and is named in `unsaved`. The caller owns the
        run, and nothing of its former engine is left running."""
        self._unlock()
        found: dict[tuple[str, int], str] = {}
        unsaved = []
        for slot in self._pool.dead():
            try:
                lease = slot.lease
                if lease is not None and lease.run == self._run:
                    commit = await rescue(self._pool, slot, lease)
                    if commit is not None:
                        found[lease.task, lease.attempt] = commit
                    if (left := slot.lease) is not None:
                        unsaved.append(f"{slot.path}: git cannot take {', '.join(left.held)}")
            except WorkspaceError as error:
                unsaved.append(f"{slot.path}: {error}")
            finally:
                slot.release()
        self.unsaved = tuple(unsaved)
        await let_go(self._git, self._common, f"refs/heads/{self._branch}", ours=self._folder)
        return found

    def _unlock(self) -> None:
        """Locks that a killed git left on refs that are this run's alone would keep it from ever landing again."""
        for place in (Path("refs/heads") / f"{self._branch}.lock", Path(refs.base(self._run)).parent):
            for lock in self._locks_at(self._repository.common / place):
                lock.unlink(missing_ok=True)

    @staticmethod
    def _locks_at(place: Path) -> list[Path]:
        return list(place.rglob("*.lock")) if place.is_dir() else [place]

    @said
    async def look(self) -> Mapping[str, str]:
        """A fingerprint of the user's side of the repository, by aspect (R7.4)."""
        return await look(self._repository, own_branch=self._branch)

    async def _take(self, key: str, base: str, lease: Lease) -> Slot:
        """A free slot, clean at `base`, its former work safe; one that cannot be saved or cleaned is passed over, and
        so is one that somebody has made or put files into (R7.3)."""
        for slot in self._pool.free(key):
            known = os.path.lexists(slot.path)
            try:
                if await self._is_held(slot) or await leavings.stray(self._pool, slot):
                    slot.release()
                    continue
                # From here on it holds nobody's work: whoever finds it half made need not ask what it is.
                slot.lease = msgspec.structs.replace(lease, role="gate")
                await self._clean(slot, base)
            except WorkspaceError:
                slot.release()
                if not known:
                    raise
            except BaseException:
                slot.release()
                raise
            else:
                return slot
        raise AssertionError("the pool has no last slot")

    async def _take_back(self, slot: Slot) -> None:
        """One that was not handed out after all; what keeps it from being looked at now is for the next to see."""
        try:
            with contextlib.suppress(WorkspaceError, OSError):
                await free(self._pool, slot)
        finally:
            slot.release()

    async def _is_held(self, slot: Slot) -> bool:
        """Whether something in it cannot be saved; all else is."""
        lease = slot.lease
        if lease is not None and not any(os.path.lexists(slot.path / path) for path in lease.held):
            await rescue(self._pool, slot, lease)
            lease = slot.lease
        return lease is not None

    @said
    async def _clean(self, slot: Slot, base: str) -> None:
        """The files of `base` and what set-up made, unless its commands are owed again."""
        fitting = slot.fitting
        if fitting is not None and await self._is_stale(fitting, base):
            fitting = slot.fitting = None
        await self._pool.reset(slot, base, fitting=fitting)
        if fitting is None or not self._setup.run:
            return
        if slot.fitting is None or not await asyncio.to_thread(Spare(slot.path).restore):
            slot.fitting = None
            await self._pool.reset(slot, base, fitting=None)

    async def _fit(self, slot: Slot, base: str, *, cookie: tuple[str, str, str]) -> None:
        """Do set-up in a clean slot: files each time, commands where they are owed."""
        setup, fitting = self._setup, slot.fitting
        if setup == Setup():
            return
        try:
            stamps = await asyncio.to_thread(environment.furnish, setup, self._repository.root, slot.path)
        except OSError as error:
            raise WorkspaceError(f"set-up cannot copy or link: {error}") from error
        put = {shown(path): mark for path, mark in stamps.items()}
        if fitting is not None:
            slot.fitting = msgspec.structs.replace(fitting, stamps={**fitting.stamps, **put})
            return
        tops = tuple(PurePosixPath(path).as_posix() for path in (*setup.copy, *setup.link))
        fitting = Fitting(commit=base, tops=tops, stamps=put)
        if setup.run:
            fitting = await self._run_setup(slot, base, fitting, cookie)
        slot.fitting = fitting

    async def _is_stale(self, fitting: Fitting, base: str) -> bool:
        if not self._setup.run or fitting.commit == base:
            return False
        patterns = [f":(glob)**/{name}" for name in LOCKFILES]
        compared = await self._git.run(
            "diff-tree", "-r", "--quiet", fitting.commit, base, "--", *patterns, ok=(0, 1, 128), globs=True
        )
        return compared.code != 0

    async def _run_setup(self, slot: Slot, base: str, fitting: Fitting, cookie: tuple[str, str, str]) -> Fitting:
        if self._processes is None:
            raise WorkspaceError("set-up has commands, but there is nothing to run them with")
        await environment.run_setup(
            self._setup, slot.path, processes=self._processes, env=self._env, log=slot.log,
            timeout_s=self._setup_timeout_s, cookie=cookie,
        )  # fmt: skip
        git = self._pool.git(slot)
        await self._pool.read(slot, base)  # set-up prepares; what the repository tracks is not its to change
        unignored = (await git.run("ls-files", "-z", "-o", *self._pool.ignoring(self._run))).fields
        stamps = {
            shown(path.rstrip("/")): environment.stamp(slot.path / path) for path in unignored if not fitting.owns(path)
        }
        made = (await git.run("ls-files", "-z", "-o", "--directory")).fields
        filled = []
        if (slot.path / ".gitmodules").exists():
            plain = self._repository.store.at(work_tree=slot.path)
            for path, _ in await populated(plain, git, slot.index):
                filled.append(shown(path))
                made += await untracked(plain, path)
        made = [path.rstrip("/") for path in made if not fitting.owns(path)]
        await asyncio.to_thread(Spare(slot.path).take, made)
        return msgspec.structs.replace(
            fitting, stamps={**stamps, **fitting.stamps}, made=tuple(map(shown, made)), filled=tuple(filled)
        )

    async def _carry(self, slot: Slot, lease: Lease, carry: str, *, conflict: bool) -> Lease:
        """Bring an earlier attempt's changes, uncommitted. Raises GitError when there is no such commit."""
        commit = (await self._git.commits((carry,)))[carry]
        if not commit.parents:
            return lease
        merged = await apply(self._git, carry, commit.parents[0], lease.base)
        if not (merged.clean or conflict):
            return lease
        await self._pool.read(slot, merged.tree)
        await self._pool.unstage(slot, lease.base)
        before = json.loads(commit.trailer(UNRESOLVED) or "[]")
        conflicted = tuple(dict.fromkeys((*before, *(shown(path) for path in merged.conflicts))))
        return msgspec.structs.replace(lease, carried=True, conflicted=conflicted)


def _no_branch(branch: str, error: GitError) -> RepositoryError:
    """Why the run's branch cannot be made; most often another ref is in its way."""
    other = "choose another with --branch NAME"
    if (found := _IN_THE_WAY.search(error.stderr)) is None:
        return RepositoryError(f"cannot make the branch {branch}: {error.stderr}", hint=error.hint or other)
    ref = found["ref"]
    if ref.startswith("refs/heads/"):
        name = ref.removeprefix("refs/heads/")
        return RepositoryError(
            f"cannot make the branch {branch}: there is a branch {name}, and git has no room for both names",
            hint=f"{other}\nor give that one another: git branch -m {shlex.quote(name)} {shlex.quote(f'old-{name}')}",
        )
    return RepositoryError(f"there is a ref {ref} where runs keep theirs", hint=f"git update-ref -d {shlex.quote(ref)}")
