"""`stretto diff`: what an attempt changed."""

from __future__ import annotations

from typing import Annotated

import typer

from stretto.cli.options import Json, RunOption, TaskArgument, at_least_one

PLAIN = (
    "--no-color", "--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/", "--submodule=short",
    "--inter-hunk-context=0", "--find-renames",
)  # fmt: skip
"""What nobody's settings change: for everything but a person's terminal."""
PATCH = ("--unified=3", "--binary")
"""So that `git apply` takes it. Each of them asks for a patch, so a summary must not have them."""


def diff(
    task: TaskArgument,
    attempt: Annotated[
        int | None,
        typer.Option("--attempt", metavar="N", callback=at_least_one, help="Which attempt; default: the latest."),
    ] = None,
    stat: Annotated[bool, typer.Option("--stat", help="Only how much in which file.")] = False,
    name_only: Annotated[bool, typer.Option("--name-only", help="Only which files.")] = False,
    run: RunOption = None,
    json: Json = False,
) -> None:
    """Show what an attempt of a task changed; of one that runs, what it has changed so far."""
    import asyncio
    import os
    import sys

    import msgspec

    from stretto.cli import terminal
    from stretto.cli.place import find
    from stretto.cli.work import work_of
    from stretto.core.events import AttemptFinished
    from stretto.errors import ConfigError, StateError
    from stretto.observe.story import Story
    from stretto.observe.words import on_task
    from stretto.workspace.changes import changes

    if stat + name_only + json > 1:
        raise ConfigError("--stat, --name-only and --json contradict each other", hint="give one of them")
    view = find(run).shown()
    view.must_have([task])
    record = view.state.by_id[task]
    tries = Story(view.recorded).tries
    latest = max((n for other, n in tries if other == task), default=record.attempt - record.asking)
    number = attempt or latest
    found = tries.get((task, number))
    if found is None:
        from stretto.cli.earlier import without

        raise without(view, task, "diff", number)

    if view.state.settings.isolation == "none":
        if not name_only:
            raise StateError(
                f"{view.home.run} works in the folder itself, and stretto keeps no copy of what was there before",
                hint=f"which files it changed: {on_task('diff', task, view.home.run, '--name-only')}",
            )
        ends = (one.event for one in view.recorded if isinstance(one.event, AttemptFinished))
        for path in next((end.paths for end in ends if (end.task, end.attempt) == (task, number)), ()):
            print(path)
        return

    async def show() -> None:
        async with work_of(view.home, found) as work:
            files = await changes(work.git, work.base, work.end) if work is not None else ()
            if not files:
                yet = "has changed nothing yet" if found.ended_at is None else "changed nothing"
                terminal.say(f"attempt {number} of {task!r} {yet}", json=True)
            if json:
                told = {
                    "schema_version": 1, "run": view.home.run, "task": task, "attempt": number,
                    "running": found.ended_at is None, "base": work and work.base, "commit": work and work.commit,
                    "files": files,
                }  # fmt: skip
                print(msgspec.json.format(msgspec.json.encode(told)).decode())
            elif work is not None:
                here = sys.stdout.isatty()
                colour = () if terminal.paint(sys.stdout).on else ("--no-color",)
                patch = () if here else PATCH
                how = ("--stat",) if stat else ("--name-only",) if name_only else patch
                words = ("diff", "--no-relative", *(colour if here else PLAIN), *how, work.base, work.end)
                sys.stdout.flush()
                work.git.show(*words, terminal=os.environ if here else None)

    asyncio.run(show())
