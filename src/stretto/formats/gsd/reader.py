"""GSD's plans: each PLAN.md is a task, its `depends_on` the order, a summary beside it the sign that it is done."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from stretto.formats.beside import names_in, paper_text
from stretto.formats.gsd.checks import checks, in_between
from stretto.formats.gsd.folder import companions, is_done, phase_number, phases_of, plans_in, top_of
from stretto.formats.gsd.names import Names
from stretto.formats.gsd.paper import Paper, is_plan
from stretto.formats.gsd.prompt import prompt
from stretto.formats.gsd.roadmap import Roadmap, is_roadmap, roadmap_of
from stretto.formats.places import Spread, in_order
from stretto.formats.reading import Read, duration_s, kind, shown
from stretto.formats.set_aside import Aside, without
from stretto.formats.syntax import markdown_text
from stretto.formats.syntax.front_matter import front_matter
from stretto.formats.syntax.markdown_text import Outline
from stretto.formats.syntax.source import Source, Text, plan_error
from stretto.model.plan import Finding, Location, Phase, Plan, Task

NAME = "gsd"

_DONE = frozenset({"complete", "completed", "done", "closed", "executed"})
_DROPPED = frozenset({"superseded", "cancelled", "canceled", "obsolete", "abandoned", "dropped", "replaced"})
_LATER = frozenset({"deferred", "on-hold", "paused", "postponed", "blocked"})


def recognises(source: Source) -> bool:
    """The keys of a plan before a Markdown document, or a roadmap that lists plans."""
    if not isinstance(source.tree, Outline):
        return False
    return is_plan(front_matter(source.text.text)) or is_roadmap(source.text.text, source.tree)


def read(source: Source) -> Read:
    """The plan of one phase, by any plan of it, or of all phases, by the roadmap."""
    return _Reader(source).read()


class _Phase:
    """A phase with its plans."""

    def __init__(self, folder: Path, papers: list[Paper]) -> None:
        self.id = folder.name or NAME
        self.folder = folder
        self.number = phase_number(self.id)
        self.papers = papers


class _Reader:
    def __init__(self, source: Source) -> None:
        self._file = Path(source.file)
        self._text = source.text
        self._home = self._file.absolute().parent
        self._findings: list[Finding] = []
        self._places = Spread()
        self._aside: dict[str, Aside] = {}
        assert isinstance(source.tree, Outline)
        if is_plan(front_matter(source.text.text)):
            self._whole = False
            top = top_of(self._home)
            self._beside = top / ".planning" / "ROADMAP.md" if top else None
            self._map_text = _roadmap_text(self._beside, self._findings) if self._beside else None
            self._map = _roadmap(self._map_text) if self._map_text else Roadmap()
            own = Paper(self._file, source.text)
            papers = [x for x in self._plans(self._home) if x.path.name != self._file.name]
            self._phases = [_Phase(self._home, sorted((own, *papers), key=lambda x: x.path.name))]
        else:
            self._whole = True
            self._beside = None
            self._map_text = source.text
            self._map = roadmap_of(source.text.text, source.tree)
            folders = ((folder, self._plans(folder)) for folder in phases_of(self._file))
            self._phases = [_Phase(folder, papers) for folder, papers in folders if papers]

    def _plans(self, folder: Path) -> list[Paper]:
        """The plans of a phase, told of by paths as the person would write them; what is wrong with others is noted."""
        papers, findings = plans_in(self._file.parent / folder.relative_to(self._home))
        for finding in findings:
            named = finding.location is not None and finding.location.file == str(self._file)
            if not named or finding.code == "syntax":  # it has been read, however large it is
                self._findings.append(finding)
        return papers

    def read(self) -> Read:
        if any(finding.severity == "error" for finding in self._findings):  # no plan with a hole
            raise plan_error(str(self._file), in_order(self._findings))
        if not self._phases:
            message = "no phase of this roadmap has a plan yet"
            hint = "GSD's `plan-phase` writes one: `phases/01-name/01-01-PLAN.md` beside the roadmap"
            at = self._text.place(0)
            raise plan_error(
                str(self._file),
                [Finding(code="no-plan-files", severity="error", message=message, hint=hint, location=at)],
            )
        self._places["plan"] = self._text.place(0)
        names = Names({phase.number: phase.papers for phase in self._phases})
        tasks: list[Task] = []
        for phase in self._phases:
            words = self._map.phases.get(phase.number)
            at = self._text.place(words.at) if self._whole and words else phase.papers[0].place(0)
            self._places[f"phase:{phase.id}"] = at
            tasks += (self._task(paper, phase, names) for paper in phase.papers)
            self._tell_unlisted(phase)
            self._tell_unwritten(phase, names)
        kept, told = without(tasks, self._aside)
        for each in told:
            place = self._places[f"task:{each.task}"]
            self._report("set-aside", each.message, place, each.hint, severity="info", tasks=each.tasks)
        used = {task.phase for task in kept}
        phases = tuple(
            Phase(id=phase.id, title=self._title_of(phase), depends_on=tuple(x for x in needs if x in used))
            for phase, needs in self._order()
            if phase.id in used
        )
        name = self._map.title if self._whole else self._home.name
        listed = {task.id for task in kept if task.id.casefold() in self._map.titles}
        plan = Plan(
            name=shown(name, 200) or NAME,
            format=NAME,
            phases=phases,
            tasks=tuple(kept),
            status_files=self._status_files() if listed else (),
        )
        written = listed if self._whole or plan.status_files else frozenset[str]()
        return Read(
            plan=plan,
            places=self._places,
            findings=tuple(in_order(self._findings)),
            placeless=frozenset(task.id for task in kept) - written,
        )

    def _status_files(self) -> tuple[str, ...]:
        """The roadmap of a phase, from where its plans really are; none where git would not find it there."""
        if self._beside is None:
            return ()
        name = os.path.relpath(self._beside, self._home)
        expected = os.path.normpath(Path(os.path.realpath(self._home)) / name)
        return (Path(name).as_posix(),) if os.path.realpath(self._beside) == expected else ()

    def _order(self) -> Iterator[tuple[_Phase, tuple[str, ...]]]:
        """Phases one after the other, unless the roadmap says what one waits for."""
        by_number = {phase.number: phase.id for phase in self._phases}
        before: tuple[str, ...] = ()
        for phase in self._phases:
            words = self._map.phases.get(phase.number)
            said = words.depends_on if words else None
            named = tuple(dict.fromkeys(by_number[x] for x in said or () if x in by_number and x != phase.number))
            lost = [x for x in dict.fromkeys(said or ()) if by_number.get(x, phase.id) == phase.id]
            lost = [x for x in lost if x not in self._map.done]
            if lost and words and self._whole:
                self._tell_lost(phase, lost, self._text.place(words.at))
            yield phase, before if said is None or (lost and not named) else named
            before = (phase.id,)

    def _tell_lost(self, phase: _Phase, numbers: Iterable[str], at: Location) -> None:
        """The roadmap lets a phase wait for what has no plans here, or for itself."""
        for number in numbers:
            whom = "itself" if number == phase.number else f"phase {shown(number)}, which has no plans here"
            message = f"the roadmap lets phase {phase.number} wait for {whom}"
            self._report("other-phase", message, at, "mend the number, or see that it is done and ticked")

    def _tell_unlisted(self, phase: _Phase) -> None:
        """The phase of a roadmap is done with the last plan that it lists; of others it knows nothing."""
        unlisted = [paper for paper in phase.papers if paper.id.casefold() not in self._map.titles]
        if len(unlisted) == len(phase.papers):  # it lists none at all
            return
        still_open = (x for x in unlisted if x.id not in self._aside and not is_done(x.path, x.id))
        for paper in still_open:
            message = (
                f"the roadmap lists other plans of phase {phase.number}, and not {paper.id}: it is not ticked there"
            )
            hint = f"list it below its phase: - [ ] {paper.id}-PLAN.md"
            self._report("not-listed", message, paper.place(0), hint, severity="info", tasks=(paper.id,))

    def _tell_unwritten(self, phase: _Phase, names: Names) -> None:
        """Plans that the roadmap lists, of a phase that has others: nobody does them, and its box stays open."""
        if self._map_text is None or phase.number in self._map.done:
            return
        there = {name.casefold() for name in names_in(phase.folder)}
        for id, at in self._map.open.items():
            own = phase_number(id.rpartition("-")[0]) == phase.number
            found = names.of(id, phase.number) if own else None
            if found and found[0] != "plan" and not {f"{id}-plan.md", f"{id}-summary.md"} & there:
                message = (
                    f"the roadmap lists plan {shown(id)} of phase {phase.number}, which has no file: it is not done"
                )
                hint = f"write {shown(id)}-PLAN.md beside the other plans, or take the box out"
                self._report("plan-missing", message, self._map_text.place(at), hint)

    def _title_of(self, phase: _Phase) -> str:
        words = self._map.phases.get(phase.number)
        return shown(words.title, 100) if words else ""

    def _task(self, paper: Paper, phase: _Phase, names: Names) -> Task:
        place = f"task:{paper.id}"
        self._places[place] = paper.at("plan")
        claims = {span.text: paper.place(span.start) for span in paper.files()}
        made = tuple(x for x in paper.artifacts() if not x.startswith(".planning/"))
        writes = self._writes(paper, claims, made)
        for k, at in enumerate(claims.values()):
            self._places[f"{place}:writes:{k}"] = at
        status = paper.front.text("status").casefold().replace("_", "-").replace(" ", "-")
        if status in _DROPPED or status in _LATER:
            self._aside[paper.id] = "dropped" if status in _DROPPED else "later"
        done = is_done(paper.path, paper.id) or paper.id.casefold() in self._map.ticked or status in _DONE
        if not done and paper.id not in self._aside:
            self._tell_checkpoints(paper)
            self._tell_wave(paper)
        return Task(
            id=paper.id,
            phase=phase.id,
            title=shown(self._map.titles.get(paper.id.casefold(), "") or paper.title, 100),
            prompt=prompt(paper, phase.id),
            context=companions(paper, self._home),
            depends_on=self._needs(paper, phase, names),
            writes=writes,
            verify=tuple(checks(paper, self._findings)),
            artifacts=made,
            effect="changes" if claims else "any",
            estimate_s=_positive(duration_s(paper.front.text("estimate"))),
            status="succeeded" if done else "pending",
        )

    def _writes(self, paper: Paper, claims: Mapping[str, Location], made: tuple[str, ...]) -> tuple[str, ...] | None:
        """What it names, what it promises, and the summary that its agent writes; None where it names nothing."""
        if not claims and "files_modified" not in paper.front.fields:
            return None
        top = top_of(paper.path.absolute().parent)
        summary: tuple[str, ...] = ()
        if top is not None:
            name = "SUMMARY.md" if paper.path.name.casefold() == "plan.md" else f"{paper.id}-SUMMARY.md"
            summary = ((paper.path.absolute().parent / name).relative_to(top).as_posix(),)
        return tuple(dict.fromkeys((*claims, *made, *summary)))

    def _needs(self, paper: Paper, phase: _Phase, names: Names) -> tuple[str, ...]:
        if "depends_on" not in paper.front.fields:
            return self._by_wave(paper, phase)
        found: dict[str, Location] = {}
        waves = {other.id: other.wave for other in phase.papers}
        for item in paper.front.items("depends_on"):
            at = paper.place(item.start)
            match names.of(item.text, phase.number):
                case ("plan", id) if id != paper.id or id.casefold() in item.text.casefold():
                    found.setdefault(id, at)
                    theirs, own = waves.get(id), paper.wave
                    if id != paper.id and theirs is not None and own is not None and theirs >= own:
                        message = (
                            f"{paper.id} is in wave {own} and waits for {id} of wave {theirs}; the dependency counts"
                        )
                        self._report("wave-differs", message, at, "put it into a later wave", tasks=(paper.id, id))
                case ("phase", number) if number != phase.number:
                    if (other := next((x.id for x in self._phases if x.number == number), None)) is not None:
                        found.setdefault(other, at)
                    else:
                        self._outside(paper, number, item.text, at)
                case ("other", number):
                    self._outside(paper, number, item.text, at)
                case ("nobody", word):
                    found.setdefault(word, at)
                case _:
                    pass
        for k, at in enumerate(found.values()):
            self._places[f"task:{paper.id}:depends_on:{k}"] = at
        return tuple(found)

    def _by_wave(self, paper: Paper, phase: _Phase) -> tuple[str, ...]:
        """All plans of the wave before, where a plan names none itself."""
        own = paper.wave
        lower = [x.wave for x in phase.papers if x.wave is not None and own is not None and x.wave < own]
        return tuple(x.id for x in phase.papers if lower and x.wave == max(lower))

    def _outside(self, paper: Paper, number: str, word: str, at: Location) -> None:
        """Somebody of a phase that is not read: nothing holds the plan up, which is told unless that phase is done."""
        homes = [self._home] if self._whole else phases_of(self._home.parent)
        folder = next((x for x in homes if phase_number(x.name) == number), None)
        others, unread = plans_in(folder) if folder is not None else ([], [])
        if others and not unread and all(is_done(x.path, x.id) or x.id.casefold() in self._map.ticked for x in others):
            return
        message = f"{paper.id} waits for {shown(word)} of another phase, which is not part of this run"
        hint = "see that it is done; name ROADMAP.md to run all phases" if not self._whole else "see that it is done"
        self._report("other-phase", message, at, hint, tasks=(paper.id,))

    def _tell_wave(self, paper: Paper) -> None:
        """What stands for a wave, and is no number, orders nothing."""
        word = paper.front.text("wave")
        if paper.wave is None and word.casefold() not in ("", "~", "null", "none"):
            message = f"`wave` of {paper.id} is {kind(word)}, which is no number; it orders nothing"
            at = paper.place(paper.front.fields["wave"].value.start)
            self._report("wave-unread", message, at, "write a whole number, as in `wave: 1`", tasks=(paper.id,))

    def _tell_checkpoints(self, paper: Paper) -> None:
        steps = in_between(paper)
        if steps:
            what = "a decision" if steps[0].asks == "decision" else "something that only a person can do"
            message = (
                f"{paper.id} has a checkpoint that asks for {what} before the work goes on; its agent is told to go on"
            )
            hint = "decide it in the plan, or split the plan there; a person is asked before it lands"
            self._report("checkpoint-passed", message, paper.place(steps[0].start), hint, tasks=(paper.id,))

    def _report(
        self,
        code: str,
        message: str,
        at: Location,
        hint: str,
        *,
        severity: str = "warning",
        tasks: tuple[str, ...] = (),
    ) -> None:
        finding = Finding(
            code=code, severity="info" if severity == "info" else "warning", message=message, hint=hint, location=at,
            tasks=tasks,
        )  # fmt: skip
        self._findings.append(finding)


def _roadmap_text(path: Path, findings: list[Finding]) -> Text | None:
    text = paper_text(path, findings)
    return None if text is None else Text(str(path), text)


def _roadmap(text: Text) -> Roadmap:
    outline = markdown_text.parse(text, b"").tree
    return roadmap_of(text.text, outline) if isinstance(outline, Outline) else Roadmap()


def _positive(seconds: float | None) -> float | None:
    return seconds if seconds and seconds > 0 else None
