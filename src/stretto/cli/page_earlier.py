"""An earlier generation of the same app that was stopped or killed: gone on with, or in the way (R8.5)."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from shlex import quote

from stretto.cli import terminal, wish
from stretto.cli.earlier import runs_of
from stretto.cli.place import View
from stretto.cli.strays import end_strays
from stretto.config.agents import TEXT, named
from stretto.core.events import PlanChanged, SettingsChanged, TasksRetried
from stretto.engine.home import Launch, repository_home, state_dir
from stretto.errors import ConfigError, RunLeased, StateError
from stretto.recipes.page_specs.folder import begins_exactly, written
from stretto.recipes.page_specs.plan import Ground
from stretto.recipes.page_specs.prompt import first_line
from stretto.recipes.page_specs.state import MASTER_ID
from stretto.workspace.repository import around


def unfinished(app: Path) -> View | None:
    """The latest run of page specs in this folder, if it was left unfinished. Raises RunLeased where one is at work."""
    path = Path(os.path.realpath(app))
    here = asyncio.run(around(path, environ=os.environ))
    runs = repository_home(state_dir(os.environ), here[1] if here else path)
    views = [one for one in runs_of(runs, path, new=True) if one.unfinished]
    for one in views:
        if one.engine is not None:
            run, holder = one.home.run, f"process {one.engine.pid} on {one.engine.host}"
            raise RunLeased(
                f"the page specs of {app} are being written already: {run}, by {holder}",
                holder=holder,
                hint=f"stretto status {run}\nor end it: stretto stop {run}",
            )
    return views[-1] if views else None


def refuse(view: View, app: str) -> StateError:
    """The error for a generation that is begun although an earlier one waits."""
    run = view.home.run
    return StateError(
        f"an earlier generation of {app} is not finished: {run}",
        hint=f"go on with it: stretto scaffold pages {quote(app)} --resume\nor give it up: stretto abandon {run}",
    )


def prepare(view: View, ground: Ground, *, parallel: int | None, json: bool) -> frozenset[str]:
    """Make the run ready to go on: what has failed is tried again, but for pages that are there; those are given back.

    Raises StateError."""
    view.must_not_be_cleaned()
    if ended := end_strays(view.home):
        terminal.say(f"ended {ended} left over from before the crash", json=json)
    there = _there(view, ground)
    if there:
        rest = tuple(record.task for record in view.state.tasks if record.id not in there)
        wish.put(view, PlanChanged(at=time.time(), tasks=rest, phases=view.state.plan.phases, force=True))
        terminal.say(f"written since it began, and kept as it is: {', '.join(there.values())}", json=json)
    failed = tuple(record.id for record in view.state.tasks if record.state == "failed" and record.id not in there)
    if failed:
        wish.put(view, TasksRetried(at=time.time(), tasks=failed))
    if parallel is not None and parallel != view.state.parallel:
        wish.put(view, SettingsChanged(at=time.time(), parallel=parallel))
    terminal.say(f"going on with {view.home.run}, with the options that it was begun with", json=json)
    return frozenset(there)


def _there(view: View, ground: Ground) -> dict[str, str]:
    """Pages that somebody has written since the run began, and nobody of the run can have left half: its agent never
    began with them, or writes a file whole or not at all. By name, with the path of the specification."""
    launch, state = view.home.launch(), view.state
    found = {}
    for page in ground.pages:
        record, path = state.by_id.get(page.name), written(ground.folder, page.name)
        if record is None or path is None or record.state == "succeeded" or record.id in state.gone:
            continue
        writers = [launch.agents[name].kind for name in record.task.agent or (launch.agent,)]
        if record.attempt and set(writers) != {TEXT}:
            continue
        file = ground.folder / path
        if file.stat().st_ctime > view.recorded[0].event.at and begins_exactly(file, first_line(page.name)):
            found[page.name] = path
    return found


def must_fit(only: tuple[str, ...], agent: str | None, view: View, app: str) -> None:
    """Raises ConfigError for options that a run which has begun cannot take any more."""
    pages = {record.id for record in view.state.tasks} - {MASTER_ID}
    other = {
        "--only": only and set(only) != pages,
        "--agent": agent is not None and _is_other(agent, view.home.launch()),
    }
    for flag, differs in other.items():
        if differs:
            raise ConfigError(
                f"{flag} cannot be changed any more for {view.home.run}, which is not finished",
                hint=f"go on with it first: stretto scaffold pages {quote(app)} --resume\n"
                f"or give it up: stretto abandon {view.home.run}",
            )


def _is_other(agent: str, launch: Launch) -> bool:
    """Whether a run that has begun with its own agent would have to take another."""
    name, spec = named(agent)
    return name != launch.agent or (spec is not None and spec.command != launch.agents[name].command)
