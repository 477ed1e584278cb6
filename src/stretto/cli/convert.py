"""`stretto convert`: a plan of another tool, in stretto's own format."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stretto.cli.options import PlanArgument, Profile

if TYPE_CHECKING:
    from collections.abc import Callable

    from stretto.model.plan import Plan

_SUFFIXES = (".yaml", ".yml", ".json")


def convert(
    plan: PlanArgument,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Where to, as YAML or JSON; default: standard output."),
    ] = None,
    open_only: Annotated[bool, typer.Option("--open", help="Leave out what the plan says is done.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Also where there is such a file already.")] = False,
    profile: Profile = None,
) -> int:
    """Write a plan of another tool in stretto's own format, to go on with it there.

    One with errors is converted all the same, so that they can be mended there: into a file with a note, on standard
    output with exit code 2, so that no pipe goes on with it."""
    import sys

    from stretto.cli import terminal
    from stretto.cli.linting import examine
    from stretto.cli.output import write
    from stretto.cli.place import settings_here
    from stretto.config.layers import flags
    from stretto.config.resolve import run_settings
    from stretto.errors import ConfigError
    from stretto.formats.native_text import as_json, as_yaml
    from stretto.observe.paint import count
    from stretto.observe.words import on_plan

    if output is not None:
        output = output / f"{Path(plan).stem}.yaml" if output.is_dir() else output
        if output.suffix not in _SUFFIXES and (output.is_file() or not output.exists()):
            raise ConfigError(f"{output}: a plan is written as YAML or JSON", hint=f"-o {output.stem}.yaml")
        if output.is_file() and not force:
            raise ConfigError(f"there is a file {output} already", hint="--force replaces it; -o FILE writes another")
    loaded, findings = examine(plan, run_settings(settings_here(flags({}), profile)))
    shown = without_done(loaded.plan) if open_only else loaded.plan
    text = (as_json if output and output.suffix == ".json" else as_yaml)(shown, moved(Path(plan), output))
    if output is None:
        sys.stdout.write(text)
    else:
        write(output, text.encode())
        terminal.say(f"wrote {output}: {count(len(shown.tasks), 'task')}", json=True)
    if done := sum(task.status == "succeeded" for task in shown.tasks):
        terminal.say(
            f"{count(done, 'task')} of it {'is' if done == 1 else 'are'} done; stretto's own format has no statuses: a "
            "run of the new plan would do them again (--open leaves them out)",
            json=True,
            label="note",
        )
    if aside := len({task for finding in findings if finding.code == "set-aside" for task in finding.tasks}):
        told = f"{count(aside, 'task')} that the plan has cancelled or put off {'is' if aside == 1 else 'are'} left out"
        terminal.say(f"{told}: {on_plan('check', plan)} tells which", json=True, label="note")
    if errors := sum(finding.severity == "error" for finding in findings):
        written = ", and was written all the same" if output is not None else ""
        told = f"the plan has {count(errors, 'error')}{written}: {on_plan('check', plan)}"
        terminal.say(told, json=True, label="note")
    return 2 if errors and output is None else 0


def without_done(plan: Plan) -> Plan:
    """What is left to do; nobody waits for what is done."""
    from msgspec.structs import replace

    left = [task for task in plan.tasks if task.status != "succeeded"]
    kept = {task.phase for task in left}
    names = {task.id for task in left} | kept
    landed = {id for task in plan.tasks if task.status == "succeeded" for id in task.provides}
    known = {task.id for task in plan.tasks} | {phase.id for phase in plan.phases}

    def still(waits: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in waits if name in names or name not in known)

    return replace(
        plan,
        tasks=tuple(
            replace(
                task,
                depends_on=still(task.depends_on),
                after=still(task.after),
                conflicts_with=still(task.conflicts_with),
                uses=tuple(id for id in task.uses if id not in landed),
            )
            for task in left
        ),
        phases=tuple(replace(phase, depends_on=still(phase.depends_on)) for phase in plan.phases if phase.id in kept),
    )


def moved(plan: Path, output: Path | None) -> Callable[[str], str]:
    """From a path that counts from the plan file to one that counts from the new file, wherever that is."""
    from stretto.cli.opening import own_folder

    here = own_folder(str(plan)).absolute()
    there = output.absolute().parent if output is not None and output.name != "stdout" else here

    def path(text: str) -> str:
        return text if here == there or Path(text).is_absolute() else os.path.relpath(here / text, there)

    return path
