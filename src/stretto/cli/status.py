"""`stretto status`: how far a run is."""

from __future__ import annotations

from stretto.cli.options import Json, RunArgument


def status(run: RunArgument = None, json: Json = False) -> None:
    """Say how far a run is, task by task."""
    import sys
    import time

    import msgspec

    from stretto.cli import terminal
    from stretto.cli.place import find
    from stretto.observe.snapshot import snapshot, status_text

    view = find(run)
    if json:
        print(msgspec.json.format(msgspec.json.encode(snapshot(view.state, view.engine))).decode())
        return
    paint, width = terminal.paint(sys.stdout), terminal.width(sys.stdout)
    print(
        status_text(
            view.state, view.engine, now=time.time(), paint=paint, width=width or terminal.WIDTH, beside=view.beside()
        )
    )
