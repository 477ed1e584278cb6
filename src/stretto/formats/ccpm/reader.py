"""A ccpm epic: every task file of the folder is a task, in the order that its keys say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Literal

from msgspec.structs import replace

from stretto.errors import PlanError
from stretto.formats.beside import paper_text, text_of
from stretto.formats.ccpm.claims import claims_of
from stretto.formats.ccpm.folder import companions, members
from stretto.formats.ccpm.names import Names
from stretto.formats.ccpm.paper import ASIDE, EPIC, STATES, Paper, is_epic, is_task
from stretto.formats.ccpm.prompt import prompt
from stretto.formats.places import Spread, in_order
from stretto.formats.reading import Read, kind, known_words, shown
from stretto.formats.set_aside import Aside, without
from stretto.formats.syntax.front_matter import Span, front_matter
from stretto.formats.syntax.source import Source, decode, plan_error
from stretto.model.plan import Finding, Location, Phase, Plan, Task, TaskStatus

NAME = "ccpm"

_HOURS = re.compile(
    r"^[ \t]*(?:[-*+][ \t]+)?[*_]*(?:estimated[ \t]+)?hours[*_]*[ \t]*:[*_]*[ \t]*+(?:~[ \t]*+)?"
    r"(\d{1,4}(?:\.\d{1,2})?)(?:[ \t]*+(?:h(?:ours?)?[ \t]*+)?(?:-|–|to)[ \t]*(\d{1,4}(?:\.\d{1,2})?))?",
    re.IGNORECASE | re.MULTILINE,
)


def recognises(source: Source) -> bool:
    """Keys that a task file or an epic of ccpm has, before a Markdown document."""
    if source.syntax != "markdown":
        return False
    front = front_matter(source.text.text)
    return is_task(front) or is_epic(front)


def read(source: Source) -> Read:
    """The plan of the whole epic, whichever of its files was named."""
    return _Reader(source).read()


class _Reader:
    def __init__(self, source: Source) -> None:
        own = Paper(source.text, source.data)
        self._own = own
        self._file = Path(source.file)
        self._folder = self._file.absolute().parent
        self._findings: list[Finding] = []
        self._impossible = False
        self._places = Spread()
        self.tasks: dict[str, Paper] = {}
        self.epic: Paper | None = None
        if is_epic(own.front) and not is_task(own.front):
            self.epic = own
        else:
            self.tasks[self._file.stem] = own
        self._aside: dict[str, Aside] = {}
        self._named_at: dict[str, dict[str, Location]] = {}
        """Where a key of a task names others: `task:<id>:depends_on`, then the name."""

    def _collect(self) -> None:
        """What stands beside the file that was named."""
        found, findings = members(self._file.parent, self._own.source.text)
        if self.epic is None:
            paper_text(self._file.parent / EPIC, findings)
        self._findings += findings
        self._impossible = any(finding.severity == "error" for finding in findings)  # no plan with a hole
        tasks: dict[str, Paper] = {}
        for name in found:
            paper = self._own if name == self._file.name else self._paper(self._folder / name)
            if paper is not None and paper is not self.epic:
                tasks[Path(name).stem] = paper
        for id, paper in self.tasks.items():
            tasks.setdefault(id, paper)
        self.tasks = tasks
        if self.epic is None and (paper := self._paper(self._folder / EPIC)) is not None:
            self.epic = paper

    def _paper(self, path: Path) -> Paper | None:
        if text_of(path, links=False) is None:
            return None
        try:
            data = path.read_bytes()
            return Paper(decode(str(self._file.parent / path.name), data), data)
        except (OSError, PlanError):
            return None

    def read(self) -> Read:
        self._collect()
        if not self.tasks and not self._impossible:
            hint = "write one for each task (`001.md`, …), as ccpm's `epic-decompose` does"
            self._refuse("no-task-files", self._own, 0, "this epic has no task files beside it", hint)
        self._places["plan"] = self._at(self.epic or self._own, 0)
        self._places[f"phase:{self._phase}"] = self._places["plan"]
        tasks = [self._task(id, paper) for id, paper in self.tasks.items()]
        left, told = without(tasks, self._aside)
        gone = {task.id for task in tasks} - {task.id for task in left}
        kept = [replace(task, conflicts_with=tuple(x for x in task.conflicts_with if x not in gone)) for task in left]
        for task in kept:
            self._number(task.id, "depends_on", task.depends_on)
            self._number(task.id, "conflicts_with", task.conflicts_with)
        for each in told:
            paper = self.tasks[each.task]
            self._report("set-aside", paper, self._status_at(paper), each.message, each.hint, tasks=each.tasks)
        findings = in_order(self._findings)
        if self._impossible:
            raise plan_error(str(self._file), findings)
        plan = Plan(
            name=self._title,
            format=NAME,
            phases=(Phase(id=self._phase, title=self._title),) if kept else (),
            tasks=tuple(kept),
            status_files=tuple(self._status_files()),
        )
        return Read(plan=plan, places=self._places, findings=tuple(findings))

    @cached_property
    def _title(self) -> str:
        title = self.epic.title if self.epic else ""
        return shown(title, 200) or self._folder.name or NAME

    @cached_property
    def _phase(self) -> str:
        """The epic as a phase; by another name where a task is called so."""
        name = self._folder.name or NAME
        return name if name not in self.tasks else f"epic-{name}"

    @cached_property
    def _names(self) -> Names:
        return Names(self.tasks)

    def _status_files(self) -> Iterator[str]:
        if self.epic is not None:
            yield EPIC if self.epic is not self._own else self._file.name
        for id, paper in self.tasks.items():
            yield self._file.name if paper is self._own else f"{id}.md"

    def _task(self, id: str, paper: Paper) -> Task:
        place = f"task:{id}"
        name = paper.field("name")
        self._places[place] = self._at(paper, name.at if name else 0)
        writes = self._writes(id, paper, place)
        return Task(
            id=id,
            phase=self._phase,
            title=shown(paper.title, 100),
            prompt=prompt(id, paper, self._title if self.epic else ""),
            context=companions(self._folder, id, self.epic.front.text("prd") if self.epic else ""),
            depends_on=self._named(id, paper, "depends_on"),
            conflicts_with=(
                *self._named(id, paper, "conflicts_with"),
                *(() if self._is_parallel(id, paper) or len(self.tasks) < 2 else (self._phase,)),
            ),
            writes=writes,
            effect="changes" if writes else "any",
            priority=_priority(paper.front.text("priority")),
            estimate_s=_estimate_s(paper.body),
            status=self._status(id, paper),
        )

    def _named(self, id: str, paper: Paper, key: str) -> tuple[str, ...]:
        """The tasks that a key names, each once. That a task waits for itself says nothing."""
        found: dict[str, Span] = {}
        for item in paper.front.items(key):
            name = self._names.of(item.text)
            if name is not None and (name != id or key == "conflicts_with"):
                found.setdefault(name, item)
        self._named_at[f"task:{id}:{key}"] = {name: self._at(paper, item.start) for name, item in found.items()}
        return tuple(found)

    def _number(self, id: str, key: str, names: tuple[str, ...]) -> None:
        """Note where the names that are left stand; the phase, which stands nowhere, is the last of them."""
        places = self._named_at[f"task:{id}:{key}"]
        for k, name in enumerate(names):
            if name in places:
                self._places[f"task:{id}:{key}:{k}"] = places[name]

    def _writes(self, id: str, paper: Paper, place: str) -> tuple[str, ...] | None:
        """What the task file and what was worked out for it list; None (unknown) where they list nothing."""
        papers = [paper]
        if (analysis := self._paper(self._folder / f"{id}-analysis.md")) is not None:
            papers.append(analysis)
        found: dict[str, Location] = {}
        for each in papers:
            for span in claims_of(each):
                found.setdefault(span.text, self._at(each, span.start))
        for k, location in enumerate(found.values()):
            self._places[f"{place}:writes:{k}"] = location
        return tuple(found) or None

    def _is_parallel(self, id: str, paper: Paper) -> bool:
        field = paper.field("parallel")
        word = (re.match(r"\w*", field.value.text.casefold()) or [""])[0] if field else ""
        if word in ("", "true", "yes", "on", "y", "null"):
            return True
        if field is not None and word not in ("false", "no", "off", "n"):
            message = f"`parallel` of task {shown(id)!r} should be true or false"
            self._refuse("wrong-value", paper, field.value.start, message, "write true or false there")
        return False

    def _status(self, id: str, paper: Paper) -> TaskStatus:
        word = paper.status
        if word in ASIDE:
            self._aside[id] = ASIDE[word]
        elif word not in STATES:
            found = paper.front.text("status")
            about = f"`status` of task {shown(id)!r}"
            message = f"{about} is {kind(found)}, which is no word that is known; it counts as open"
            hint, at = known_words(found, {**STATES, **ASIDE}), self._status_at(paper)
            self._report("unknown-status", paper, at, message, hint, severity="warning", tasks=(id,))
        return STATES.get(word, "pending")

    def _status_at(self, paper: Paper) -> int:
        field = paper.field("status")
        return field.value.start if field else 0

    def _at(self, paper: Paper, offset: int) -> Location:
        return paper.source.text.place(offset)

    def _report(
        self, code: str, paper: Paper, at: int, message: str, hint: str = "", *,
        severity: Literal["error", "warning", "info"] = "info", tasks: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        location = self._at(paper, at)
        self._findings.append(
            Finding(code=code, severity=severity, message=message, hint=hint, location=location, tasks=tasks)
        )

    def _refuse(self, code: str, paper: Paper, at: int, message: str, hint: str) -> None:
        """Report a mistake that leaves no plan to speak of."""
        self._impossible = True
        self._report(code, paper, at, message, hint, severity="error")


def _priority(word: str) -> int:
    return {"critical": 1, "urgent": 1, "p0": 1, "high": 2, "p1": 2, "low": 4, "p3": 4}.get(word.casefold(), 3)


def _estimate_s(body: str) -> float | None:
    """What the file says in hours; the middle of a range."""
    found = _HOURS.search(body)
    if found is None:
        return None
    low = float(found[1])
    hours = (low + float(found[2])) / 2 if found[2] else low
    return hours * 3600 or None
