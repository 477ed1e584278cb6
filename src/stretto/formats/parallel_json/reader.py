"""`parallel.json`: achievements, their parts and priorities, and how far each of them is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from stretto.formats.auto_claude.checks import checks
from stretto.formats.parallel_json.achievements import Entry, achievements_of, is_of_the_form, names
from stretto.formats.parallel_json.folder import Folder
from stretto.formats.parallel_json.hours import estimate_s
from stretto.formats.parallel_json.order import (
    Level,
    Need,
    chained,
    contradictions,
    level_of,
    needs_of,
    phase_of,
)
from stretto.formats.parallel_json.plan_paper import PlanPaper
from stretto.formats.parallel_json.prompt import Prompts
from stretto.formats.parallel_json.remarks import Remarks
from stretto.formats.parallel_json.status import Progress, context_of
from stretto.formats.reading import Read, Reading, Table
from stretto.formats.set_aside import Aside, without
from stretto.formats.syntax.source import Source
from stretto.model.papers import Step, part_number
from stretto.model.plan import Check, Phase, Plan, Task

NAME = "parallel-json"

_RUNNERS = re.compile(
    r"(?:\./\S+|python[\d.]*|pytest|npm|npx|pnpm|yarn|node|deno|bun|make|just|bash|sh|go|cargo|uv|uvx|poetry|tox|nox"
    r"|ruff|mypy|dotnet|mvn|gradle|php|ruby|bundle|rake|composer|mix|docker|git|test)(?=\s|$)"
)
_SCRIPTS = {".py": "python3", ".sh": "bash", ".js": "node", ".mjs": "node", ".rb": "ruby"}
_SCRIPT = re.compile(r"[\w.@-]+(?:/[\w.@-]+)*(\.\w+)")


def read(source: Source) -> Read:
    """The plan of the file, with what the folder beside it says. Keys that are not read are left alone."""
    return _Reader(source).read()


class _Reader:
    def __init__(self, source: Source) -> None:
        reading = self._reading = Reading(source)
        root = self._root = reading.root("the plan")
        file = Path(source.file)
        self._name = name_of(root, file)
        self._level: Level = level_of(reading, root)
        self._entries = achievements_of(reading, root)
        self._split = {entry.id: [part.id for part in entry.parts] for entry in self._entries if entry.parts}
        self._folder = Folder(file, self._name)
        self._remarks = Remarks()
        self._progress = Progress(reading, self._remarks, self._folder, self._entries)
        paper = PlanPaper(self._folder.plan_text)
        self._prompts = Prompts(self._name, root.values, paper, self._folder.plan_name)
        self._ids = {entry.id for entry in self._entries}
        self._aside: dict[str, Aside] = {}
        self._skipped_by_paper: set[str] = set()
        self._place_of: Mapping[str, int] = {}
        """Of the parts of the achievement that is being read."""

    def read(self) -> Read:
        self._reading.places.mark("plan", ())
        needs = needs_of(self._reading, self._root, self._entries)
        phases: dict[str, Phase] = {}
        tasks: list[Task] = []
        for entry, own in zip(self._entries, needs, strict=True):
            tasks += self._tasks(entry, [need for need in own if not self._is_done(need)], phases)
        self._tell(needs)
        kept, told = without(tasks, self._aside)
        for finding in told:
            hint = _undo(finding.hint, {id in self._skipped_by_paper for id in finding.tasks})
            at = self._reading.places.steps(f"task:{finding.task}")
            self._reading.report("set-aside", finding.message, at, hint, severity="info", tasks=finding.tasks)
        return self._reading.finish(
            lambda: Plan(name=self._name, format=NAME, phases=self._phases(phases, kept), tasks=tuple(kept))
        )

    def _is_done(self, need: Need) -> bool:
        """A dependency that is not in the file, and that the folder says is done, holds nobody up."""
        return need.name not in self._ids and self._progress.approved(need.name)

    def _phases(self, phases: dict[str, Phase], tasks: Sequence[Task]) -> tuple[Phase, ...]:
        """Those that have tasks left, in the order in which their first task stands; level 2 chains them."""
        used = {task.phase for task in tasks}
        chain = chained(
            [entry.priority for entry in self._entries if entry.priority is not None and phase_of(entry) in used]
        )
        found = []
        for phase in phases.values():
            if phase.id in used:
                before = chain.get(phase.id, ()) if self._level == 2 else ()
                kept = tuple(id for id in phase.depends_on if id in used or id not in phases)
                found.append(Phase(id=phase.id, title=phase.title, depends_on=(*before, *kept)))
        return tuple(found)

    def _tasks(self, entry: Entry, needs: list[Need], phases: dict[str, Phase]) -> list[Task]:
        """The task of an achievement, or those of its parts."""
        own_phase = entry.parts and self._level != 2
        phase = entry.id if own_phase else phase_of(entry)
        step, below = self._progress.steps(entry)
        if not entry.parts:
            self._open(phases, phase, entry)
            return [self._task(entry, None, phase, step, self._whole(needs, entry))]
        if own_phase:
            self._reading.places.mark(f"phase:{phase}", entry.steps)
            behind = [need for need in needs if need.name in self._split]
            for i, need in enumerate(behind):
                self._reading.places.mark(f"phase:{phase}:depends_on:{i}", need.steps)
            names_behind = tuple(need.name for need in behind)
            phases[phase] = Phase(id=phase, title=self._prompts.title(entry), depends_on=names_behind)
            needs = [need for need in needs if need.name not in self._split]
        else:
            self._open(phases, phase, entry)
            needs = self._whole(needs, entry)
        siblings = {part.id for part in entry.parts}
        self._place_of = {part.id: i for i, part in reversed(list(enumerate(entry.parts)))}
        return [
            self._task(part, entry, phase, own, [*self._between(part, entry, siblings), *needs])
            for part, own in zip(entry.parts, below, strict=True)
        ]

    def _open(self, phases: dict[str, Phase], phase: str, entry: Entry) -> None:
        """A phase of whole achievements, at the place of its first."""
        if phase not in phases:
            self._reading.places.mark(f"phase:{phase}", entry.steps)
            title = "Achievements" if entry.priority is None else f"Priority {entry.priority}"
            phases[phase] = Phase(id=phase, title=title)

    def _whole(self, needs: list[Need], entry: Entry) -> list[Need]:
        """In level 2, where an achievement with parts is no phase, a dependency on it is one on each of its parts."""
        if self._level != 2:
            return needs
        found: list[Need] = []
        for need in needs:
            parts = self._split.get(need.name)
            found += [Need(name=id, steps=need.steps) for id in parts] if parts and need.name != entry.id else [need]
        return found

    def _between(self, part: Entry, whole: Entry, siblings: set[str]) -> list[Need]:
        """What a part waits for by itself: siblings, by id or by their last number, and other achievements."""
        found = []
        for name, steps in names(part, "dependencies", "depends_on"):
            if name not in self._ids and f"{whole.id}.{name}" in siblings:
                name = f"{whole.id}.{name}"
            if name != whole.id and not self._is_done(need := Need(name=name, steps=steps)):
                found.append(need)
        return found

    def _task(self, entry: Entry, whole: Entry | None, phase: str, step: Step, needs: list[Need]) -> Task:
        id = entry.id
        place = self._reading.places.mark(f"task:{id}", entry.steps)
        if step == "skipped":
            self._aside[id] = "dropped"
            papers = [paper for one in (entry, whole) if one is not None for paper in self._progress.papers(one)]
            if any(paper.step == "skipped" for paper in papers):
                self._skipped_by_paper.add(id)
        title = self._prompts.title(entry)
        context = self._context(entry, whole)
        told = bool(context) or self._prompts.tells_of(entry) or (whole is not None and self._prompts.tells_of(whole))
        if not told and step not in ("complete", "skipped"):
            if title:
                self._remarks.note("bare-title", id, entry.steps)
            else:
                entry.tables[0].missing("title", "say what is to be achieved; an id is no prompt")
        waits = {need.name: need.steps for need in reversed(needs)}
        for i, steps in enumerate(reversed(waits.values())):
            self._reading.places.mark(f"{place}:depends_on:{i}", steps)
        return Task(
            id=id,
            phase=phase,
            title=title,
            prompt=self._prompts.of(entry, whole),
            context=context,
            depends_on=tuple(reversed(waits)),
            verify=self._verify(entry, place),
            effect="any",
            priority=3 if entry.priority is None else min(max(entry.priority, 1), 5),
            estimate_s=self._estimate_s(entry),
            status="succeeded" if step == "complete" else "pending",
        )

    def _context(self, entry: Entry, whole: Entry | None) -> tuple[str, ...]:
        if whole is None:
            return tuple(context_of(self._progress.papers(entry), self._folder, None))
        number = part_number(entry.id, self._place_of[entry.id])
        papers = [*self._progress.papers(whole), *self._progress.papers(entry)]
        return tuple(dict.fromkeys(context_of(papers, self._folder, number)))

    def _verify(self, entry: Entry, place: str) -> tuple[Check, ...]:
        """`validation_script`, where that is a command or a script; words are part of the prompt."""
        steps = entry.at("validation_script")
        value = entry.values.get("validation_script")
        if not isinstance(value, str) or "\n" in value.strip() or "\0" in value:
            return ()
        command = value.strip().strip("`")
        if not _RUNNERS.match(command):
            script = _SCRIPT.fullmatch(command)
            if script is None or script[1] not in _SCRIPTS:
                return ()
            command = f"{_SCRIPTS[script[1]]} {command}"
            self._remarks.note("guessed-check", entry.id, steps)
        found = checks(self._reading, {"type": "command", "command": command}, steps, entry.id)
        for i, (_, at) in enumerate(found):
            self._reading.places.mark(f"{place}:verify:{i}", at)
        return tuple(check for check, _ in found)

    def _estimate_s(self, entry: Entry) -> float | None:
        value = entry.values.get("estimated_hours")
        seconds = estimate_s(value)
        if seconds is None and value not in (None, "", 0):
            self._remarks.note("unread-estimate", entry.id, entry.at("estimated_hours"))
        return seconds

    def _tell(self, needs: Sequence[Sequence[Need]]) -> None:
        for entry in self._entries:
            if entry.id and not is_of_the_form(entry.id):
                self._remarks.note("achievement-id", entry.id, entry.steps)
        self._remarks.tell(self._reading)
        for each in contradictions(self._root, self._entries, needs, self._level):
            hint = "mend whichever is wrong"
            self._reading.report("contradiction", each.message, each.steps, hint, severity="info", tasks=each.tasks)


def _undo(by_status: str, by_paper: set[bool]) -> str:
    """How to have tasks done that are skipped; `by_paper`: whether papers say that of them."""
    if by_paper == {True}:
        return "remove its SKIPPED file to do it"
    return f"remove its SKIPPED file, or {by_status}" if True in by_paper else by_status


def name_of(root: Table, file: Path) -> str:
    """The plan's own name, else that of its folder."""
    name = root.id("plan_name", expected="a name") if root.values.get("plan_name") not in (None, "") else None
    return name or file.absolute().parent.name or NAME
