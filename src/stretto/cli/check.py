"""`stretto check`: everything that can be said about a plan before it runs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from stretto.cli.options import Conflicts, Format, Json, PlanArgument, Profile, wants_json


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


def check(
    plan: PlanArgument,
    json: Json = False,
    format: Format = None,
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
    import os
    import sys

    import msgspec

    from stretto.analysis.lint import in_file_order
    from stretto.cli import terminal
    from stretto.cli.linting import examine
    from stretto.cli.place import settings_here
    from stretto.cli.staffing import agent_findings
    from stretto.config.layers import flags
    from stretto.config.resolve import run_settings
    from stretto.errors import PlanError
    from stretto.model.plan import Plan
    from stretto.observe.findings import findings_text
    from stretto.observe.planview import check_json

    as_json = wants_json(format, json)
    said = {"conflicts": conflicts.value if conflicts else None, "agent": agent}
    settings = settings_here(flags(said), profile)
    try:
        loaded, findings = examine(plan, run_settings(settings))
        findings = in_file_order((*findings, *agent_findings(loaded, settings, os.environ)))
        known: Plan | None = loaded.plan
    except PlanError as error:
        if not error.findings:
            raise
        known, findings = None, error.findings
    if as_json:
        told = check_json(known, findings)
        print(msgspec.json.format(msgspec.json.encode(told)).decode())
    else:
        for text in findings_text(
            plan, known, findings, paint=terminal.paint(sys.stdout), width=terminal.width(sys.stdout)
        ):
            print(text)
    severities = list(Severity)
    grave = severities[: severities.index(fail_on) + 1]
    return 2 if known is None or any(finding.severity in grave for finding in findings) else 0
