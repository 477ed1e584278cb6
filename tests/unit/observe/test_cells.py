"""Pieces of a line: how wide they are, and what is left of them where there is little room."""

from __future__ import annotations

import pytest

from stretto.model.run import Usage
from stretto.observe.cells import Piece, cell, clipped, flat, painted, plain
from stretto.observe.paint import Paint
from stretto.observe.taskrow import spending, squeezed


def test_colours_change_no_width_and_columns_are_set_anew() -> None:
    line = (Piece("日本", "red"), Piece("  "), Piece("plain"))
    assert painted(line, Paint(on=False)) == "日本\x1b[5G  plain"
    assert painted(line, Paint(on=True)) == "\x1b[31m日本\x1b[0m\x1b[5G  plain"


@pytest.mark.parametrize(
    "text, width, told",
    [
        ("short", 10, "short"),
        ("a-task-with-a-very-long-name-part-1", 20, "a-task-with-a…part-1"),
        ("日本語のとても長い名前その一", 15, "日本語のと…の一"),
        ("abcdefghij", 5, "abcdefghij"),
    ],
)
def test_a_long_name_keeps_its_end(text: str, width: int, told: str) -> None:
    assert squeezed(text, width) == told


def test_clipping_says_that_something_is_missing() -> None:
    line = (Piece("abc"), Piece("def"), Piece("   "))
    assert plain(clipped(line, 6)) == "abcdef"
    assert plain(clipped(line, 5)) == "abcd…"
    assert plain(clipped(line, 3)) == "ab…"
    assert plain(clipped(line, 1)) == "…"
    assert clipped(line, 0) == ()
    assert cell("日本", 3).text == "日…"
    assert cell("7s", 5, right=True).text == "   7s"
    assert flat(" a\n b ") == "a b"


@pytest.mark.parametrize(
    "usage, told",
    [
        (Usage(), ""),
        (Usage(cost_usd=0.126), "$0.13"),
        (Usage(input_tokens=900), "900 tok"),
        (Usage(input_tokens=12_000, output_tokens=345), "12.3k tok"),
        (Usage(output_tokens=2_500_000), "2.5M tok"),
    ],
)
def test_spending_in_a_word(usage: Usage, told: str) -> None:
    assert spending([usage]) == told
