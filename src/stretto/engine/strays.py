"""Ends what a dead engine left running, found by the cookie in its environment (R8.2).

A process that wiped its environment is still found through the journal's process table, when that is passed.
"""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Iterable, Mapping

from stretto.engine import proctable
from stretto.engine.proctable import HERE, Seen, Table
from stretto.model.plan import Value

GIVE_UP_S = 10.0


class Started(Value, frozen=True, kw_only=True):
    """A command that an engine started, as the journal remembers it. `start` is in ticks of the boot `boot_id`."""

    cookie: tuple[str, str, str]
    """(run, task, attempt)."""
    pid: int
    start: int
    boot_id: str


def sweep(run: str, recorded: Iterable[Started] = (), *, table: Table = HERE) -> int:
    """KILL every agent and gate of the run, and what descends from them; how many processes there were.

    Never the caller or what is above it. Only for a run without an engine: a living one's agents would die as well."""
    recorded = tuple(recorded)
    killed: set[tuple[int, int]] = set()
    deadline = time.monotonic() + GIVE_UP_S
    for attempt in itertools.count():
        hit = [seen for seen in _find(run, recorded, table) if table.send(seen, signal.SIGKILL)]
        killed.update((seen.pid, seen.start) for seen in hit)
        if not hit or time.monotonic() > deadline:
            return len(killed)
        time.sleep(proctable.pause(attempt))
    raise AssertionError


def living(run: str, recorded: Iterable[Started] = (), *, table: Table = HERE) -> list[int]:
    """Pids of what a sweep would end now."""
    return [seen.pid for seen in _find(run, tuple(recorded), table)]


def _find(run: str, recorded: tuple[Started, ...], table: Table) -> list[Seen]:
    living = table.look()
    mine = f"STRETTO_RUN={run}".encode()
    boot = table.boot_id()
    began = {started.pid: started.start for started in recorded if started.boot_id == boot}
    roots = {pid for pid, start in began.items() if pid in living and living[pid].start == start}
    for pid, seen in living.items():
        if _is_of_session(seen, began, living):
            roots.add(pid)
        elif table.is_own(pid):
            environment = table.environment(pid)
            if mine in environment and any(entry.startswith(b"STRETTO_TASK=") for entry in environment):
                roots.add(pid)
    spared = proctable.ancestors(table, os.getpid())
    return [living[pid] for pid in proctable.below(living, roots - spared) - spared if pid in living]


def _is_of_session(seen: Seen, began: Mapping[int, int], living: Mapping[int, Seen]) -> bool:
    """Whether a recorded command began its session, be that command still alive or not: no pid is given again while it
    names a session that somebody is in."""
    start = began.get(seen.session)
    leader = living.get(seen.session)
    return start is not None and seen.start >= start and (leader is None or leader.start == start)
