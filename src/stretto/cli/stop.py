"""`stretto stop`: lets what runs finish, and starts nothing more."""

from __future__ import annotations

from typing import Annotated

import typer

from stretto.cli.options import RunArgument


def stop(
    run: RunArgument = None,
    now: Annotated[bool, typer.Option("--now", help="End what runs, too; its work is saved.")] = False,
) -> None:
    """Start nothing more; what runs may finish. `stretto resume` goes on."""
    import time

    from stretto.cli import wish
    from stretto.cli.place import find
    from stretto.cli.strays import end_strays
    from stretto.core.events import StopRequested

    view = find(run)
    if view.engine is None:
        ended = end_strays(view.home)
        left = f"; ended what was left of it: {ended}" if ended else ""
        print(f"nothing runs: {view.home.run} has no engine{left}")
        return
    said = wish.put(view, StopRequested(at=time.time(), now=now))
    more = "what runs is being ended, its work saved" if now else "what runs may finish; --now ends it"
    print(f"stop {view.home.run}: {said}" + (f"; {more}" if said == "done" else ""))
