"""The tree on disk as a commit, whatever was done to index, HEAD and branches of its worktree (R7.1).

Nothing of the worktree's own git state is read: the files are compared with an index that stretto wrote itself when it
handed the workspace out, in a copy that nobody else sees.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from stretto.errors import GitError
from stretto.model.plan import Value
from stretto.workspace import disk
from stretto.workspace.git import Git
from stretto.workspace.gitwords import is_of_the_disk
from stretto.workspace.sparse import VIEW, unseen

_RETRIES = 100
_SUBMODULE = (0o160000).to_bytes(4, "big")
"""The mode of a submodule, as every version of the index has it in an entry."""
_COLLAPSED = b"sdir"
"""Names the extension of an index that has folders in place of their entries."""
_GITLINK = re.compile(rb"(?:^|\0)160000 ([0-9a-f]+) 0\t([^\0]+)")


class Snapshot(Value, frozen=True, kw_only=True):
    """What a folder held. Paths are as `os.fsdecode` gives them."""

    tree: str | None
    """None when nothing differs from the index it was compared with."""
    dropped: tuple[str, ...] = ()
    """Differences that the caller did not want, and submodules at a commit that no remote knows."""
    unreadable: tuple[str, ...] = ()
    """Files that could not be taken, and git's words on folders that could not be read."""
    submodules: tuple[str, ...] = ()
    """Files of submodules that hold work which no remote knows, and files where one would be that is not there."""
    unseen: tuple[str, ...] = ()
    """Files that stand where a sparse checkout hid something."""
    differing: tuple[str, ...] = ()
    """All of these and what set-up put there: what `differing` says of the folder."""


async def take(
    git: Git, index: Path, *, ignoring: Sequence[str], wanted: Callable[[str], bool], put: Callable[[str], bool],
    keep: Sequence[str], blind: bool = False,
) -> Snapshot:  # fmt: skip
    """Write the tree of everything in `git`'s work tree that is not ignored and that set-up did not `put` there.

    `ignoring`: options of `ls-files` that say what is ignored.

    `index` describes the files as they were handed out, and is not changed. Differences for which `wanted` is false
    stay as the index has them. `keep`: pathspecs of ignored files that are taken all the same. `blind`: nobody has seen
    what a sparse checkout hides there, so nothing is taken in its place."""
    scratch = index.with_suffix(".scratch")
    with git.scratch(scratch) as own:
        # With its time stamp: git looks into files that are not older than their index, and must go on doing so.
        with disk.at(scratch):
            shutil.copy2(index, scratch)
        reply = await own.run("ls-files", "-z", "-o", "-d", "-m", "--deduplicate", *ignoring, options=VIEW)
        closed_folders = [line for line in reply.err.splitlines() if "could not open directory" in line]
        listed = reply.fields
        if keep:
            listed += (await own.run("ls-files", "-z", "-o", "--", *keep, globs=True)).fields
        files = await _expand(git, (path for path in dict.fromkeys(listed) if not put(path)), ignoring)
        # Before the index is told of the files: it still says which commit of a submodule was handed out.
        moved, inside = await _submodules(git, own, scratch, ignoring)
        apart = [path for path in inside if not put(path)]
        hidden = await unseen(own, files) if blind else []
        taken = [path for path in files if wanted(path) and path not in moved and path not in hidden]
        closed = await _update(own, taken) if taken else []
        fitted = await _expand(git, filter(put, dict.fromkeys(listed)), ignoring)
        return Snapshot(
            tree=await own.text("write-tree") if taken else None,
            dropped=tuple(path for path in files if path in moved or not wanted(path)),
            unreadable=(*closed, *closed_folders),
            submodules=tuple(apart),
            unseen=tuple(hidden),
            differing=(*files, *fitted, *inside, *closed_folders),
        )


async def differing(git: Git, index: Path, ignoring: Sequence[str]) -> list[str]:
    """Files of `git`'s work tree that are not as the index has them, and git's words on folders that it cannot read."""
    own = git.at(index=index)
    reply = await own.run("ls-files", "-z", "-o", "-m", "--deduplicate", *ignoring, options=VIEW)
    closed = [line for line in reply.err.splitlines() if "could not open directory" in line]
    _, apart = await _submodules(git, own, index, ignoring)
    return list(dict.fromkeys((*await _expand(git, reply.fields, ignoring), *apart, *closed)))


async def tree_of(git: Git, files: Sequence[str], *, scratch: Path) -> str:
    """The tree of just these files of `git`'s work tree."""
    with git.scratch(scratch) as own:
        await _update(own, files)
        return await own.text("write-tree")


async def _update(git: Git, files: Sequence[str]) -> list[str]:
    """Take the files, as they are or as gone, into the index; returns those that cannot be read or are refused."""
    closed = [path for path in files if _is_closed(git.cwd / path)]
    for _ in range(_RETRIES):
        left = set(closed)
        paths = b"".join(os.fsencode(path) + b"\0" for path in files if path not in left)
        try:
            reply = await git.run(
                "update-index", "-z", "--add", "--remove", "--replace", "--stdin", input=paths, options=VIEW
            )
        except GitError as error:
            named = error.stderr.rpartition("Unable to process path ")[2]
            failed = [path for path in files if path not in left and path == named]
            if not failed or is_of_the_disk(error.stderr):
                raise
            closed += failed
        else:
            return closed + (await _refused(git, [path for path in files if path not in left]) if reply.err else [])
    raise GitError(f"more than {_RETRIES} files cannot be read, {closed[0]} among them")


