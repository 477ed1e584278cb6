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
    profile: Profile = None,
) -> int:
    """Say what is wrong with a plan, with file, line and a hint."""
    import sys

    import msgspec

    from stretto.cli import terminal
    from stretto.cli.begin import examine
    from stretto.cli.place import settings_here
    from stretto.config.layers import flags
    from stretto.config.resolve import run_settings
    from stretto.errors import PlanError
    from stretto.model.plan import Plan
    from stretto.observe.findings import findings_text
    from stretto.observe.planview import check_json

    as_json = wants_json(format, json)
    settings = settings_here(flags({"conflicts": conflicts.value if conflicts else None}), profile)
    try:
        loaded, findings = examine(plan, run_settings(settings))
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
