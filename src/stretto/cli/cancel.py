"""`stretto cancel`: gives tasks up."""

from __future__ import annotations

from typing import Annotated

import typer

from stretto.cli.options import RunOption


def cancel(
    tasks: Annotated[list[str], typer.Argument(metavar="TASK…", help="Ids of tasks.")], run: RunOption = None
) -> None:
    """Give tasks up: what runs is ended and its work kept; what depends on them is skipped."""
    import time

    from stretto.cli import terminal, wish
    from stretto.cli.place import find
    from stretto.core.events import TasksCancelled

    view = find(run)
    view.must_have(tasks)
    said = wish.put(view, TasksCancelled(at=time.time(), tasks=tuple(tasks)))
    terminal.say(f"cancel {', '.join(tasks)}: {said}")
