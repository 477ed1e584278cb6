"""Ends what a dead engine left running, found by the cookie in its environment (R8.2).

A process that wiped its environment is still found through the journal's process table, when that is passed.
"""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Iterable

from stretto.engine import proctable
from stretto.engine.proctable import Seen
from stretto.model.plan import Value

GIVE_UP_S = 10.0


class Started(Value, frozen=True, kw_only=True):
    """A command that an engine started, as the journal remembers it. `start` is in ticks of the boot `boot_id`."""

    cookie: tuple[str, str, str]
    """(run, task, attempt)."""
    pid: int
    start: int
    boot_id: str


def sweep(run: str, recorded: Iterable[Started] = ()) -> int:
    """KILL every agent and gate of the run, and what descends from them; how many processes there were.

    Never the caller or what is above it. Only for a run without an engine: a living one's agents would die as well."""
    recorded = tuple(recorded)
    killed: set[tuple[int, int]] = set()
    deadline = time.monotonic() + GIVE_UP_S
    for attempt in itertools.count():
        hit = [seen for seen in _find(run, recorded) if proctable.send(seen, signal.SIGKILL)]
        killed.update((seen.pid, seen.start) for seen in hit)
        if not hit or time.monotonic() > deadline:
            return len(killed)
        time.sleep(proctable.pause(attempt))
    raise AssertionError


def living(run: str, recorded: Iterable[Started] = ()) -> list[int]:
    """Pids of what a sweep would end now."""
    return [seen.pid for seen in _find(run, tuple(recorded))]


def _find(run: str, recorded: tuple[Started, ...]) -> list[Seen]:
    table = proctable.look()
    mine = f"STRETTO_RUN={run}".encode()
    roots = {started.pid for started in recorded if _is_alive(started, table)}
    for pid, seen in table.items():
        if seen.session in roots:
            roots.add(pid)
        elif proctable.is_own(pid):
            environment = proctable.environment(pid)
            if mine in environment and any(entry.startswith(b"STRETTO_TASK=") for entry in environment):
                roots.add(pid)
    spared = proctable.ancestors(os.getpid())
    return [table[pid] for pid in proctable.below(table, roots - spared) - spared if pid in table]


def _is_alive(started: Started, table: dict[int, Seen]) -> bool:
    seen = table.get(started.pid)
    return seen is not None and seen.start == started.start and started.boot_id == proctable.boot_id()
