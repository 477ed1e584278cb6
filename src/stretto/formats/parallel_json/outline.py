"""The achievements of a `parallel.json` as values, set aside or not, for whoever writes papers about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from msgspec.structs import replace

from stretto.formats.auto_claude.prompt import plain
from stretto.formats.parallel_json.achievements import Entry, achievements_of, recognises
from stretto.formats.parallel_json.folder import Folder
from stretto.formats.parallel_json.hours import estimate_s
from stretto.formats.parallel_json.order import Need, level_of, needs_of
from stretto.formats.parallel_json.plan_paper import PlanPaper
from stretto.formats.parallel_json.prompt import Prompts, notes_of
from stretto.formats.parallel_json.reader import name_of
from stretto.formats.parallel_json.status import step_said
from stretto.formats.reading import Reading
from stretto.formats.syntax.parse import parse
from stretto.model.achievements import Achievement, Achievements, Part
from stretto.model.plan import Value

NAMES = ("parallel.json", "PARALLEL-EXECUTION-ANALYSIS.json", "parallel-execution.json", "parallel_analysis.json")
"""What such a file may be called, the first of them first."""


class _Told(Value, frozen=True, kw_only=True):
    """Everything that is asked of the words about an entry."""

    prompts: Prompts
    paper: PlanPaper


def file_in(folder: Path) -> Path | None:
    """The plan file of that folder; None where there is none."""
    return next((folder / name for name in NAMES if (folder / name).is_file()), None)


def outline(file: Path, data: bytes) -> Achievements | None:
    """What is in a plan that the reader has read; None where it is a plan of another format. Raises PlanError."""
    source = parse(str(file), data)
    if not recognises(source):
        return None
    reading = Reading(source)
    root = reading.root("the plan")
    name = name_of(root, file)
    folder = Folder(file, name)
    paper = PlanPaper(folder.plan_text)
    entries = achievements_of(reading, root)
    needs = needs_of(reading, root, entries)
    told = _Told(prompts=Prompts(name, root.values, paper, folder.plan_name), paper=paper)
    found: dict[str, Achievement] = {}
    for entry, own in zip(entries, needs, strict=True):
        found.setdefault(entry.id, _achievement(entry, own, told))
    if level_of(reading, root) == 2:
        found = _chained(found)
    return Achievements(
        name=name,
        file=file.name,
        paper=folder.plan_name,
        goal=paper.goal,
        notes=notes_of(root.values),
        achievements=tuple(found.values()),
    )


def _chained(found: Mapping[str, Achievement]) -> dict[str, Achievement]:
    """Each behind those of the priority before its own."""
    groups: dict[int, list[str]] = {}
    for one in found.values():
        if one.priority is not None:
            groups.setdefault(one.priority, []).append(one.id)
    before = {later: tuple(groups[earlier]) for earlier, later in pairwise(sorted(groups))}
    return {
        id: replace(one, behind=tuple(each for each in before.get(one.priority, ()) if each not in one.depends_on))
        if one.priority is not None
        else one
        for id, one in found.items()
    }


def _achievement(entry: Entry, needs: Sequence[Need], told: _Told) -> Achievement:
    hours = entry.values.get("estimated_hours")
    return Achievement(
        id=entry.id,
        title=told.prompts.title(entry),
        priority=entry.priority,
        depends_on=tuple(dict.fromkeys(need.name for need in needs)),
        section=told.paper.section(entry.id),
        more=told.prompts.more(entry),
        check=plain(entry.values.get("validation_script")),
        hours=str(hours) if isinstance(hours, str | int | float) and not isinstance(hours, bool) else "",
        estimate_s=estimate_s(hours),
        parts=tuple(
            Part(
                id=part.id,
                title=told.prompts.title(part),
                told=told.prompts.more(part),
                estimate_s=estimate_s(part.values.get("estimated_hours")),
                said=step_said(part.values.get("status")),
            )
            for part in entry.parts
        ),
        said=step_said(entry.values.get("status")),
    )
