"""Attempts whose number was given and that never started: said by whoever is asked for one."""

from __future__ import annotations

from pathlib import Path

import pytest

from stretto.cli import place
from stretto.cli.diff import diff
from stretto.cli.logs import logs
from stretto.cli.place import view
from stretto.core import events as ev
from stretto.core.steps import GRANT
from stretto.engine.home import Launch, RepositoryHome
from stretto.errors import StateError
from stretto.model.plan import Phase, Plan, Task
from stretto.model.run import Failure, RunSettings

FAILURE = Failure(kind="failed", message="no")
BEGUN = (
    ev.RunStarted(
        at=1.0,
        run="r",
        plan=Plan(name="p", format="stretto", phases=(Phase(id="p"),), tasks=(Task(id="b", phase="p"),)),
        settings=RunSettings(agent="x", attempts=2),
        base="base",
        branch="stretto/r",
    ),
    ev.RunResumed(at=2.0),
    ev.Granted(at=3.0, task="b", attempt=1),
    ev.AttemptFailed(at=4.0, task="b", attempt=1, failure=FAILURE),
    ev.Denied(at=5.0, task="b", attempt=2, reason="full", until=6.0),
)
ENDED = (
    *BEGUN,
    ev.TimerFired(at=6.0, timer=GRANT + "b"),
    ev.Granted(at=7.0, task="b", attempt=3),
    ev.AttemptFailed(at=8.0, task="b", attempt=3, failure=FAILURE),
)


@pytest.fixture
def home(tmp_path: Path) -> RepositoryHome:
    return RepositoryHome(path=tmp_path)


def ask(verb: str, attempt: int | None) -> None:
    if verb == "logs":
        logs("b", follow=False, attempt=attempt, prompt=False, run=None)
    else:
        diff("b", attempt=attempt, stat=False, name_only=False, run=None, json=False)


def run(home: RepositoryHome, patch: pytest.MonkeyPatch, *events: ev.Event) -> None:
    launch = Launch(
        repository="/r", common_dir="/r/.git", plan_path="/r/p", plan_format="stretto", branch="stretto/r", base="base"
    )
    seen = view(home.create("r", launch, b"", events=events))
    assert seen is not None
    patch.setattr(place, "find", lambda name: seen)


@pytest.mark.parametrize("verb", ["logs", "diff"])
def test_an_attempt_that_never_started_is_told_so(
    home: RepositoryHome, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    run(home, monkeypatch, *ENDED)
    with pytest.raises(StateError, match=r"^attempt 2 of 'b' never started: 'b' has attempts 1, 3$"):
        ask(verb, 2)
    with pytest.raises(StateError, match=r"^'b' has attempts 1, 3$"):
        ask(verb, 4)


def test_the_latest_is_the_latest_that_started(
    home: RepositoryHome, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(home, monkeypatch, *BEGUN)
    ask("logs", None)
    assert "attempt 1 of 'b' ended before its agent started" in capsys.readouterr().err
    with pytest.raises(StateError, match=r"^attempt 2 of 'b' never started: 'b' has attempts 1 to 1$"):
        ask("logs", 2)
