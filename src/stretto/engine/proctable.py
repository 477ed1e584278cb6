"""The machine's process table, read raw: who lives, in which session, below whom, with which environment.

Linux reads /proc (a few milliseconds for a few hundred processes). Elsewhere psutil answers; that half is untested.
Every process is told from a later one with the same pid by its start time, and only signalled after that was checked.
"""

from __future__ import annotations

import functools
import os
import signal as signals
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

LINUX = sys.platform == "linux"
_TICKS = os.sysconf("SC_CLK_TCK")
_READ = 1 << 20


class Seen(NamedTuple):
    """A living process at the moment of a look; zombies are not listed."""

    pid: int
    start: int
    """Start time, in clock ticks since boot; with the pid and the boot id it names one process for ever."""
    parent: int
    session: int
    cpu_s: float
    """Its own processor time and that of its children whose end it has seen."""


def look() -> dict[int, Seen]:
    """Every living process by pid. Processes that come or go meanwhile may or may not be there."""
    if not LINUX:
        return _look_elsewhere()
    table = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (seen := examine(int(folder.name))) is not None:
            table[seen.pid] = seen
    return table


def examine(pid: int) -> Seen | None:
    """One process; None when it is gone or a zombie."""
    if not LINUX:
        return _examine_elsewhere(pid)
    fields = _stat(pid)
    if len(fields) < 20 or fields[0] in (b"Z", b"X"):
        return None
    return Seen(
        pid=pid,
        start=int(fields[19]),
        parent=int(fields[1]),
        session=int(fields[3]),
        cpu_s=sum(map(int, fields[11:15])) / _TICKS,
    )


def start_of(pid: int) -> int | None:
    """Start time of a process, also of a zombie; None when there is none."""
    if not LINUX:
        return seen.start if (seen := _examine_elsewhere(pid)) else None
    fields = _stat(pid)
    return int(fields[19]) if len(fields) >= 20 else None


def environment(pid: int) -> Iterable[bytes]:
    """`NAME=value` of each variable it was started with; empty for other users' processes."""
    if not LINUX:
        return _environment_elsewhere(pid)
    return _read(f"/proc/{pid}/environ").split(b"\0")


def command_line(pid: int) -> list[str]:
    """The arguments it was started with; empty off Linux and for what is gone."""
    return [os.fsdecode(word) for word in _read(f"/proc/{pid}/cmdline").split(b"\0")]


def opened(pid: int, handle: int) -> str:
    """What the process has under that number, as the kernel names it: a path, `pipe:[inode]`…; "" for nothing."""
    return _link(f"/proc/{pid}/fd/{handle}")


def places(pid: int) -> Iterator[str]:
    """The folder it is in, then all that it has open; nothing off Linux and for other users' processes."""
    yield _link(f"/proc/{pid}/cwd")
    try:
        handles = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return
    yield from map(_link, handles)


def occupants() -> dict[str, int]:
    """Every place that some process of this user is in or has open, to the pid of one of them; Linux alone knows."""
    found: dict[str, int] = {}
    if LINUX:
        for pid in look():
            if is_own(pid):
                found |= dict.fromkeys(places(pid), pid)
    return found


def children(pid: int) -> list[int] | None:
    """Pids of a single-threaded process's children, adopted ones too; None where the kernel does not tell."""
    try:
        return [int(child) for child in _raw(f"/proc/{pid}/task/{pid}/children").split()]
    except OSError:
        return None


def ancestors(pid: int) -> set[int]:
    """The process and all above it."""
    line = {pid}
    while (seen := examine(pid)) is not None and seen.parent not in line:
        pid = seen.parent
        line.add(pid)
    return line


def below(table: Mapping[int, Seen], roots: Iterable[int]) -> set[int]:
    """The roots and everything that descends from them."""
    offspring: dict[int, list[int]] = {}
    for seen in table.values():
        offspring.setdefault(seen.parent, []).append(seen.pid)
    found: set[int] = set()
    queue = list(roots)
    while queue:
        pid = queue.pop()
        if pid not in found:
            found.add(pid)
            queue.extend(offspring.get(pid, ()))
    return found


def send(seen: Seen, signal: signals.Signals) -> bool:
    """Signal exactly this process. False when it is gone, or is not ours to signal."""
    try:
        if not LINUX or not hasattr(os, "pidfd_open"):
            if (now := examine(seen.pid)) is None or now.start != seen.start:
                return False
            os.kill(seen.pid, signal)
            return True
        handle = os.pidfd_open(seen.pid)
        try:
            if (now := examine(seen.pid)) is None or now.start != seen.start:
                return False
            signals.pidfd_send_signal(handle, signal)
            return True
        finally:
            os.close(handle)
    except (ProcessLookupError, PermissionError):
        return False


@functools.cache
def boot_id() -> str:
    """Names this boot of the machine: start times of different boots do not compare."""
    if LINUX:
        return _read("/proc/sys/kernel/random/boot_id").decode().strip()
    import psutil

    return str(int(psutil.boot_time()))


def is_own(pid: int) -> bool:
    """Whether this user runs it."""
    if not LINUX:
        return True  # others' environments cannot be read there anyway
    try:
        return Path(f"/proc/{pid}").stat().st_uid == os.getuid()
    except OSError:
        return False


def pause(attempt: int) -> float:
    """Seconds to let pass before look number `attempt`, counting from 0: 5 ms at first, 0.2 s at most."""
    return min(0.005 * 2.0**attempt, 0.2)


def _stat(pid: int) -> list[bytes]:
    """Fields of its `stat`, from the state on; empty when it is gone."""
    stat = _read(f"/proc/{pid}/stat")
    return stat[stat.rfind(b")") + 2 :].split()  # the name before it may hold anything


def _raw(path: str) -> bytes:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = os.read(handle, _READ)
        while chunk := os.read(handle, _READ):  # the kernel may hand out a page at a time
            data += chunk
        return data
    finally:
        os.close(handle)


def _read(path: str) -> bytes:
    """What the file holds; nothing when the process is gone or not ours."""
    try:
        return _raw(path)
    except OSError:
        return b""


def _link(path: str | Path) -> str:
    try:
        return str(Path(path).readlink())
    except OSError:
        return ""


def _look_elsewhere() -> dict[int, Seen]:
    import psutil

    return {pid: seen for pid in psutil.pids() if (seen := _examine_elsewhere(pid)) is not None}


def _examine_elsewhere(pid: int) -> Seen | None:
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        spent = process.cpu_times()
        return Seen(
            pid=pid,
            start=int(process.create_time() * 1000),
            parent=process.ppid(),
            session=os.getsid(pid),
            cpu_s=spent.user + spent.system + spent.children_user + spent.children_system,
        )
    except (psutil.Error, OSError):
        return None


def _environment_elsewhere(pid: int) -> Iterable[bytes]:
    import psutil

    try:
        return [f"{name}={value}".encode() for name, value in psutil.Process(pid).environ().items()]
    except (psutil.Error, OSError):
        return []
