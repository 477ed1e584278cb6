"""Findings as text, one place a line, so that editors can jump there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stretto.model.plan import Finding, Plan
from stretto.observe.layout import wrap
from stretto.observe.paint import Colour, Paint, count, line

COLOURS: Mapping[str, Colour] = {"error": "red", "warning": "yellow", "info": "blue"}


def findings_text(
    file: str, plan: Plan | None, findings: Sequence[Finding], *, paint: Paint, width: int | None = None
) -> Iterator[str]:
    """`file:line:column: severity: message [code]`, its hint below it, and a count at the end."""
    for finding in findings:
        place = finding.location
        where = f"{place.file}:{place.line}:{place.column}: " if place else f"{file}: "
        severity, code = finding.severity, f"[{finding.code}]"
        first, *more = wrap(f"{line(finding.message)} {code}", width, first=f"{where}{severity}: ", rest="    ")
        first = first.replace(f"{where}{severity}", f"{where}{paint(severity, COLOURS[severity])}", 1)
        for text in (first, *more):
            yield text.replace(code, paint(code, "dim"))
        if finding.hint:
            for text in wrap(line(finding.hint), width, first="    hint: ", rest="          "):
                yield text.replace("hint:", paint("hint:", "dim"), 1) if text.startswith("    hint:") else text
    counts = [
        count(number, what)
        for severity, what in (("error", "error"), ("warning", "warning"), ("info", "note"))
        if (number := sum(finding.severity == severity for finding in findings))
    ]
    what = f"{file}: " if plan is None else f"{line(plan.name)} ({plan.format}), {count(len(plan.tasks), 'task')}: "
    yield from wrap(what + (", ".join(counts) if counts else "nothing to complain about"), width)
