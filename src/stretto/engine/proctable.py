"""The machine's process table: who lives, in which session, below whom, with which environment.

`HERE` is the one of this machine. Linux reads /proc raw (a few milliseconds for a few hundred processes); elsewhere
`engine/portable.py` asks psutil. Every process is told from a later one with the same pid by its start time, and only
signalled after that was checked.
"""

from __future__ import annotations

import functools
import os
import signal as signals
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

_TICKS = os.sysconf("SC_CLK_TCK")
_READ = 1 << 20


class Seen(NamedTuple):
    """A living process at the moment of a look; zombies are not listed."""

    pid: int
    start: int
    """Start time, in a unit of the table's own; with the pid and the boot id it names one process for ever."""
    parent: int
    session: int
    cpu_s: float
    """Its own processor time and that of its children whose end it has seen."""


class Table(Protocol):
    """What a machine tells of its processes. What it does not tell is empty, and never an error."""

    leashes: bool
    """Whether the kernel can end a process group when a pipe loses its writer."""

    def look(self) -> dict[int, Seen]:
        """Every living process by pid. Processes that come or go meanwhile may or may not be there."""

    def examine(self, pid: int) -> Seen | None:
        """One process; None when it is gone or a zombie."""

    def start_of(self, pid: int) -> int | None:
        """Start time of a process, also of a zombie where that can be told; None when there is none."""

    def environment(self, pid: int) -> Iterable[bytes]:
        """`NAME=value` of each variable it was started with; empty for other users' processes."""

    def command_line(self, pid: int) -> list[str]:
        """The arguments it was started with; empty for what is gone."""

    def opened(self, pid: int, handle: int) -> str:
        """What the process has under that number, as the kernel names it: a path, `pipe:[inode]`…; "" for nothing."""

    def places(self, pid: int) -> Iterator[str]:
        """The folder it is in, then all that it has open; nothing of other users' processes."""

    def children(self, pid: int) -> list[int] | None:
        """Pids of a single-threaded process's children, adopted ones too; None where the kernel does not tell."""

    def send(self, seen: Seen, signal: signals.Signals) -> bool:
        """Signal exactly this process. False when it is gone, or is not ours to signal."""

    def boot_id(self) -> str:
        """Names this boot of the machine: start times of different boots do not compare."""

    def is_own(self, pid: int) -> bool:
        """Whether this user runs it."""


class Proc:
    """The table of a Linux machine, from /proc."""

    leashes = True

    def look(self) -> dict[int, Seen]:
        table = {}
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit() and (seen := self.examine(int(folder.name))) is not None:
                table[seen.pid] = seen
        return table

    def examine(self, pid: int) -> Seen | None:
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

    def start_of(self, pid: int) -> int | None:
        fields = _stat(pid)
        return int(fields[19]) if len(fields) >= 20 else None

    def environment(self, pid: int) -> Iterable[bytes]:
        return _read(f"/proc/{pid}/environ").split(b"\0")

    def command_line(self, pid: int) -> list[str]:
        return [os.fsdecode(word) for word in _read(f"/proc/{pid}/cmdline").split(b"\0")]

    def opened(self, pid: int, handle: int) -> str:
        return _link(f"/proc/{pid}/fd/{handle}")

    def places(self, pid: int) -> Iterator[str]:
        yield _link(f"/proc/{pid}/cwd")
        try:
            handles = list(Path(f"/proc/{pid}/fd").iterdir())
        except OSError:
            return
        yield from map(_link, handles)

    def children(self, pid: int) -> list[int] | None:
        try:
            return [int(child) for child in _raw(f"/proc/{pid}/task/{pid}/children").split()]
        except OSError:
            return None

    def send(self, seen: Seen, signal: signals.Signals) -> bool:
        try:
            handle = os.pidfd_open(seen.pid)
        except AttributeError:  # a Python without it
            return send_checked(self, seen, signal)
        except OSError:
            return False
        try:
            if (now := self.examine(seen.pid)) is None or now.start != seen.start:
                return False
            signals.pidfd_send_signal(handle, signal)
        except (ProcessLookupError, PermissionError):
            return False
        finally:
            os.close(handle)
        return True

    @functools.cache  # noqa: B019  there is one table, and one boot
    def boot_id(self) -> str:
        return _read("/proc/sys/kernel/random/boot_id").decode().strip()

    def is_own(self, pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}").stat().st_uid == os.getuid()
        except OSError:
            return False


def send_checked(table: Table, seen: Seen, signal: signals.Signals) -> bool:
    """`Table.send` where nothing holds a process that is looked at: in between another one may take its pid."""
    try:
        if (now := table.examine(seen.pid)) is None or now.start != seen.start:
            return False
        os.kill(seen.pid, signal)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def table_of(platform: str) -> Table:
    """The one for machines of that kind."""
    if platform == "linux":
        return Proc()
    from stretto.engine.portable import Portable

    return Portable()


HERE: Table = table_of(sys.platform)


def occupants(table: Table = HERE) -> dict[str, int]:
    """Every place that some process of this user is in or has open, to the pid of one of them, as far as is told."""
    found: dict[str, int] = {}
    for pid in table.look():
        if table.is_own(pid):
            found |= dict.fromkeys(table.places(pid), pid)
    return found


def ancestors(table: Table, pid: int) -> set[int]:
    """The process and all above it."""
    line = {pid}
    while (seen := table.examine(pid)) is not None and seen.parent not in line:
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
