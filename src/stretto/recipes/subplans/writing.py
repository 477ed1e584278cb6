"""Papers on the disk: made whole or not at all, never over another file, and taken back when one of them fails."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import tempfile
import time
from collections.abc import Collection
from pathlib import Path

_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS)
"""What a file system says that has no hard links."""
_OURS, _THEIRS = ".stretto-", ".stretto-theirs-"
"""How drafts are called whose words can be made again, and those that may be the last to have somebody's."""
_DRAFT = re.compile(r"\.stretto-[a-z0-9_]{8}\.tmp")
"""Of the first kind."""
_LEFT_S = 60.0
"""A draft lives for a moment: who was to give it its name has died, if it is older than this."""


class Writing:
    """The files and folders that one batch makes below `home`; whatever was there stays as it is."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._made: dict[str, tuple[int, int, int]] = {}
        """Path to what tells whether it is still the file that was made."""
        self._folders: list[Path] = []
        self._cleared: set[Path] = set()
        self._replaced: dict[str, tuple[bytes, bytes]] = {}
        self.aside: Path | None = None
        """Where what is taken back is moved to; None: it is removed. Set where somebody else may have written it: an
        agent and a person who write at the same time cannot be told apart."""

    @property
    def created(self) -> tuple[str, ...]:
        return (*self._made, *self._replaced)

    def create(self, path: str, text: str) -> bool:
        """False where something of that name is there, also a link to nowhere. Raises OSError."""
        target = self._home / path
        self.make_folder(path)
        draft = _draft(target, text.encode())
        try:
            _link(draft, target)
        except FileExistsError:
            return False
        finally:
            draft.unlink(missing_ok=True)
        self.note(path)
        return True

    def note(self, path: str, before: bytes | None = None) -> None:
        """That this batch has made a file, whoever wrote it; `before`: what stood there, and was written over."""
        if before is None:
            self._made[path] = _mark(self._home / path)
        else:
            self._replaced[path] = (before, (self._home / path).read_bytes())

    def bring_back(self, path: str, before: bytes) -> None:
        """What stood there before somebody removed it; nothing that is there by now is written over. Raises OSError."""
        target = self._home / path
        draft = _draft(target, before, prefix=_THEIRS)
        try:
            with contextlib.suppress(FileExistsError):
                _link(draft, target)
        finally:
            draft.unlink(missing_ok=True)

    def replace(self, path: str, before: bytes, text: str) -> bool:
        """Write over a file that says `before`; False where it says something else by now. Raises OSError."""
        target = Path(os.path.realpath(self._home / path))
        self._clear(target.parent)
        draft = _draft(target, text.encode())
        try:
            if target.read_bytes() != before:
                return False
            draft.chmod(target.stat().st_mode & 0o777)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
        self._replaced[path] = (before, text.encode())
        return True

    def roll_back(self, only: Collection[str] | None = None) -> tuple[str, ...]:
        """Remove what was made and is still as it was made, and bring back what was replaced; the paths.

        `only` these; else everything, folders among it. With `aside` it is moved there, and nothing is removed."""
        gone = []
        made = {path: mark for path, mark in self._made.items() if only is None or path in only}
        replaced = {path: texts for path, texts in self._replaced.items() if only is None or path in only}
        for path, mark in reversed(made.items()):
            with contextlib.suppress(OSError):
                if _mark(self._home / path) == mark:
                    self._take(self._home / path, path)
                    gone.append(path)
        for path, (before, after) in reversed(replaced.items()):
            with contextlib.suppress(OSError):
                target = Path(os.path.realpath(self._home / path))
                if target.read_bytes() == after:
                    mode = target.stat().st_mode & 0o777
                    if self.aside is None:
                        draft = _draft(target, before, prefix=_THEIRS)
                        draft.chmod(mode)
                        draft.replace(target)
                    else:
                        self._take(target, path)
                        self.bring_back(os.path.relpath(target, self._home), before)
                        target.chmod(mode)
                    gone.append(path)
        for folder in reversed(self._folders):
            with contextlib.suppress(OSError):  # it has other papers
                folder.rmdir()
        for path in (*made, *replaced):
            self._made.pop(path, None)
            self._replaced.pop(path, None)
        return tuple(reversed(gone))

    def _take(self, target: Path, path: str) -> None:
        """Out of its place. Raises OSError, and leaves it there."""
        if self.aside is None:
            target.unlink()
            return
        place = self.aside / path
        place.parent.mkdir(parents=True, exist_ok=True)
        moving = _draft(target, b"", prefix=_THEIRS)
        target.replace(moving)  # at once: who writes from now on begins a file of his own
        try:
            shutil.move(moving, place)
        except OSError:
            with contextlib.suppress(FileExistsError):
                _link(moving, target)
                moving.unlink()
            raise

    def make_folder(self, path: str) -> None:
        """That of a file to be. Raises OSError."""
        folder, missing = (self._home / path).parent, []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for one in reversed(missing):
            with contextlib.suppress(FileExistsError):
                one.mkdir()
                self._folders.append(one)
        self._clear((self._home / path).parent)

    def _clear(self, folder: Path) -> None:
        """Remove drafts that a batch which was killed has left there."""
        if folder in self._cleared:
            return
        self._cleared.add(folder)
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if _DRAFT.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                    with contextlib.suppress(OSError):  # another one clears, too
                        if time.time() - entry.stat(follow_symlinks=False).st_mtime > _LEFT_S:
                            Path(entry.path).unlink()


def _draft(target: Path, data: bytes, *, prefix: str = _OURS) -> Path:
    """A whole file beside the target, under a name that is no paper's."""
    handle, name = tempfile.mkstemp(prefix=prefix, suffix=".tmp", dir=target.parent)
    draft = Path(name)
    try:
        with open(handle, "wb") as file:
            os.fchmod(handle, 0o644)
            file.write(data)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return draft


def _link(draft: Path, target: Path) -> None:
    """Give the draft its name. Raises FileExistsError where that is taken."""
    try:
        os.link(draft, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        with open(handle, "wb") as file:
            file.write(draft.read_bytes())


def _mark(path: Path) -> tuple[int, int, int]:
    status = path.stat(follow_symlinks=False)
    return status.st_ino, status.st_size, status.st_mtime_ns
