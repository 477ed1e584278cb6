"""Which folder a plan is of, by where it lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from stretto.workspace.project import FOLDERS, project_of


@pytest.mark.parametrize(
    "folder, project",
    [
        ("home/u/proj/.taskmaster/tasks", "home/u/proj"),
        ("home/u/proj/.auto-claude/specs/001-x", "home/u/proj"),
        ("home/u/proj/.kiro/specs/x", "home/u/proj"),
        ("home/u/proj/.claude/epics/x", "home/u/proj"),
        ("home/u/proj/.planning/phases/01-x", "home/u/proj"),
        ("home/u/proj/.beads", "home/u/proj"),
        ("home/u/kit/specs/001-x", "home/u/kit"),
        ("home/u/kit/.specify/specs/001-x", "home/u/kit"),
        ("srv/proj/.kiro/specs/x", "srv/proj"),
        ("home/u/.cache/work/proj/.kiro/specs/x", "home/u/.cache/work/proj"),
        ("home/u/proj/.auto-claude/worktrees/w/.claude/epics/x", "home/u/proj/.auto-claude/worktrees/w"),
    ],
)
def test_a_tools_folder_is_of_the_project_that_it_lies_in(tmp_path: Path, folder: str, project: str) -> None:
    assert _project(tmp_path, folder) == tmp_path / project


@pytest.mark.parametrize(
    "folder",
    [
        "home/u/proj",
        "home/u/proj/specs/001-x",  # nothing of spec-kit is there
        "home/u/kit/plans",  # no plan of spec-kit's
        "home/u/.config/x",
        "home/u/.cache/work/proj",
        "home/u/proj/.tasks/x",  # nobody knows whose that is
        "home/u/.claude/epics/x",  # of all projects of the user
        "home/u/specs/001-x",
        "home/.planning/phases/01-x",
        "home/u",
    ],
)
def test_elsewhere_it_is_of_its_own_folder(tmp_path: Path, folder: str) -> None:
    for place in ("home/u", "home"):
        (tmp_path / place / ".specify").mkdir(parents=True, exist_ok=True)
    assert _project(tmp_path, folder) == tmp_path / folder


@pytest.mark.parametrize("name", sorted(FOLDERS))
def test_the_root_is_nobodys_project(name: str) -> None:
    assert project_of(Path("/", name, "x"), home=Path("/home/u")) == Path("/", name, "x")


def _project(top: Path, folder: str) -> Path:
    (top / folder).mkdir(parents=True, exist_ok=True)
    (top / "home/u/kit/.specify").mkdir(parents=True, exist_ok=True)
    return project_of(top / folder, home=top / "home/u")
