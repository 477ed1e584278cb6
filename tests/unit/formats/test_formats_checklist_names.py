"""By what names tasks of a checklist may wait for others."""

from __future__ import annotations

import pytest

from stretto.analysis.lint import lint
from stretto.formats.load import Loaded, load


def read(text: str) -> Loaded:
    return load("TODO.md", text.encode())


@pytest.mark.parametrize(
    ("lines", "codes"),
    [
        ("- [ ] 1.1 a\n- [ ] 1.2 b\n- [ ] 1.2 c\n- [ ] 1.3 d (depends on 1.2)\n", ["duplicate-id"]),
        ("- [ ] 1.2 a\n- [ ] 1.2 b\n", ["duplicate-id"]),
        ("- [ ] All\n  - [ ] 1.2 a\n  - [ ] 1.2 b\n", ["duplicate-id"]),
        ("- [ ] 3.11 wheels\n- [ ] 3.11 docs\n- [ ] a\n- [ ] b\n", []),
        ("## A\n- [ ] 1.1 a\n- [ ] 1.2 b\n## B\n- [ ] 1.1 c\n- [ ] 1.2 d (depends on 1.1)\n", []),
        ("## A\n- [ ] 1.1 a\n## B\n- [ ] 1.1 b\n## C\n- [ ] 1.2 c (depends on 1.1)\n", ["ambiguous-id"]),
        ("## A\n- [ ] 1.1 a\n## B\n- [ ] 1.1 b\n## C\n- [ ] 1.2 c\n", []),
        ("- [ ] #12 front\n- [ ] #12 back\n- [ ] c (after #12)\n", ["ambiguous-id"]),
        ("- [ ] #12 front\n- [ ] #12 back\n- [ ] c\n", []),
        ("- [ ] Task 3: a\n- [ ] Task 3: b\n- [ ] c. Depends on task 3\n", ["ambiguous-id"]),
        ("1. [ ] a\n1. [ ] b\n1. [ ] c (depends on 1)\n", ["ambiguous-id"]),
        ("- [ ] docs: a\n- [ ] docs: b\n- [ ] c (depends on docs)\n", ["ambiguous-id"]),
    ],
)
def test_r1_a_name_of_several_tasks_is_never_taken_for_the_first(lines: str, codes: list[str]) -> None:
    loaded = read(lines)
    found = [*loaded.findings, *lint(loaded.plan, loaded.places)]
    wanted = ("duplicate-id", "ambiguous-id", "outside-need")
    assert [x.code for x in found if x.code in wanted] == codes
    for finding in (x for x in found if x.code == "ambiguous-id"):
        assert (finding.severity, finding.location and finding.location.line) == ("warning", lines.count("\n"))


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("**login**: the form", "login"),
        ("**login:** the form", "Login"),
        ("**login** the form", "login"),
        ("`login`: the form", "login"),
        ("login: the form", "login"),
        ("T7 the form", "T7"),
        ("T042 the form", "T042"),
        ("T7: the form", "T7"),
    ],
)
def test_r1_a_remark_may_name_a_task_by_its_first_word(line: str, name: str) -> None:
    loaded = read(f"- [ ] {line}\n- [ ] z\n- [ ] y (depends on {name})\n- [ ] x that is shown after {name} is there\n")
    first, _, last, prose = loaded.plan.tasks
    assert last.depends_on == (first.id,)
    assert prose.depends_on == ((first.id,) if first.id == name else ())
    assert not [x for x in loaded.findings if x.code == "outside-need"]
