"""What set-up's commands made, kept a second time beside the slot: everyone finds just that, and nobody else's (R5.2).

What an attempt or a gate adds to it, changes or removes is undone before the next one comes. Why a copy: to do set-up
anew instead would be right, too, but hardly anything leaves it alone (Python compiles into `.venv`, bundlers cache
into `node_modules`), so nearly every gate would install everything again; hard links do not guard against writing in
place. Each file is known by size, times and inode, its time of change among them, which nobody can set; so to look
costs a walk, and only what differs is copied back. Without room for a copy, or with very much to copy, there is none,
and set-up is done anew where something differs.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from stretto.errors import WorkspaceError
from stretto.workspace.environment import remove

LARGE = 2_000_000_000
"""Bytes that are not copied any more."""


class Spare:
    """Of the worktree at `slot`. Paths are as `os.fsdecode` gives them, from there."""

    def __init__(self, slot: Path, *, large: int = LARGE) -> None:
        self._slot, self._large = slot, large
        self._copy = slot.with_suffix(".spare")
        self._record = slot.with_suffix(".spare.json")

    def take(self, tops: Iterable[str]) -> None:
        """Remember these files and folders as they are now."""
        self._record.unlink(missing_ok=True)
        remove(self._copy)
        tops = list(tops)
        seen = _walk(self._slot, tops)
        if sum(info.st_size for info in seen.values() if stat.S_ISREG(info.st_mode)) <= self._large:
            try:
                _bring(seen, self._slot, self._copy)
            except OSError:
                remove(self._copy)
        self._write(tops, _marks(seen))

    def restore(self) -> bool:
        """Make everything as it was taken; False when that cannot be done, and set-up is owed again."""
        try:
            record = json.loads(self._record.read_bytes())
            tops, was = record["tops"], record["marks"]
            if any(_is_behind_link(self._slot, top) for top in tops):
                return False
            now = _marks(_walk(self._slot, tops))
            if now == was:
                return True
            for path in sorted(now.keys() - was.keys()):
                remove(self._slot / path)
            differing = [path for path in was if now.get(path) != was[path]]
            _bring({path: (self._copy / path).lstat() for path in differing}, self._copy, self._slot)
            self._write(tops, was | {path: _mark((self._slot / path).lstat()) for path in differing})
        except (OSError, WorkspaceError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return False  # gone, changed by hand, or damaged
        return True

    def _write(self, tops: list[str], marks: Mapping[str, str]) -> None:
        new = self._record.with_name(f"{self._record.name}.new")
        new.write_text(json.dumps({"tops": tops, "marks": marks}))  # escapes what is no UTF-8, as msgspec cannot
        new.replace(self._record)


def _walk(root: Path, tops: Iterable[str]) -> dict[str, os.stat_result]:
    """Everything at and below `tops`, folders before what is in them."""
    seen: dict[str, os.stat_result] = {}
    waiting = [top for top in tops if os.path.lexists(root / top)]
    while waiting:
        path = waiting.pop()
        place = f"{root}/{path}"  # there are many: to join them as Path objects takes longer than to look at them
        seen[path] = info = os.lstat(place)
        if stat.S_ISDIR(info.st_mode):
            with os.scandir(place) as entries:
                waiting += [f"{path}/{entry.name}" for entry in entries]
    return seen


def _is_behind_link(root: Path, path: str) -> bool:
    return any((root / parent).is_symlink() for parent in Path(path).parents)


def _marks(seen: Mapping[str, os.stat_result]) -> dict[str, str]:
    return {path: _mark(info) for path, info in seen.items()}


def _mark(info: os.stat_result) -> str:
    if stat.S_ISDIR(info.st_mode):
        return f"{info.st_mode:o}"  # its times change with what is in it, which has marks of its own
    return f"{info.st_mode:o}:{info.st_size}:{info.st_mtime_ns}:{info.st_ctime_ns}:{info.st_ino}"


def _bring(paths: Mapping[str, os.stat_result], source: Path, target: Path) -> None:
    """Copy what is there in `source`, with its times; pipes and sockets are left out."""
    folders = []
    for path, info in paths.items():
        place = target / path
        if stat.S_ISDIR(info.st_mode):
            if place.is_symlink() or not place.is_dir():
                remove(place)
                place.mkdir(parents=True)
            place.chmod(0o700)
            folders.append((place, info.st_mode))
            continue
        remove(place)
        place.parent.mkdir(parents=True, exist_ok=True)
        if stat.S_ISREG(info.st_mode) or stat.S_ISLNK(info.st_mode):
            shutil.copy2(source / path, place, follow_symlinks=False)
    for place, mode in reversed(folders):
        place.chmod(stat.S_IMODE(mode))
