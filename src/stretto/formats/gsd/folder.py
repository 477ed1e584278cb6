"""The folders of GSD's phases: their plans, and the summaries that say which of them are done."""

from __future__ import annotations

import os
import re
from pathlib import Path

from stretto.errors import PlanError
from stretto.formats.beside import is_within, names_in, passed_over, task_text, text_of, too_many, without_end
from stretto.formats.gsd.paper import KEYS, Paper, is_plan_file, is_plan_name
from stretto.formats.syntax.front_matter import missing_end
from stretto.model.plan import Finding, Location

_PHASE = re.compile(r"(?:[A-Z]+-)?(?P<number>[A-Za-z]{0,4}\d+(?:\.\d+)*[A-Za-z]?)(?:[-_ ].*)?")
_MOST = 20_000
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


def plans_in(folder: Path) -> tuple[list[Paper], list[Finding]]:
    """(plans of one phase in the order of their names, what is wrong with files that should be one and are none)."""
    found: list[Paper] = []
    findings: list[Finding] = []
    names = sorted(name for name in names_in(folder) if is_plan_name(name))
    for name in names[:_MOST]:
        path = folder / name
        try:
            text = task_text(path)
        except PlanError as error:
            findings += error.findings
            continue
        if (at := missing_end(text.text, KEYS)) is not None:
            findings.append(without_end(text, at))
        elif is_plan_file(text.text):
            found.append(Paper(path, text))
        else:
            hint = "write `phase`, `plan` and `depends_on` before its text, between two lines `---`, or rename it"
            findings.append(passed_over(str(path), "it has neither the keys of a plan nor a `<task>`", hint))
    if len(names) > _MOST:
        findings.append(too_many(len(names), _MOST, "plans", Location(file=str(folder / names[0]), line=1, column=1)))
    return found, findings


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
