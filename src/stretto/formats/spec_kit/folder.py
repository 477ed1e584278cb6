"""What stands beside a spec-kit list: the papers of its feature, and the constitution of the project."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

_PAPERS = ("spec.md", "plan.md", "data-model.md", "research.md", "quickstart.md")
_CONTRACTS = "contracts"
_CONSTITUTIONS = (".specify/memory/constitution.md", "memory/constitution.md")
_TEXT = re.compile(r"\.(?:md|ya?ml|json|graphql|proto|sql|ts|txt|toml|xml|http)")
_MOST = 50
"""More contracts than this are a folder of something else."""
_MAX_BYTES = 256 * 1024


def top_of(file: Path) -> Path | None:
    """The repository of a list that stands in `specs/FEATURE/`; None where it stands elsewhere."""
    folder = file.absolute().parent
    if folder.parent.name != "specs":
        return None
    top = folder.parent.parent
    return top.parent if top.name == ".specify" else top


def companions(file: Path, top: Path | None) -> tuple[str, ...]:
    """The texts that every agent gets, relative to the list: what spec-kit's own commands would read."""
    folder = file.absolute().parent
    found = [folder / name for name in _PAPERS]
    found[3:3] = sorted(_below(folder / _CONTRACTS))[:_MOST]
    if top is not None:
        found += [top / name for name in _CONSTITUTIONS]
    names = (Path(os.path.relpath(path, folder)).as_posix() for path in found if _is_text(path))
    return tuple(names)


def is_paper(claim: str) -> bool:
    """Whether a path that a task names is one of these, which are read and not written."""
    first, _, _ = claim.partition("/")
    return claim in _PAPERS or claim == "tasks.md" or first in (_CONTRACTS, "specs", ".specify")


def _below(folder: Path) -> Iterator[Path]:
    for here, folders, files in os.walk(folder):
        folders.sort()
        yield from (Path(here, name) for name in files)


def _is_text(path: Path) -> bool:
    try:
        return bool(_TEXT.fullmatch(path.suffix)) and path.is_file() and path.stat().st_size <= _MAX_BYTES
    except OSError:
        return False
