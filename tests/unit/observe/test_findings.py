"""Findings as text for people: places, hints, and many of one code folded."""

from __future__ import annotations

from collections.abc import Sequence

from stretto.model.plan import Finding, Location, Plan
from stretto.observe.findings import findings_text, folded
from stretto.observe.paint import Paint

PLAN = Plan(name="shop", format="stretto")


def found(n: int, code: str = "overlap", severity: str = "warning") -> Finding:
    location = Location(file="plan.yaml", line=n, column=1)
    return Finding(code=code, severity=severity, message=f"m{n}", location=location)  # type: ignore[arg-type]


def text(findings: Sequence[Finding], width: int | None = None) -> list[str]:
    return list(findings_text("my plan.yaml", PLAN, findings, paint=Paint(on=False), width=width))


def test_a_few_are_told_one_by_one() -> None:
    assert text([found(n) for n in range(1, 6)])[4:] == [
        "plan.yaml:5:1: warning: m5 [overlap]",
        "shop (stretto), 0 tasks: 5 warnings",
    ]


def test_many_of_one_code_are_folded_and_counted() -> None:
    lines = text([*(found(n) for n in range(1, 8)), found(8, "cycle", "error"), found(9, "hot-file", "info")])
    assert lines[4:] == [
        "plan.yaml:5:1: warning: m5 [overlap]",
        "plan.yaml:8:1: error: m8 [cycle]",
        "plan.yaml:9:1: info: m9 [hot-file]",
        "and 2 more [overlap]",
        "hint: all of them: stretto check 'my plan.yaml' --json",
        "shop (stretto), 0 tasks: 1 error, 7 warnings, 1 note",
    ]


def test_errors_have_more_room() -> None:
    shown, rest = folded([found(n, "unknown-id", "error") for n in range(30)])
    assert len(shown) == 20
    assert rest == {"unknown-id": 10}


def test_what_is_folded_fits_a_terminal() -> None:
    many = [found(n, f"code-{n % 12}") for n in range(500)]
    lines = text(many, width=80)
    assert len(lines) < 80
    assert all(len(line) <= 80 for line in lines)


def test_of_a_plan_in_many_files_those_with_the_errors_are_named() -> None:
    def last(*files: str | None) -> str:
        places = [Location(file=file, line=1, column=1) if file else None for file in files]
        errors = [Finding(code="syntax", severity="error", message="m", location=place) for place in places]
        note = Finding(code="x", severity="info", message="m", location=Location(file="other.md", line=1, column=1))
        return list(findings_text("epic.md", None, [*errors, note], paint=Paint(on=False)))[-1]

    assert last("003.md") == "003.md: 1 error, 1 note"
    assert last("003.md", "004.md", "003.md") == "003.md and 004.md: 3 errors, 1 note"
    assert last(None) == "epic.md: 1 error, 1 note"
    assert last(*(f"{n}.md" for n in range(5))) == "0.md, 1.md, 2.md and 2 more files: 5 errors, 1 note"
    assert last(*(f"{n}.md" for n in range(4))) == "0.md, 1.md, 2.md and 1 more file: 4 errors, 1 note"
