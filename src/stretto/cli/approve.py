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
    import shlex
    import time

    from stretto.cli import terminal, wish
    from stretto.cli.place import find, other_runs
    from stretto.core.events import TaskApproved, TaskRejected
    from stretto.core.requests import refuse
    from stretto.errors import StateError
    from stretto.observe.words import on_plan

    view = find(run)
    kind = TaskRejected if reject else TaskApproved
    answer = kind(at=time.time(), task=task, by=terminal.user(), note=note)
    if run is None and refuse(view.state, answer) is not None:
        for other in other_runs(view):
            if refuse(other.state, answer) is None:
                words = [*(["--reject"] if reject else []), *([f"--note {shlex.quote(note)}"] if note else [])]
                raise StateError(
                    f"{task!r} waits for nobody in {view.home.run}, which is looked at first; it does in "
                    f"{other.home.run}",
                    hint=" ".join((on_plan("approve", task), *words, "--run", other.home.run)),
                )
    view.must_have([task])
    terminal.say(told(task, wish.put(view, answer), reject=reject))


def told(task: str, said: str, *, reject: bool) -> str:
    """What the person is told of an answer of which `wish.put` has said this."""
    from stretto.cli.wish import DONE

    if reject and said == DONE:
        return f"{task}: rejected; it is tried again while attempts are left"
    return f"{'reject' if reject else 'approve'} {task}: {said}"
