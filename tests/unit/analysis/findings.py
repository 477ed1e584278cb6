"""What lint finds in a plan, as tests of this folder ask for it: without the remark that a claim is missing."""

from __future__ import annotations

from typing import Any

from stretto.analysis.lint import lint
from stretto.model.plan import Finding, Location, Plan


def codes(the_plan: Plan, **rest: Any) -> list[str]:
    return sorted(x.code for x in lint(the_plan, **rest) if x.code != "unknown-scope")


def only(the_plan: Plan, code: str, **rest: Any) -> Finding:
    found = [x for x in lint(the_plan, **rest) if x.code != "unknown-scope"]
    assert [x.code for x in found] == [code]
    return found[0]


def at(line: int, column: int = 1) -> Location:
    return Location(file="plan.yaml", line=line, column=column)
