"""Ends what a dead engine left running, before anything else is done to its run (R8.2)."""

from __future__ import annotations

import contextlib

from stretto.engine.home import RunHome
from stretto.engine.journal import SqliteJournal
from stretto.engine.lock import RunLock
from stretto.engine.strays import sweep
from stretto.errors import RunLeased


def end_strays(home: RunHome) -> int:
    """How many processes were ended; 0 also when an engine has meanwhile taken the run."""
    with (
        contextlib.suppress(RunLeased),
        RunLock(home.lock),
        contextlib.closing(SqliteJournal(home.journal)) as journal,
    ):
        return sweep_run(home, journal)
    return 0


def sweep_run(home: RunHome, journal: SqliteJournal) -> int:
    """The same for whoever owns the run already."""
    return sweep(home.run, journal.processes())
