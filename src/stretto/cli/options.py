"""Options that several verbs share, spelled once."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

RunArgument = Annotated[
    str | None, typer.Argument(metavar="[RUN]", help="A run, or the beginning of its name; default: the latest.")
]
RunOption = Annotated[
    str | None, typer.Option("--run", metavar="RUN", help="A run, or the beginning of its name; default: the latest.")
]
TaskArgument = Annotated[str, typer.Argument(metavar="TASK", help="Id of a task.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")]
PlanArgument = Annotated[str, typer.Argument(metavar="PLAN", help="A plan file.")]
Jobs = Annotated[int | None, typer.Option("-j", "--jobs", metavar="N", min=1, help="Tasks at once; default: 5.")]


class Conflicts(StrEnum):
    SERIALIZE = "serialize"
    SERIALIZE_UNKNOWN = "serialize-unknown"
    REFUSE = "refuse"
    ALLOW = "allow"


class Format(StrEnum):
    """`GITHUB` and the others after it are agreed and have no code yet."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"
    MERMAID = "mermaid"
    DOT = "dot"
    SVG = "svg"
    HTML = "html"


def wants_json(format: Format | None, json: bool) -> bool:
    """Whether `--format` or `--json` asks for JSON. Raises ConfigError where they contradict each other."""
    from stretto.errors import ConfigError, NotSupportedYet

    if format not in (None, Format.TEXT, Format.JSON):
        raise NotSupportedYet(f"--format {format} is not supported yet", hint="there are text and json")
    if json and format is Format.TEXT:
        raise ConfigError("--json and --format text contradict each other", hint="give one of them")
    return json or format is Format.JSON
