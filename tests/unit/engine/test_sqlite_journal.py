"""What the SQLite journal promises beyond its port: nothing acknowledged is lost, and damage is said, not guessed."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stretto.core.events import RunStarted, StopRequested, TimerFired
from stretto.engine.journal import CORE_VERSION, SqliteInbox, SqliteJournal, create
from stretto.engine.strays import Started
from stretto.errors import JournalMismatch, StateError
from stretto.model.plan import Plan
from stretto.model.run import RunSettings


@pytest.fixture
def path(tmp_path: Path) -> Path:
    create(tmp_path / "journal.sqlite3")
    return tmp_path / "journal.sqlite3"


@pytest.fixture
def journal(path: Path) -> Iterator[SqliteJournal]:
    journal = SqliteJournal(path)
    yield journal
    journal.close()


def fill(path: Path, count: int = 3) -> None:
    journal = SqliteJournal(path)
    asyncio.run(journal.append([TimerFired(at=0.0, timer=f"t{n}") for n in range(count)]))
    journal.close()


def change(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement)
    connection.close()


WRITER = """
import asyncio, os, sys
from pathlib import Path
from stretto.core.events import TimerFired
from stretto.engine.journal import SqliteJournal

journal = SqliteJournal(Path(sys.argv[1]))

async def appender(who):
    for n in range(1_000_000):
        end = await journal.append([TimerFired(at=0.0, timer=f"{who}/{n}")])
        os.write(1, b"%d %d %d\\n" % (end, who, n))

async def main():
    await asyncio.gather(*(appender(who) for who in range(16)))

