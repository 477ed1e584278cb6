"""Earlier runs of the same plan file: in the way, or to be built on (R6.4, R8.5)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stretto.cli.place import View, view
from stretto.engine.home import RepositoryHome
from stretto.errors import RunLeased, StateError
from stretto.model.plan import Value

if TYPE_CHECKING:
    from stretto.wiring import Repository


class Earlier(Value, frozen=True, kw_only=True):
    """A finished run whose landings are not in the user's branch yet."""

    run: str
    tip: str
    """Head of its branch."""
    succeeded: set[str]


async def earlier_run(
    runs: RepositoryHome, plan: Path, repository: Repository, base: str, *, new: bool
) -> Earlier | None:
    """What the latest run of the plan has landed beyond `base`. Raises StateError when a run of it is not over yet,
    unless `new`."""
    views = runs_of(runs, plan, new=new)
    if not new:
        refuse_unfinished(views)
    for one in reversed(views):
        if one.state.ended in ("succeeded", "failed"):
            return await _landings(one, repository, base)
    return None


def runs_of(runs: RepositoryHome, plan: Path, *, new: bool) -> list[View]:
    """Runs of the plan, oldest first; with `new`, one that cannot be read is as good as none."""
    found = []
    for home in runs.runs():
        try:
            if home.launch().plan_path == str(plan) and (seen := view(home)) is not None:
                found.append(seen)
        except StateError:
            if not new:
                raise
    return found


def refuse_unfinished(views: Sequence[View]) -> None:
    """Raises RunLeased or StateError when one of these runs is alive, or was left unfinished (R8.5)."""
    for one in views:
        _refuse(one)


def _refuse(one: View) -> None:
    run = one.home.run
    if one.engine is not None:
        holder = f"process {one.engine.pid} on {one.engine.host}"
        raise RunLeased(
            f"this plan is being run already: {run}, by {holder}",
            holder=holder,
            hint=f"stretto status {run}; --new starts another run beside it",
        )
    if one.state.ended not in ("succeeded", "failed"):
        dead = "was killed" if one.state.resumes else "is about to start, or was killed"
        how = dead if one.state.ended is None else f"is {one.state.run_state}"
        raise StateError(
            f"an earlier run of this plan is not finished: {run} {how}",
            hint=f"stretto resume {run}; --new starts another run",
        )


async def _landings(one: View, repository: Repository, base: str) -> Earlier | None:
    succeeded = {record.id for record in one.state.tasks if record.state == "succeeded"}
    tip = await repository.store.resolve(f"refs/heads/{one.state.branch}")
    if not succeeded or tip is None or await repository.store.is_ancestor(tip, base):
        return None
    return Earlier(run=one.home.run, tip=tip, succeeded=succeeded)
