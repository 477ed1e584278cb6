"""`stretto abandon`: gives a run up for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from stretto.cli.options import Json, RunArgument

if TYPE_CHECKING:
    from stretto.cli.place import View
    from stretto.engine.abandonment import Abandoned
    from stretto.engine.home import RunHome


def abandon(
    run: RunArgument = None,
    yes: Annotated[
        bool,
        typer.Option("--yes", "-y", help="Do not ask; where there is no terminal to ask in, nothing is asked anyway."),
    ] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Take that back: the run may be resumed and landed.")] = False,
    json: Json = False,
) -> int:
    """Give a run up: it is never resumed, landed or built on. Its work stays until `clean`."""
    import sys

    from stretto.cli import terminal
    from stretto.cli.place import find
    from stretto.engine.abandonment import refuse_taken_back
    from stretto.errors import RunLeased, StateError

    view = find(run, abandoned=True)
    name, state = view.home.run, view.state
    if view.engine is not None:
        holder = f"process {view.engine.pid} on {view.engine.host}"
        raise RunLeased(f"{name} is running: {holder}", holder=holder, hint=f"stretto stop {name}")
    if undo:
        if not state.abandoned:
            raise StateError(f"{name} has not been abandoned", hint=f"stretto status {name}")
        refuse_taken_back(state)
        _take_back(view.home)
        return _tell(view, f"{name} is taken back", [f"stretto status {name}"], json=json)
    if state.abandoned:
        return _tell(view, f"{name} has been abandoned already", [], json=json)
    if state.ended == "succeeded" and view.delivered:
        raise StateError(
            f"all of {name} is on your branch: there is nothing to give up", hint=f"stretto clean {name} --apply"
        )
    if state.ended == "succeeded" and state.settings.isolation == "none":
        raise StateError(
            f"all of {name} is in the folder: there is nothing to give up", hint=f"stretto clean {name} --apply"
        )
    if terminal.is_interactive() and not yes:
        terminal.say(f"{_left(view)}; it stays, but nobody will resume, land or build on it.", json=True)
        if not terminal.ask(f"Abandon {name}?", default=False):
            print("nothing was abandoned", file=sys.stderr)
            return 130
    done = give_up(view.home)
    for said in done.unsaved:
        terminal.say(f"not saved, and kept as it is: {said}", json=json, label="warning")
    steps = [f"stretto abandon {name} --undo", f"stretto clean {name} --work"]
    return _tell(view, f"abandoned {name}: {_left(view)}; it stays until you clean it up", steps, json=json, done=done)


def _left(view: View) -> str:
    """What there is of the run, in a few words."""
    from stretto.observe.paint import count

    landed = sum(record.landed is not None for record in view.state.tasks)
    rest = sum(record.starts > 0 and record.landed is None for record in view.state.tasks)
    kept = f"{count(landed, 'task')} landed on {view.state.branch}" if landed else "nothing has landed"
    other = "other task" if landed else "task"
    if view.state.settings.isolation == "none":
        done = f"{count(landed, 'task')} done" if landed else "nothing is done"
        return done + (f"; what {count(rest, other)} left is in the folder" if rest else "")
    return kept + (f"; the work of {count(rest, other)} is in refs" if rest else "")


def give_up(home: RunHome) -> Abandoned:
    """Without a question. Raises StateError and RunLeased."""
    import asyncio
    import contextlib
    import os
    import time
    from pathlib import Path

    from msgspec.structs import replace

    from stretto import wiring
    from stretto.cli.strays import sweep_run
    from stretto.cli.terminal import user
    from stretto.core.recovery import replay
    from stretto.engine.abandonment import abandon
    from stretto.engine.journal import SqliteJournal
    from stretto.engine.lock import RunLock
    from stretto.engine.supervise import ProcessSupervisor

    async def rescue(journal: SqliteJournal) -> Abandoned:
        state = replay(recorded.event for recorded in journal.read()).state
        launch = home.launch()
        if launch.isolation == "worktree":
            # The work tree that the run was started in may be gone by now; any other of the repository does as well.
            launch = replace(launch, repository=str((await wiring.repository(Path.cwd(), os.environ)).root))
        places = await wiring.workspaces(home, launch, state.plan, state.settings, os.environ, ProcessSupervisor())
        return await abandon(journal, places, at=time.time(), by=user())

    with RunLock(home.lock), contextlib.closing(SqliteJournal(home.journal)) as journal:
        sweep_run(home, journal)
        return asyncio.run(rescue(journal))


def _take_back(home: RunHome) -> None:
    import asyncio
    import contextlib
    import time

    from stretto.cli.terminal import user
    from stretto.engine.abandonment import reclaim
    from stretto.engine.journal import SqliteJournal
    from stretto.engine.lock import RunLock

    with RunLock(home.lock), contextlib.closing(SqliteJournal(home.journal)) as journal:
        asyncio.run(reclaim(journal, at=time.time(), by=user()))


def _tell(view: View, text: str, steps: list[str], *, json: bool, done: Abandoned | None = None) -> int:
    import msgspec

    from stretto.cli import terminal
    from stretto.cli.place import view as look

    now = look(view.home) or view
    if json:
        saved = [] if done is None else [{"task": t, "attempt": n, "commit": c} for (t, n), c in done.saved.items()]
        unsaved = [] if done is None else list(done.unsaved)
        told = {"run": view.home.run, "state": now.state.run_state, "saved": saved, "unsaved": unsaved}
        print(msgspec.json.encode(told).decode())
    terminal.say(text, json=json)
    terminal.commands(*steps, json=json)
    return 0
