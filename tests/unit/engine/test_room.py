"""Characters divided among texts that are longer together than their room."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.engine.room import LEAST, cut, fit, share

SIZES = st.lists(st.integers(0, 300), max_size=12)


@pytest.mark.parametrize(
    ("sizes", "room", "given_out"),
    [
        ((10, 20, 30), 100, [10, 20, 30]),
        ((10, 200, 200), 100, [10, 45, 45]),
        ((200, 10, 200), 100, [45, 10, 45]),
        ((5, 5), 0, [0, 0]),
        ((5, 5), -3, [0, 0]),
        ((), 10, []),
    ],
)
def test_small_texts_stay_whole_and_large_ones_share_the_rest(
    sizes: tuple[int, ...], room: int, given_out: list[int]
) -> None:
    assert share(sizes, room) == given_out


@given(SIZES, st.integers(-5, 2000))
def test_a_share_is_never_more_than_there_is(sizes: list[int], room: int) -> None:
    got = share(sizes, room)
    assert sum(got) <= max(0, room)
    assert all(one <= size for one, size in zip(got, sizes, strict=True))
    if sum(sizes) <= room:
        assert got == sizes


def listed(given: Sequence[int]) -> str:
    """A section with a heading, and a line for each text."""
    return "\n".join(["heading", *("x" * size for size in given)])


@given(SIZES, st.integers(-5, 2000), st.booleans())
def test_what_fits_fits_and_what_is_missing_is_counted(sizes: list[int], room: int, whole: bool) -> None:
    text, missing = fit(listed, sizes, room, whole=whole)
    assert len(text) <= max(0, room)
    assert missing == sum(sizes) - text.count("x")
    if len(listed(sizes)) <= room:
        assert text == listed(sizes)
    if whole and text:
        assert [len(line) for line in text.split("\n")[1:]] == sizes[: text.count("\n")]
    if room >= len("heading"):
        assert text


def test_texts_are_cut_alike_before_one_is_left_out() -> None:
    text, _ = fit(listed, (900, 900, 900), 7 + 3 * (1 + LEAST))
    assert text == listed((LEAST, LEAST, LEAST))
    text, missing = fit(listed, (900, 900, 900), 7 + 3 * (1 + LEAST) - 1)
    assert text.count("\n") == 2 and missing == 2700 - text.count("x")


@pytest.mark.parametrize(
    ("text", "limit", "kept"),
    [
        ("short", 9, "short"),
        ("one line\ntwo lines\n", 11, "one line\n"),
        ("a\nlong last line without an end", 12, "a\nlong last…"),
        ("abc", 0, ""),
    ],
)
def test_a_text_is_cut_at_the_end_of_a_line_where_that_costs_little(text: str, limit: int, kept: str) -> None:
    assert cut(text, limit) == kept


def test_long_lines_are_cut_at_their_ends_and_still_fill_the_room() -> None:
    whole = ("x" * 99 + "\n") * 50

    def write(given: Sequence[int]) -> str:
        return "".join(["heading of some length\n", *(cut(whole, size) for size in given)])

    for room in range(1000, 1100, 7):
        text, _ = fit(write, [len(whole)], room)
        assert room - 230 < len(text) <= room
