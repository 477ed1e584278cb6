"""What the tests of process trees look at and wait for. Each test's processes are `sleep` with a number of its own."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path

from stretto.engine import proctable


def a_number() -> str:
    """Seconds for `sleep`, long enough, and nobody else's."""
    return f"{random.randrange(10_000, 99_999)}.{os.getpid()}"


def sleepers(number: str) -> list[int]:
    """Pids of the living `sleep number`."""
    return [pid for pid in proctable.look() if proctable.command_line(pid)[:2] == ["sleep", number]]


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
