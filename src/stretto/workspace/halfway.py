"""Files of a landing that did not get to its end: known again, taken back, or taken as landed (R6.3).

Git moves a work tree file by file. When it gives up in between (a full disk, a filter that fails) what it has written
stays, while the branch and the index are as before; when it is killed, the next landing finds that.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path

from stretto.model.plan import Value
from stretto.workspace.git import Git

_NOTHING = "000000"
_LINK = "120000"
_MODULE = "160000"
_Entry = tuple[str, str]


class Edit(Value, frozen=True, kw_only=True):
    """What a landing does to one path: mode and object before and after; mode 000000 where there is none."""

    before: _Entry
    after: _Entry

    @property
    def adds(self) -> bool:
        return self.before[0] == _NOTHING

    @property
    def removes(self) -> bool:
        return self.after[0] == _NOTHING


class Crossing:
    """The way of a work tree from one commit to another. Make one with `crossing`."""

    def __init__(self, git: Git, goal: Git, old: str, new: str, edits: Mapping[str, Edit]) -> None:
        self._git, self._goal = git, goal
        self.old, self.new = old, new
        self.edits = edits
        """By path."""

    async def arrived(self, paths: Iterable[str]) -> list[str]:
        """Those of the paths that are as they will be: in the work tree, and in the index unless that is as it was."""
        staged = await _staged(self._git)
        differing = set((await self._goal.run("ls-files", "-z", "-m")).fields)
        return [path for path in paths if self._is_there(path, differing) and self._is_known(path, staged)]

    async def accept(self, paths: Iterable[str]) -> None:
        """Tell the user's index of files that have arrived: git then takes them for landed."""
        await self._git.run("update-index", "-z", "--add", "--remove", "--stdin", input=_names(paths))

    async def unstaged(self, paths: Iterable[str]) -> list[str]:
        """Those of the paths that the user's index has as the old or the new commit, whatever their files say."""
        staged = await _staged(self._git)
        return [path for path in paths if self._is_known(path, staged)]

    async def pass_over(self, paths: Iterable[str]) -> None:
        """Tell the user's index that these have arrived: git then leaves their files as they are."""
        await self._index({path: self.edits[path].after for path in paths})

    async def pass_back(self, paths: Iterable[str]) -> None:
        """The index as it was before `pass_over`."""
        await self._index({path: self.edits[path].before for path in paths})

    async def _index(self, entries: Mapping[str, _Entry]) -> None:
        told = "".join(f"{' '.join(entry)}\t{path}\0" for path, entry in entries.items())
        if told:
            await self._git.run("update-index", "-z", "--index-info", input=told.encode("utf-8", "surrogateescape"))

    async def take_back(self, accepted: Iterable[str]) -> None:
        """Undo what git has done to files that were untouched before it began, as far as that is git's for certain.

        Raises GitError and OSError where it is not possible."""
        kept = set(accepted)
        ours = {path: edit for path, edit in self.edits.items() if path not in kept}
        staged = await _staged(self._git)
        if any(staged.get(path) == edit.after for path, edit in ours.items()):  # only the branch has not moved
            await self._git.run("read-tree", "-m", "-u", self.new, self.old)
            return
        whole = set(await self.arrived(ours))
        begun = [path for path in ours if path in whole or await self._is_cut_off(path)]
        for path in begun:  # first what makes room
            if ours[path].adds:
                (self._git.cwd / path).unlink()
                _remove_empty(self._git.cwd, path, staged)
        again = [path for path in begun if not ours[path].adds]
        await self._git.run("checkout-index", "-z", "--force", "--stdin", input=_names(again))
        await self.pass_back(kept)

    def _is_there(self, path: str, differing: set[str]) -> bool:
        edit = self.edits[path]
        if edit.removes:
            return not os.path.lexists(self._git.cwd / path)
        return edit.after[0] != _MODULE and path not in differing

    def _is_known(self, path: str, staged: Mapping[str, _Entry]) -> bool:
        edit = self.edits[path]
        known = {None if mode == _NOTHING else (mode, oid) for mode, oid in (edit.before, edit.after)}
        return staged.get(path) in known

    async def _is_cut_off(self, path: str) -> bool:
        """Whether the file is gone to make place for the new one, or holds the beginning of that."""
        edit, place = self.edits[path], self._git.cwd / path
        if not os.path.lexists(place):
            return not edit.adds
        if edit.removes or edit.after[0] in (_LINK, _MODULE) or place.is_symlink() or not place.is_file():
            return False
        coming = await self._git.run("cat-file", "--filters", f"{self.new}:{path}", ok=(0, 128))
        return coming.code == 0 and coming.out.startswith(place.read_bytes())


@contextlib.asynccontextmanager
async def crossing(git: Git, old: str, new: str, *, scratch: Path) -> AsyncIterator[Crossing]:
    """From one commit to the other in `git`'s work tree. What has to be written to know it is written now, to
    `scratch`: when a disk is full it is too late for that."""
    fields = (await git.run("diff-tree", "-r", "-z", "--raw", "--no-renames", old, new)).fields
    edits = {}
    for head, path in zip(fields[::2], fields[1::2], strict=True):
        before_mode, after_mode, before, after, _ = head.removeprefix(":").split(" ")
        edits[path] = Edit(before=(before_mode, before), after=(after_mode, after))
    entries = "".join(f"{' '.join(edit.after)}\t{path}\0" for path, edit in edits.items() if not edit.removes)
    with git.scratch(scratch) as goal:
        await goal.run("update-index", "-z", "--index-info", input=entries.encode("utf-8", "surrogateescape"))
        yield Crossing(git, goal, old, new, edits)


def _names(paths: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(path) + b"\0" for path in paths)


async def _staged(git: Git) -> dict[str, _Entry]:
    entries = (entry.partition("\t") for entry in (await git.run("ls-files", "-z", "--stage")).fields)
    heads = ((path, head.split(" ")) for head, _, path in entries)
    return {path: (mode, oid) for path, (mode, oid, _) in heads}


def _remove_empty(root: Path, path: str, staged: Iterable[str]) -> None:
    """Remove the folders above a file that was removed, up to one that is not empty or that holds something tracked."""
    with contextlib.suppress(OSError):
        for parent in Path(path).parents:
            if str(parent) == "." or any(known.startswith(f"{parent}/") for known in staged):
                return
            (root / parent).rmdir()