async def _refused(git: Git, files: Sequence[str]) -> list[str]:
    """Files that did not get into the index: git ignores names such as `git~1` and `.GIT/x`, and its status is 0."""
    there = set((await git.run("ls-files", "-z")).fields)
    return [path for path in files if path not in there and _can_be_taken(git.cwd / path)]


def _can_be_taken(path: Path) -> bool:
    return path.is_symlink() or path.is_file()


def _is_closed(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and not os.access(path, os.R_OK)


async def _expand(git: Git, listed: Iterable[str], ignoring: Sequence[str]) -> list[str]:
    """The paths, with every file of a nested repository, which git lists with a slash at its end, in its place."""
    files: list[str] = []
    for path in listed:
        files += await _nested(git, path, ignoring) if path.endswith("/") else [path]
    return files


async def _nested(git: Git, path: str, ignoring: Sequence[str]) -> list[str]:
    """Files of a nested repository that it does not ignore, asked of our own git: its settings are not trusted."""
    inner = git.at(work_tree=git.cwd / path, index=git.cwd / path / ".no-such-index")
    listed = (await inner.run("ls-files", "-z", "-o", *ignoring)).fields
    return await _expand(git, (path + name for name in listed), ignoring)


async def _submodules(git: Git, own: Git, index: Path, ignoring: Sequence[str]) -> tuple[list[str], list[str]]:
    """Populated submodules at a commit that no remote knows, and the files of those, of dirty ones and of folders that
    wait for a submodule: git sees neither.

    A gitlink to such a commit would lead nowhere: its objects are in this worktree's copy of the submodule alone."""
    moved: list[str] = []
    files: list[str] = []
    for path, recorded in await gitlinks(own, index):
        if not (git.cwd / path / ".git").exists():
            files += await _nested(git, f"{path}/", ignoring) if (git.cwd / path).is_dir() else []
            continue
        head = await _inner(git, path).resolve("HEAD")
        lasting = head == recorded or await _is_published(git, path)
        if not lasting:
            moved.append(path)
        if not (lasting and head and await is_clean(git, path, head)):
            files += dict.fromkeys((*await _tracked(git, path), *await _nested(git, f"{path}/", ignoring)))
    return moved, files


async def _tracked(git: Git, path: str) -> list[str]:
    """Files that a submodule tracks; its own rules may ignore some, which is no reason to lose them."""
    try:
        listed = (await _inner(git, path).run("ls-files", "-z")).fields
    except GitError:
        return []  # its index cannot be read; what lies in its folder is found all the same
    return [f"{path}/{name}" for name in listed if _can_be_taken(git.cwd / path / name)]


async def populated(git: Git, own: Git, index: Path) -> list[tuple[str, str]]:
    """(path, recorded commit) of each submodule with files in it. `own` is `git` with this index."""
    return [(path, commit) for path, commit in await gitlinks(own, index) if (git.cwd / path / ".git").exists()]


async def gitlinks(own: Git, index: Path) -> list[tuple[str, str]]:
    """(path, recorded commit) of each submodule that `own`'s index knows, whether `.gitmodules` names it or not.

    Most repositories have none, and the index says so at a glance; to list it takes ten times as long."""
    content = index.read_bytes() if index.exists() else b""
    if _SUBMODULE not in content and _COLLAPSED not in content:
        return []
    listed = (await own.run("ls-files", "-z", "-s")).out
    return [(os.fsdecode(path), commit.decode()) for commit, path in _GITLINK.findall(listed)]


async def is_clean(git: Git, path: str, recorded: str) -> bool:
    """Whether a submodule is at the recorded commit and holds nothing else."""
    inner = _inner(git, path)
    try:
        status = await inner.run("status", "--porcelain=v1", "-z", "--untracked-files=all")
        return not status.out and await inner.resolve("HEAD") == recorded
    except GitError:
        return False  # what cannot be read may be work


async def untracked(git: Git, path: str) -> list[str]:
    """What a submodule does not track, ignored or not, from the top of the work tree; whole folders in one."""
    listed = (await _inner(git, path).run("ls-files", "-z", "-o", "--directory")).fields
    return [f"{path}/{name}" for name in listed]


async def _is_published(git: Git, path: str) -> bool:
    """Whether the submodule's commit came from a remote, or went to one."""
    try:
        known = await _inner(git, path).run("for-each-ref", "--count=1", "--contains=HEAD", "refs/remotes")
        return bool(known.out)
    except GitError:
        return False


def _inner(git: Git, path: str) -> Git:
    return git.at(git_dir=git.cwd / path / ".git", work_tree=git.cwd / path)
