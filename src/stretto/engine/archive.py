"""A run in one file, to be sent to somebody: everything in its folder but secrets, with a manifest and hashes.

It may be at work meanwhile: the journal is copied as of one moment, and each file as long as it was when it was opened.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import stat
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

import msgspec
from msgspec.structs import replace

from stretto import __version__
from stretto.engine.disk import explained
from stretto.engine.home import Launch, RunHome
from stretto.model.plan import Value
from stretto.model.redaction import aliases, redacted, without

SPOOL = 8_000_000
"""Bytes of a file that are kept in memory while it is copied; what is larger goes by way of the disk."""
_OURS = frozenset({"journal.sqlite3", "journal.sqlite3-wal", "journal.sqlite3-shm", "launch.json", "lock", "PAUSE"})
"""Files that are not taken as they are."""


class Member(Value, frozen=True, kw_only=True):
    """A file in the archive."""

    path: str
    size: int
    sha256: str


class LeftOut(Value, frozen=True, kw_only=True):
    """What is not in it."""

    what: str
    why: str


class Manifest(Value, frozen=True, kw_only=True):
    """What is in an archive, and what is not; its last member."""

    schema_version: int = 1
    stretto: str = __version__
    run: str
    made_at: float
    """Seconds since the epoch."""
    events: int
    """How many events its journal has."""
    at_work: bool
    """An engine was at work on the run."""
    base: str
    """The commit that the bundle of refs stands on: whoever unpacks it needs a clone that has it."""
    files: tuple[Member, ...]
    left_out: tuple[LeftOut, ...]


class Archive:
    """A tar file that is being written; every member lies below a folder named after the run."""

    def __init__(self, path: Path, run: str) -> None:
        self._tar = tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT, compresslevel=6)  # noqa: SIM115  `__exit__`
        self._run = run
        self.files: list[Member] = []
        self.left_out: list[LeftOut] = []

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tar.close()

    def put(self, name: str, data: bytes) -> None:
        self._add(name, io.BytesIO(data), len(data), hashlib.sha256(data).hexdigest(), time.time())

    def take(self, name: str, path: Path) -> None:
        """Copy a file as it is now; one that is gone, or is none, is left out."""
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        except OSError as error:  # an agent may have put a link there, to anything
            self.leave(name, error.strerror or str(error))
            return
        with open(handle, "rb") as source, tempfile.SpooledTemporaryFile(SPOOL) as copy:
            info = os.fstat(handle)
            if not stat.S_ISREG(info.st_mode):
                self.leave(name, "it is no regular file")
                return
            digest, size = hashlib.sha256(), 0
            while size < info.st_size and (piece := source.read(min(1 << 20, info.st_size - size))):
                digest.update(piece)
                copy.write(piece)
                size += len(piece)
            copy.seek(0)
            self._add(name, copy, size, digest.hexdigest(), info.st_mtime)

    def leave(self, what: str, why: str) -> None:
        self.left_out.append(LeftOut(what=what, why=why))

    def _add(self, name: str, data: IO[bytes], size: int, sha256: str, mtime: float) -> None:
        member = tarfile.TarInfo(f"{self._run}/{name}")
        member.size, member.mtime, member.mode = size, int(mtime), 0o644
        self._tar.addfile(member, data)
        self.files.append(Member(path=_printable(name), size=size, sha256=sha256))


def fill(archive: Archive, home: RunHome, *, logs: bool) -> None:
    """All files of a run but its journal, and its launch settings without any value of a variable."""
    launch = home.launch()
    archive.put("launch.json", msgspec.json.format(msgspec.json.encode(public(launch))))
    archive.leave("values of environment variables", "they may be secrets; launch.json has their names")
    archive.leave("what looks like a secret in the commands of agents", "there is … in its place; also in the plan")
    if not logs:
        archive.leave("*.log", "--no-logs")
    for path in _files(home.path):
        name = path.relative_to(home.path).as_posix()
        if name in _OURS or (not logs and path.suffix == ".log"):
            continue
        with explained("read the run's files", path):
            if name == home.plan().relative_to(home.path).as_posix() and not path.is_symlink():
                archive.put(name, without(path.read_bytes(), _commands(launch)))
            else:
                archive.take(name, path)


def public(launch: Launch) -> Launch:
    """How a run was started, as others may see it."""
    shown = aliases((*launch.agents, launch.agent))
    return replace(launch, agents=redacted(launch.agents), agent=shown.get(launch.agent, launch.agent))


def _commands(launch: Launch) -> Iterator[str]:
    for name, spec in launch.agents.items():
        yield from (text for text in (name, spec.command) if text)


def _files(folder: Path) -> Iterator[Path]:
    """Everything below a folder but folders, in order; no link is followed."""
    with contextlib.suppress(FileNotFoundError):
        for entry in sorted(folder.iterdir()):
            if entry.is_dir() and not entry.is_symlink():
                yield from _files(entry)
            else:
                yield entry


def _printable(name: str) -> str:
    return os.fsencode(name).decode(errors="backslashreplace")
