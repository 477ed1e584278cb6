"""What is said to people in a terminal, line by line."""

from __future__ import annotations

import pytest

from stretto.cli import terminal


def test_every_line_of_a_hint_begins_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.hint("two ways to go on:\nstretto resume r-1\nor begin anew: stretto run plan.yaml --new")
    assert capsys.readouterr().out.splitlines() == [
        "hint: two ways to go on:",
        "      stretto resume r-1",
        "      or begin anew: stretto run plan.yaml --new",
    ]
