"""`stretto status`: how far a run is."""

from __future__ import annotations

from typing import Annotated

import typer

from stretto.cli.options import Json, RunArgument


def status(
    run: RunArgument = None,
    json: Json = False,
    watch: Annotated[
        bool,
        typer.Option("--watch", help="Follow it to its end: live in a terminal; with --json a line a change."),
    ] = False,
) -> int:
    """Say how far a run is, task by task."""
    import sys
    import time

    import msgspec

    from stretto.cli import terminal, watching
    from stretto.cli.place import find
    from stretto.observe.snapshot import condition, snapshot, status_text

    view = find(run).shown()
    goes_on = view.engine is not None or condition(view.state, None, time.time()) == "starting"
    if watch and (json or (goes_on and terminal.can_draw(sys.stdout))):
        return watching.watch(view, json=json)
    if json:
        print(msgspec.json.format(msgspec.json.encode(snapshot(view.state, view.engine))).decode())
        return 0
    paint, width = terminal.paint(sys.stdout), terminal.width(sys.stdout)
    print(
        status_text(
            view.state, view.engine, now=time.time(), paint=paint, width=width or terminal.WIDTH, beside=view.beside()
        )
    )
    return watching.watch(view, json=False) if watch and goes_on else 0
