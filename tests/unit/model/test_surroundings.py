"""The allow-list of environment variables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.model.surroundings import surroundings

USERS = {
    "PATH": "/bin", "HOME": "/h", "LANG": "C", "LC_ALL": "C", "TERM": "x", "TMPDIR": "/t", "USER": "u",
    "EDITOR": "vi", "PYTHONPATH": "/x", "ANTHROPIC_API_KEY": "k", "GH_TOKEN": "t", "my_password": "p", "APP_URL": "a",
    "APP_SECRET": "s", "STRETTO_STATE_DIR": "/s", "STRETTO_TASK": "outer", "GIT_DIR": "/g", "GIT_INDEX_FILE": "/i",
    "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "a.b", "GIT_SSH_COMMAND": "ssh", "VIRTUAL_ENV": "/v", "PATHS": "no",
}  # fmt: skip
BARE = {"PATH", "HOME", "LANG", "LC_ALL", "TERM", "TMPDIR", "USER"}


@pytest.mark.parametrize(
    ("passed", "more"),
    [
        ((), set()),
        (("EDITOR", "ABSENT"), {"EDITOR"}),
        (("APP_*",), {"APP_URL", "APP_SECRET"}),
        (("app_url", "APP_", "A?P_URL", "[A]PP_URL"), set()),
        (("ANTHROPIC_API_KEY", "my_password"), {"ANTHROPIC_API_KEY", "my_password"}),
        (("STRETTO_TASK", "STRETTO_*", "GIT_DIR"), set()),
        (("GIT_*",), {"GIT_SSH_COMMAND"}),
    ],
)
def test_only_what_is_listed_gets_through(passed: tuple[str, ...], more: set[str]) -> None:
    assert set(surroundings(USERS, passed=passed)) == BARE | more


def test_values_are_handed_on_as_they_are() -> None:
    assert surroundings({"PATH": "a b", "X": "1"}, passed=("X",)) == {"PATH": "a b", "X": "1"}


def test_gates_never_see_a_secret() -> None:
    seen = surroundings(USERS, passed=("*",), gate=True)
    assert {"APP_URL", "EDITOR", "PATH"} <= set(seen)
    assert not {"ANTHROPIC_API_KEY", "GH_TOKEN", "APP_SECRET", "my_password"} & set(seen)


NAMES = st.sampled_from(sorted(USERS)) | st.text("STREO_GIKYPA*", min_size=1, max_size=12)


@given(environ=st.dictionaries(NAMES, st.just("v")), passed=st.lists(NAMES), gate=st.booleans())
def test_reserved_names_never_come_from_outside(environ: dict[str, str], passed: list[str], gate: bool) -> None:
    seen = surroundings(environ, passed=passed, gate=gate)
    assert not [name for name in seen if name.startswith("STRETTO_") or name in ("GIT_DIR", "GIT_INDEX_FILE")]
    assert seen.items() <= environ.items()
