"""`stretto scaffold subplans`, `executions` and `fill`: the papers of many achievements at once."""

from __future__ import annotations

from typing import Annotated

import typer

from stretto.cli.options import Json, at_least_one

FolderArgument = Annotated[
    str, typer.Argument(metavar="FOLDER", help="The folder of a parallel.json, or the file itself.")
]
Level = Annotated[
    str | None,
    typer.Option("--level", metavar="N|all", help="Only this level, from 0; default: the first that lacks any."),
]
Author = Annotated[
    str | None,
    typer.Option("--agent", metavar="A", help="Who writes; default: a template, filled from the plan."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be written, and stop there.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Keep = Annotated[bool, typer.Option("--keep", help="Where some papers fail, keep the others; else all are taken back.")]
Writers = Annotated[
    int | None,
    typer.Option("-j", "--jobs", metavar="N", callback=at_least_one, help="With --agent: papers at once; default: 5."),
]


def subplans(
    folder: FolderArgument,
    level: Level = None,
    agent: Author = None,
    jobs: Writers = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    keep: Keep = False,
    json: Json = False,
) -> int:
    """Create the SUBPLANs that are missing, for all achievements of a level."""
    from stretto.cli.scaffold_batch import How, create
    from stretto.cli.scaffold_folder import level_of, opened

    how = How(agent=agent, jobs=jobs, dry_run=dry_run, yes=yes, keep=keep, json=json)
    return create(opened(folder, sound=True), "subplans", level_of(level), how)


def executions(
    folder: FolderArgument,
    level: Level = None,
    agent: Author = None,
    jobs: Writers = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    keep: Keep = False,
    json: Json = False,
) -> int:
    """Create the EXECUTION_TASKs that are missing, where there is a SUBPLAN."""
    from stretto.cli.scaffold_batch import How, create
    from stretto.cli.scaffold_folder import level_of, opened

    how = How(agent=agent, jobs=jobs, dry_run=dry_run, yes=yes, keep=keep, json=json)
    return create(opened(folder, sound=True), "executions", level_of(level), how)


def fill(
    folder: FolderArgument,
    level: Annotated[
        str | None, typer.Option("--level", metavar="N|all", help="Only this level; default: all.")
    ] = None,
    agent: Author = None,
    jobs: Writers = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    keep: Keep = False,
    json: Json = False,
) -> int:
    """Give papers content that are placeholders."""
    from stretto.cli.scaffold_batch import How
    from stretto.cli.scaffold_batch import fill as filled
    from stretto.cli.scaffold_folder import level_of, opened

    how = How(agent=agent, jobs=jobs, dry_run=dry_run, yes=yes, keep=keep, json=json)
    return filled(opened(folder, sound=True), level_of(level), how)
