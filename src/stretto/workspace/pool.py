"""The pool of worktrees: kept warm, outside the repository, shared by every run of it on this machine.

<root>/<key>/<n>/           a worktree, detached
<root>/<key>/<n>.lock       flock: whoever holds it has the worktree; its death frees it
<root>/<key>/<n>.lease      whose work is in it; written before an agent sees it, gone when that work is safe
<root>/<key>/<n>.index      stretto's own index of it, which no agent touches
<root>/<key>/<n>.fitting    what set-up put into it
<root>/<key>/<n>.left       what its last holder left in it
<root>/<key>/<n>.git        where git keeps its administrative folder; without it the place is none of the pool's
<root>/<key>/<n>.spare      what its commands made, a second time
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from stretto.errors import GitError, WorkspaceError
from stretto.model.plan import Setup, Value
from stretto.model.run import dump, undump
from stretto.workspace import disk
from stretto.workspace.environment import prune, prune_below, remove
from stretto.workspace.git import Git, shown
from stretto.workspace.locks import locked, try_lock
from stretto.workspace.snapshot import gitlinks, is_clean, untracked
from stretto.workspace.sparse import View, seen, show

Role = Literal["agent", "gate"]
_ADMIN_KEPT = {"gitdir", "commondir", "HEAD", "index", "logs", "modules", "config.worktree", "info", "locked"}
_STANDARD = ("--exclude-standard",)
_V = TypeVar("_V", bound=Value)


class Lease(Value, frozen=True, kw_only=True):
    """Whose work is in a worktree, and all that is needed to save it when its engine is dead."""

    run: str
    task: str
    attempt: int
    base: str
    role: Role
    plan_files: tuple[str, ...] = ()
    """The plan's own files: what an agent does to them is not taken along (R6.4)."""
    keep: tuple[str, ...] = ()
    carried: bool = False
    """The files differ from `base` by work that was carried in."""
    conflicted: tuple[str, ...] = ()
    """Files that were handed out with conflict markers in them."""
    view: str = ""
    """Names what of its files it showed, where a sparse checkout hid some."""
    held: tuple[str, ...] = ()
    """Files of it that could not be saved; while one is there, nobody gets the worktree (R7.3)."""


class Fitting(Value, frozen=True, kw_only=True):
    """What set-up put into a worktree."""

    commit: str
    """Where its commands ran."""
    tops: tuple[str, ...] = ()
    """Paths copied or linked."""
    stamps: Mapping[str, str] = {}
    """Each file copied or linked, and each unignored one that the commands made."""
    made: tuple[str, ...] = ()
    """Untracked files and folders that the commands made, ignored or not."""
    filled: tuple[str, ...] = ()
    """Submodules that the commands filled."""

    @property
    def kept(self) -> tuple[str, ...]:
        """What outlives a cleaning of the worktree; `Spare` then looks after what the commands made."""
        return (*self.tops, *self.made)

    def owns(self, path: str) -> bool:
        """Whether the path was put there, or lies in a folder that was copied."""
        path = shown(path.rstrip("/"))
        return path in self.stamps or any(path == top or path.startswith(f"{top}/") for top in self.tops)


class Left(Value, frozen=True, kw_only=True):
    """What an attempt or a check left in a worktree: nobody's, for what is worth keeping of it is in a ref."""

    stamps: Mapping[str, str] = {}
    """Each file that differs from what was handed out."""


