from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.model.names import meant, slug, task_dir


def test_slugs() -> None:
    cases = {
        "Add Users": "add-users",
        "Ünï Çödé": "uni-code",
        "日本": "x",
        "--a..b//": "a-b",
        "": "x",
        "A" * 80: "a" * 60,
    }
    assert {text: slug(text) for text in cases} == cases
    assert task_dir("a") == "a-ca978112"


@given(st.text(), st.text())
def test_r6_5_names_are_safe_and_tell_ids_apart(one: str, two: str) -> None:
    for text in (one, two):
        assert set(slug(text)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
        assert 1 <= len(slug(text)) <= 60
    assert (task_dir(one) == task_dir(two)) == (one == two)


@pytest.mark.parametrize(
    ("word", "id"),
    [("2.1", "master.2.1"), ("4", "master.4"), ("mastr.4", "master.4"), ("1", "master.2.1"), ("zzz", ""), ("", "")],
)
def test_what_somebody_may_have_meant(word: str, id: str) -> None:
    assert meant(word, ["master.2.1", "master.4"]) == id


def test_an_end_that_several_ids_have_is_none() -> None:
    assert meant("4", ["a.4", "b/4"]) == ""
