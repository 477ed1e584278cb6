"""What the tests of process trees look at and wait for. Each test's processes are `sleep` with a number of its own."""

from __future__ import annotations

import os
import random
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path

from stretto.engine import proctable


def a_number() -> str:
    """Seconds for `sleep`, long enough, and nobody else's."""
    return f"{random.randrange(10_000, 99_999)}.{os.getpid()}"


GETAWAY = """
import os, sys
folder, file, *command = sys.argv[1:]
done, tell = os.pipe()
if os.fork():
    os.close(tell)
    os.read(done, 1)  # until the child has become the command
    os._exit(0)
os.setsid()
os.chdir(folder)
os.closerange(3, tell)
os.closerange(tell + 1, 1000)
for handle in (0, 1, 2):
    os.dup2(os.open(file, os.O_RDWR | os.O_CREAT), handle)
os.execvpe(command[0], command, {})
"""


def getaway(*command: str, folder: Path | str = "/", file: Path | str = os.devnull) -> str:
    """A shell command that leaves this one without a parent, session, environment or descriptor to know it by."""
    return shlex.join([sys.executable, "-c", GETAWAY, str(folder), str(file), *command])


def sleepers(number: str) -> list[int]:
    """Pids of the living `sleep number`."""
    return [pid for pid in proctable.HERE.look() if proctable.HERE.command_line(pid)[:2] == ["sleep", number]]


def until(condition: Callable[[], bool], *, within_s: float = 10.0) -> bool:
    """Wait for it; whether it came true in time."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def open_files() -> int:
    """How many file descriptors this process has."""
    return len(list(Path("/proc/self/fd").iterdir()))