class Slot:
    """One place in the pool, held by this process until `release`."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock
        self.index = path.with_suffix(".index")
        self.log = path.with_suffix(".setup.log")
        self._lease = path.with_suffix(".lease")
        self._fitting = path.with_suffix(".fitting")
        self._left = path.with_suffix(".left")
        self.saved: Sequence[str] | None = None
        """What differed from what was handed out when its work was saved; None where nothing was."""

    @property
    def lease(self) -> Lease | None:
        return _read(self._lease, Lease)

    @lease.setter
    def lease(self, value: Lease | None) -> None:
        _write(self._lease, value)

    @property
    def fitting(self) -> Fitting | None:
        """None: set-up has never finished here, or is owed again."""
        return _read(self._fitting, Fitting)

    @fitting.setter
    def fitting(self, value: Fitting | None) -> None:
        _write(self._fitting, value)

    @property
    def left(self) -> Left:
        return _read(self._left, Left) or Left()

    @left.setter
    def left(self, value: Left) -> None:
        _write(self._left, value)

    def release(self) -> None:
        os.close(self._lock)


class Pool:
    """Worktrees of one repository. `store` is its git, working on the shared folder `common`."""

    def __init__(self, root: Path, store: Git, common: Path, view: View | None = None) -> None:
        self.root, self.store, self.common = root, store, common
        self.view = view or View()
        """What a worktree shows when it is handed out."""

    def free(self, key: str) -> Iterator[Slot]:
        """Slots that nobody holds, each locked for the caller as it comes; the last one is new."""
        for number in itertools.count(1):
            path = self.root / key / str(number)
            lock = try_lock(path.with_suffix(".lock"))
            if lock is not None:
                yield Slot(path, lock)

    def dead(self) -> Iterator[Slot]:
        """Slots with a lease whose holder is gone, each locked for the caller as it comes."""
        for record in sorted(self.root.glob("*/*.lease")):
            lock = try_lock(record.with_suffix(".lock"))
            if lock is not None:
                yield Slot(record.with_suffix(""), lock)

    def leased(self) -> Iterator[Slot]:
        """Every slot with a lease, whoever holds it: to be looked at, and neither changed nor released."""
        for record in sorted(self.root.glob("*/*.lease")):
            yield Slot(record.with_suffix(""), -1)

    def git(self, slot: Slot) -> Git:
        """Git on the slot's files and stretto's own index of them, whatever has become of the worktree's `.git`."""
        return self.store.at(git_dir=self.common, work_tree=slot.path, index=slot.index)

    async def read(self, slot: Slot, tree: str) -> None:
        """Make the tracked files of a slot that nobody has worked in yet those of `tree`, as far as it shows them."""
        own = self.store.at(git_dir=self._admin(slot), work_tree=slot.path, index=slot.index)
        await own.run("read-tree", "--reset", "-u", tree)

    def is_blind(self, slot: Slot, lease: Lease) -> bool:
        """Whether something is hidden there, and whoever worked there has left it so."""
        try:
            return bool(lease.view) and seen(self._admin(slot)).mark == lease.view
        except OSError:
            return bool(lease.view)

    def _admin(self, slot: Slot) -> Path:
        return Path(os.fsdecode(slot.path.with_suffix(".git").read_bytes()))

    def ignoring(self, run: str) -> tuple[str, ...]:
        """Options of `ls-files`: ignore what commits and the rules at the run's start say, not what an agent adds."""
        rules = self._rules(run)
        return ("--exclude-per-directory=.gitignore", f"--exclude-from={rules}") if rules.exists() else _STANDARD

    def remember_ignores(self, run: str, sources: Iterable[Path]) -> None:
        """Keep the rules of what to ignore that lie in no commit, as they are when a run starts."""
        rules = self._rules(run)
        if not rules.exists():
            new = rules.with_name(f"{rules.name}.{os.getpid()}")
            with disk.at(new):
                new.write_bytes(b"\n".join(content_of(source) for source in sources))
                new.replace(rules)

    def forget_ignores(self, run: str) -> None:
        """The run is gone for good."""
        self._rules(run).unlink(missing_ok=True)

    def _rules(self, run: str) -> Path:
        return self.root / f"ignore-{hashlib.sha256(run.encode()).hexdigest()[:12]}"

    async def reset(self, slot: Slot, base: str, *, fitting: Fitting | None) -> None:
        """Make the slot's files those of `base`, all else gone but the `fitting`, and its worktree detached there.

        Nothing in it is worth keeping when this is called."""
        admin = await self._worktree(slot, base)
        show(self.view, admin)
        slot.index.with_suffix(".index.lock").unlink(missing_ok=True)
        git = self.git(slot)
        kept = fitting.kept if fitting else ()
        # First what git does not know: a folder that became a link would hide the files behind it from read-tree.
        for path in (await git.run("ls-files", "-z", "-o", "--directory")).fields:
            prune(path, slot.path, kept)
        try:
            await self.read(slot, base)
        except GitError:
            slot.index.unlink(missing_ok=True)
            await self.read(slot, base)
        await self._clean_submodules(slot, fitting or Fitting(commit=base))
        await self._detach(slot, admin, base)

    async def _clean_submodules(self, slot: Slot, fitting: Fitting) -> None:
        """Submodules that set-up did not fill, or that are not as `base` wants them: empty; of the latter set-up owed
        again."""
        plain = self.store.at(git_dir=self.common, work_tree=slot.path)
        for path, recorded in await gitlinks(self.git(slot), slot.index):
            if not (slot.path / path / ".git").exists():
                prune_below(path, slot.path, fitting.kept)
                continue
            filled = shown(path) in fitting.filled
            if filled and await is_clean(plain, path, recorded):
                for name in await untracked(plain, path):
                    prune(name, slot.path, fitting.kept)
                continue
            remove(slot.path / path)
            (slot.path / path).mkdir()
            if filled:
                slot.fitting = None

    async def _detach(self, slot: Slot, admin: Path, base: str) -> None:
        """What the agent sees: its own index, a detached HEAD, nothing half done."""
        for entry in admin.iterdir():
            if entry.name not in _ADMIN_KEPT:
                remove(entry)
        _copy(slot.index, admin / "index")
        own = self.store.at(git_dir=admin, work_tree=slot.path)
        await own.run("update-ref", "--no-deref", "HEAD", base)

    async def head(self, slot: Slot) -> str | None:
        """The commit that the agent's own HEAD is at; None where it has broken its worktree."""
        try:
            return await self.store.at(git_dir=self._admin(slot), work_tree=slot.path).resolve("HEAD")
        except (OSError, GitError):
            return None

    async def unstage(self, slot: Slot, base: str) -> None:
        """Show what differs from `base` as the agent's own uncommitted work."""
        admin = await self._worktree(slot, base)
        _copy(slot.index, admin / "index")
        await self.store.at(git_dir=admin, work_tree=slot.path).run("read-tree", "-m", base)

    async def _worktree(self, slot: Slot, base: str) -> Path:
        """The slot's administrative folder in the repository; the worktree is made, or made whole, first."""
        link = slot.path / ".git"
        pointer = slot.path.with_suffix(".git")
        with contextlib.suppress(OSError):
            admin = self._admin(slot)
            if slot.path.is_dir() and (admin / "commondir").is_file() and _points_to(admin / "gitdir", link):
                if link.is_symlink() or not link.is_file() or link.read_bytes() != _link_to(admin):
                    remove(link)
                    link.write_bytes(_link_to(admin))
                return admin
        # Two at a time on one repository fail now and then. Forced twice: one that was killed halfway left a lock.
        async with locked(self.root / "repository.lock"):
            if os.path.lexists(slot.path):
                remove(slot.path)
            slot.index.unlink(missing_ok=True)
            slot.fitting = None
            await self.store.run(
                "worktree", "add", "--force", "--force", "--detach", "--no-checkout", str(slot.path), base
            )
        admin = Path(os.fsdecode(link.read_bytes().removeprefix(b"gitdir: ").removesuffix(b"\n")))
        pointer.write_bytes(os.fsencode(admin))
        return admin


def key_of(setup: Setup, role: Role) -> str:
    """The pool that a workspace comes from: one for each set-up and role."""
    return f"{role}-{hashlib.sha256(dump(setup)).hexdigest()[:12]}"


def _link_to(admin: Path) -> bytes:
    return b"gitdir: " + os.fsencode(admin) + b"\n"


def _points_to(gitdir: Path, link: Path) -> bool:
    return os.fsdecode(gitdir.read_bytes().removesuffix(b"\n")) == str(link)


def content_of(path: Path) -> bytes:
    """What a file holds; nothing when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _copy(source: Path, target: Path) -> None:
    remove(target)
    shutil.copy2(source, target)


def _read(path: Path, kind: type[_V]) -> _V | None:
    try:
        return undump(path.read_bytes(), msgspec.json.Decoder(kind))
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise WorkspaceError(
            f"{path} cannot be read: {error}", hint="save what is in the folder beside it, then remove it"
        ) from error


def _write(path: Path, value: Value | None) -> None:
    with disk.at(path):
        if value is None:
            path.unlink(missing_ok=True)
            return
        new = path.with_name(f"{path.name}.new")
        with open(new, "wb") as file:
            file.write(dump(value))
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
