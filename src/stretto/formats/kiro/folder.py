"""What stands beside a Kiro list: the papers of its feature, and the steering files of the project."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

_PAPERS = ("requirements.md", "bugfix.md", "design.md")
_STEERING = "steering"
_FRONT = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.MULTILINE | re.DOTALL)
_INCLUSION = re.compile(r"""^inclusion[ \t]*:[ \t]*["']?(\w+)""", re.MULTILINE)
_MOST = 50
_MAX_BYTES = 256 * 1024


def home_of(file: Path) -> Path | None:
    """The `.kiro` folder of a list that stands in `.kiro/specs/FEATURE/`; None where it stands elsewhere."""
    for folder in list(file.absolute().parents)[1:4]:
        if folder.name == "specs" and (folder.parent.name == ".kiro" or (folder.parent / _STEERING).is_dir()):
            return folder.parent
    return None


def companions(file: Path, home: Path | None) -> tuple[str, ...]:
    """The texts that every agent gets, relative to the list: those that Kiro's own agent would have before it."""
    folder = file.absolute().parent
    found = [path for name in _PAPERS if _is_text(path := folder / name)]
    if home is not None:
        found += list(_always(home / _STEERING))[:_MOST]
    return tuple(Path(os.path.relpath(path, folder)).as_posix() for path in found)


def is_paper(claim: str) -> bool:
    """Whether a path that a task names is one of these, which are read and not written."""
    return claim in _PAPERS or claim == "tasks.md" or claim.startswith(".kiro/specs")


def _always(folder: Path) -> Iterator[Path]:
    """Steering files that go with everything, which is what one without front matter does."""
    try:
        paths = sorted(folder.glob("*.md"))
    except OSError:
        return
    for path in paths:
        if not _is_text(path):
            continue
        try:
            front = _FRONT.match(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        inclusion = _INCLUSION.search(front[1]) if front else None
        if inclusion is None or inclusion[1] == "always":
            yield path


def _is_text(path: Path) -> bool:
    try:
        return path.is_file() and path.stat().st_size <= _MAX_BYTES
    except OSError:
        return False
