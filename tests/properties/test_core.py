"""The core against a simulated world: every promise, over plans and fates that Hypothesis chooses."""

from __future__ import annotations

from hypothesis import given

from stretto.model.run import FINAL_STATES
from stretto.testing.fate import DEEDS, ORDERLY, Fate
from stretto.testing.simulator import Simulation
from stretto.testing.strategies import Begun, crowded, drawn, fates, pressing


@given(drawn(), fates(DEEDS))
def test_every_promise_holds_whatever_happens(run: Begun, fate: Fate) -> None:
    """Safety, liveness and replay at once: the watcher judges every step, and every restart replays the journal."""
    Simulation(*run, fate).run()


@given(drawn(), pressing())
def test_r8_4_people_may_change_their_minds_as_often_as_they_like(run: Begun, fate: Fate) -> None:
    """Cancel, retry and stop, eight times a run."""
    Simulation(*run, fate).run()


@given(crowded(critical=True), pressing())
def test_r4_what_is_critical_stays_so_through_every_retry(run: Begun, fate: Fate) -> None:
    """The same in a crowd, where a quarter of the tasks is critical."""
    Simulation(*run, fate).run()


@given(crowded(), fates(ORDERLY))
def test_r2_3_nobody_starves_in_a_crowd(run: Begun, fate: Fate) -> None:
    """Ten tasks with nothing between them but claims."""
    Simulation(*run, fate).run()


@given(drawn(policies=False), fates((*ORDERLY, "crash")))
def test_r8_1_a_run_cut_after_any_event_lands_the_same_tasks(run: Begun, fate: Fate) -> None:
    """Not with `stop`, `critical` or cancelled tasks: there the order of events decides, by nature."""
    uncut = Simulation(*run, fate.only(ORDERLY), restarts=200, retries=False)
    uncut.run()
    cut = Simulation(*run, fate, restarts=200, retries=False)
    cut.run()
    assert set(uncut.states.values()) <= FINAL_STATES
    assert (cut.landed, cut.states) == (uncut.landed, uncut.states)
