"""The end of a program's output, as people and prompts get it."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.model.excerpt import clip, ending, head, legible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ü\ttab\n", "plain ü\ttab\n"),
        ("\x1b[1;31mred\x1b[0m \x1b]0;title\x07x\x1b]8;;u\x1b\\y", "red xy"),
        ("\x1b[2K 10%\r\x1b[2K 90%\rdone\r\n", "done\n"),
        ("bell\x07 back\x08 null\x00 c1\x9b", "bell back null c1"),
        ("abc\u202edef\u2066", "abcdef"),
    ],
)
def test_terminal_sequences_and_control_characters_go(text: str, shown: str) -> None:
    assert legible(text) == shown


@given(st.text(), st.integers(0, 20))
def test_a_clip_is_the_end(text: str, limit: int) -> None:
    clipped = clip(text, limit)
    assert len(clipped) <= limit
    assert clipped == text or clipped == "" or text.endswith(clipped[1:])


@given(st.text(), st.integers(0, 20))
def test_a_head_is_the_beginning(text: str, limit: int) -> None:
    first = head(text, limit)
    assert len(first) <= limit
    assert first == text or first == "" or (first[-1] == "…" and text.startswith(first[:-1]))


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("abcdef", 4, "abc…"),
        ("abe\u0301f", 4, "ab…"),
        ("ab\U0001f469\u200d\U0001f680cd", 5, "ab…"),
        ("ab\U0001f44d\U0001f3fdcd", 4, "ab…"),
    ],
)
def test_a_head_tears_no_sign_apart(text: str, limit: int, shown: str) -> None:
    assert head(text, limit) == shown


def test_the_ending_is_of_what_came_after() -> None:
    log = io.BytesIO(b"before\n\nafter  \nlast\n\n")
    assert ending(log, after=7) == "after\nlast"
    assert ending(log, lines=1) == "last"


@given(st.binary(max_size=400), st.integers(0, 500), st.integers(1, 40), st.integers(1, 60))
def test_the_ending_is_always_bounded_and_legible(body: bytes, after: int, lines: int, limit: int) -> None:
    text = ending(io.BytesIO(body), after=after, lines=lines, limit=limit)
    assert len(text) <= limit and text.count("\n") < lines
    assert all(char.isprintable() or char in "\n\t" or not char.isascii() for char in text)


def test_long_lines_take_no_longer_than_many() -> None:
    for hard in ("x" * 1_000_000, "x\r" * 300_000, "\x1b]" * 300_000, "\x1b[" * 300_000, "\r\n" * 300_000):
        assert len(legible(hard)) <= len(hard)
