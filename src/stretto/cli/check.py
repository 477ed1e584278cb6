"""`stretto check`: everything that can be said about a plan before it runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from stretto.cli.options import Conflicts, Json, PlanArguments, Profile, chosen_format

if TYPE_CHECKING:
    from stretto.config.layers import Settings
    from stretto.model.plan import Finding, Plan

FORMATS = ("text", "json", "github", "sarif")


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


def check(
    plans: PlanArguments,
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
    """Say what is wrong with a plan, or with several, with file, line and a hint."""
    from stretto.cli.place import settings_here
    from stretto.config.layers import flags

    shape = chosen_format(format, json, FORMATS)
    said = {"conflicts": conflicts.value if conflicts else None, "agent": agent}
    settings = settings_here(flags(said), profile)
    severities = list(Severity)
    grave = severities[: severities.index(fail_on) + 1]
    checked: list[_Checked] = []
    code = 0
    for n, file in enumerate(plans):
        one = _checked(file, settings)
        if one.plan is None or any(finding.severity in grave for finding in one.findings):
            code = 2
        if shape in ("json", "sarif"):
            checked.append(one)
            continue
        if n and shape == "text":
            print()
        for text in _lines(shape, one):
            print(text)
    if checked:
        print(_document(shape, checked))
    return code


class _Checked(NamedTuple):
    file: str
    plan: Plan | None
    """None: it could not be read."""
    findings: Sequence[Finding]


def _checked(file: str, settings: Settings) -> _Checked:
    from stretto.analysis.lint import in_file_order
    from stretto.cli.linting import examine
    from stretto.cli.staffing import agent_findings, goes_by_prompt, person_findings
    from stretto.config.resolve import run_settings
    from stretto.errors import PlanError

    try:
        loaded, findings = examine(file, run_settings(settings), partial(goes_by_prompt, settings))
    except PlanError as error:
        if not error.findings:
            raise
        return _Checked(file, None, error.findings)
    told = (*findings, *agent_findings(loaded, settings, os.environ), *person_findings(loaded))
    return _Checked(file, loaded.plan, in_file_order(told))


def _lines(shape: str, one: _Checked) -> Iterable[str]:
    """As text for people, or for a log that GitHub reads."""
    import sys

    from stretto.cli import terminal
    from stretto.observe.annotations import workflow_commands
    from stretto.observe.findings import findings_text

    if shape == "github":
        return workflow_commands(one.file, one.findings, within=_from_the_top())
    stream = sys.stdout
    paint, width = terminal.paint(stream), terminal.width(stream)
    return findings_text(one.file, one.plan, one.findings, paint=paint, width=width)


def _document(shape: str, checked: Sequence[_Checked]) -> str:
    """One document of all plans. As JSON, that of a single plan is about nothing else."""
    import msgspec

    from stretto.observe.planview import check_json
    from stretto.observe.sarif import sarif

    if shape == "sarif":
        within = _from_the_top()
        each = [sarif(one.file, one.findings, within=within) for one in checked]
        told = each[0] | {"runs": [run for document in each for run in document["runs"]]}
    elif len(checked) == 1:
        told = check_json(checked[0].plan, checked[0].findings)
    else:
        told = {"plans": [{"file": one.file} | check_json(one.plan, one.findings) for one in checked]}
    return msgspec.json.format(msgspec.json.encode(told)).decode()


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
