"""Work that a full disk kept from being saved is gone on from when the run is resumed (R4, R7.1)."""

from __future__ import annotations

import pytest

from stretto.core.events import AttemptFailed, RunResumed
from stretto.model.run import Failure, FailureKind, LateWork
from stretto.testing.tables import Told, task


def unsaved(run: Told, kind: FailureKind = "no_room") -> None:
    run.granted("a")
    run.when(AttemptFailed(at=run.later(), task="a", attempt=1, failure=Failure(kind=kind)))


def resumed(run: Told, *late: LateWork) -> None:
    run.when(RunResumed(at=run.later(), late=late))


def test_r4_the_next_attempt_goes_on_from_what_was_saved_late() -> None:
    run = Told(task("a"))
    unsaved(run)
    resumed(run, LateWork(task="a", attempt=1, commit="late"))
    assert run.granted("a") == ["start a#2 from base with late"]
    assert [past.commit for past in run.coordinator.state.by_id["a"].past] == ["late"]


@pytest.mark.parametrize(
    "late",
    [
        LateWork(task="a", attempt=2, commit="late"),
        LateWork(task="b", attempt=1, commit="late"),
    ],
    ids=["of another attempt", "of no task"],
)
def test_r4_what_is_not_of_the_last_attempt_is_not_gone_on_from(late: LateWork) -> None:
    run = Told(task("a"))
    unsaved(run)
    resumed(run, late)
    assert run.granted("a") == ["start a#2 from base"]


def test_r4_an_attempt_whose_work_is_not_carried_starts_anew_all_the_same() -> None:
    run = Told(task("a"))
    unsaved(run, "auth")
    resumed(run, LateWork(task="a", attempt=1, commit="late"))
    assert run.granted("a") == ["start a#2 from base"]
    assert run.coordinator.state.by_id["a"].past[-1].commit == "late", "it is told all the same"


def test_r4_what_was_saved_in_time_counts_more() -> None:
    run = Told(task("a"))
    run.granted("a")
    run.failed("a", "no_room")
    resumed(run, LateWork(task="a", attempt=1, commit="late"))
    assert run.granted("a") == ["start a#2 from base with a#1"]
