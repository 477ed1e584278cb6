"""Times that no clock has told, as a damaged journal may hold them: they are shown, and nothing fails for them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.core import events as ev
from stretto.observe.inspection import event_lines, instant
from stretto.observe.live import _at
from stretto.observe.paint import clock, moment, span
from stretto.observe.taskrow import ago
from stretto.ports import Recorded

ANY = st.floats()
FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(ANY)
def test_a_duration_is_short_whatever_it_is(seconds: float) -> None:
    assert all(len(tell(seconds)) <= 12 for tell in (span, clock, ago))


def test_what_takes_ages_is_said_so() -> None:
    assert {tell(seconds) for tell in (span, clock, ago) for seconds in (math.inf, 1e308, 4e9)} == {">100y"}
    assert span(99 * 365 * 86400.0) == "36135d00h"


@given(FINITE)
def test_any_time_can_be_told(at: float) -> None:
    assert moment(at)
    assert instant(at)
    assert _at(at, 0.0)


@pytest.mark.parametrize("at", [1e308, -1e308, 1e19])
def test_a_time_that_no_calendar_has_is_shown_as_the_number_that_it_is(at: float) -> None:
    (said,) = event_lines([Recorded(seq=1, event=ev.TimerFired(at=at, timer="t"))])
    assert said.split()[:3] == ["1", f"{at:g}", "TimerFired"]
