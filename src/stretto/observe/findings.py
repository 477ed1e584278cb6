"""Findings as text, one place a line, so that editors can jump there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from stretto.model.plan import Finding, Plan
from stretto.observe.layout import advice, wrap
from stretto.observe.paint import Colour, Paint, count, line
from stretto.observe.words import on_plan

COLOURS: Mapping[str, Colour] = {"error": "red", "warning": "yellow", "info": "blue"}
_MOST = {"error": 20, "warning": 5, "info": 5}
"""So many findings of one code are told one by one."""

_FILES = 3
"""So many files with errors are named."""


def findings_text(
    file: str, plan: Plan | None, findings: Sequence[Finding], *, paint: Paint, width: int | None = None
) -> Iterator[str]:
    """`file:line:column: severity: message [code]`, its hint below it, and a count at the end."""
    shown, rest = folded(findings)
    for finding in shown:
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
    if rest:
        told = ", ".join(f"{number:,} more [{code}]" for code, number in rest.items())
        yield from wrap(f"and {told}", width)
        yield from advice(f"all of them: {on_plan('check', file)} --json", width)
    what = (
        f"{_at_fault(file, findings)}: "
        if plan is None
        else f"{line(plan.name)} ({plan.format}), {count(len(plan.tasks), 'task')}: "
    )
    yield from wrap(what + tally(findings), width)


def _at_fault(file: str, findings: Sequence[Finding]) -> str:
    """The files that have the errors, which need not be the one that was named: a plan may lie in several."""
    files = list(dict.fromkeys(x.location.file if x.location else file for x in findings if x.severity == "error"))
    more = [count(len(files) - _FILES, "more file")] if len(files) > _FILES else []
    named = [*files[:_FILES], *more] or [file]
    return " and ".join([", ".join(named[:-1]), named[-1]]) if len(named) > 1 else named[0]


def folded(findings: Sequence[Finding]) -> tuple[list[Finding], Mapping[str, int]]:
    """The findings to tell one by one, in their order, and how many more there are, by their code."""
    seen: Counter[str] = Counter()
    shown = []
    for finding in findings:
        seen[finding.code] += 1
        if seen[finding.code] <= _MOST[finding.severity]:
            shown.append(finding)
    told = Counter(finding.code for finding in shown)
    return shown, {code: number - told[code] for code, number in seen.items() if number > told[code]}


def tally(findings: Sequence[Finding]) -> str:
    """`2 errors, 1 note`."""
    counts = [
        count(number, what)
        for severity, what in (("error", "error"), ("warning", "warning"), ("info", "note"))
        if (number := sum(finding.severity == severity for finding in findings))
    ]
    return ", ".join(counts) if counts else "nothing to complain about"


def with_hint(finding: Finding) -> str:
    """The message and, on lines of its own, the hint."""
    return f"{finding.message}\nhint: {finding.hint}" if finding.hint else finding.message
