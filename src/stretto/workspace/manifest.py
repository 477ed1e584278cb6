"""What lies in a folder, as far as it may be somebody's work: a mark for each file, by which changes are seen (R10.3).

No git is needed. Nothing is written and no link is followed. What cannot be read is unknown: nobody has changed it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import msgspec

from stretto.analysis.globs import Glob, fold, holds, parse
from stretto.model.excerpt import is_text

PASSED_BY = frozenset({
    ".git", ".hg", ".svn", ".jj",
    "node_modules", ".venv", "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox", ".gradle",
})  # fmt: skip
"""Folders that hold no task's work, however they change: version control, and what tools fetch or keep for later."""
CONTENT = 1 << 18
"""Of files up to so many bytes the content counts, where a task claims them: written again as it was is no change."""


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """Changes when the file is likely to have changed. `digest` is empty where only the outside was looked at."""

    kind: int
    size: int
    mtime_ns: int
    inode: int
    digest: str = ""


Manifest = Mapping[str, Mark]
"""Path from the folder, with `/`, to its mark."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One look at a folder."""

    files: Manifest = {}
    unknown: frozenset[str] = frozenset()
    """Paths of folders and files that could not be read: what is there, and beneath, may be as before or not."""


class Scope:
    """The paths of some patterns, asked about often."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._globs: tuple[Glob, ...] = tuple(parse(pattern) for pattern in patterns)

    def __contains__(self, path: str) -> bool:
        folded = fold(path)
        return any(folded.startswith(glob.prefix) and holds(glob, folded) for glob in self._globs)


def look(root: Path, *, hidden: Collection[str] = ()) -> Seen:
    """Everything in the folder but what is passed by, and the `hidden`: paths below `root`, spelled with it.

    Raises OSError where the folder itself cannot be read, or is another one afterwards."""
    found: dict[str, Mark] = {}
    unknown: set[str] = set()
    top = len(str(root).rstrip("/")) + 1
    before = root.stat()
    waiting = _entries(str(root))
    while waiting:
        entry = waiting.pop()
        if entry.path in hidden or not is_text(entry.name):  # a name that nobody can write down
            continue
        try:
            if not entry.is_dir(follow_symlinks=False):
                found[entry.path[top:]] = _mark(entry.path)
            elif entry.name not in PASSED_BY:
                waiting += _entries(entry.path)
        except (FileNotFoundError, NotADirectoryError):  # gone meanwhile
            continue
        except OSError:
            unknown.add(entry.path[top:])
    if not os.path.samestat(before, root.stat()):  # what seemed to be gone may have been moved with it
        raise FileNotFoundError(errno.ENOENT, "another folder has taken its place", str(root))
    return Seen(files=found, unknown=frozenset(unknown))


def _entries(folder: str) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return list(entries)


def closer(root: Path, manifest: Manifest, scope: Scope) -> dict[str, Mark]:
    """Only what lies in the scope, with the content of what is small enough."""
    return {
        path: msgspec.structs.replace(mark, digest=_digest(root / path, mark))
        for path, mark in manifest.items()
        if path in scope
    }


def differing(before: Manifest, after: Manifest, *, unknown: Collection[str] = ()) -> list[str]:
    """Paths that are new, gone or changed, in order; nothing is said of those that are unknown, or beneath such."""
    changed = sorted(
        path
        for path in before.keys() | after.keys()
        if (was := before.get(path)) is None or (now := after.get(path)) is None or not _same(was, now)
    )
    if not unknown:
        return changed
    return [path for path in changed if not any(path == each or path.startswith(f"{each}/") for each in unknown)]


def _same(was: Mark, now: Mark) -> bool:
    if was.digest and now.digest:
        return was.kind == now.kind and was.digest == now.digest
    return (was.kind, was.size, was.mtime_ns, was.inode) == (now.kind, now.size, now.mtime_ns, now.inode)


def _mark(path: str) -> Mark:
    info = os.lstat(path)
    # Executable or not is part of what a file is, as it is to git.
    kind = stat.S_IFMT(info.st_mode) | (info.st_mode & stat.S_IXUSR)
    return Mark(kind=kind, size=info.st_size, mtime_ns=info.st_mtime_ns, inode=info.st_ino)


def _digest(path: Path, mark: Mark) -> str:
    try:
        if stat.S_ISLNK(mark.kind):
            return hashlib.sha256(os.fsencode(path.readlink())).hexdigest()
        if stat.S_ISREG(mark.kind) and mark.size <= CONTENT:
            return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        pass
    return ""
