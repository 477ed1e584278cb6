"""`stretto retry`: gives failed tasks new tries."""

from __future__ import annotations

from typing import Annotated

import typer

from stretto.cli.options import RunOption


def retry(
    tasks: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TASK…]", help="Ids of tasks; default: all that failed, and what fell with them."),
    ] = None,
    run: RunOption = None,
) -> None:
    """Give failed tasks new tries."""
    import time

    from stretto.cli import terminal, wish
    from stretto.cli.place import find
    from stretto.core.events import TasksRetried

    view, chosen = find(run), tuple(tasks or ())
    view.must_have(chosen)
    said = wish.put(view, TasksRetried(at=time.time(), tasks=chosen))
    terminal.say(f"retry {', '.join(chosen) or 'everything that failed'}: {said}")
