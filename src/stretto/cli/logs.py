"""`stretto logs`: what an attempt printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from stretto.cli.options import RunOption, TaskArgument, at_least_one

if TYPE_CHECKING:
    from stretto.cli.place import View


def logs(
    task: TaskArgument,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on until the attempt ends.")] = False,
    attempt: Annotated[
        int | None,
        typer.Option("--attempt", metavar="N", callback=at_least_one, help="Which attempt; default: the latest."),
    ] = None,
    prompt: Annotated[bool, typer.Option("--prompt", help="What it was told, in place of what it printed.")] = False,
    run: RunOption = None,
) -> None:
    """Print what the agent of a task printed, or what it was told."""
    import sys
    import time

    from stretto.cli.place import find, view
    from stretto.engine.reader import SqliteReader
    from stretto.errors import ConfigError, StateError
    from stretto.observe.words import on_task

    found = find(run)
    found.must_have([task])
    record = found.state.by_id[task]
    number = attempt or record.attempt - record.asking
    if not 1 <= number <= record.attempt - record.asking:
        from stretto.cli.earlier import without

        raise without(found, task, "logs")
    if not _ran(found, task, number):
        from stretto.cli.earlier import tried, without

        if number not in (there := tried(found, task)):
            if attempt is not None or not there:
                raise without(found, task, "logs", number)
            number = there[-1]
    gone = record.starts > 0 and not _ran(found, task, number) and found.cleaned
    if gone:
        why = f"what attempt {number} of {task!r} printed and was told is gone: `stretto clean` has removed it"
        raise StateError(why, hint=on_task("explain", task, found.home.run))
    if prompt:
        if follow:
            raise ConfigError(
                "-f and --prompt contradict each other", hint="a prompt is written before the agent starts"
            )
        try:
            sys.stdout.buffer.write(found.home.attempt(task, number).prompt.read_bytes())
        except FileNotFoundError:
            why = f"attempt {number} of {task!r} ended before it was told anything"
            raise StateError(why, hint=on_task("explain", task, found.home.run)) from None
        return
    reader, offset = SqliteReader(found.home), 0

    def print_rest() -> None:
        nonlocal offset
        while chunk := reader.log(task, number, offset):
            offset += len(chunk)
            sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()

    while True:
        now = view(found.home) if follow else found
        record = (now or found).state.by_id[task]
        going = record.state == "running" and record.attempt == number and (now or found).engine is not None
        print_rest()
        if not (follow and going):
            break
        time.sleep(0.2)
    if not offset:
        _say_why_none((now or found), task, number)


def _ran(seen: View, task: str, number: int) -> bool:
    """Whether it came so far that its agent was told something; what it was told is gone after a clean, too."""
    return seen.home.attempt(task, number).prompt.exists()


def _say_why_none(seen: View, task: str, number: int) -> None:
    """An attempt that ended before its agent started has no output; what ended it, such as its set-up, has some."""
    from stretto.cli import terminal
    from stretto.model.excerpt import legible

    past = next((one for one in seen.state.by_id[task].past if one.attempt == number), None)
    if past is not None and past.failure.message and not _ran(seen, task, number):
        terminal.say(f"attempt {number} of {task!r} ended before its agent started:", json=True)
        print(legible(past.failure.message))
