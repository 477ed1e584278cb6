"""How everybody but the engine sees a run: the port RunReader, over the run's own folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from stretto.engine.disk import explained
from stretto.engine.home import RunHome
from stretto.engine.journal import events_after, processes, reading, requests
from stretto.engine.lock import RunLock
from stretto.engine.strays import Started
from stretto.ports import Engine, Recorded

CHUNK = 1 << 16


class SqliteReader:
    """Never writes, never waits for the engine and never holds it up; needs no more than leave to read the folder."""

    def __init__(self, home: RunHome) -> None:
        self._home = home
        self._lock = RunLock(home.lock)

    def events(self, after: int = 0) -> Iterator[Recorded]:
        """Durable events after `after`. Raises StateError or JournalMismatch for a journal that cannot be read."""
        with reading(self._home.journal) as connection:
            yield from events_after(connection, after)

    def engine(self) -> Engine | None:
        """Who runs it now."""
        return self._lock.holder()

    def processes(self) -> list[Started]:
        """Every command that its engines have started."""
        with reading(self._home.journal) as connection:
            return processes(connection)

    def requests(self) -> list[dict[str, Any]]:
        """Every wish that was left for it, oldest first: as it lies in the inbox, with its answer if there is one."""
        with reading(self._home.journal) as connection:
            return requests(connection)

    def log(self, task: str, attempt: int, offset: int = 0) -> bytes:
        """At most 64 KiB from `offset` on; empty at the end, and before the attempt has written anything."""
        path = self._home.attempt(task, attempt).log
        with explained("read the output", path), contextlib.suppress(FileNotFoundError), path.open("rb") as log:
            log.seek(offset)
            return log.read(CHUNK)
        return b""
