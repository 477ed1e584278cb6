"""Options that several verbs share, spelled once."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from stretto.cli.named import is_folder

_RUN = (
    "A run, or the beginning of its name; default: the latest (where that was given up: the latest unfinished; land "
    "and abandon mean the latest)."
)
RunArgument = Annotated[str | None, typer.Argument(metavar="[RUN]", help=_RUN)]
RunOption = Annotated[str | None, typer.Option("--run", metavar="RUN", help=_RUN)]
TaskArgument = Annotated[str, typer.Argument(metavar="TASK", help="Id of a task.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")]


def _file(plan: str) -> str:
    if not is_folder(plan):
        return plan
    from stretto.cli.opening import file_of

    return file_of(plan)


def _files(plans: list[str]) -> list[str]:
    return [_file(plan) for plan in plans]


PlanArguments = Annotated[list[str], typer.Argument(metavar="PLAN…", help="Plan files.", callback=_files)]
PlanArgument = Annotated[
    str, typer.Argument(metavar="PLAN", help="A plan file, or a folder that is one plan.", callback=_file)
]


class Conflicts(StrEnum):
    SERIALIZE = "serialize"
    SERIALIZE_UNKNOWN = "serialize-unknown"
    REFUSE = "refuse"
    ALLOW = "allow"


class Isolation(StrEnum):
    WORKTREE = "worktree"
    NONE = "none"


def at_least_one(value: int | None) -> int | None:
    """What `min=1` of an option would check, in our own words."""
    if value is not None and value < 1:
        raise typer.BadParameter(f"{value} is too few; it must be at least 1")
    return value


Jobs = Annotated[
    int | None,
    typer.Option("-j", "--jobs", metavar="N", callback=at_least_one, help="Tasks at once; default: 5, or as set."),
]
Profile = Annotated[str | None, typer.Option("--profile", metavar="NAME", help="Settings of this profile count first.")]


def chosen_format(format: str | None, json: bool, known: Sequence[str]) -> str:
    """Which of the formats `--format` or `--json` asks for; the first of them where neither does. Raises
    ConfigError."""
    from stretto.errors import ConfigError

    if format is not None and format not in known:
        listed = f"{', '.join(known[:-1])} and {known[-1]}"
        raise ConfigError(f"there is no format {format!r}", hint=f"there are {listed}")
    if json and format not in (None, "json"):
        raise ConfigError(f"--json and --format {format} contradict each other", hint="give one of them")
    return "json" if json else format or known[0]
