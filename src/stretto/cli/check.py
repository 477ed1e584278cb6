"""`stretto check`: everything that can be said about a plan before it runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stretto.cli.options import Conflicts, Json, PlanArgument, Profile, chosen_format

if TYPE_CHECKING:
    from stretto.model.plan import Finding, Plan

FORMATS = ("text", "json", "github", "sarif")


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


def check(
    plan: PlanArgument,
    json: Json = False,
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="|".join(FORMATS),
            help="How to print it: for people, as JSON, as annotations of GitHub Actions, or as SARIF 2.1.0.",
        ),
    ] = None,
    fail_on: Annotated[
        Severity, typer.Option("--fail-on", help="The least severity that makes the exit code 2.")
    ] = Severity.ERROR,
    conflicts: Annotated[
        Conflicts | None, typer.Option("--conflicts", help="Judge overlapping claims as `run --conflicts` would.")
    ] = None,
    agent: Annotated[
        str | None, typer.Option("--agent", metavar="A", help="Who does the tasks that name nobody, as `run --agent`.")
    ] = None,
    profile: Profile = None,
) -> int:
    """Say what is wrong with a plan, with file, line and a hint."""
    from stretto.analysis.lint import in_file_order
    from stretto.cli.linting import examine
    from stretto.cli.place import settings_here
    from stretto.cli.staffing import agent_findings, goes_by_prompt, person_findings
    from stretto.config.layers import flags
    from stretto.config.resolve import run_settings
    from stretto.errors import PlanError

    shape = chosen_format(format, json, FORMATS)
    said = {"conflicts": conflicts.value if conflicts else None, "agent": agent}
    settings = settings_here(flags(said), profile)
    try:
        loaded, findings = examine(plan, run_settings(settings), partial(goes_by_prompt, settings))
        findings = in_file_order((*findings, *agent_findings(loaded, settings, os.environ), *person_findings(loaded)))
        known: Plan | None = loaded.plan
    except PlanError as error:
        if not error.findings:
            raise
        known, findings = None, error.findings
    for text in _lines(shape, plan, known, findings):
        print(text)
    severities = list(Severity)
    grave = severities[: severities.index(fail_on) + 1]
    return 2 if known is None or any(finding.severity in grave for finding in findings) else 0


def _lines(shape: str, file: str, plan: Plan | None, findings: Sequence[Finding]) -> Iterable[str]:
    import sys

    import msgspec

    from stretto.cli import terminal
    from stretto.observe.annotations import workflow_commands
    from stretto.observe.findings import findings_text
    from stretto.observe.planview import check_json
    from stretto.observe.sarif import sarif

    match shape:
        case "json":
            return [msgspec.json.format(msgspec.json.encode(check_json(plan, findings))).decode()]
        case "sarif":
            told = sarif(file, findings, within=_from_the_top())
            return [msgspec.json.format(msgspec.json.encode(told)).decode()]
        case "github":
            return workflow_commands(file, findings, within=_from_the_top())
        case _:
            stream = sys.stdout
            return findings_text(file, plan, findings, paint=terminal.paint(stream), width=terminal.width(stream))


def _from_the_top() -> Callable[[str], str]:
    """Turns a path as it was given into one from the top of the repository around the current folder, or from that
    folder where there is none. What lies elsewhere becomes absolute."""
    here = Path.cwd()
    top = next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)

    def within(path: str) -> str:
        spelled = Path(os.path.normpath(here / path))
        places = (spelled, Path(os.path.realpath(path)))
        return next((place.relative_to(top).as_posix() for place in places if place.is_relative_to(top)), str(spelled))

    return within
