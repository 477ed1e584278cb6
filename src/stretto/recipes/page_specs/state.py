"""`specs/.generation_state.json`: which pages are done, failed or unfinished, written whenever one of them ends."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from shlex import quote
from typing import Any, Final

from msgspec.structs import replace

from stretto.errors import PlanError
from stretto.model.plan import Value

FILE: Final = "specs/.generation_state.json"
MASTER_ID: Final = "master-spec"
"""The id of the master's task, which the file never calls completed. No page can be called so: they end in `Page`."""


class Progress(Value, frozen=True, kw_only=True):
    """Names of pages, and the master's id, each in one of the three at most."""

    completed: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()
    """To be written by a generation that has not got them to an end: what lies there may be half a file."""

    @property
    def doubtful(self) -> frozenset[str]:
        """Whose file does not count, whatever it holds."""
        return frozenset((*self.failed, *self.unfinished))

    def begin(self, names: Iterable[str]) -> Progress:
        """With pages that are to be written now."""
        wanted = tuple(dict.fromkeys(names))
        kept = self.without(wanted)
        return replace(kept, unfinished=(*kept.unfinished, *wanted))

    def after(self, ended: Mapping[str, bool]) -> Progress:
        """With pages that have ended since: True for one that succeeded."""
        known = {**dict.fromkeys(self.completed, True), **dict.fromkeys(self.failed, False), **ended}
        return Progress(
            completed=tuple(name for name, well in known.items() if well and name != MASTER_ID),
            failed=tuple(name for name, well in known.items() if not well),
            unfinished=tuple(name for name in self.unfinished if name not in ended),
        )

    def without(self, names: Iterable[str]) -> Progress:
        """As if these pages had never been tried."""
        gone = set(names)
        return Progress(
            completed=tuple(name for name in self.completed if name not in gone),
            failed=tuple(name for name in self.failed if name not in gone),
            unfinished=tuple(name for name in self.unfinished if name not in gone),
        )


def read_progress(folder: Path) -> Progress | None:
    """What the file says; None: there is none. Raises PlanError for one that is no such file."""
    path = folder / FILE
    try:
        return _progress(path.read_bytes(), str(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise PlanError(f"cannot read {path}: {error.strerror}") from error


def keeper(files: Mapping[str, bytes], statuses: Mapping[str, str]) -> dict[str, bytes]:
    """The port StatusKeeper: pages that have succeeded or failed go into the state file, where there is one."""
    ended = {name: status == "succeeded" for name, status in statuses.items() if status in ("succeeded", "failed")}
    written = {}
    for path, data in files.items():
        before = _progress(data, path)
        if (now := before.after(ended)) != before:
            written[path] = _text(now, time.time()).encode()
    return written


def write_progress(folder: Path, progress: Progress, *, now: float | None = None) -> None:
    """Whole or not at all: a temporary file, then a rename. Raises OSError."""
    path = folder / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    _clear(path)
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(_text(progress, time.time() if now is None else now))
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)


def _clear(path: Path) -> None:
    """Remove drafts of that file whose writers were killed."""
    for draft in path.parent.glob(f"{path.name}.*.tmp"):
        writer = draft.name.removeprefix(f"{path.name}.").removesuffix(".tmp")
        if writer.isdecimal() and len(writer) < 10 and not _lives(int(writer)):
            draft.unlink(missing_ok=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return pid > 0


def _progress(data: bytes, path: str) -> Progress:
    try:
        said = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise PlanError(f"cannot read {path}: {error}", hint=f"remove it: rm {quote(path)}") from error
    if not isinstance(said, dict):
        raise PlanError(f"{path} is no state of a generation: it holds no object", hint=f"remove it: rm {quote(path)}")
    completed, failed, unfinished = (_names(said.get(key)) for key in ("completed", "failed", "unfinished"))
    completed = tuple(name for name in completed if name not in unfinished)
    failed = tuple(name for name in failed if name not in completed)
    return Progress(
        completed=completed, failed=failed, unfinished=tuple(name for name in unfinished if name not in failed)
    )


def _text(progress: Progress, now: float) -> str:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
    said: dict[str, Any] = {
        "timestamp": stamp,
        "completed": list(progress.completed),
        "failed": list(progress.failed),
    }
    if progress.unfinished:
        said["unfinished"] = list(progress.unfinished)
    return json.dumps(said, indent=2, ensure_ascii=False) + "\n"


def _names(said: Any) -> tuple[str, ...]:
    """Names, or records of pages: both have been written."""
    found = []
    for one in said if isinstance(said, list) else ():
        name = (one.get("page") or one.get("name")) if isinstance(one, dict) else one
        found += [name] if isinstance(name, str) and name else []
    return tuple(dict.fromkeys(found))
