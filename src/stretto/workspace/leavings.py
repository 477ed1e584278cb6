"""What lies in a worktree that nobody holds, told apart from what somebody has put there since (R7.3)."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from stretto.errors import GitError
from stretto.workspace import environment, snapshot
from stretto.workspace.git import shown
from stretto.workspace.pool import Left, Pool, Slot

SHOWN = 3
"""So many files are named where one has to be shown."""
_BRANCH = b"ref: refs/heads/"


async def remember(pool: Pool, slot: Slot) -> None:
    """All that was in it when it was saved may go; without that, all that is in it now. Where git cannot say what that
    is, only what git has."""
    stamps: dict[str, str] = {}
    with contextlib.suppress(GitError):
        stamps = _stamps(slot, await _differing(pool, slot) if slot.saved is None else slot.saved)
    slot.left = Left(stamps=stamps)


async def precious(pool: Pool, slot: Slot) -> str:
    """Why the worktree, which has no lease, must stay; empty when nothing in it is anybody's. Raises GitError."""
    if (branch := _branch_of(slot.path)) is not None:
        made = "" if _is_ours(slot.path) else "it was not made by stretto, and "
        return f"{made}the branch {branch} is checked out in it: {slot.path}"
    return await stray(pool, slot)


async def stray(pool: Pool, slot: Slot) -> str:
    """The same for who wants to use it and not to remove it: agents leave branches checked out, which harms nothing."""
    if not os.path.lexists(slot.path):
        return ""
    if not _is_ours(slot.path):
        bare = slot.path.is_dir() and {entry.name for entry in slot.path.iterdir()} <= {".git"}
        return "" if bare else f"it was not made by stretto: {slot.path}"
    left = slot.left.stamps
    now = _stamps(slot, await _differing(pool, slot))
    new = [path for path, stamp in now.items() if left.get(path) != stamp]
    if not new:
        return ""
    more = f" and {len(new) - SHOWN} more" if len(new) > SHOWN else ""
    return f"somebody has put into it what is in no ref: {', '.join(new[:SHOWN])}{more}, in {slot.path}"


async def _differing(pool: Pool, slot: Slot) -> Sequence[str]:
    if not slot.path.is_dir():
        return ()
    git = pool.store.at(git_dir=pool.common, work_tree=slot.path)
    return await snapshot.differing(git, slot.index, ("--exclude-standard",))


def _stamps(slot: Slot, differing: Sequence[str]) -> dict[str, str]:
    """Of every file that is not as it was handed out. One that is gone holds nothing."""
    found = list(differing)
    if (fitting := slot.fitting) is not None:
        found += environment.changed(fitting.stamps, fitting.tops, slot.path)
    return {
        shown(path): environment.stamp(slot.path / path)
        for path in found
        if os.path.lexists(slot.path / path) or "could not open directory" in path
    }


def _is_ours(path: Path) -> bool:
    """Whether the pool has made the worktree; its `.git` may be broken, as an agent may leave it."""
    pointer = path.with_suffix(".git")
    return pointer.is_file() and not path.is_symlink() and path.is_dir()


def _branch_of(path: Path) -> str | None:
    """The branch that is checked out there."""
    with contextlib.suppress(OSError):
        admin = Path(os.fsdecode((path / ".git").read_bytes().removeprefix(b"gitdir: ").removesuffix(b"\n")))
        head = (admin / "HEAD").read_bytes().strip()
        if head.startswith(_BRANCH):
            return shown(os.fsdecode(head.removeprefix(_BRANCH)))
    return None
