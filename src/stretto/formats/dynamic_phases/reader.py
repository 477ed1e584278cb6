"""Dynamic phase plans: a numbered phase of the file is a task, and its domain's category the phase it is in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from msgspec.structs import replace

from stretto.analysis.wording import listed
from stretto.formats.auto_claude.prompt import plain, title
from stretto.formats.auto_claude.reader import claimed
from stretto.formats.dynamic_phases import order, shape
from stretto.formats.dynamic_phases.domains import DOMAINS, NONE, TITLES, hint, likely_paths
from stretto.formats.dynamic_phases.estimate import estimate_s
from stretto.formats.dynamic_phases.findings import Teller, said
from stretto.formats.dynamic_phases.order import Known, Names
from stretto.formats.dynamic_phases.prompt import App, feature_names
from stretto.formats.dynamic_phases.status import MEANINGS, SKIPPED, Lists, state_of, word_of
from stretto.formats.reading import Read, Reading, Table, shown
from stretto.formats.set_aside import Aside, without
from stretto.formats.syntax.source import Source, Steps
from stretto.model.plan import Phase, Plan, Task, TaskStatus

NAME = "dynamic-phases"


def read(source: Source) -> Read:
    """The plan in the file. Keys that are not read are left alone; they stay in the file."""
    return _Reader(source).read()


class _Reader:
    def __init__(self, source: Source) -> None:
        self._reading = Reading(source)
        steps = shape.find(source.tree) or ()
        self._root = Table(self._reading, steps, shape.at(source.tree, steps), "the plan")
        self._app = App(self._root.values)
        self._lists = Lists(self._root.values)
        self._aside: dict[str, Aside] = {}
        self._known: list[Known] = []
        self._teller = Teller(self._root, [])
        self._entries: dict[tuple[str, str], Steps] = {}
        """Where it stands that a task waits for another."""
        self._guessed_order: list[str] = []
        self._guessed_claims: list[str] = []
        self._misnamed: list[tuple[str, str]] = []

    def read(self) -> Read:
        root = self._root
        self._reading.places.mark("plan", root.steps)
        if root.values.get("phases") is None:
            root.missing("phases", "a plan has `phases`, each with a `number`, a `name` and its `features`")
        tables = root.tables("phases", "phase")
        self._known = [order.known(self._id(table), dict(table.values)) for table in tables]
        self._teller = Teller(root, self._known)
        names = Names(self._known)
        tasks = [self._task(table, phase, names) for table, phase in zip(tables, self._known, strict=True)]
        kept, told = without(tasks, self._aside)
        for note in told:
            self._reading.report(
                "set-aside", note.message, self._teller.at(note.task), note.hint, severity="info", tasks=note.tasks
            )
        kept = self._polished(kept, {phase.id for phase in self._known if phase.domain == "polish"})
        self._mark_needs(kept)
        self._teller.tell(self._lists)
        self._tell_guesses({task.id for task in kept if task.status != "succeeded"})
        return self._reading.finish(
            lambda: Plan(name=self._name(), format=NAME, phases=tuple(self._phases(kept)), tasks=tuple(kept))
        )

    def _name(self) -> str:
        values = self._root.values
        concept = values.get("concept")
        named = title(values, "appName", "name", "title") or title(concept if isinstance(concept, dict) else {}, "name")
        return named or Path(self._reading.source.file).absolute().parent.name or NAME

    def _id(self, table: Table) -> str:
        key = shape.number_key(dict(table.values))
        value = table.values.get(key)
        if value is None:
            table.missing("number", "every phase has a number, by which others name it")
        text = table.id(key) if value is not None and not isinstance(value, float) else None
        id = shape.id_of(value if isinstance(value, float) else text) or ""
        table.about = f"phase {shown(id)!r}" if id else table.about
        return id

    def _task(self, table: Table, phase: Known, names: Names) -> Task:
        id, values = phase.id, phase.values
        place = self._reading.places.mark(f"task:{id}", table.steps)
        features = feature_names(values)
        name = title(values, "name", "title")
        if not (name or features or plain(values.get("description"))):
            table.missing("name", "say what is to be built; a number is no prompt")
        if phase.domain and phase.domain not in DOMAINS:
            message = f"`domain` of {table.about} is {shown(phase.domain)!r}, which is none of the format's"
            self._reading.report("unknown-domain", message, (*table.steps, "domain"), hint(phase.domain), tasks=(id,))
        writes, guessed = self._claims(table, place, phase, features)
        if guessed:
            self._guessed_claims.append(id)
        return Task(
            id=id,
            phase=DOMAINS.get(phase.domain, NONE).category,
            title=shown(name or plain(values.get("description")), 100),
            prompt=self._app.prompt(values, id=id, domain=phase.domain, guessed=guessed),
            depends_on=tuple(self._needs(table, phase, names)),
            writes=writes,
            effect="any" if guessed or writes is None else "changes",
            estimate_s=estimate_s(values.get("estimatedTime")),
            status=self._status(table, id),
        )

    def _status(self, table: Table, id: str) -> TaskStatus:
        values = dict(table.values)
        if word_of(values) == SKIPPED:
            self._aside[id] = "dropped"
        state = state_of(values, id, self._lists)
        if state is None:
            steps = (*table.steps, "status")
            self._reading.unknown_status(table.about, values.get("status"), steps, (id,), MEANINGS)
        return state or "pending"

    # --- order --------------------------------------------------------------------------------------------------

    def _needs(self, table: Table, phase: Known, names: Names) -> list[str]:
        """What a phase waits for: its numbers, without them the names, without both what the planner writes."""
        found = self._listed(table, "dependencies", names.ids)
        if found is None:
            spoken = self._listed(table, "dependencyNames", names.labelled)
            if spoken:
                return self._noted(phase.id, spoken)
            guess = list(names.guessed(phase))
            self._guessed_order += [phase.id] if guess else []
            return guess
        known = {id for id, _ in found} | {phase.id}
        spoken_of = phase.values.get("dependencyNames")
        for name in spoken_of if isinstance(spoken_of, list) else ():
            called = names.called(name) if isinstance(name, str) else []
            if called and known.isdisjoint(called):
                self._misnamed.append((phase.id, name))
        return self._noted(phase.id, found)

    def _noted(self, id: str, found: Sequence[tuple[str, Steps]]) -> list[str]:
        for need, steps in found:
            self._entries.setdefault((id, need), steps)
        return list(dict.fromkeys(need for need, _ in found))

    def _listed(self, table: Table, key: str, meaning: Callable[[str], list[str]]) -> list[tuple[str, Steps]] | None:
        """Ids, and where each is named; None where the key is absent."""
        value = table.values.get(key)
        if value is None:
            return None
        found: list[tuple[str, Steps]] = []
        for i, each in enumerate(value if isinstance(value, list) else [value]):
            more = (i,) if isinstance(value, list) else ()
            match each:
                case None:
                    continue
                case str():
                    ids = meaning(each)
                case int() | float() if not isinstance(each, bool):
                    ids = [shape.id_of(each) or ""]
                case _:
                    table.wrong(key, "a phase's number, or a list of them", each, *more)
                    continue
            found += [(id, (*table.steps, key, *more)) for id in ids]
        return found

    def _polished(self, tasks: list[Task], polish: set[str]) -> list[Task]:
        """The tasks, those that polish what others build waiting for all of these."""
        added = order.finish({task.id: list(task.depends_on) for task in tasks}, polish)
        if told := [id for id in added if id not in self._guessed_order]:
            ends = [end for id in told for end in added[id]]
            message = f"{said(told)}: what polishes the others' work also waits for {listed(ends)}"
            hint = "add the numbers to its `dependencies`; what is to run earlier has another domain"
            self._teller.report("polish-last", message, told, hint, key="dependencies")
        return [replace(task, depends_on=(*task.depends_on, *added.get(task.id, ()))) for task in tasks]

    def _mark_needs(self, tasks: Sequence[Task]) -> None:
        for task in tasks:
            for i, need in enumerate(task.depends_on):
                if (task.id, need) in self._entries:
                    steps = self._entries[task.id, need]
                    self._reading.places.mark(f"task:{task.id}:depends_on:{i}", steps)

    # --- claims -------------------------------------------------------------------------------------------------

    def _claims(
        self, table: Table, place: str, phase: Known, features: list[str]
    ) -> tuple[tuple[str, ...] | None, bool]:
        """What it says it will write, and whether that is a guess. None: nothing can be said."""
        declared = list(self._paths(table, "plannedFiles"))
        if declared:
            claims = self._declared(table, place, declared)
            return claims, False
        built = [claim for raw, _ in self._paths(table, "builtFiles") if (claim := claimed(raw))]
        likely = built or [*self._made(phase.values), *likely_paths(phase.domain, features)]
        return (tuple(dict.fromkeys(likely)), True) if likely else (None, False)

    def _declared(self, table: Table, place: str, paths: list[tuple[str, Steps]]) -> tuple[str, ...] | None:
        claims: list[tuple[str, Steps]] = []
        vague = False
        for raw, steps in paths:
            claim = claimed(raw)
            if claim is None:
                vague = True
                message = f"{table.about} plans {shown(raw)!r}, which is no path in the repository"
                self._reading.report("vague-path", message, steps, "its scope counts as unknown")
            else:
                claims.append((claim, steps))
        known = self._reading.places.claims(place, claims)
        return None if vague else known

    def _paths(self, table: Table, key: str) -> Iterator[tuple[str, Steps]]:
        value = table.values.get(key)
        for i, each in enumerate(value if isinstance(value, list) else [value]):
            more = (i,) if isinstance(value, list) else ()
            raw = each.get("path", each.get("file")) if isinstance(each, dict) else each
            if isinstance(raw, str):
                if raw.strip():
                    yield raw, (*table.steps, key, *more)
            elif raw is not None or isinstance(each, dict):
                table.wrong(key, "a path, or a list of paths", each, *more)

    def _made(self, values: dict[str, object]) -> Iterator[str]:
        """The files that the architecture or the layout of a phase names."""
        architecture = values.get("architectureContext")
        files = architecture.get("files") if isinstance(architecture, dict) else None
        found = list(files) if isinstance(files, list) else []
        if values.get("isLayoutInjection") is True:
            layout = values.get("layoutBuilderFiles") or self._root.values.get("layoutBuilderFiles")
            found += layout if isinstance(layout, list) else []
        for each in found:
            raw = each.get("path") if isinstance(each, dict) else each
            if isinstance(raw, str) and (claim := claimed(raw)):
                yield claim

    # --- the whole ----------------------------------------------------------------------------------------------

    def _phases(self, tasks: Sequence[Task]) -> Iterator[Phase]:
        """A phase for every category that is left; they are no steps, and nobody waits for one."""
        left = {task.phase for task in tasks}
        for category in dict.fromkeys(DOMAINS.get(phase.domain, NONE).category for phase in self._known):
            if category in left:
                yield Phase(id=category, title=TITLES[category])

    def _tell_guesses(self, left: set[str]) -> None:
        if claims := [id for id in self._guessed_claims if id in left]:
            message = f"the files of {said(claims)} are guessed from domains and features"
            hint = "name them in `plannedFiles`: what a guess leaves out shows only when the work is done"
            self._teller.report("claims-guessed", message, claims, hint)
        if self._guessed_order:
            wait = "waits" if len(self._guessed_order) == 1 else "wait"
            message = f"what {said(self._guessed_order)} {wait} for is guessed from the domains"
            hint = "add `dependencies`: a list of numbers, empty for a phase that waits for nothing"
            self._teller.report("order-guessed", message, self._guessed_order, hint)
        if self._misnamed:
            ids, names = [id for id, _ in self._misnamed], [name for _, name in self._misnamed]
            message = f"`dependencyNames` of {said(ids)} also has {listed(names)}; the numbers in `dependencies` count"
            hint = "add the number if it is to wait for that"
            self._teller.report("dependency-names", message, ids, hint, key="dependencyNames")
