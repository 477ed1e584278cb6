"""Which folder a plan is of, by where it lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from stretto.workspace.project import FOLDERS, project_of


@pytest.mark.parametrize(
    "folder, project",
    [
        ("users/kim/proj/.taskmaster/tasks", "users/kim/proj"),
        ("users/kim/proj/.auto-claude/specs/001-x", "users/kim/proj"),
        ("users/kim/proj/.kiro/specs/x", "users/kim/proj"),
        ("users/kim/proj/.claude/epics/x", "users/kim/proj"),
        ("users/kim/proj/.planning/phases/01-x", "users/kim/proj"),
        ("users/kim/proj/.beads", "users/kim/proj"),
        ("users/kim/kit/specs/001-x", "users/kim/kit"),
        ("users/kim/kit/.specify/specs/001-x", "users/kim/kit"),
        ("srv/proj/.kiro/specs/x", "srv/proj"),
        ("users/kim/.cache/tmp/proj/.kiro/specs/x", "users/kim/.cache/tmp/proj"),
        ("users/kim/proj/.auto-claude/worktrees/w/.claude/epics/x", "users/kim/proj/.auto-claude/worktrees/w"),
    ],
)
def test_a_tools_folder_is_of_the_project_that_it_lies_in(tmp_path: Path, folder: str, project: str) -> None:
    assert _project(tmp_path, folder) == tmp_path / project


@pytest.mark.parametrize(
    "folder",
    [
        "users/kim/proj",
        "users/kim/proj/specs/001-x",  # nothing of spec-kit is there
        "users/kim/kit/plans",  # no plan of spec-kit's
        "users/kim/.config/x",
        "users/kim/.cache/tmp/proj",
        "users/kim/proj/.tasks/x",  # nobody knows whose that is
        "users/kim/.claude/epics/x",  # of all projects of the user
        "users/kim/specs/001-x",
        "users/.planning/phases/01-x",
        "users/kim",
    ],
)
def test_elsewhere_it_is_of_its_own_folder(tmp_path: Path, folder: str) -> None:
    for place in ("users/kim", "users"):
        (tmp_path / place / ".specify").mkdir(parents=True, exist_ok=True)
    assert _project(tmp_path, folder) == tmp_path / folder


@pytest.mark.parametrize("name", sorted(FOLDERS))
def test_the_root_is_nobodys_project(name: str) -> None:
    assert project_of(Path("/", name, "x"), home=Path("/users/kim")) == Path("/", name, "x")


def _project(top: Path, folder: str) -> Path:
    (top / folder).mkdir(parents=True, exist_ok=True)
    (top / "users/kim/kit/.specify").mkdir(parents=True, exist_ok=True)
    return project_of(top / folder, home=top / "users/kim")
