"""What a running attempt has changed so far: its workspace, looked at without touching anything of it.

The files are read as `save` would read them, but into an index and a folder of objects that are gone afterwards.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from stretto.errors import WorkspaceError
from stretto.model.plan import Value
from stretto.workspace import disk, snapshot
from stretto.workspace.git import Git
from stretto.workspace.pool import Fitting, Lease, Pool, Slot
from stretto.workspace.saving import origin_of


class Glance(Value, frozen=True, kw_only=True):
    """`git` knows both, for as long as the block lasts."""

    git: Git
    base: str
    """The commit that the files grew from."""
    tree: str
    """The files as they are now."""


@contextlib.asynccontextmanager
async def glance(pool: Pool, *, run: str, task: str, attempt: int) -> AsyncIterator[Glance | None]:
    """The attempt's workspace as it is now; None when it has none: not yet, or no longer.

    Raises WorkspaceError or GitError when it went away while it was read."""
    with contextlib.ExitStack() as stack:
        yield await _look(pool, stack, *found) if (found := _find(pool, run, task, attempt)) else None


def _find(pool: Pool, run: str, task: str, attempt: int) -> tuple[Slot, Lease] | None:
    for slot in pool.leased():
        try:
            lease = slot.lease
        except WorkspaceError:
            continue  # it cannot be read; whoever cleans up will say so
        if lease is not None and (lease.run, lease.task, lease.attempt, lease.role) == (run, task, attempt, "agent"):
            return slot, lease
    return None


async def _look(pool: Pool, stack: contextlib.ExitStack, slot: Slot, lease: Lease) -> Glance:
    store = stack.enter_context(pool.store.looking(pool.common))
    index = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stretto-look-"))) / "index"
    git = store.at(git_dir=pool.common, work_tree=slot.path)
    if slot.index.exists():
        with disk.at(slot.index):
            shutil.copy2(slot.index, index)
    else:
        await git.at(index=index).run("read-tree", lease.base)
    fitting = slot.fitting or Fitting(commit=lease.base)
    taken = await snapshot.take(
        git, index, ignoring=pool.ignoring(lease.run), wanted=lambda path: path not in lease.plan_files,
        put=fitting.owns, keep=lease.keep, blind=pool.is_blind(slot, lease),
    )  # fmt: skip
    # Where nothing was done to the files, they are what it was given: its base, or work that was carried in.
    tree = taken.tree or await git.at(index=index).text("write-tree")
    return Glance(git=store, base=await origin_of(pool, git, slot, lease), tree=tree)
