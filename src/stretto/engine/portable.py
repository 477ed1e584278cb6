"""The process table where there is no /proc, asked of psutil: macOS, and Linux in a test.

It tells less: no pipe by its name, no children that were adopted, no signal that cannot meet another process of the
same pid. Nothing of it has been run on a Mac.
"""

from __future__ import annotations

import functools
import os
import signal as signals
import subprocess
import sys
from collections.abc import Iterable, Iterator

import psutil

from stretto.engine.proctable import Seen, send_checked

_GONE = (psutil.Error, OSError)


class Portable:
    """The port `Table` by psutil. Start times are in milliseconds since 1970."""

    leashes = False

    def look(self) -> dict[int, Seen]:
        return {pid: seen for pid in psutil.pids() if (seen := self.examine(pid)) is not None}

    def examine(self, pid: int) -> Seen | None:
        try:
            process = psutil.Process(pid)
            with process.oneshot():
                if process.status() == psutil.STATUS_ZOMBIE:
                    return None
                session = os.getsid(pid)
                return Seen(pid=pid, start=_ms(process), parent=process.ppid(), session=session, cpu_s=_cpu_s(process))
        except _GONE:
            return None

    def start_of(self, pid: int) -> int | None:
        try:
            return _ms(psutil.Process(pid))
        except _GONE:
            return None

    def environment(self, pid: int) -> Iterable[bytes]:
        try:
            return [os.fsencode(f"{name}={value}") for name, value in psutil.Process(pid).environ().items()]
        except _GONE:
            return []

    def command_line(self, pid: int) -> list[str]:
        try:
            return list(psutil.Process(pid).cmdline())
        except _GONE:
            return []

    def opened(self, pid: int, handle: int) -> str:
        return ""

    def places(self, pid: int) -> Iterator[str]:
        try:
            process = psutil.Process(pid)
            yield process.cwd()
            yield from (file.path for file in process.open_files())
        except _GONE:
            return

    def children(self, pid: int) -> list[int] | None:
        return None

    def send(self, seen: Seen, signal: signals.Signals) -> bool:
        return send_checked(self, seen, signal)

    @functools.cache  # noqa: B019  there is one table, and one boot
    def boot_id(self) -> str:
        if sys.platform == "darwin":  # the time of the boot changes there when the clock is set
            asked = subprocess.run(
                ["sysctl", "-n", "kern.bootsessionuuid"], capture_output=True, text=True, check=False
            )
            if said := asked.stdout.strip():
                return said
        return str(int(psutil.boot_time()))

    def is_own(self, pid: int) -> bool:
        try:
            return psutil.Process(pid).uids().real == os.getuid()
        except _GONE:
            return False


def _ms(process: psutil.Process) -> int:
    return round(process.create_time() * 1000)


def _cpu_s(process: psutil.Process) -> float:
    """Of others' processes nobody is told."""
    try:
        spent = process.cpu_times()
    except psutil.AccessDenied:
        return 0.0
    return spent.user + spent.system + getattr(spent, "children_user", 0.0) + getattr(spent, "children_system", 0.0)
