"""The folder of an epic: its task files, what was worked out for each, and the paper that the epic was made from."""

from __future__ import annotations

import os
import re
from pathlib import Path

from stretto.formats.beside import is_within, names_in, text_of
from stretto.formats.ccpm.paper import EPIC, is_task
from stretto.formats.syntax.front_matter import front_matter

_NUMBERED = re.compile(r"(?P<word>[A-Za-z]*)-?(?P<number>\d+)(?P<rest>.*)\.md")
_ASIDE = re.compile(r".*-(?:analysis|progress|notes?|summary|report)\.md")
_MOST = 5000


def members(folder: Path) -> tuple[list[Path], list[Path]]:
    """(task files in the order of their numbers, those that look like one and cannot be read)."""
    found: list[Path] = []
    broken: list[Path] = []
    for name in sorted(names_in(folder), key=_natural)[:_MOST]:
        if name == EPIC or not name.endswith(".md") or _ASIDE.fullmatch(name):
            continue
        path = folder / name
        text = text_of(path, links=False)
        if text is None:
            broken += [path] if _NUMBERED.fullmatch(name) else []
        elif is_task(front := front_matter(text)) or (
            front is not None and "status" in front.fields and re.fullmatch(r"\d+\.md", name)
        ):
            found.append(path)
    return found, broken


def companions(folder: Path, id: str, prd: str) -> tuple[str, ...]:
    """The texts that go with a task, relative to the folder: what its own agent would have read."""
    found = [folder / EPIC, folder / f"{id}-analysis.md"]
    if prd and not Path(prd).is_absolute():
        home = _home(folder.absolute())
        papers = [folder / os.path.relpath(top / prd, folder) for top in list(folder.absolute().parents)[:6]]
        found += [path for path in papers if path.suffix == ".md" and path.is_file() and is_within(path, home)][:1]
    return tuple(
        Path(os.path.relpath(path, folder)).as_posix() for path in found if text_of(path, links=False) is not None
    )


def _home(folder: Path) -> Path:
    """What has the papers of a project: `.claude`, else what `epics` is in, else the folder of the epic itself."""
    for around in folder.parents:
        if around.name == ".claude":
            return around
    return folder.parent.parent if folder.parent.name == "epics" else folder


def _natural(name: str) -> tuple[str, int, str]:
    found = _NUMBERED.fullmatch(name)
    return (found["word"], int(found["number"][:15]), name) if found else ("~", 0, name)
