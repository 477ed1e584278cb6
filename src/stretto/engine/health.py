"""A look at the state folder and at the machine's processes, for `stretto doctor`. Changes nothing."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from stretto.engine.home import file_system, refuse_network, state_dir
from stretto.engine.proctable import HERE
from stretto.errors import StateError
from stretto.model.health import Area, Observation, Verdict

ROOM = 1 << 30
"""Less free space than this, in bytes, is told."""
NO_ROOM = 64 << 20
"""With less than this no run should begin."""
FEW = 10_000
"""Fewer files than this may be made: told."""
HANDLES = 1024
"""Fewer open files than this are allowed to a process: told."""
_FLEETING = ("tmpfs", "ramfs")


def state_folder(
    environ: Mapping[str, str],
    *,
    work_tree: Path | None = None,
    mounts: str | None = None,
    room: Callable[[Path], os.statvfs_result] = os.statvfs,
    may: Callable[[Path, int], bool] = os.access,
) -> Iterator[Observation]:
    """Whether state can live where it would: place, file system, leave to write, room.

    `work_tree` is the user's; `mounts`, `room` and `may` are how the system is asked."""
    try:
        folder = state_dir(environ)
    except StateError as error:
        yield _state("folder", str(error), "problem", mend=error.hint)
        return
    there = next(parent for parent in (folder, *folder.parents) if os.path.lexists(parent))
    yield _state("folder", str(folder) + ("" if there == folder else " (made by the first run)"))
    if not there.is_dir():
        yield _state("folder", f"{there} is no folder", "problem", follows="no run can begin", mend=_ELSEWHERE)
        return
    if not may(there, os.W_OK | os.X_OK):
        yield _state(
            "folder",
            f"{there} may not be written",
            "problem",
            follows="no run can begin or go on",
            mend=f"make it writable for you, or {_ELSEWHERE}",
        )
    if work_tree is not None and folder.is_relative_to(work_tree):
        yield _state(
            "folder",
            "it lies inside the work tree",
            "warning",
            follows="worktrees of tasks stand among your files, and tools that search them find everything twice",
            mend=_ELSEWHERE,
        )
    yield from _disk(there, mounts, room(there))


def _disk(folder: Path, mounts: str | None, disk: os.statvfs_result) -> Iterator[Observation]:
    kind = file_system(folder, mounts)
    try:
        refuse_network(folder, mounts)
    except StateError as error:
        yield _state("file system", str(error), "problem", follows="no run can begin", mend=error.hint)
    if kind in _FLEETING:
        yield _state(
            "file system",
            f"{kind} is kept in memory",
            "warning",
            follows="runs are gone after a restart",
            mend=_ELSEWHERE,
        )
    if disk.f_flag & os.ST_RDONLY:
        yield _state("file system", "it is mounted read-only", "problem", follows="no run can begin", mend=_ELSEWHERE)
    free = disk.f_bavail * disk.f_frsize
    told = f"{free / 2**30:.1f} GB free" if free >= ROOM else f"{free // 2**20} MB free"
    if free >= ROOM:
        yield _state("room", told)
    else:
        verdict: Verdict = "problem" if free < NO_ROOM else "warning"
        yield _state("room", told, verdict, follows="every task at work needs a worktree of its own", mend=_CLEAN)
    if disk.f_files and disk.f_favail < FEW:
        yield _state("room", f"{disk.f_favail} more files may be made there", "warning", mend=_CLEAN)


_ELSEWHERE = "set STRETTO_STATE_DIR to a folder on a local disk, outside of the repository"
_CLEAN = "free some space there, or set STRETTO_STATE_DIR to a folder on another disk"


def processes(platform: str = sys.platform) -> Iterator[Observation]:
    """Whether commands can be ended for certain, also after a crash (docs/decisions/0002)."""
    if platform == "darwin":
        yield _machine(
            "processes",
            "macOS",
            "warning",
            follows="what an agent has put into the background lives on after a kill -9 of its run, until the next "
            "`resume` or `stop` finds it by its session or environment",
        )
        return
    if platform != "linux":
        yield _machine("processes", f"{platform} is not supported", "problem", mend="Linux or macOS; on Windows, WSL")
        return
    me = os.getpid()
    if HERE.examine(me) is None or not list(HERE.environment(me)):
        yield _machine(
            "processes",
            "/proc does not show this process",
            "problem",
            follows="what agents leave behind is not found",
            mend="mount /proc",
        )
    elif HERE.children(me) is None:
        yield _machine(
            "processes", "this kernel does not list children", "warning", follows="the end of a command takes longer"
        )
    elif not hasattr(fcntl, "F_SETSIG"):
        yield _machine(
            "processes",
            "this Python cannot tie commands to the engine (F_SETSIG)",
            "warning",
            follows="after a kill -9 agents live on until the next `resume` or `stop`",
        )
    else:
        yield _machine("processes", "commands die with their engine; strays are found in /proc")
    yield from _handles()


def _handles() -> Iterator[Observation]:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < HANDLES:
        most = "" if hard == resource.RLIM_INFINITY else f" (at most {hard})"
        yield _machine(
            "open files",
            f"{soft} are allowed to a process",
            "warning",
            follows="many tasks at once may run out of them",
            mend=f"ulimit -n {HANDLES}{most}",
        )


def _state(about: str, told: str, verdict: Verdict = "ok", *, follows: str = "", mend: str = "") -> Observation:
    return _seen("state", about, told, verdict, follows, mend)


def _machine(about: str, told: str, verdict: Verdict = "ok", *, follows: str = "", mend: str = "") -> Observation:
    return _seen("machine", about, told, verdict, follows, mend)


def _seen(area: Area, about: str, told: str, verdict: Verdict, follows: str, mend: str) -> Observation:
    return Observation(area=area, about=about, told=told, verdict=verdict, follows=follows, mend=mend)
