"""Stands above the engine: when the engine ends in whatever way, nothing it started is left (R8.2).

    python -m stretto.engine.warden -- COMMAND…

Orphans of a tree go to the nearest ancestor that adopts them (a subreaper): that is this process, so an agent cannot
get away by forking twice, by `setsid` or by `nohup`. When the warden itself is killed, the engine dies with it. The
command keeps the warden's standard input, output and error. Exit code: the engine's own, or 3 when a signal ended it.
This file imports next to nothing, because every run pays for it. Off Linux nobody can adopt: it only passes signals
on and waits (untested there).
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

KILLED = 3
CANNOT_START = 127
GIVE_UP_S = 10.0
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def main(argv: Sequence[str]) -> int:
    """Run the command after `--` to its end, then end what it left."""
    if len(argv) < 2 or argv[0] != "--":
        print("usage: python -m stretto.engine.warden -- COMMAND…", file=sys.stderr)
        return 2
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    engine = 0

    def forward(signum: int, frame: FrameType | None) -> None:
        if engine:
            os.kill(engine, signum)

    # Handlers rather than SIG_IGN: a command inherits what is ignored, but not what is handled.
    signal.signal(signal.SIGINT, lambda signum, frame: None)
    signal.signal(signal.SIGHUP, lambda signum, frame: None)
    signal.signal(signal.SIGTERM, forward)
    warden = os.getpid()
    engine = os.fork()
    if engine == 0:
        _become(list(argv[1:]), warden)
    ended = status = 0
    while ended != engine:
        ended, status = os.waitpid(-1, 0)
    engine = 0
    _end_the_rest()
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else KILLED


def _become(command: list[str], warden: int) -> NoReturn:
    """In the child: tie this process to the warden's life, then turn into the command."""
    try:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == warden:  # else it died before the tie held
            os.execvp(command[0], command)
    except OSError as error:
        print(f"stretto: cannot start {command[0]}: {error.strerror}", file=sys.stderr, flush=True)
    os._exit(CANNOT_START)


def _end_the_rest() -> None:
    """KILL and reap children until there are none; each one that dies hands us its own."""
    deadline = time.monotonic() + GIVE_UP_S
    while time.monotonic() < deadline:
        for pid in _children():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            except PermissionError:
                print(f"stretto: not allowed to end process {pid}", file=sys.stderr)
                return
        try:
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        except ChildProcessError:
            return
        time.sleep(0.005)
    print("stretto: some processes of the run would not end", file=sys.stderr)


def _children() -> list[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", "rb") as listing:
            return [int(pid) for pid in listing.read().split()]
    except OSError:
        return []


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
