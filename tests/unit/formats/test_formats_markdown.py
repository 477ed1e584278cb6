"""Markdown as an outline: what is a check box, and what belongs to it."""

from __future__ import annotations

import pytest

from stretto.formats.syntax.markdown_text import Outline, path_of
from stretto.formats.syntax.parse import parse


def outline(text: str) -> Outline:
    tree = parse("tasks.md", text.encode()).tree
    assert isinstance(tree, Outline)
    return tree


def boxes(text: str) -> list[str]:
    return [text[box.start : box.end] for box in outline(text).boxes]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- [ ] a\n* [x] b\n+ [X] c\n1. [ ] d\n2) [-] e\n", ["- [ ] a", "* [x] b", "+ [X] c", "1. [ ] d", "2) [-] e"]),
        (
            "- [ ] a\n  more\n\n  and more\nprose? no: lazy\n\nprose\n",
            ["- [ ] a\n  more\n\n  and more\nprose? no: lazy"],
        ),
        ("- [ ] a\n# Heading\n- [ ] b", ["- [ ] a", "- [ ] b"]),
        ("- [ ] a\n---\n- [ ] b", ["- [ ] a", "- [ ] b"]),
        ("- [ ] a\n> a quote\n", ["- [ ] a"]),
        ("- [ ] a\n  - [ ] b\n    c\n- [ ] d", ["- [ ] a\n  - [ ] b\n    c", "- [ ] b\n    c", "- [ ] d"]),
        ("- [ ] a\r\n  more\r\n\r\n\r\n- [ ] b\r\n", ["- [ ] a\r\n  more", "- [ ] b"]),
        ("- [ ] a\n```\n- [ ] no\n```\n- [ ] b\n", ["- [ ] a", "- [ ] b"]),
        ("- [ ] a\n  ```\n  # no heading\n  - [ ] no\n  ```\n", ["- [ ] a\n  ```\n  # no heading\n  - [ ] no\n  ```"]),
        ("~~~~\n- [ ] no\n~~~\n- [ ] no\n~~~~\n- [ ] a", ["- [ ] a"]),
        ("```\n- [ ] nothing ends this fence", []),
        ("<!--\n- [ ] no\n-->\n- [ ] a", ["- [ ] a"]),
        ("<!-- one line -->\n- [ ] a", ["- [ ] a"]),
        ("---\nkey: |\n  - [ ] no\n---\n- [ ] a", ["- [ ] a"]),
        ("- [ ]\n- [x](link)\n- [ ] a", ["- [ ]", "- [ ] a"]),
        ("- [ ]* a\n- [x]\\* b\n- [ ]*no*\n- [ ] c", ["- [ ]* a", "- [x]\\* b", "- [ ] c"]),
    ],
)
def test_check_boxes_with_all_that_hangs_on_them(text: str, expected: list[str]) -> None:
    if not expected:
        text += "\n```\n- [ ] "  # else nothing says that it is Markdown
        expected = boxes(text)
    assert boxes(text) == expected


def test_headings_and_the_prose_right_below_them() -> None:
    found = outline(
        "before\n\n# One #\nfirst\n\n- [ ] a\n\nsecond\n## Two\n- [ ] b\n### Three\n- [ ] c\n## Four\n- [ ] d\n"
    )
    assert [(x.level, x.title, x.prose) for x in found.sections] == [
        (0, "", "before"), (1, "One", "first\n\nsecond"), (2, "Two", ""), (3, "Three", ""), (2, "Four", ""),
    ]  # fmt: skip
    assert [box.section for box in found.boxes] == [1, 2, 3, 4]
    assert list(path_of(found.sections, 3)) == [3, 2, 1, 0]
    assert list(path_of(found.sections, 4)) == [4, 1, 0]


def test_a_plan_whose_prompt_has_check_boxes_stays_yaml() -> None:
    assert parse("plan", b"tasks:\n  - id: a\n    prompt: |\n      - [ ] first\n").syntax == "yaml"


def test_a_deep_list_is_read_in_time_that_grows_with_its_size() -> None:
    deep = "".join(f"{' ' * i}- [ ] x\n" for i in range(2_000))
    assert len(outline(deep).boxes) == 2_000
