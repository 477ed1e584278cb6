"""`stretto check`: everything that can be said about a plan before it runs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from stretto.cli.options import Conflicts, Format, Json, PlanArgument, wants_json


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
        Conflicts, typer.Option("--conflicts", help="Judge overlapping claims as `run --conflicts` would.")
    ] = Conflicts.SERIALIZE,
) -> int:
    """Say what is wrong with a plan, with file, line and a hint."""
    import sys

    import msgspec

    from stretto.cli import terminal
    from stretto.cli.begin import examine
    from stretto.errors import PlanError
    from stretto.model.plan import Plan
    from stretto.observe.findings import findings_text
    from stretto.observe.planview import check_json

    as_json = wants_json(format, json)
    try:
        loaded, findings = examine(plan, conflicts.value)
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
