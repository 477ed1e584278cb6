"""Findings as text, one place a line, so that editors can jump there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stretto.model.plan import Finding, Plan
from stretto.observe.paint import Colour, Paint, count, line

COLOURS: Mapping[str, Colour] = {"error": "red", "warning": "yellow", "info": "blue"}


def findings_text(file: str, plan: Plan | None, findings: Sequence[Finding], *, paint: Paint) -> Iterator[str]:
    """`file:line:column: severity: message [code]`, its hint below it, and a count at the end."""
    for finding in findings:
        place = finding.location
        where = f"{place.file}:{place.line}:{place.column}: " if place else f"{file}: "
        severity = paint(finding.severity, COLOURS[finding.severity])
        yield f"{where}{severity}: {line(finding.message)} {paint(f'[{finding.code}]', 'dim')}"
        if finding.hint:
            yield f"    {paint('hint:', 'dim')} {line(finding.hint)}"
    counts = [
        count(number, what)
        for severity, what in (("error", "error"), ("warning", "warning"), ("info", "note"))
        if (number := sum(finding.severity == severity for finding in findings))
    ]
    what = f"{file}: " if plan is None else f"{line(plan.name)} ({plan.format}), {count(len(plan.tasks), 'task')}: "
    yield what + (", ".join(counts) if counts else "nothing to complain about")
