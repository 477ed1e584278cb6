"""The project that a plan file belongs to, where there is no git to ask: tools keep their plans in folders of it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

FOLDERS: Final = frozenset({".auto-claude", ".beads", ".claude", ".kiro", ".planning", ".specify", ".taskmaster"})
"""Of the tools whose plans stretto reads. What else is hidden, such as `.cache`, may hold whole projects."""
_SPECS, _SPECIFY = "specs", ".specify"
"""spec-kit has its plans in the one, beside the other."""


def project_of(folder: Path, *, home: Path) -> Path:
    """The folder that the nearest tool's folder around a plan lies in, else the plan's own `folder`; real paths.

    The user's `home` and what is above it are never a project: tools keep what is of all projects there."""
    found = next((place for place in (folder, *folder.parents) if _holds(place, folder)), folder)
    return folder if home.is_relative_to(found) else found


def _holds(place: Path, folder: Path) -> bool:
    """Whether `place` is the project of a plan in `folder`."""
    inside = folder.relative_to(place).parts
    return bool(inside) and (inside[0] in FOLDERS or (inside[0] == _SPECS and (place / _SPECIFY).is_dir()))
