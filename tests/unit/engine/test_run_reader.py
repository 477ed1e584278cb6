"""The reader sees a run while its engine writes, after it, and where nothing may be written."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from stretto.core.events import TimerFired
from stretto.engine.home import RunHome
from stretto.engine.journal import SqliteJournal, create
from stretto.engine.lock import RunLock
from stretto.engine.reader import CHUNK, SqliteReader
from stretto.errors import StateError
from stretto.ports import Engine


@pytest.fixture
def home(tmp_path: Path) -> RunHome:
    create(tmp_path / "journal.sqlite3")
    return RunHome(path=tmp_path)


def numbers(reader: SqliteReader, after: int = 0) -> list[int]:
    return [item.seq for item in reader.events(after)]


def test_it_follows_a_writer(home: RunHome) -> None:
    reader = SqliteReader(home)
    assert numbers(reader) == []
    journal = SqliteJournal(home.journal)
    for n in range(1, 6):
        asyncio.run(journal.append([TimerFired(at=0.0, timer="t")]))
        assert numbers(reader, n - 1) == [n]
    half_read = reader.events()
    assert next(half_read).seq == 1  # and its connection stays open
    asyncio.run(journal.append([TimerFired(at=0.0, timer="t")]))
    journal.close()
    assert numbers(reader) == [1, 2, 3, 4, 5, 6]
    assert next(half_read).seq == 2
    del half_read


def test_it_writes_nothing(home: RunHome) -> None:
    before = home.journal.read_bytes()
    list(SqliteReader(home).events())
    assert home.journal.read_bytes() == before


READ = """
import os, sys
from pathlib import Path
from stretto.engine.home import RunHome
from stretto.engine.reader import SqliteReader
import stretto.core.events
home = RunHome(path=Path(sys.argv[1]))
assert not os.access(home.path, os.W_OK)
print([item.seq for item in SqliteReader(home).events()], SqliteReader(home).engine())
"""


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that another user can reach, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize("alive", [True, False], ids=["engine", "no engine"])
def test_it_reads_a_folder_that_it_may_not_write(public: Path, alive: bool) -> None:
    home = RunHome(path=public)
    create(home.journal)
    journal = SqliteJournal(home.journal)
    asyncio.run(journal.append([TimerFired(at=0.0, timer="t")] * 3))
    lock = RunLock(home.lock)
    lock.acquire()
    if not alive:
        journal.close()
        lock.release()
    public.chmod(0o555)
    # Root may write everywhere, until it has given up its capabilities; in a container it may not become somebody else.
    powerless = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.getuid() == 0 else ()
    argv = [*powerless, sys.executable, "-c", READ, str(public)]
    read = subprocess.run(argv, capture_output=True, text=True, check=False)
    journal.close()
    lock.release()
    assert read.stderr == ""
    assert read.stdout.startswith("[1, 2, 3] " + ("Engine(" if alive else "None"))


def test_a_folder_without_a_journal_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="no journal"):
        numbers(SqliteReader(RunHome(path=tmp_path)))


def test_it_tells_who_runs_it(home: RunHome) -> None:
    reader = SqliteReader(home)
    assert reader.engine() is None
    with RunLock(home.lock):
        assert reader.engine() == Engine(pid=os.getpid(), host=os.uname().nodename)
    assert reader.engine() is None


def test_it_gives_the_output_of_an_attempt_in_chunks(home: RunHome) -> None:
    reader = SqliteReader(home)
    assert reader.log("a task", 1) == b""
    home.attempt("a task", 1).make().log.write_bytes(b"x" * CHUNK + b"end")
    assert reader.log("a task", 1) == b"x" * CHUNK
    assert reader.log("a task", 1, CHUNK) == b"end"
    assert reader.log("a task", 1, CHUNK + 3) == b""
    assert reader.log("a task", 2) == b""
