"""The contract of the port Journal, for every implementation and its fake."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stretto.core.events import AttemptStarted, Event, RunResumed, RunStarted, TimerFired
from stretto.engine.journal import SqliteJournal, create
from stretto.model.plan import Plan, Task
from stretto.model.run import RunSettings
from stretto.ports import Journal
from stretto.testing.journal import MemoryJournal

Reopen = Callable[[], Journal]
"""The journal, let go of and opened again; the fake lives on."""

STARTED = RunStarted(
    at=1.5,
    run="shop-1",
    plan=Plan(name="shop", format="stretto", tasks=(Task(id="ünï", phase="p", writes=("a/**",)),)),
    settings=RunSettings(parallel=2),
    base="c0ffee",
    branch="stretto/shop-1",
)


def ticks(first: int, last: int) -> list[Event]:
    return [TimerFired(at=float(n), timer=f"t{n}") for n in range(first, last + 1)]


@pytest.fixture(params=["sqlite", "sqlite-normal", "memory"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Reopen]:
    if request.param == "memory":
        memory = MemoryJournal()
        yield lambda: memory
        return
    create(tmp_path / "journal.sqlite3")
    opened: list[SqliteJournal] = []

    def again() -> Journal:
        for journal in opened:
            journal.close()
        path = tmp_path / "journal.sqlite3"
        normal = request.param == "sqlite-normal"
        opened.append(SqliteJournal(path, synchronous="NORMAL") if normal else SqliteJournal(path))
        return opened[-1]

    yield again
    for journal in opened:
        journal.close()


def test_events_come_back_in_order_and_equal(reopen: Reopen) -> None:
    events: list[Event] = [STARTED, AttemptStarted(at=2.0, task="ünï", attempt=1), RunResumed(at=3.25)]
    assert asyncio.run(reopen().append(events)) == 3
    recorded = list(reopen().read())
    assert [item.seq for item in recorded] == [1, 2, 3]
    assert [item.event for item in recorded] == events


def test_numbers_go_on_after_reopening(reopen: Reopen) -> None:
    assert asyncio.run(reopen().append(ticks(1, 2))) == 2
    assert asyncio.run(reopen().append(ticks(3, 3))) == 3
    assert [item.event for item in reopen().read()] == ticks(1, 3)


def test_read_starts_after_a_number(reopen: Reopen) -> None:
    journal = reopen()
    asyncio.run(journal.append(ticks(1, 2_500)))
    assert [item.seq for item in journal.read(2_497)] == [2498, 2499, 2500]
    assert len(list(journal.read())) == 2_500
    assert list(journal.read(2_500)) == []
    assert list(journal.read(9_999)) == []


def test_an_empty_journal_and_an_empty_batch(reopen: Reopen) -> None:
    journal = reopen()
    assert list(journal.read()) == []
    assert asyncio.run(journal.append([])) == 0
    asyncio.run(journal.append(ticks(1, 4)))
    assert asyncio.run(journal.append([])) == 4


def test_many_appenders_share_the_numbers_without_a_gap(reopen: Reopen) -> None:
    journal = reopen()

    async def appender(who: int) -> list[int]:
        return [await journal.append([TimerFired(at=0.0, timer=f"{who}/{n}")]) for n in range(20)]

    async def all_of_them() -> list[list[int]]:
        return await asyncio.gather(*(appender(who) for who in range(16)))

    ends = asyncio.run(all_of_them())
    assert sorted(end for mine in ends for end in mine) == list(range(1, 321))
    by_number = {item.seq: item.event for item in reopen().read()}
    for who, mine in enumerate(ends):
        assert mine == sorted(mine)
        assert [by_number[end] for end in mine] == [TimerFired(at=0.0, timer=f"{who}/{n}") for n in range(20)]


def test_what_append_has_returned_can_be_read_at_once(reopen: Reopen) -> None:
    journal = reopen()

    async def one_by_one() -> None:
        for n in range(1, 21):
            end = await journal.append(ticks(n, n))
            assert [item.seq for item in journal.read(n - 1)] == [end]

    asyncio.run(one_by_one())
