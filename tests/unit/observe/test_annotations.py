"""Findings as workflow commands of GitHub Actions: where they point, and that no plan can slip in a command."""

from __future__ import annotations

from typing import Any

import pytest

from stretto.model.plan import Finding, Location
from stretto.observe.annotations import workflow_commands


def told(*findings: Finding) -> list[str]:
    return list(workflow_commands("plan.yaml", findings, within=lambda path: f"sub/{path}"))


def found(message: str = "m", *, code: str = "cycle", file: str = "plan.yaml", **rest: str) -> Finding:
    location = Location(file=file, line=3, column=7)
    given: dict[str, Any] = {"severity": "error", "location": location, "message": message, "code": code}
    return Finding(**given | rest)


@pytest.mark.parametrize(
    ("severity", "command"), [("error", "::error "), ("warning", "::warning "), ("info", "::notice ")]
)
def test_severities_are_github_s(severity: str, command: str) -> None:
    assert told(found(severity=severity))[0].startswith(command)


@pytest.mark.parametrize(
    ("finding", "line"),
    [
        (found("x", hint="cut it"), "::error file=sub/plan.yaml,line=3,col=7,title=cycle::x%0Ahint: cut it"),
        (found("100% : a, b"), "::error file=sub/plan.yaml,line=3,col=7,title=cycle::100%25 : a, b"),
        (found(file="a,b:c%d.md"), "::error file=sub/a%2Cb%3Ac%25d.md,line=3,col=7,title=cycle::m"),
        (found("a\r\n::error::b"), "::error file=sub/plan.yaml,line=3,col=7,title=cycle::a%0A::error::b"),
        (found("a\x1b[31mb\x07"), "::error file=sub/plan.yaml,line=3,col=7,title=cycle::ab"),
    ],
)  # fmt: skip
def test_a_finding_is_one_line_with_its_place(finding: Finding, line: str) -> None:
    assert told(finding) == [line, "stretto check: 1 error"]


def test_a_finding_without_a_place_is_about_the_file() -> None:
    nowhere = Finding(code="unreadable", severity="error", message="there is no such file")
    assert told(nowhere)[0] == "::error file=sub/plan.yaml,title=unreadable::there is no such file"


def test_many_of_one_code_leave_room_for_the_others() -> None:
    many = [found(f"m{n}", code="overlap", severity="warning") for n in range(30)]
    lines = told(*many, found("last", code="similar-id", severity="warning"))
    assert len(lines) == 7
    assert lines[5].endswith("title=similar-id::last")
    assert lines[6] == "stretto check: 31 warnings"


def test_a_good_plan_has_no_annotation() -> None:
    assert told() == ["stretto check: nothing to complain about"]
