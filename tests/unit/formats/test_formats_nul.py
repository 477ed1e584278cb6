"""No program can be given a NUL character: a plan that wants to is one mistake at its place, and begins nothing."""

from __future__ import annotations

import pytest

from stretto.errors import PlanError
from stretto.formats.load import load

LINE = "  - {id: t, prompt: x, %s}"


@pytest.mark.parametrize(
    ("said", "key"),
    [
        (r'verify: "a\0"', "`verify` of task 't'"),
        (r'verify: ["ok", "a\0"]', "`verify` of task 't'"),
        (r'verify: [{run: "a\0"}]', "`run` of a check of task 't'"),
        (r'verify: [{run: "ok", expected: "a\0"}]', "`expected` of a check of task 't'"),
        (r'agent: ["ok", "shell: a\0"]', "`agent` of task 't'"),
        (r'agent: "shell: a\0"', "`agent` of task 't'"),
        (r'artifacts: ["a\0"]', "`artifacts` of task 't'"),
        (r'writes: ["a\0"]', "`writes` of task 't'"),
    ],
)
def test_a_nul_is_one_finding_at_its_place(said: str, key: str) -> None:
    line = LINE % said
    with pytest.raises(PlanError) as caught:
        load("plan.yaml", f"name: n\ntasks:\n{line}\n".encode())
    (found,) = caught.value.findings
    assert found.message == f"{key} has a NUL character in it"
    assert found.hint and found.location is not None
    place = line.rindex('"', 0, line.index(r"\0")) + 1
    assert (found.location.line, found.location.column) == (3, place)
