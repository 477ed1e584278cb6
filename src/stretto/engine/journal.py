"""The journal of a run in SQLite: durable facts, the wishes of other processes, and the commands that were started.

One thread writes; whatever has been appended by the time it comes round goes into one commit (group commit), so many
appenders share one fsync. WAL mode: readers never wait for the writer, nor it for them.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from stretto.core.events import Event, RequestReceived, RunStarted, Wish, decode, encode
from stretto.engine import disk
from stretto.engine.strays import Started
from stretto.errors import JournalMismatch, StateError
from stretto.model.run import undump
from stretto.ports import Recorded, Request

CORE_VERSION: int = next(field.default for field in msgspec.structs.fields(RunStarted) if field.name == "core_version")
SCHEMA_VERSION = 1
BUSY_S = 10.0
PAGE = 1000
"""Events read at a time: a long read transaction would keep the log from being checkpointed."""

RESTORE = "restore the file from a copy, or start anew with --new; the work of the run is still in git"
"""What to do about a file of a run that is damaged."""

_wishes, _anything = msgspec.json.Decoder(Wish), msgspec.json.Decoder()


def create(path: Path, events: Sequence[Event] = ()) -> None:
    """Make a journal that begins with `events`. Raises StateError when there is one, or it cannot be written."""
    schema = resources.files("stretto.engine").joinpath("journal.sql").read_text()
    with _explained(path, new=True):
        if path.exists():
            raise StateError(f"there is a journal already: {path}")
        with contextlib.closing(_connect(path, "rwc")) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(f"BEGIN; {schema}; PRAGMA user_version = {SCHEMA_VERSION};")
            _insert(connection, 1, events, [encode(event) for event in events])
            connection.execute("COMMIT")


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A checked connection that cannot write, whether an engine runs or not, and also in a read-only folder."""
    with _explained(path):
        if not path.exists():
            raise StateError(f"there is no journal at {path}")
        try:
            connection = _connect(path, "ro")
            connection.execute("SELECT 1 FROM sqlite_master")
        except sqlite3.OperationalError:
            log = path.with_name(path.name + "-wal")
            if log.exists() and log.stat().st_size:
                raise
            # A folder in which the index of the log cannot be made; without a log nobody writes either.
            connection = _connect(path, "ro&immutable=1")
        with contextlib.closing(connection):
            _check(connection, path)
            yield connection


def events_after(connection: sqlite3.Connection, after: int) -> Iterator[Recorded]:
    """Every event after `after`, in order. Raises JournalMismatch at a gap or an event that is not understood."""
    query = "SELECT seq, body FROM event WHERE seq > ? ORDER BY seq LIMIT ?"
    while page := connection.execute(query, (after, PAGE)).fetchall():
        for seq, body in page:
            if seq != after + 1:
                raise JournalMismatch(
                    f"the journal has a gap: event {after + 1} is missing: {_file(connection)}",
                    hint="the file was damaged or changed by hand; restore it from a copy, or start anew with --new",
                )
            after = seq
            yield Recorded(seq=seq, event=_event(connection, seq, body))


def latest_of(connection: sqlite3.Connection, kinds: Sequence[type[Event]], most: int) -> Iterator[Event]:
    """At most `most` events of these kinds, the newest first. Raises JournalMismatch for one that is not understood."""
    query = f"SELECT seq, body FROM event WHERE kind IN ({', '.join('?' * len(kinds))}) ORDER BY seq DESC LIMIT ?"
    for seq, body in connection.execute(query, (*(kind.__name__ for kind in kinds), most)):
        yield _event(connection, seq, body)


def _event(connection: sqlite3.Connection, seq: int, body: bytes) -> Event:
    try:
        return decode(body)
    except msgspec.DecodeError as error:
        raise JournalMismatch(
            f"event {seq} of the journal is not understood: {_file(connection)}: {error}",
            hint=f"it was written by another version of stretto, or damaged; if so, {RESTORE}",
        ) from error


def _file(connection: sqlite3.Connection) -> str:
    return str(connection.execute("PRAGMA database_list").fetchone()[2])


