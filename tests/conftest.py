"""The ground every test stands on: an empty home, git without anybody's settings, and how hard Hypothesis tries.

`HYPOTHESIS_PROFILE` chooses: `dev` (default) and `ci` try the same examples every time, so a red test was red for
everybody; `search` looks for new ones and remembers what it found.

A test that needs a real component asks for its fixture (`claude_cli`): it is skipped, by name, where that is not
installed, and fails there when STRETTO_REQUIRE names the component.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import claude

_always = settings(deadline=None, suppress_health_check=(HealthCheck.too_slow,), print_blob=True)
settings.register_profile("dev", _always, max_examples=100, derandomize=True)
settings.register_profile("ci", _always, max_examples=2_000, derandomize=True)
settings.register_profile("search", _always, max_examples=20_000)

_home = pytest.StashKey[str]()
_KEPT = {"STRETTO_REQUIRE"}
_OF_OTHERS = ("STRETTO_", "GIT_", "XDG_", "MAKE", "MFLAGS", "PYTHONUNBUFFERED")
"""What a user's shell lacks: `make test` says how it is called, and unbuffered output hides what is held back."""
_CLAUDE = "CLAUDE_CLI_OF_TESTS"
"""Where `make claude` has put it, found while the user's home is still known; pytest's workers inherit it."""


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))
    if _CLAUDE not in os.environ and (program := claude.find(os.environ)):
        os.environ[_CLAUDE] = str(program)
    home = config.stash[_home] = tempfile.mkdtemp(prefix="stretto-home-")
    for name in list(os.environ):
        if name.startswith(_OF_OTHERS) and name not in _KEPT:
            del os.environ[name]
    # Who calls the tests by `nohup`, or from a script as a background job, means no test by that.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ |= {"HOME": home, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}


def pytest_unconfigure(config: pytest.Config) -> None:
    if home := config.stash.get(_home, None):
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def claude_cli() -> Path:
    """The real Claude Code."""
    return needed("claude", os.environ.get(_CLAUDE), "make claude")


def needed(component: str, found: str | None, how: str) -> Path:
    """Where a real component is; else the test is skipped, or fails where it is required."""
    if found is None:
        missing = f"{component} is not installed: {how}"
        if component in os.environ.get("STRETTO_REQUIRE", "").split(","):
            pytest.fail(missing, pytrace=False)
        pytest.skip(missing)
    return Path(found)
