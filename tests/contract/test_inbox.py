"""The contract of the port Inbox, for every implementation and its fake."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from stretto.core.events import (
    RequestReceived,
    SettingsChanged,
    StopRequested,
    TaskApproved,
    TaskRejected,
    TasksCancelled,
    TasksRetried,
    Wish,
)
from stretto.engine.journal import SqliteInbox, SqliteJournal, create
from stretto.ports import Inbox, Request
from stretto.testing.journal import MemoryJournal

WISHES: list[Wish] = [
    StopRequested(at=1.0, now=True),
    TasksCancelled(at=2.0, tasks=("a", "b")),
    TasksRetried(at=3.0),
    SettingsChanged(at=4.0, parallel=8),
    TaskApproved(at=5.0, task="a", by="kim", note="fine"),
    TaskRejected(at=6.0, task="b"),
]


class Both:
    """The inbox as its owner has it, and as another process has it."""

    def __init__(self, owner: MemoryJournal | SqliteJournal, other: Inbox) -> None:
        self.owner = owner
        self.other = other


@pytest.fixture(params=["sqlite", "memory"])
def inbox(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Both]:
    if request.param == "memory":
        memory = MemoryJournal()
        yield Both(memory, memory)
        return
    create(tmp_path / "journal.sqlite3")
    owner, other = SqliteJournal(tmp_path / "journal.sqlite3"), SqliteInbox(tmp_path / "journal.sqlite3")
    yield Both(owner, other)
    owner.close()
    other.close()


def test_r8_3_wishes_wait_oldest_first(inbox: Both) -> None:
    for n, wish in enumerate(WISHES):
        inbox.other.put(wish, request=f"r{n}")
    assert inbox.owner.waiting() == [Request(id=f"r{n}", at=wish.at, wish=wish) for n, wish in enumerate(WISHES)]


def test_r8_3_a_request_counts_once(inbox: Both) -> None:
    inbox.other.put(WISHES[0], request="same")
    inbox.other.put(WISHES[1], request="same")
    assert [request.wish for request in inbox.owner.waiting()] == [WISHES[0]]


def test_r8_3a_a_journalled_wish_waits_no_more_and_has_no_answer_yet(inbox: Both) -> None:
    inbox.other.put(WISHES[0], request="r")
    inbox.other.put(WISHES[1], request="later")
    asyncio.run(inbox.owner.append([RequestReceived(at=9.0, request="r", wish=WISHES[0])]))
    assert [request.id for request in inbox.owner.waiting()] == ["later"]
    assert inbox.other.answered("r") is None
    inbox.other.put(WISHES[0], request="r")
    assert [request.id for request in inbox.owner.waiting()] == ["later"]


@pytest.mark.parametrize("accepted", [True, False])
def test_r8_3a_the_answer_reaches_the_other_process(inbox: Both, accepted: bool) -> None:
    inbox.other.put(WISHES[0], request="r")
    asyncio.run(inbox.owner.append([RequestReceived(at=9.0, request="r", wish=WISHES[0])]))
    inbox.owner.answer("r", accepted=accepted, why="because")
    assert inbox.other.answered("r") == (accepted, "because")


def test_the_first_answer_stands(inbox: Both) -> None:
    inbox.other.put(WISHES[0], request="r")
    inbox.owner.answer("r", accepted=True, why="")
    inbox.owner.answer("r", accepted=False, why="again, after a resume")
    assert inbox.other.answered("r") == (True, "")
    assert inbox.owner.waiting() == []


def test_an_unknown_request_has_no_answer(inbox: Both) -> None:
    inbox.owner.answer("nobody", accepted=True, why="")
    assert inbox.other.answered("nobody") is None


def test_r8_3_it_works_while_no_engine_runs_and_is_seen_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    create(path)
    alone = SqliteInbox(path)
    alone.put(WISHES[2], request="r")
    alone.close()
    owner = SqliteJournal(path)
    assert [request.id for request in owner.waiting()] == ["r"]
    owner.close()
