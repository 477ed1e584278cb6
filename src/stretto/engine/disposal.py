"""Removing what a run left in the state folder. A kill half way harms nothing, and doing it again finishes it (R7.3).

A run goes in one step: its folder is renamed, and with that the run is no more. Which refs of it are still to be
deleted stands in a file in it, until they are; then the folder is removed.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from stretto.engine.disk import explained
from stretto.engine.home import RepositoryHome, RunHome, write_whole
from stretto.engine.lock import RunLock
from stretto.engine.reader import SqliteReader
from stretto.model.run import undump

GONE = ".gone-"
DRAFT = ".new-"
STAYS = frozenset({
    "journal.sqlite3", "journal.sqlite3-wal", "journal.sqlite3-shm", "launch.json", "lock", "plan", "context.json",
})  # fmt: skip
"""What says which tasks of a plan are done, and how long they took; the rest is room."""
_REFS = "refs.json"


def bury(home: RunHome, refs: Mapping[str, str]) -> Path:
    """From here on there is no such run; the folder in which its remains are. Raises StateError."""
    write_whole(home.path / _REFS, msgspec.json.encode(refs))
    grave = home.path.with_name(f"{GONE}{home.run}")
    with explained("remove the run's folder", home.path):
        home.path.rename(grave)
    return grave


def graves(runs: RepositoryHome) -> list[Path]:
    """Remains of runs whose removal was interrupted."""
    return sorted((runs.path / "runs").glob(f"{GONE}*"))


def drafts(runs: RepositoryHome) -> list[Path]:
    """Runs that were killed while they were being written down, or that are just being: ask under `begin.lock`."""
    return sorted((runs.path / "runs").glob(f"{DRAFT}*"))


def owed(grave: Path) -> Mapping[str, str]:
    """The refs that are still to be deleted, each with the commit that it had; none where that is unknown."""
    try:
        return undump((grave / _REFS).read_bytes(), msgspec.json.Decoder(dict[str, str]))
    except (OSError, msgspec.DecodeError):
        return {}


def is_begun(home: RunHome) -> bool:
    """Whether an engine has ever taken it up. Raises StateError."""
    return any(recorded.seq > 1 for recorded in SqliteReader(home).events())


def withdraw(home: RunHome) -> None:
    """Remove a run that works in the folder itself, unless an engine has taken it up. Raises StateError."""
    with RunLock(home.lock):
        if not is_begun(home):
            remove(bury(home, {}))


def remove(folder: Path) -> None:
    """Raises StateError."""
    with explained("remove the folder", folder):
        shutil.rmtree(folder)


def room(home: RunHome) -> list[Path]:
    """What of a run is only room."""
    with explained("look at the run's folder", home.path):
        return sorted(path for path in home.path.iterdir() if path.name not in STAYS)


def thin(home: RunHome) -> None:
    """Remove that. Raises StateError."""
    for path in room(home):
        with explained("remove", path):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
