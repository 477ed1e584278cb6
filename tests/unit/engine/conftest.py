from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from unit.engine.living import a_number, sleepers


@pytest.fixture
def number() -> Iterator[str]:
    """What the `sleep`s of this test are known by; those that are left at its end are ended."""
    number = a_number()
    yield number
    for pid in sleepers(number):
        os.kill(pid, signal.SIGKILL)
