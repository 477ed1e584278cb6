from __future__ import annotations

from pathlib import Path

import pytest

from unit.workspace.kit import make_repository


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A user's repository, at a path that is hard to quote."""
    return make_repository(tmp_path / "the user's repository")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state folder"
