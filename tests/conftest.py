"""The ground every test stands on: an empty home, git without anybody's settings, and how hard Hypothesis tries.

`HYPOTHESIS_PROFILE` chooses: `dev` (default) and `ci` try the same examples every time, so a red test was red for
everybody; `search` looks for new ones and remembers what it found.
"""

from __future__ import annotations

import os
import shutil
import tempfile

import pytest
from hypothesis import HealthCheck, settings

_always = settings(deadline=None, suppress_health_check=(HealthCheck.too_slow,), print_blob=True)
settings.register_profile("dev", _always, max_examples=100, derandomize=True)
settings.register_profile("ci", _always, max_examples=2_000, derandomize=True)
settings.register_profile("search", _always, max_examples=20_000)

_home = pytest.StashKey[str]()
_KEPT = {"STRETTO_REQUIRE"}


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))
    home = config.stash[_home] = tempfile.mkdtemp(prefix="stretto-home-")
    for name in list(os.environ):
        if name.startswith(("STRETTO_", "GIT_", "XDG_")) and name not in _KEPT:
            del os.environ[name]
    os.environ |= {"HOME": home, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}


def pytest_unconfigure(config: pytest.Config) -> None:
    if home := config.stash.get(_home, None):
        shutil.rmtree(home, ignore_errors=True)
