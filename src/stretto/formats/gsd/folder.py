"""The folders of GSD's phases: their plans, and the summaries that say which of them are done."""

from __future__ import annotations

import os
import re
from pathlib import Path

from stretto.formats.beside import is_within, names_in, text_of
from stretto.formats.gsd.paper import Paper, is_plan, is_plan_name
from stretto.formats.syntax.front_matter import front_matter
from stretto.formats.syntax.source import Text

_PHASE = re.compile(r"(?:[A-Z]+-)?(?P<number>[A-Za-z]{0,4}\d+(?:\.\d+)*[A-Za-z]?)(?:[-_ ].*)?")
_MOST = 2000
_TEXTS = (".md", ".txt", ".json", ".yaml", ".yml")


def phase_number(name: str) -> str:
    """`02-api` and `2` are phase 2, `02.1-fix` is phase 2.1; any other name is its own."""
    found = _PHASE.fullmatch(name)
    if found is None:
        return name.casefold()
    return re.sub(r"(?<!\d)0+(?=\d)", "", found["number"], count=1).casefold()


def order_of(name: str) -> tuple[tuple[float, ...], str]:
    """Phases in the order of their numbers."""
    return tuple(float(x[:12]) for x in re.findall(r"\d+", phase_number(name))), name


def plans_in(folder: Path) -> list[Paper]:
    """The plans of one phase, in the order of their names."""
    found: list[Paper] = []
    for name in sorted(names_in(folder))[:_MOST]:
        if is_plan_name(name) and (text := text_of(folder / name)) is not None and is_plan(front_matter(text)):
            found.append(Paper(folder / name, Text(str(folder / name), text)))
    return found


def is_done(plan: Path, id: str) -> bool:
    """Whether the summary stands beside the plan."""
    name = "SUMMARY.md" if plan.name.casefold() == "plan.md" else f"{id}-SUMMARY.md"
    return os.path.lexists(plan.parent / name)


def phases_of(roadmap: Path) -> list[Path]:
    """The folders of all phases, in order."""
    home = roadmap.absolute().parent / "phases"
    return sorted((home / name for name in names_in(home) if (home / name).is_dir()), key=lambda x: order_of(x.name))


def top_of(folder: Path) -> Path | None:
    """The repository around `.planning`; None where the phase stands elsewhere."""
    return next((x.parent for x in (folder, *folder.absolute().parents) if x.name == ".planning"), None)


def companions(paper: Paper, home: Path) -> tuple[str, ...]:
    """The papers of `.planning` that the plan refers to, relative to `home`; sources are for the agent to look at."""
    top = top_of(paper.path.absolute().parent)
    planning = (top or paper.path.absolute().parent) / ".planning"
    if top is None and planning.is_symlink():  # it may lead anywhere
        return ()
    found: list[str] = []
    for name in re.findall(r"^[ \t]*(?:[-*][ \t]+)?@([^\s@]+)", paper.section("context"), re.MULTILINE):
        place = Path(os.path.relpath(planning.parent / name.strip("`"), home))
        if place.suffix in _TEXTS and is_within(home / place, planning) and text_of(home / place) is not None:
            found.append(place.as_posix())
    return tuple(dict.fromkeys(found))[:50]
