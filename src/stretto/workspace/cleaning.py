"""What runs leave in the repository and in the pool, and how it is removed without losing work (R7.3)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from stretto.errors import GitError, WorkspaceError
from stretto.model.names import task_dir
from stretto.model.plan import Value
from stretto.workspace import leavings, refs
from stretto.workspace.disk import said
from stretto.workspace.environment import remove
from stretto.workspace.git import Git
from stretto.workspace.landing import checkout, only_statuses
from stretto.workspace.locks import locked, try_lock
from stretto.workspace.pool import Lease, Pool, Slot
from stretto.workspace.repository import Repository
from stretto.workspace.saving import rescue

BRANCHES = "refs/heads/stretto/"
GOING = ".going"
"""A worktree that is being removed."""
_ATTEMPT = re.compile(r"task/(?P<task>[^/]+)/(?P<number>\d+)(?:\+\d+)?")


class Holding(Value, frozen=True, kw_only=True):
    """What a run has in the repository."""

    refs: Mapping[str, str]
    """Each ref of the run, and its branch where stretto named it, with its commit."""
    work: tuple[str, ...]
    """Those of them that hold the only copy of something."""
    delivered: bool
    """What has landed is in a branch of the user's."""
    checked_out: bool
    """Somebody works on the run's branch."""

    @property
    def branch(self) -> str | None:
        return next((ref.removeprefix("refs/heads/") for ref in self.refs if ref.startswith(BRANCHES)), None)


async def refs_of(git: Git, run: str) -> dict[str, str]:
    """Every ref of the run, and the branch that stretto named after it, each with its commit."""
    mine = (f"{refs.OURS}{run}/", f"{BRANCHES}{run}")
    listed = await git.run("for-each-ref", "--format=%(objectname) %(refname)", *mine)
    lines = (line.partition(" ") for line in listed.text.splitlines())
    # Git also lists what lies below the branch's name, which somebody else has made.
    return {ref: commit for commit, _, ref in lines if ref.startswith(mine[0]) or ref == mine[1]}


async def holding(repository: Repository, *, run: str, head: str, landed: Mapping[str, int]) -> Holding:
    """`head`: the last commit that landed; `landed`: task to the attempt by which it did. Raises GitError."""
    git = repository.store
    found = await refs_of(git, run)
    there = await git.resolve(head)
    theirs = await _theirs(repository)
    alone = await _beyond(git, {*found.values(), *([there] if there else [])}, theirs)
    attempts = {task_dir(task): number for task, number in landed.items()}
    branch = f"{BRANCHES}{run}"
    work = []
    for ref, commit in found.items():
        name = ref.removeprefix(f"{refs.OURS}{run}/")
        if commit not in alone or name == "base" or _superseded(name, attempts):
            continue
        if ref == branch and there not in alone and await only_statuses(git, run, there or head, commit):
            continue
        work.append(ref)
    return Holding(
        refs=found,
        work=tuple(work),
        delivered=there is None or there not in alone,
        checked_out=branch in found and _is_in_use(repository.common, branch),
    )


def _superseded(name: str, landed: Mapping[str, int]) -> bool:
    """Whether it is an earlier attempt of a task that has landed. What was kept beside an attempt is another matter:
    files that set-up had put there, work in submodules."""
    found = _ATTEMPT.fullmatch(name)
    return found is not None and int(found["number"]) < landed.get(found["task"], 0)


async def _theirs(repository: Repository) -> list[str]:
    """The commits that the user's own branches are at. A detached HEAD keeps nothing: it is gone with a checkout."""
    listed = await repository.store.run("for-each-ref", "--format=%(objectname) %(refname)", "refs/heads")
    lines = (line.partition(" ") for line in listed.text.splitlines())
    return [commit for commit, _, ref in lines if not ref.startswith(BRANCHES)]


def _is_in_use(common: Path, branch: str) -> bool:
    """Whether it is checked out somewhere, or will be again when a rebase or a bisection is over."""
    if checkout(common, branch) is not None:
        return True
    names = {branch.encode(), branch.removeprefix("refs/heads/").encode()}
    for folder in (common, *common.glob("worktrees/*")):
        for state in ("rebase-merge/head-name", "rebase-apply/head-name", "rebase-merge/update-refs", "BISECT_START"):
            with contextlib.suppress(OSError):
                if names & set((folder / state).read_bytes().splitlines()):
                    return True
    return False


async def _beyond(git: Git, commits: set[str], theirs: list[str]) -> set[str]:
    """Every commit that these reach and the user's branches do not."""
    if not commits:
        return set()
    asked = "".join(f"{commit}\n" for commit in commits) + "".join(f"^{commit}\n" for commit in theirs)
    return set((await git.run("rev-list", "--stdin", input=asked.encode())).text.split())


async def runs_with_refs(git: Git) -> set[str]:
    """Every run that has a ref here, also those of other state folders."""
    listed = await git.run("for-each-ref", "--format=%(refname)", refs.OURS)
    return {ref.removeprefix(refs.OURS).partition("/")[0] for ref in listed.text.splitlines()}


