"""Options that several verbs share, spelled once."""

from __future__ import annotations

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