asyncio.run(main())
"""


def test_r8_1_kill_9_loses_no_acknowledged_event(path: Path) -> None:
    chance = random.Random(7)
    acknowledged: dict[int, str] = {}
    for _ in range(5):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        for line in [writer.stdout.readline() for _ in range(chance.randrange(1, 400))]:
            end, who, n = line.split()
            acknowledged[int(end)] = f"{int(who)}/{int(n)}"
        writer.kill()
        for line in writer.stdout.read().splitlines(keepends=True):  # acknowledged before the kill, read after it
            if line.endswith(b"\n"):
                end, who, n = line.split()
                acknowledged[int(end)] = f"{int(who)}/{int(n)}"
        writer.wait()
        writer.stdout.close()
        journal = SqliteJournal(path)
        recorded = {item.seq: item.event for item in journal.read()}
        journal.close()
        assert list(recorded) == list(range(1, len(recorded) + 1))
        assert {end: TimerFired(at=0.0, timer=timer) for end, timer in acknowledged.items()}.items() <= recorded.items()
    assert len(acknowledged) >= 5


def test_appends_of_one_moment_share_a_commit(journal: SqliteJournal) -> None:
    statements: list[str] = []
    journal._connection.set_trace_callback(statements.append)

    async def many() -> None:
        await asyncio.gather(*(journal.append([TimerFired(at=0.0, timer=str(n))]) for n in range(1_000)))

    asyncio.run(many())
    assert statements.count("COMMIT") < 100


def test_events_are_written_although_their_appender_is_cancelled(journal: SqliteJournal) -> None:
    async def go() -> None:
        task = asyncio.create_task(journal.append([TimerFired(at=0.0, timer="t")]))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        assert await journal.append([TimerFired(at=0.0, timer="u")]) == 2

    asyncio.run(go())


def test_a_failed_commit_is_the_end_of_appending(path: Path, journal: SqliteJournal) -> None:
    change(path, "CREATE TRIGGER full BEFORE INSERT ON event BEGIN SELECT raise(ABORT, 'disk full'); END")
    with pytest.raises(StateError, match="disk full"):
        asyncio.run(journal.append([TimerFired(at=0.0, timer="t")]))
    change(path, "DROP TRIGGER full")
    with pytest.raises(StateError, match="disk full"):
        asyncio.run(journal.append([TimerFired(at=0.0, timer="t")]))
    assert list(journal.read()) == []
    assert asyncio.run(_append_to_another(path)) == 1


async def _append_to_another(path: Path) -> int:
    journal = SqliteJournal(path)
    try:
        return await journal.append([TimerFired(at=0.0, timer="t")])
    finally:
        journal.close()


def test_two_writers_never_write_the_same_number(path: Path, journal: SqliteJournal) -> None:
    """The lock keeps a second owner out; should one come all the same, one of the two is stopped."""
    asyncio.run(_append_to_another(path))
    with pytest.raises(StateError, match="UNIQUE"):
        asyncio.run(journal.append([TimerFired(at=0.0, timer="mine")]))


def test_a_closed_journal_takes_nothing(path: Path) -> None:
    journal = SqliteJournal(path)
    journal.close()
    journal.close()
    with pytest.raises(StateError, match="closed"):
        asyncio.run(journal.append([TimerFired(at=0.0, timer="t")]))


def test_a_gap_is_a_mismatch(path: Path) -> None:
    fill(path)
    change(path, "DELETE FROM event WHERE seq = 2")
    journal = SqliteJournal(path)
    with pytest.raises(JournalMismatch, match="event 2 is missing"):
        list(journal.read())
    with pytest.raises(JournalMismatch, match="event 2 is missing"):
        list(journal.read(1))
    assert [item.seq for item in journal.read(2)] == [3]
    journal.close()


@pytest.mark.parametrize("body", ['{"kind": "Unheard", "at": 1}', '{"kind": "TimerFired"}', "not json"])
def test_an_event_that_is_not_understood_is_a_mismatch(path: Path, body: str) -> None:
    fill(path)
    change(path, f"UPDATE event SET body = CAST('{body}' AS BLOB) WHERE seq = 3")
    journal = SqliteJournal(path)
    with pytest.raises(JournalMismatch, match="event 3"):
        list(journal.read())
    journal.close()


def test_a_newer_core_is_refused(path: Path) -> None:
    started = RunStarted(
        at=0.0,
        run="r",
        plan=Plan(name="p", format="stretto"),
        settings=RunSettings(),
        base="b",
        branch="c",
        core_version=CORE_VERSION + 1,
    )
    journal = SqliteJournal(path)
    asyncio.run(journal.append([started]))
    with pytest.raises(JournalMismatch, match="newer"):
        list(journal.read())
    journal.close()
    with pytest.raises(JournalMismatch, match="newer"):
        SqliteJournal(path)


def test_a_journal_may_begin_with_events(tmp_path: Path) -> None:
    create(tmp_path / "journal.sqlite3", [TimerFired(at=0.0, timer="a"), TimerFired(at=0.0, timer="b")])
    journal = SqliteJournal(tmp_path / "journal.sqlite3")
    assert asyncio.run(journal.append([TimerFired(at=0.0, timer="c")])) == 3
    assert [item.seq for item in journal.read()] == [1, 2, 3]
    journal.close()


def test_newer_tables_are_refused(path: Path) -> None:
    change(path, "PRAGMA user_version = 99")
    with pytest.raises(JournalMismatch, match="newer"):
        SqliteInbox(path)


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "foreign": lambda data: b"this is not a database, whatever its name says" * 100,
    "cut": lambda data: data[: len(data) // 2],
    "scribbled": lambda data: data[:5000] + b"\xa5" * (len(data) - 5000),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_said_before_anything_is_done(path: Path, damage: str) -> None:
    fill(path, 500)
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    with pytest.raises(StateError, match="damaged") as caught:
        SqliteJournal(path)
    assert "restore" in caught.value.hint


@pytest.mark.parametrize("damage", ["empty", "foreign"])
def test_an_inbox_in_something_else_is_said(path: Path, damage: str) -> None:
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    with pytest.raises(StateError, match="damaged"):
        SqliteInbox(path)


def test_a_missing_journal_is_said(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="no journal"):
        SqliteInbox(tmp_path / "journal.sqlite3")
    with pytest.raises(StateError, match="no journal"):
        SqliteInbox(tmp_path / "no" / "folder")
    assert list(tmp_path.iterdir()) == []


def test_a_journal_is_never_made_over_another(path: Path) -> None:
    with pytest.raises(StateError, match="already"):
        create(path)


def test_a_wish_of_another_version_is_answered_not_obeyed(path: Path, journal: SqliteJournal) -> None:
    change(path, """INSERT INTO inbox (request, at, wish) VALUES ('r', 1.0, '{"kind": "Dance", "at": 1}')""")
    journal.put(StopRequested(at=2.0), request="s")
    assert [request.id for request in journal.waiting()] == ["s"]
    answer = journal.answered("r")
    assert answer is not None
    assert not answer[0]
    assert "understand" in answer[1]


def test_started_commands_are_remembered(path: Path) -> None:
    started = Started(cookie=("r", "t", "1"), pid=42, start=4711, boot_id="boot")
    journal = SqliteJournal(path)
    journal.started(started)
    asyncio.run(journal.append([TimerFired(at=0.0, timer="t")]))
    assert journal.processes() == [started]
    journal.started(Started(cookie=("r", "u", "1"), pid=43, start=4712, boot_id="boot"))
    journal.close()
    journal = SqliteJournal(path)
    assert [process.pid for process in journal.processes()] == [42, 43]
    journal.close()
