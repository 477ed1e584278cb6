from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stretto.model.names import slug, task_dir


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
