"""A wish whose engine goes away in the moment in which it is asked: refused with a word, or kept for the resume."""

from __future__ import annotations

from pathlib import Path

import pytest

from stretto.cli import wish
from stretto.cli.approve import told
from stretto.cli.place import View, view
from stretto.core import events as ev
from stretto.engine.home import Launch, RepositoryHome
from stretto.engine.journal import SqliteInbox
from stretto.errors import StateError
from stretto.model.plan import Phase, Plan, Task
from stretto.model.run import Failure, RunSettings
from stretto.ports import Engine

STARTED = ev.RunStarted(
    at=1.0,
    run="r",
    plan=Plan(
        name="p", format="stretto", phases=(Phase(id="p"),), tasks=tuple(Task(id=id, phase="p") for id in ("a", "b"))
    ),
    settings=RunSettings(agent="x", attempts=1),
    base="base",
    branch="stretto/r",
    done=("b",),
)
RUNNING = (STARTED, ev.RunResumed(at=2.0), ev.Granted(at=3.0, task="a", attempt=1))
FAILED = (*RUNNING, ev.AttemptFailed(at=4.0, task="a", attempt=1, failure=Failure(kind="failed")))


def just_gone(folder: Path, *events: ev.Event) -> View:
    """The run as somebody saw it who saw its engine, too; by now there is none."""
    launch = Launch(
        repository="/r", common_dir="/r/.git", plan_path="/r/p", plan_format="stretto", branch="stretto/r", base="base"
    )
    seen = view(RepositoryHome(path=folder).create("r", launch, b"", events=events))
    assert seen is not None
    seen.engine = Engine(pid=1, host="here")
    return seen


def waiting(seen: View) -> list[ev.Wish]:
    inbox = SqliteInbox(seen.home.journal)
    try:
        return [request.wish for request in inbox.waiting()]
    finally:
        inbox.close()


def test_r8_3_what_the_ended_run_would_refuse_is_refused(tmp_path: Path) -> None:
    seen = just_gone(tmp_path, *FAILED)
    with pytest.raises(StateError, match="'a' is failed already"):
        wish.put(seen, ev.TasksCancelled(at=5.0, tasks=("a",)))
    with pytest.raises(StateError, match="does not wait for approval"):
        wish.put(seen, ev.TaskApproved(at=5.0, task="a"))
    assert waiting(seen) == [], "and nothing of it is left for the resume"


@pytest.mark.parametrize("events", [FAILED, RUNNING], ids=["ended", "killed"])
def test_r8_3_there_is_nothing_left_to_stop(tmp_path: Path, events: tuple[ev.Event, ...]) -> None:
    """Neither in a run that has ended, nor in one whose engine was killed: a resume is not to stop at once."""
    seen = just_gone(tmp_path, *events)
    with pytest.raises(StateError, match="nothing runs any more"):
        wish.put(seen, ev.StopRequested(at=5.0))
    assert waiting(seen) == []


def test_r8_3_what_it_would_grant_counts_from_the_resume_on(tmp_path: Path) -> None:
    seen, retry = just_gone(tmp_path, *FAILED), ev.TasksRetried(at=5.0, tasks=("a",))
    assert "from the next `stretto resume r` on" in wish.put(seen, retry)
    assert waiting(seen) == [retry]
    with pytest.raises(StateError, match="only what failed or fell"):
        wish.put(seen, ev.TasksRetried(at=6.0, tasks=("a",)))
    assert waiting(seen) == [retry]


def test_an_answer_that_was_taken_is_said_in_words() -> None:
    assert told("a", wish.DONE, reject=False) == "approve a: done"
    assert told("a", wish.DONE, reject=True) == "a: rejected; it is tried again while attempts are left"
    assert told("a", "noted", reject=True) == "reject a: noted"
