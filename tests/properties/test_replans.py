"""Plans that people change while they run, against a simulated world (R8.4)."""

from __future__ import annotations

from hypothesis import given

from stretto.testing.fate import Fate
from stretto.testing.simulator import Simulation
from stretto.testing.strategies import Begun, crowded, drawn, replanning


@given(drawn(), replanning())
def test_r8_4_a_run_may_get_another_plan_at_any_moment(run: Begun, fate: Fate) -> None:
    """Tasks come, change, go and come back, by right and by wrong, with force and without, between crashes."""
    Simulation(*run, fate).run()


@given(crowded(), replanning())
def test_r2_3_nobody_starves_under_another_plan(run: Begun, fate: Fate) -> None:
    """Ten tasks with nothing between them but claims, which change."""
    Simulation(*run, fate).run()
