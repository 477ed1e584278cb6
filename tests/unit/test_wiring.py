"""The clock of a run: it goes on, whatever somebody does to the one on the wall."""

from __future__ import annotations

import time

from stretto.wiring import SystemClock


def test_r8_1_the_clock_goes_on_when_the_wall_clock_steps_back() -> None:
    wall, uptime = [1_000_000.0], [50.0]
    clock = SystemClock(wall=lambda: wall[0], uptime=lambda: uptime[0])
    assert clock.now() == 1_000_000.0
    wall[0] = 5.0
    uptime[0] = 53.0
    assert clock.now() == 1_000_003.0
    wall[0] = 9_000_000.0
    assert clock.now() == 1_000_003.0, "nor does a step forward make a timer fire"


def test_r8_1_the_clock_of_an_heir_is_never_behind_the_journal() -> None:
    """The wall clock was set back between two engines of one run."""
    clock = SystemClock(2_000.0, wall=lambda: 1_000.0, uptime=lambda: 7.0)
    assert clock.now() == 2_000.0
    assert SystemClock(500.0, wall=lambda: 1_000.0, uptime=lambda: 7.0).now() == 1_000.0


def test_the_clock_is_the_wall_clock_where_nobody_sets_it() -> None:
    before = time.time()
    assert before - 1.0 <= SystemClock().now() <= time.time() + 1.0
