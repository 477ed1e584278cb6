"""The contract of the port RunReader, for the real one and its fake."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from stretto.core.events import TimerFired
from stretto.engine.home import RunHome
from stretto.engine.journal import SqliteJournal, create
from stretto.engine.lock import RunLock
from stretto.engine.reader import SqliteReader
from stretto.ports import Engine, Journal, RunReader
from stretto.testing.journal import MemoryJournal, MemoryReader

PRINTED = "one\nzwölf\n".encode() * 40_000
"""More than anybody reads at once."""


class Seen(NamedTuple):
    """A run in which attempt 2 of `a` has printed something, its journal, and how it gets an engine."""

    reader: RunReader
    journal: Journal
    start: Callable[[], RunReader]


@pytest.fixture(params=["sqlite", "memory"])
def seen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Seen]:
    if request.param == "memory":
        journal, logs = MemoryJournal(), {("a", 2): PRINTED}
        engine = Engine(pid=1, host="here")
        yield Seen(MemoryReader(journal, logs=logs), journal, lambda: MemoryReader(journal, logs=logs, engine=engine))
        return
    home = RunHome(path=tmp_path)
    create(home.journal)
    home.attempt("a", 2).make().log.write_bytes(PRINTED)
    with ExitStack() as held:

        def start() -> RunReader:
            held.enter_context(RunLock(home.lock))
            return SqliteReader(home)

        stored = SqliteJournal(home.journal)
        held.callback(stored.close)
        yield Seen(SqliteReader(home), stored, start)


def test_events_are_seen_once_they_are_durable(seen: Seen) -> None:
    assert list(seen.reader.events()) == []
    asyncio.run(seen.journal.append([TimerFired(at=float(n), timer="t") for n in range(3)]))
    assert [(one.seq, one.event.at) for one in seen.reader.events()] == [(1, 0.0), (2, 1.0), (3, 2.0)]
    assert [one.seq for one in seen.reader.events(2)] == [3]
    assert list(seen.reader.events(3)) == []


def test_a_log_is_read_in_chunks_to_its_end(seen: Seen) -> None:
    read = b""
    while chunk := seen.reader.log("a", 2, len(read)):
        read += chunk
    assert read == PRINTED
    assert seen.reader.log("a", 2, len(PRINTED) - 3) == PRINTED[-3:]
    assert seen.reader.log("a", 2, len(PRINTED) + 9) == b""


def test_what_nobody_has_printed_is_empty(seen: Seen) -> None:
    assert seen.reader.log("a", 1) == seen.reader.log("b", 2) == b""


def test_the_engine_is_known_while_it_is_there(seen: Seen) -> None:
    assert seen.reader.engine() is None
    engine = seen.start().engine()
    assert engine is not None
    assert engine.pid
