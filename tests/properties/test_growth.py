"""Plans that grow while they run, against a simulated world (R8.4)."""

from __future__ import annotations

from hypothesis import given

from stretto.model.run import FINAL_STATES
from stretto.testing.fate import DEEDS, ORDERLY, Fate
from stretto.testing.simulator import Simulation
from stretto.testing.strategies import Begun, crowded, drawn, growing


@given(drawn(), growing(DEEDS))
def test_r8_4_every_promise_holds_for_a_plan_that_grows(run: Begun, fate: Fate) -> None:
    """Every other attempt wants tasks added, by right and by wrong; the watcher's own books say which are."""
    Simulation(*run, fate).run()


@given(crowded(), growing(ORDERLY))
def test_r10_1_nobody_starves_when_others_become_more_urgent(run: Begun, fate: Fate) -> None:
    """Ten tasks with nothing between them but claims; what they add makes whoever waits for it more urgent."""
    Simulation(*run, fate).run()


@given(drawn(policies=False), growing((*ORDERLY, "crash")))
def test_r8_4_a_run_cut_after_any_event_has_added_the_same_tasks(run: Begun, fate: Fate) -> None:
    """None is lost between the landing of who adds it and its own start, and none is there twice."""
    uncut = Simulation(*run, fate.only(ORDERLY), restarts=200, retries=False)
    uncut.run()
    cut = Simulation(*run, fate, restarts=200, retries=False)
    cut.run()
    assert set(uncut.states.values()) <= FINAL_STATES
    assert (cut.landed, cut.states) == (uncut.landed, uncut.states)
