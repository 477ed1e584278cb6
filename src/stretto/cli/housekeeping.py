"""What `stretto clean` finds, what it refuses, and how it frees the rest: runs, worktrees, remains of runs (R7.3).

Looking changes nothing. Freeing looks again, at each thing for itself, when everybody else is locked out of it.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from shlex import quote
from typing import Literal

from msgspec.structs import replace

from stretto.cli.place import View, view
from stretto.cli.strays import end_strays, sweep_run
from stretto.engine import disposal
from stretto.engine.home import RepositoryHome, RunHome
from stretto.engine.journal import SqliteJournal
from stretto.engine.lock import RunLock
from stretto.engine.proctable import occupants
from stretto.engine.reader import SqliteReader
from stretto.engine.strays import living
from stretto.errors import RunLeased, StrettoError
from stretto.formats.load import keeper_of
from stretto.model.plan import Value
from stretto.model.run import FINAL_STATES
from stretto.observe.paint import count
from stretto.observe.snapshot import condition, is_open, wish_text
from stretto.workspace import cleaning
from stretto.workspace.cleaning import Holding, Place
from stretto.workspace.pool import Pool, key_of
from stretto.workspace.repository import Repository

SHOWN = 3
"""So many refs or wishes are named where one has to be shown."""


class Wanted(Value, frozen=True, kw_only=True):
    """What may be freed. Without `names`: everything."""

    names: tuple[str, ...] = ()
    older_than_s: float = 0.0
    work: bool = False
    """Also refs that hold the only copy of work."""
    forget: bool = False
    """Also what says that tasks of a plan are done."""


class Found(Value, frozen=True, kw_only=True):
    """One thing that takes room. `why`: the reason it stays; empty when it can be freed, or was."""

    kind: Literal["run", "worktree", "remains"]
    name: str
    state: str = ""
    """Of a run."""
    since: float = 0.0
    """When it was last at work, in seconds since the epoch."""
    bytes: int = 0
    """What freeing it gives back; what refs hold is given back by git, later."""
    refs: tuple[str, ...] = ()
    """Those that go, a branch among them."""
    work: tuple[str, ...] = ()
    """Those of them that hold the only copy of work."""
    whole: bool = True
    """False: the run stays on record, for it says which tasks of its plan are done."""
    saves: bool = False
    """It holds work that is in no ref yet, and is brought to one first."""
    strays: int = 0
    """Processes that it left; they are ended first."""
    why: str = ""
    hint: str = ""
    freed: bool = False


NOTHING_HELD = Holding(refs={}, work=(), delivered=True, checked_out=False)
"""What a run in place has in a repository."""


class Housekeeping:
    """Of one repository."""

    def __init__(self, repository: Repository | None, runs: RepositoryHome, wanted: Wanted) -> None:
        """Without a repository there are only runs in place, which have neither worktrees nor refs."""
        self._repository, self._runs, self._wanted = repository, runs, wanted
        self._now = time.time()
        worktrees = Path(os.path.realpath(runs.worktrees))
        self._pool = Pool(worktrees, repository.store, repository.common) if repository is not None else None

    async def each(self, *, apply: bool) -> AsyncIterator[Found]:
        """Everything there is to free or to refuse; with `apply` it is freed as it comes. Raises RunNotFound."""
        names = self._wanted.names
        homes = list(dict.fromkeys(map(self._runs.find, names))) if names else self._runs.runs()
        if not names:
            async for found in self._remains(apply=apply):
                yield found
        for home in homes:
            if (one := await self._run(home, apply=apply)) is not None:
                yield one
        if not names:
            async for found in self._worktrees(apply=apply):
                yield found

    async def unknown(self) -> list[str]:
        """Runs that have refs in the repository and no folder here: another state folder may know them."""
        there = await cleaning.runs_with_refs(self._repository.store) if self._repository else set[str]()
        return sorted(there - {home.run for home in self._runs.runs()})

    # --- runs ---------------------------------------------------------------------------------------------------

    async def _run(self, home: RunHome, *, apply: bool) -> Found | None:
        """None: too young, or nothing of it can be given back."""
        try:
            seen = view(home)
            if seen is None:
                why, hint = "its journal is empty: it was never begun", f"rm -r {quote(str(home.path))}"
                return Found(kind="run", name=home.run, why=why, hint=hint)
            if self._now - seen.state.at < self._wanted.older_than_s:
                return None
            if not apply or seen.engine is not None:
                return (await self._examine(seen))[0]
            if not _is_over(seen):
                # Held no longer than it takes to end strays: somebody may be about to resume it.
                if condition(seen.state, None, self._now) != "starting":
                    end_strays(home)
                return (await self._examine(seen))[0]
            with RunLock(home.lock), contextlib.closing(SqliteJournal(home.journal)) as journal:
                sweep_run(home, journal)
                seen = View(home, list(journal.read()), None)  # somebody may have gone on with it until just now
                unsaved = await cleaning.save_leases(self._pool, home.run) if self._pool and _is_over(seen) else []
                found, holding = await self._examine(seen)
                if found is None or found.why:
                    return found
                if unsaved:
                    return replace(found, why=f"not all of its work can be saved: {unsaved[0]}")
                return await self._free(home, found, holding.refs)
        except StrettoError as error:
            leased = isinstance(error, RunLeased)
            why = str(error) if leased else f"its state cannot be read: {error}"
            return Found(kind="run", name=home.run, why=why, hint=error.hint)

    async def _examine(self, seen: View) -> tuple[Found | None, Holding]:
        """What there is of a run, and whether it may go; None where nothing is left to give back."""
        home, state = seen.home, seen.state
        landed = {record.id: record.attempt for record in state.tasks if record.landed is not None}
        holding = NOTHING_HELD
        if self._repository is not None and state.settings.isolation == "worktree":
            holding = await cleaning.holding(self._repository, run=home.run, head=state.lane.head, landed=landed)
        why, hint = self._refusal(seen, holding)
        whole = self._wanted.forget or not landed or not _says_what_is_done(home)
        going = [home.path] if whole else disposal.room(home)
        strays = living(home.run, SqliteReader(home).processes()) if seen.engine is None else []
        found = Found(
            kind="run",
            name=home.run,
            state=condition(state, seen.engine, self._now),
            since=state.at,
            bytes=usage(going),
            refs=tuple(holding.refs),
            work=holding.work,
            whole=whole,
            saves=self._pool is not None and home.run in cleaning.unsaved_runs(self._pool),
            strays=len(strays),
            why=why,
            hint=hint,
        )
        empty = not (going or holding.refs or strays or found.saves)
        return (None if empty and not self._wanted.names else found), holding

    def _refusal(self, seen: View, holding: Holding) -> tuple[str, str]:
        """(why the run stays, what to do about it); two empty texts when it may go."""
        run, state = seen.home.run, seen.state
        if seen.engine is not None:
            return f"it is running: process {seen.engine.pid} on {seen.engine.host}", f"stretto stop {run}"
        if not _is_over(seen):
            left = sum(number for name, number in state.counts.items() if name not in FINAL_STATES)
            why = f"it {_is(condition(state, None, self._now))}, and {count(left, 'task')} of it may still be done"
            return why, f"stretto resume {run}\nstretto abandon {run}"
        if wishes := seen.asked()[0]:
            asked = ", ".join(wish_text(wish) for wish in wishes[:SHOWN])
            return f"somebody has asked it to go on: {asked}", f"stretto resume {run}\nstretto abandon {run}"
        if not holding.delivered and not state.abandoned:
            number = sum(record.landed is not None for record in state.tasks)
            what = f"{count(number, 'task')} landed on" if number else "what an earlier run landed is on"
            why = f"{what} {state.branch}, which is in no branch of yours (a squash of it is not seen)"
            return why, f"stretto land {run}\nif you have squashed it, or do not want it: stretto abandon {run}"
        if holding.checked_out:
            return f"{state.branch} is checked out", "git worktree list"
        if holding.work and not self._wanted.work:
            named = ", ".join(name.removeprefix(f"refs/stretto/{run}/") for name in holding.work[:SHOWN])
            more = f" and {len(holding.work) - SHOWN} more" if len(holding.work) > SHOWN else ""
            return f"work that is in no branch of yours: {named}{more}", f"stretto clean {run} --work"
        return "", ""

    async def _free(self, home: RunHome, found: Found, refs: Mapping[str, str]) -> Found:
        """Again does the rest of what a kill has left undone."""
        try:
            if self._pool is not None:
                self._pool.forget_ignores(home.run)
            if found.whole:
                grave = disposal.bury(home, refs)
                await self._drop(refs)
                disposal.remove(grave)
            else:
                await self._drop(refs)
                disposal.thin(home)
        except StrettoError as error:
            return replace(found, why=f"not all of it could be removed: {error}", hint=error.hint)
        return replace(found, freed=True)

    async def _drop(self, refs: Mapping[str, str]) -> None:
        if self._repository is not None:
            await cleaning.drop(self._repository.store, refs)

    async def _remains(self, *, apply: bool) -> AsyncIterator[Found]:
        """Runs that were being removed, or being made, when somebody was killed."""
        for grave in disposal.graves(self._runs):
            left = disposal.owed(grave)
            found = Found(kind="remains", name=grave.name, bytes=usage([grave]), refs=tuple(left))
            if apply:
                try:
                    with RunLock(grave / "lock"):
                        await self._drop(left)
                        disposal.remove(grave)
                    found = replace(found, freed=True)
                except StrettoError as error:  # another clean is at it, or the disk says no
                    found = replace(found, why=str(error), hint=error.hint)
            yield found
        if not disposal.drafts(self._runs):
            return
        try:
            with RunLock(self._runs.path / "begin.lock", what="the beginning of a run"):
                for draft in disposal.drafts(self._runs):
                    found = Found(kind="remains", name=draft.name, bytes=usage([draft]))
                    if apply:
                        disposal.remove(draft)
                    yield replace(found, freed=apply)
        except RunLeased:  # what is being made is no remains
            return

    # --- worktrees ----------------------------------------------------------------------------------------------

    async def _worktrees(self, *, apply: bool) -> AsyncIterator[Found]:
        if (pool := self._pool) is None:
            return
        warm = self._warm()
        homes = {home.run: home for home in self._runs.runs()}
        where = occupants()

        def occupant(folder: Path) -> int | None:
            inside = f"{folder}/"
            return next((pid for place, pid in where.items() if place == str(folder) or place.startswith(inside)), None)

        for place in cleaning.places(pool):
            if self._now - place.used_at < self._wanted.older_than_s:
                continue
            key, number = place.path.parent.name, place.path.name
            found = Found(kind="worktree", name=f"{key}/{number}", since=place.used_at, why=place.why)
            if not found.why and key in warm:
                found = replace(found, why=f"kept ready for {warm[key]}, which is running")
            if not found.why and place.lease is not None:
                found = await self._leased(found, place, homes, pool, apply=apply)
            if not found.why and place.lease is None:
                found = replace(found, why=await _precious(pool, place))
            if not found.why and (pid := occupant(place.path)) is not None:
                found = replace(found, why=f"process {pid} is in it")
            if not found.why:
                found = replace(found, bytes=usage([place.path, *place.path.parent.glob(f"{number}.*")]))
            if not found.why and apply:
                try:
                    why, hint = await cleaning.free(pool, place.path, occupant=occupant), ""
                except StrettoError as error:
                    why, hint = f"not all of it could be removed: {error}", error.hint
                found = replace(found, why=why, hint=hint, freed=not why)
            yield found

    def _warm(self) -> dict[str, str]:
        """Worktrees of which set-up a running engine may want next."""
        keys: dict[str, str] = {}
        for home in self._runs.runs():
            with contextlib.suppress(StrettoError):
                if SqliteReader(home).engine() is not None and (seen := view(home)) is not None:
                    keys |= {key_of(seen.state.plan.setup, role): home.run for role in ("agent", "gate")}
        return keys

    async def _leased(
        self, found: Found, place: Place, homes: Mapping[str, RunHome], pool: Pool, *, apply: bool
    ) -> Found:
        """A worktree with work in it that no ref has."""
        lease = place.lease
        assert lease is not None
        if lease.role == "gate":
            return found
        what = f"work of {lease.task}#{lease.attempt} of {lease.run}"
        if lease.held:
            return replace(found, why=f"it holds {what} that git cannot take: {', '.join(lease.held[:SHOWN])}")
        home = homes.get(lease.run)
        seen = view(home) if home is not None else None
        if seen is not None and (apply or not _is_over(seen)):
            hint = f"stretto resume {lease.run}\nstretto abandon {lease.run}"
            return replace(found, why=f"it holds {what}, in no ref yet", hint="" if _is_over(seen) else hint)
        if apply and (unsaved := await cleaning.save_leases(pool, lease.run)):
            return replace(found, why=unsaved[0])
        return replace(found, saves=True)


async def _precious(pool: Pool, place: Place) -> str:
    try:
        return await cleaning.precious(pool, place.path)
    except StrettoError as error:
        return f"it cannot be read: {error}"


def _is_over(seen: View) -> bool:
    """Nobody may go on with it without asking for more."""
    state = seen.state
    return state.abandoned or (state.ended in ("succeeded", "failed") and not is_open(state))


def _says_what_is_done(home: RunHome) -> bool:
    """Whether a run of its plan that begins now would learn from it what need not be done again (R6.4)."""
    launch = home.launch()
    keeps = keeper_of(launch.plan_format) is not None
    return not keeps and Path(launch.plan_path).exists()


def usage(paths: Iterable[Path]) -> int:
    """Bytes on disk at and below these paths."""
    total = 0
    waiting = [str(path) for path in paths]
    while waiting:
        path = waiting.pop()
        with contextlib.suppress(OSError):  # gone meanwhile, or not ours to look into
            info = os.lstat(path)
            total += info.st_blocks * 512
            if stat.S_ISDIR(info.st_mode):
                with os.scandir(path) as entries:
                    waiting += [entry.path for entry in entries]
    return total


def _is(condition: str) -> str:
    return "was killed" if condition == "killed" else f"is {condition}"