async def drop(git: Git, found: Mapping[str, str]) -> None:
    """Delete the refs, all or none. One that has moved since is somebody's work, and stays. Raises GitError."""
    listed = await git.run("for-each-ref", "--format=%(objectname) %(refname)", refs.OURS, BRANCHES)
    there = {ref: commit for commit, _, ref in (line.partition(" ") for line in listed.text.splitlines())}
    lines = "".join(f"delete {ref} {commit}\n" for ref, commit in found.items() if there.get(ref) == commit)
    if lines:
        await git.run("update-ref", "-m", "stretto: cleaned up", "--stdin", input=lines.encode())


# --- worktrees ---------------------------------------------------------------------------------------------------


class Place(Value, frozen=True, kw_only=True):
    """A worktree of the pool. `why`: the reason it cannot be freed; empty when it can."""

    path: Path
    lease: Lease | None = None
    used_at: float = 0.0
    """When an attempt or a gate last got it, in seconds since the epoch."""
    why: str = ""


def places(pool: Pool) -> Iterator[Place]:
    """Every worktree that takes room, as it is at this moment; nothing is held or changed."""
    for path in _paths(pool):
        used_at = max(_changed(path.with_suffix(suffix)) for suffix in (".lease", ".index", ".lock"))
        lock = path.with_suffix(".lock")
        held = try_lock(lock) if lock.exists() else -1
        if held is None:
            yield Place(path=path, used_at=used_at, why="an attempt or a check works in it")
            continue
        try:
            place = Place(path=path, used_at=used_at, lease=Slot(path, held).lease)
        except WorkspaceError as error:
            place = Place(path=path, used_at=used_at, why=str(error))
        finally:
            if held >= 0:
                os.close(held)
        yield place


def _paths(pool: Pool) -> list[Path]:
    """Places with anything but a lock file, which stays for good."""
    found = {
        entry.parent / entry.name.partition(".")[0]
        for entry in pool.root.glob("*-*/*")
        if entry.name.partition(".")[0].isdigit() and entry.suffix != ".lock"
    }
    return sorted(found, key=lambda path: (path.parent.name, int(path.name)))


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


@said
async def precious(pool: Pool, path: Path) -> str:
    """Why a worktree without a lease must stay, looked at without holding it. Raises WorkspaceError or GitError."""
    return await leavings.precious(pool, Slot(path, -1))


@said
async def free(pool: Pool, path: Path, *, occupant: Callable[[Path], int | None]) -> str:
    """Remove a worktree and all that belongs to it; why it stays, or nothing. Half done, the pool makes it whole again.

    `occupant`: the pid of a process that is in a folder. Raises WorkspaceError."""
    lock = try_lock(path.with_suffix(".lock"))
    if lock is None:
        return "an attempt or a check works in it"
    slot = Slot(path, lock)
    try:
        if slot.lease is not None:
            return f"it holds work of {slot.lease.run}"
        if (pid := occupant(path)) is not None:
            return f"process {pid} is in it"
        if why := await leavings.precious(pool, slot):
            return why
        # Out of the pool in one step: of what is half removed nobody could tell any more whose it is.
        going = path.with_suffix(GOING)
        await asyncio.to_thread(remove, going)
        if os.path.lexists(path):
            path.rename(going)
        slot.fitting = None
        slot.index.unlink(missing_ok=True)
        async with locked(pool.root / "repository.lock"):  # git does not like worktrees to come and go at once
            for admin in _admins(pool, path):
                await asyncio.to_thread(remove, admin)
        for left in path.parent.glob(f"{path.name}.*"):
            if left.suffix != ".lock":
                await asyncio.to_thread(remove, left)
    finally:
        slot.release()
    return ""


def _admins(pool: Pool, path: Path) -> list[Path]:
    """Git's own folders of that worktree."""
    link = os.fsencode(path / ".git")
    found = []
    for gitdir in (pool.common / "worktrees").glob("*/gitdir"):
        with contextlib.suppress(OSError):
            if gitdir.read_bytes().removesuffix(b"\n") == link:
                found.append(gitdir.parent)
    return found


def unsaved_runs(pool: Pool) -> set[str]:
    """Runs of which worktrees hold what is in no ref yet."""
    runs = set()
    for slot in pool.leased():
        with contextlib.suppress(WorkspaceError):
            runs |= {lease.run} if (lease := slot.lease) is not None and lease.role == "agent" else set()
    return runs


@said
async def save_leases(pool: Pool, run: str) -> list[str]:
    """Bring to refs what worktrees still hold of a run that nobody works on; what could not be, and why."""
    unsaved = []
    for slot in pool.dead():
        lease = None
        try:
            with contextlib.suppress(WorkspaceError):  # one that cannot be read stays where it is, whosever it is
                lease = slot.lease
            if lease is not None and lease.run == run:
                await rescue(pool, slot, lease)
                if (left := slot.lease) is not None:
                    unsaved.append(f"{slot.path}: git cannot take {', '.join(left.held)}")
        except (WorkspaceError, GitError) as error:
            unsaved.append(f"{slot.path}: {error}")
        finally:
            slot.release()
    return unsaved
