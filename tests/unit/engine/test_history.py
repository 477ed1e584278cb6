"""What is read out of earlier runs, and what is passed over: never an error, and never without a bound."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stretto.analysis.learned import Shown, identity
from stretto.core import events as ev
from stretto.engine.history import RUNS, expected_s, shown
from stretto.engine.home import Launch, RepositoryHome, RunHome
from stretto.model.agent import AgentSpec
from stretto.model.plan import Phase, Plan, Task
from stretto.model.run import TARGET, Failure, LandEntry, RunSettings

SPEC = AgentSpec(command="work")
AGENTS = {"work": SPEC}
TASKS = tuple(Task(id=id, phase="p", prompt="do it") for id in "abcd")


def started() -> ev.RunStarted:
    plan = Plan(name="p", format="stretto", phases=(Phase(id="p"),), tasks=TASKS)
    return ev.RunStarted(at=0.0, run="r", plan=plan, settings=RunSettings(agent="work"), base="b", branch="c")


def attempt(task: str, number: int, start: float, end: float, agent: str = "work") -> list[ev.Event]:
    return [
        ev.AttemptStarted(at=start, task=task, attempt=number, agent=agent),
        ev.AttemptFinished(at=end, task=task, attempt=number, commit="c"),
    ]


def landed(task: str, number: int, at: float = 1000.0) -> ev.Event:
    entry = LandEntry(task=task, attempt=number, commit="c")
    return ev.BatchLanded(at=at, lane=TARGET, batch=1, landed=(entry,), commit="d")


@pytest.fixture
def runs(tmp_path: Path) -> RepositoryHome:
    return RepositoryHome(path=tmp_path / "state").make()


Put = Callable[..., RunHome]


@pytest.fixture
def put(runs: RepositoryHome) -> Iterator[Put]:
    count = 0

    def make(*events: ev.Event, agents: dict[str, AgentSpec] = AGENTS) -> RunHome:
        nonlocal count
        count += 1
        launch = Launch(
            repository="/r", common_dir="/r/.git", plan_path="/r/p.yaml", plan_format="stretto", branch="c", base="b",
            agents=agents, agent="work",
        )  # fmt: skip
        return runs.create(f"r{count}", launch, b"", events=events)

    yield make


def times(runs: RepositoryHome) -> list[float]:
    return [one.took_s for one in shown(runs)]


def test_r10_1_only_attempts_that_landed_count_without_their_gates(runs: RepositoryHome, put: Put) -> None:
    failure = Failure(kind="failed")
    put(
        started(),
        *attempt("a", 1, 10.0, 17.0),
        ev.AttemptGated(at=500.0, task="a", attempt=1, verdict="green"),
        landed("a", 1),
        ev.AttemptStarted(at=20.0, task="b", attempt=1, agent="work"),
        ev.AttemptFailed(at=90.0, task="b", attempt=1, failure=failure),
        *attempt("b", 2, 100.0, 103.0),
        landed("b", 2),
        *attempt("c", 1, 100.0, 150.0),
        ev.AttemptGated(at=151.0, task="c", attempt=1, verdict="red"),
        ev.AttemptStarted(at=160.0, task="d", attempt=1, agent="work"),
    )
    assert shown(runs) == [
        Shown(who=identity("work", SPEC), size="small", took_s=3.0),
        Shown(who=identity("work", SPEC), size="small", took_s=7.0),
    ]


def test_r10_1_who_did_it_is_who_was_started(runs: RepositoryHome, put: Put) -> None:
    """A task may name several agents; and a name of which nothing is known teaches nothing."""
    other = AgentSpec(command="other")
    events = [*attempt("a", 1, 0.0, 5.0, agent="other"), landed("a", 1), *attempt("b", 1, 0.0, 6.0, agent="gone")]
    put(started(), *events, landed("b", 1), agents={"work": SPEC, "other": other})
    assert shown(runs) == [Shown(who=identity("other", other), size="small", took_s=5.0)]


def test_r10_1_expected_of_what_nobody_estimated(runs: RepositoryHome, put: Put) -> None:
    for seconds in (5.0, 6.0, 50.0):
        put(started(), *attempt("a", 1, 0.0, seconds), landed("a", 1))
    told = (Task(id="x", phase="p"), Task(id="y", phase="p", estimate_s=1.0))
    assert expected_s(runs, told, agents=AGENTS, default="work") == {"x": 6.0}
    assert expected_s(runs, told[1:], agents=AGENTS, default="work") == {}


def test_r10_1_the_latest_runs_and_events_and_no_more(runs: RepositoryHome, put: Put) -> None:
    for n in range(RUNS + 3):
        put(started(), *attempt("a", 1, 0.0, float(n)), landed("a", 1))
    assert times(runs) == [float(n) for n in range(RUNS + 2, 2, -1)]
    many = [event for task in "abcd" for event in (*attempt(task, 1, 0.0, float(ord(task))), landed(task, 1))]
    put(started(), *many)
    assert [one.took_s for one in shown(runs, events=7)] == [100.0, 99.0], "the newest of the newest run"


def spoil(home: RunHome, statement: str) -> None:
    connection = sqlite3.connect(home.journal)
    connection.execute(statement)
    connection.commit()
    connection.close()


def _folder(home: RunHome) -> None:
    home.journal.unlink()
    home.journal.mkdir()


DAMAGE: dict[str, Callable[[RunHome], object]] = {
    "no journal": lambda home: home.journal.unlink(),
    "an empty journal": lambda home: home.journal.write_bytes(b""),
    "no database": lambda home: home.journal.write_bytes(bytes(range(256)) * 64),
    "half a database": lambda home: home.journal.write_bytes(home.journal.read_bytes()[:5000]),
    "no event": lambda home: spoil(home, "DELETE FROM event"),
    "the start is missing": lambda home: spoil(home, "DELETE FROM event WHERE seq = 1"),
    "another start": lambda home: spoil(
        home, """UPDATE event SET body = CAST('{"kind": "TimerFired", "at": 1, "timer": "t"}' AS BLOB) WHERE seq = 1"""
    ),
    "an unknown event": lambda home: spoil(
        home, """UPDATE event SET body = CAST('{"kind": "Unheard", "at": 1}' AS BLOB) WHERE kind = 'AttemptStarted'"""
    ),
    "text in place of an event": lambda home: spoil(home, "UPDATE event SET body = 'no json'"),
    "a number in place of an event": lambda home: spoil(home, "UPDATE event SET body = 7"),
    "a newer stretto": lambda home: spoil(home, "PRAGMA user_version = 99"),
    "other tables": lambda home: spoil(home, "DROP TABLE event"),
    "no launch": lambda home: (home.path / "launch.json").unlink(),
    "another launch": lambda home: (home.path / "launch.json").write_bytes(b"\xff[]"),
    "a launch that is not UTF-8": lambda home: (home.path / "launch.json").write_bytes(b'{"branch": "\xff"}'),
    "an event that is not UTF-8": lambda home: spoil(
        home,
        "UPDATE event SET body = CAST(replace(body, 'work', x'ff') AS BLOB) WHERE kind = 'AttemptStarted'",
    ),
    "a folder": _folder,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_r10_1_a_damaged_run_is_passed_over(runs: RepositoryHome, put: Put, damage: str) -> None:
    good = [started(), *attempt("a", 1, 0.0, 5.0), landed("a", 1)]
    put(*good)
    DAMAGE[damage](put(started(), *attempt("a", 1, 0.0, 7.0), landed("a", 1)))
    put(*good)
    assert times(runs) == [5.0, 5.0]


def test_r10_1_what_cannot_be_is_passed_over(runs: RepositoryHome, put: Put) -> None:
    """A journal made by hand: an end before its start, a task that the plan does not have, no start at all."""
    backwards = [*attempt("a", 1, 9.0, 5.0), landed("a", 1)]
    unknown = [*attempt("nobody", 1, 0.0, 5.0), landed("nobody", 1)]
    put(started(), *backwards, *unknown, *attempt("b", 1, 0.0, 5.0)[1:], landed("b", 1))
    assert times(runs) == []


@pytest.mark.parametrize(("start", "end"), [(-1e308, 1e308), (0.0, 1e308), (1e308, 1e308), (0.0, 4e8)])
def test_r10_1_no_attempt_takes_ages(runs: RepositoryHome, put: Put, start: float, end: float) -> None:
    put(started(), *attempt("a", 1, start, end), landed("a", 1), *attempt("b", 1, 0.0, 5.0), landed("b", 1))
    assert times(runs) == [5.0]


def test_r10_1_without_runs_nothing_is_learned(runs: RepositoryHome) -> None:
    assert expected_s(runs, TASKS, agents=AGENTS, default="work") == {}