def copy(path: Path, to: Path) -> None:
    """The journal as it is at this moment, in a file of its own; also while an engine writes. Raises StateError."""
    with reading(path) as source, contextlib.closing(sqlite3.connect(to)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")  # one file, and nothing beside it


def rewrite(path: Path, recorded: Iterable[Recorded]) -> None:
    """Put these events in the place of those of the same numbers, in a copy; nothing of what was there stays."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        rows = ((encode(one.event), one.seq) for one in recorded)
        connection.executemany("UPDATE event SET body = ? WHERE seq = ?", rows)
        connection.commit()
        connection.execute("VACUUM")


def processes(connection: sqlite3.Connection) -> list[Started]:
    """Every command that was ever started, as it was written down."""
    rows = connection.execute("SELECT run, task, attempt, pid, start_ticks, boot_id FROM process")
    return [Started(cookie=(a, b, c), pid=pid, start=start, boot_id=boot) for a, b, c, pid, start, boot in rows]


def requests(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """The inbox as it is; `seq` is the event that journalled a wish."""
    rows = connection.execute("SELECT request, at, wish, seq, accepted, why FROM inbox ORDER BY place")
    return [
        {
            "request": request, "at": at, "wish": _as_it_lies(wish), "seq": seq,
            "accepted": None if accepted is None else bool(accepted), "why": why,
        }
        for request, at, wish, seq, accepted, why in rows
    ]  # fmt: skip


def _as_it_lies(wish: bytes) -> Any:
    """Data, or where it is damaged the text."""
    try:
        return undump(wish, _anything)
    except msgspec.DecodeError:
        return wish.decode("utf-8", "replace") if isinstance(wish, bytes) else str(wish)


class SqliteInbox:
    """The inbox of a run, for any process, also while no engine runs. Safe to call from several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        with _explained(path):
            self._inbox = _connect(path, "rw")
            try:
                _check(self._inbox, path)
            except (StateError, sqlite3.Error):
                self._inbox.close()
                raise

    def put(self, wish: Wish, *, request: str) -> None:
        self._execute(
            "INSERT INTO inbox (request, at, wish) VALUES (?, ?, ?) ON CONFLICT (request) DO NOTHING",
            (request, wish.at, msgspec.json.encode(wish)),
        )

    def waiting(self) -> Sequence[Request]:
        rows = self._execute(
            "SELECT request, at, wish FROM inbox WHERE seq IS NULL AND accepted IS NULL ORDER BY place"
        )
        found = []
        for request, at, wish in rows:
            try:
                found.append(Request(id=request, at=at, wish=undump(wish, _wishes)))
            except msgspec.DecodeError as error:
                self.answer(request, accepted=False, why=f"this version of stretto does not understand it: {error}")
        return found

    def answered(self, request: str) -> tuple[bool, str] | None:
        rows = self._execute("SELECT accepted, why FROM inbox WHERE request = ? AND accepted NOTNULL", (request,))
        return (bool(rows[0][0]), rows[0][1]) if rows else None

    def answer(self, request: str, *, accepted: bool, why: str) -> None:
        """The first answer stands; one to a request that nobody made is dropped."""
        self._execute(
            "UPDATE inbox SET accepted = ?, why = ? WHERE request = ? AND accepted IS NULL", (accepted, why, request)
        )

    def close(self) -> None:
        with self._lock:
            self._inbox.close()

    def _execute(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._lock, _explained(self.path):
            return self._inbox.execute(statement, values).fetchall()


class _Append(NamedTuple):
    events: Sequence[Event]
    bodies: list[bytes]
    written: asyncio.Future[int]


class SqliteJournal(SqliteInbox):
    """The journal, for the one process that owns the run. `close` it, or the last of `started` may be forgotten.

    Raises StateError when the file is damaged, and JournalMismatch when a newer stretto wrote it."""

    def __init__(self, path: Path, *, synchronous: Literal["FULL", "NORMAL"] = "FULL") -> None:
        super().__init__(path)
        with _explained(path):
            if (word := self._inbox.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
                raise _damaged(path, word)
            self._last: int = self._inbox.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()[0]
            self._connection = _connect(path, "rw")
            self._connection.execute(f"PRAGMA synchronous = {synchronous}")
        self._failure = ""
        self._closed = False
        self._jobs: queue.SimpleQueue[_Append | Started | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="journal", daemon=True)
        self._writer.start()

    async def append(self, events: Sequence[Event]) -> int:
        """Returns when all of them are durable: the seq of the last. They are written even if the caller is cancelled.

        After a commit that failed nobody knows what the file holds: from then on every call raises StateError."""
        if self._failure or self._closed:
            raise _refusal(self._failure or "it is closed")
        if not events:
            return self._last
        written: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._jobs.put(_Append(events, [encode(event) for event in events], written))
        return await written

    def read(self, after: int = 0) -> Iterator[Recorded]:
        """Every durable event after `after`, in order."""
        with reading(self.path) as connection:
            yield from events_after(connection, after)

    def started(self, process: Started) -> None:
        """Remember a command, with the next commit: it is worth no fsync of its own."""
        self._jobs.put(process)

    def processes(self) -> list[Started]:
        """Every command that was ever started, for the sweep."""
        with self._lock, _explained(self.path):
            return processes(self._inbox)

    def close(self) -> None:
        """Write what is left, and let go of the file."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
            self._writer.join()
            self._connection.close()
            super().close()

    def _write(self) -> None:
        """The writer thread, until it is told to close."""
        started: list[Started] = []
        closing = False
        while not closing:
            appends: list[_Append] = []
            for job in self._take():
                match job:
                    case None:
                        closing = True
                    case Started():
                        started.append(job)
                    case _Append():
                        appends.append(job)
            if appends or (closing and started):
                ends = self._commit(appends, started)
                started = []
                _tell(appends, ends, self._failure)

    def _take(self) -> Iterator[_Append | Started | None]:
        """Everything that is there by now, but at least one."""
        yield self._jobs.get()
        with contextlib.suppress(queue.Empty):
            while True:
                yield self._jobs.get_nowait()

    def _commit(self, appends: list[_Append], started: list[Started]) -> list[int]:
        """One transaction for all of it: the last seq of each append, or nothing, with `_failure` set."""
        if self._failure:
            return []
        ends: list[int] = []
        last = self._last
        rows = [(*process.cookie, process.pid, process.start, process.boot_id) for process in started]
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for append in appends:
                _insert(self._connection, last + 1, append.events, append.bodies)
                last += len(append.bodies)
                ends.append(last)
            self._connection.executemany("INSERT INTO process VALUES (?, ?, ?, ?, ?, ?)", rows)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._failure = str(error)
            with contextlib.suppress(sqlite3.Error):
                self._connection.rollback()
            return []
        self._last = last
        return ends


def _insert(connection: sqlite3.Connection, first: int, events: Sequence[Event], bodies: Sequence[bytes]) -> None:
    """Write events from the number `first` on, and what other tables say of them."""
    for seq, (event, body) in enumerate(zip(events, bodies, strict=True), first):
        connection.execute(
            "INSERT INTO event (seq, at, kind, body) VALUES (?, ?, ?, ?)", (seq, event.at, type(event).__name__, body)
        )
        match event:
            case RunStarted():
                connection.execute(
                    "INSERT OR REPLACE INTO run (id, created, core_version) VALUES (?, ?, ?)",
                    (event.run, event.at, event.core_version),
                )
            case RequestReceived():
                connection.execute("UPDATE inbox SET seq = ? WHERE request = ?", (seq, event.request))
            case _:
                pass


def _tell(appends: list[_Append], ends: list[int], failure: str) -> None:
    """Wake everybody whose events were written, or were not."""

    def settle(mine: list[tuple[asyncio.Future[int], int]]) -> None:
        for written, end in mine:
            if written.done():
                continue  # its caller was cancelled
            if failure:
                written.set_exception(_refusal(failure))
            else:
                written.set_result(end)

    waiting: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[int], int]]] = {}
    for append, end in zip(appends, ends or [0] * len(appends), strict=True):
        waiting.setdefault(append.written.get_loop(), []).append((append.written, end))
    for loop, mine in waiting.items():
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, mine)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_S,
        isolation_level=None,
        check_same_thread=False,
    )


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """That it is a journal, and none that this version cannot read."""
    (schema,) = connection.execute("PRAGMA user_version").fetchone()
    if schema == 0:
        raise _damaged(path, "it has no tables")
    (core,) = connection.execute("SELECT coalesce(max(core_version), 0) FROM run").fetchone()
    if schema > SCHEMA_VERSION or core > CORE_VERSION:
        raise JournalMismatch(
            f"the journal was written by a newer stretto (tables {schema}, core {core}): {path}",
            hint="use that version, or a newer one, for this run",
        )


@contextlib.contextmanager
def _explained(path: Path, *, new: bool = False) -> Iterator[None]:
    """SQLite's words, and the system's, as errors that a person can act on."""
    with disk.explained("use the journal", path):
        try:
            yield
        except sqlite3.OperationalError as error:
            if not new and not path.exists():
                raise StateError(f"there is no journal at {path}") from error
            raise StateError(
                f"cannot use the journal {path}: {error}",
                hint="see that the disk is not full, the folder yours, and the file held by no other program",
            ) from error
        except sqlite3.DatabaseError as error:
            raise _damaged(path, str(error)) from error


def _damaged(path: Path, word: str) -> StateError:
    return StateError(f"the journal is damaged: {path}: {word}", hint=RESTORE)


def _refusal(failure: str) -> StateError:
    return StateError(
        f"the journal takes no more events: {failure}",
        hint="see that the disk is not full; the run then goes on from the last event that was written: stretto resume",
    )
