"""What a worktree holds, brought to safety: an attempt's commit on the attempt's ref (R7.1)."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from stretto.errors import GitError
from stretto.ports import Saved
from stretto.workspace import environment, leavings, refs, snapshot
from stretto.workspace.disk import said
from stretto.workspace.git import Git, shown
from stretto.workspace.landing import UNRESOLVED
from stretto.workspace.pool import Fitting, Lease, Pool, Slot

LOCKFILES = (
    "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb", "poetry.lock",
    "uv.lock", "pdm.lock", "Pipfile.lock", "requirements*.txt", "Cargo.lock", "go.sum", "Gemfile.lock",
    "composer.lock", "mix.lock", "packages.lock.json", "gradle.lockfile", "flake.lock",
)  # fmt: skip
"""Where they differ, what set-up installed is stale."""
_LOCKFILE = re.compile("|".join(re.escape(name).replace(r"\*", "[^/]*") for name in LOCKFILES))
_MARKER = re.compile(rb"^(<{7} |>{7} )", re.MULTILINE)


@said
async def rescue(pool: Pool, slot: Slot, lease: Lease) -> str | None:
    """Save a dead engine's work and free the slot of it; the commit, or None where there was nothing to save.

    The lease stays when some of the work could not be saved."""
    commit = None
    if lease.role == "agent" and slot.path.is_dir():
        message = f"{lease.task}#{lease.attempt}: saved after its engine died\n\nStretto-Run: {lease.run}\n"
        commit = (await save(pool, slot, lease, message)).commit
    await free(pool, slot)
    return commit


async def free(pool: Pool, slot: Slot) -> None:
    """Let the next one clean the slot, unless it holds what could not be saved (R7.3)."""
    lease = slot.lease
    if lease is not None and not lease.held:
        await leavings.remember(pool, slot)
        slot.lease = None


@said
async def save(pool: Pool, slot: Slot, lease: Lease, message: str) -> Saved:
    """Commit the slot's files as the lease's attempt, on its base, or on the older commit that it went back to."""
    fitting = slot.fitting or Fitting(commit=lease.base)
    git = pool.store.at(git_dir=pool.common, work_tree=slot.path)
    if not slot.index.exists():
        await git.at(index=slot.index).run("read-tree", lease.base)
    try:
        taken, tree = await _taken(pool, git, slot, lease, fitting)
    except GitError:
        if not lease.carried:
            raise
        # What was carried in is in no commit yet, and a `git gc` may have taken it: everything from the files, then.
        await git.at(index=slot.index).run("read-tree", lease.base)
        taken, tree = await _taken(pool, git, slot, lease, fitting)
    slot.saved = taken.differing
    origin = await origin_of(pool, git, slot, lease)
    base = (await git.commits((origin,)))[origin]
    commit: str | None = None
    paths: list[str] = []
    if tree is not None and tree != base.tree:
        text = _with_unresolved(message, slot.path, lease.conflicted)
        commit = await _keep(git, refs.attempt(lease.run, lease.task, lease.attempt), tree, origin, text)
        paths = await _changed(git, base.tree, tree)
    apart = [*environment.changed(fitting.stamps, fitting.tops, slot.path), *taken.submodules, *taken.unseen]
    if apart:
        tree = await snapshot.tree_of(git, apart, scratch=slot.index.with_suffix(".scratch"))
        await _keep(git, refs.copied(lease.run, lease.task, lease.attempt), tree, lease.base, f"{message}\n")
    if any(_LOCKFILE.fullmatch(path.rpartition("/")[2]) for path in paths):
        slot.fitting = None  # the attempt may have installed what its lock file says
    if taken.unreadable or lease.held:
        slot.lease = msgspec.structs.replace(lease, held=tuple(map(shown, taken.unreadable)))
    kept = (f"{path} (git cannot take it; kept in {slot.path})" for path in taken.unreadable)
    hidden = {path: f"{path} (its folder is hidden by the sparse checkout)" for path in taken.unseen}
    dropped = (*taken.dropped, *(hidden.get(path, path) for path in apart), *kept)
    return Saved(commit=commit, paths=tuple(map(shown, paths)), dropped=tuple(map(shown, dropped)))


async def _taken(
    pool: Pool, git: Git, slot: Slot, lease: Lease, fitting: Fitting
) -> tuple[snapshot.Snapshot, str | None]:
    """What the slot's files are, and the tree of them; None when nothing was done to the base."""
    taken = await snapshot.take(
        git, slot.index, ignoring=pool.ignoring(lease.run), wanted=lambda path: path not in lease.plan_files,
        put=fitting.owns, keep=lease.keep, blind=pool.is_blind(slot, lease),
    )  # fmt: skip
    if taken.tree is None and lease.carried:
        return taken, await pool.git(slot).text("write-tree")
    return taken, taken.tree


async def origin_of(pool: Pool, git: Git, slot: Slot, lease: Lease) -> str:
    """The commit that the files grew from. Not the lease's base where the agent has left its branch for an older one:
    what that lacks would read as deleted, and with it the work of everybody who landed since."""
    head = await pool.head(slot)
    if head is None or await git.is_ancestor(lease.base, head):
        return lease.base
    common = await git.run("merge-base", lease.base, head, ok=(0, 1))
    return common.text or lease.base


async def _keep(git: Git, ref: str, tree: str, base: str, message: str) -> str:
    """The commit of this tree on a ref that did not exist before, or that holds the same already."""
    commit = None
    for number in itertools.count(1):
        place = ref if number == 1 else f"{ref}+{number}"
        there = await git.resolve(place)
        if there is not None:
            known = (await git.commits((there,)))[there]
            if (known.tree, known.parents) == (tree, (base,)):
                return there
        else:
            commit = commit or await git.commit_tree(tree, (base,), message)
            try:
                await git.run("update-ref", place, commit, "")
            except GitError:
                if await git.resolve(place) is None:
                    raise  # nobody else was faster
            else:
                return commit
    raise AssertionError("unreachable")


async def _changed(git: Git, old: str, new: str) -> list[str]:
    return (await git.run("diff-tree", "-r", "-z", "--name-only", "--no-renames", old, new)).fields


def _with_unresolved(message: str, folder: Path, conflicted: Iterable[str]) -> str:
    """The message, with the files named that still hold the conflict markers they were handed out with."""
    left = [path for path in conflicted if _has_marker(folder / path)]
    return f"{message.rstrip()}\n" + (f"\n{UNRESOLVED}: {json.dumps(left)}\n" if left else "")


def _has_marker(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and _MARKER.search(path.read_bytes()) is not None
