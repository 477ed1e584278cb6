"""`stretto approve`: a person's yes or no."""

from __future__ import annotations

from typing import Annotated

import typer

from stretto.cli.options import RunOption, TaskArgument


def approve(
    task: TaskArgument,
    reject: Annotated[bool, typer.Option("--reject", help="Say no: the task is tried again with the note.")] = False,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="Why; a no tells the next attempt.")] = "",
    run: RunOption = None,
) -> None:
    """Say yes, or with --reject no, to a task that waits for a person."""
    import time

    from stretto.cli import terminal, wish
    from stretto.cli.place import find
    from stretto.core.events import TaskApproved, TaskRejected

    view = find(run)
    view.must_have([task])
    kind = TaskRejected if reject else TaskApproved
    said = wish.put(view, kind(at=time.time(), task=task, by=terminal.user(), note=note))
    terminal.say(told(task, said, reject=reject))


def told(task: str, said: str, *, reject: bool) -> str:
    """What the person is told of an answer of which `wish.put` has said this."""
    from stretto.cli.wish import DONE

    if reject and said == DONE:
        return f"{task}: rejected; it is tried again while attempts are left"
    return f"{'reject' if reject else 'approve'} {task}: {said}"
