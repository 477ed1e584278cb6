"""Auto-Claude's `implementation_plan.json`, in the dialects that people really have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from stretto.formats.auto_claude.checks import checks
from stretto.formats.auto_claude.groups import compare
from stretto.formats.auto_claude.prompt import Shared, has_work, phase_words, plan_words, prompt, title
from stretto.formats.reading import MAX_SECONDS, Read, Reading, Table, duration_s, shown
from stretto.formats.syntax.source import Source, Steps
from stretto.model.plan import Check, Phase, Plan, Task, TaskStatus

NAME = "auto-claude"

PHASE_IDS = ("id", "phase", "phaseId", "phase_id")
TASK_IDS = ("id", "subtask_id", "subtaskId")
_WRITES = ("files_to_modify", "files_to_create", "files_to_delete", "file", "files")
_HOURS = {"estimated_hours": 3600.0, "estimated_effort_hours": 3600.0, "estimated_minutes": 60.0}
_RANGE = re.compile(r"\s*(\d{1,6}(?:\.\d+)?)\s*(?:-|–|to)\s*(\d{1,6}(?:\.\d+)?)\s*")
_MAX_PATH = 4096
_PLAIN = re.compile(r"(?:[A-Za-z_][\w.-]*/)*[A-Za-z_][\w.-]*/?")
"""Most paths: nothing in them is to be told apart from a remark, or widened."""
_PRIORITIES = {"critical": 1, "urgent": 1, "high": 2, "medium": 3, "normal": 3, "low": 4}
_STATUSES: dict[str, TaskStatus] = {
    **dict.fromkeys(("pending", "not_started", "todo", "blocked", "queued", "ready", ""), "pending"),
    **dict.fromkeys(("in_progress", "running", "started", "active", "wip"), "running"),
    **dict.fromkeys(("completed", "complete", "done", "finished", "success", "succeeded"), "succeeded"),
    **dict.fromkeys(("failed", "error", "stuck", "failure"), "failed"),
    "skipped": "skipped",
    **dict.fromkeys(("cancelled", "canceled"), "cancelled"),
}


def recognises(source: Source) -> bool:
    """Phases with subtasks; or the keys of a plan that has no phases yet."""
    tree = source.tree
    if source.syntax != "json" or not isinstance(tree, dict):
        return False
    phases = tree.get("phases")
    members = [x for x in phases if isinstance(x, dict)] if isinstance(phases, list) else []
    if any("subtasks" in phase or "chunks" in phase for phase in members):
        return True
    if any({"tasks", "sprints"} & phase.keys() for phase in members) or "tasks" in tree:
        return False
    return "workflow_type" in tree or "planStatus" in tree or ("feature" in tree and "phases" in tree)


def read(source: Source) -> Read:
    """The plan in the file. Keys that are not read are left alone; they stay in the file."""
    reading = Reading(source)
    return _Reader(reading, reading.root("the plan")).read()


def status_of(value: object) -> TaskStatus | None:
    """The task state that a status word means; None for a word that nobody knows."""
    if value is None:
        return "pending"
    return _STATUSES.get(re.sub(r"[\s_-]+", "_", value.strip().casefold())) if isinstance(value, str) else None


def subtasks_key(phase: Mapping[str, object]) -> str:
    """Where a phase keeps its subtasks; with both spellings there, `chunks` is a copy."""
    return "subtasks" if phase.get("subtasks") is not None else "chunks"


class _Reader:
    def __init__(self, reading: Reading, root: Table) -> None:
        self._reading = reading
        self._root = root
        self._silent: list[Steps] = []
        """Phases that are chains (R1.4), because they do not say whether they may run in parallel."""
        self._phase_names: dict[str, str] = {}

    def read(self) -> Read:
        root = self._root
        self._reading.places.mark("plan", ())
        tables = root.tables("phases", "phase")
        ids = [self._phase_id(table, i) for i, table in enumerate(tables)]
        self._name_phases(tables, ids)
        needs = self._plan_dependencies()
        whole = plan_words(root.values)
        phases, tasks = [], []
        for table, id in zip(tables, ids, strict=True):
            phases.append(self._phase(table, id, needs))
            members = table.tables(subtasks_key(table.values), "subtask")
            shared = whole.around(phase_words(table.values))
            own = [self._task(member, shared, id, needs) for member in members]
            names = {task.id for task in own}
            chained = len(own) > 1 and names.isdisjoint(name for task in own for name in task.depends_on)
            if chained and table.values.get("parallel_safe") is None:
                self._silent.append(table.steps)
            tasks += own
        self._tell()
        compare(self._reading, root, phases, self._phase_names)
        name = title(root.values, "feature", "title", "name", "spec_name") or "implementation plan"
        return self._reading.finish(lambda: Plan(name=name, format=NAME, phases=tuple(phases), tasks=tuple(tasks)))

    def _phase_id(self, table: Table, index: int) -> str:
        id = table.id(*PHASE_IDS) or str(index + 1)
        table.about = f"phase {shown(id)!r}"
        self._reading.places.mark(f"phase:{id}", table.steps)
        return id

    def _name_phases(self, tables: list[Table], ids: list[str]) -> None:
        """Everything that a dependency may call a phase: its id, else its number, else its place."""
        for i, id in enumerate(ids):
            self._phase_names.setdefault(str(i + 1), id)
        for table, id in zip(tables, ids, strict=True):
            number = table.values.get("phase")
            if isinstance(number, str | int) and not isinstance(number, bool):
                self._phase_names[str(number)] = id
        self._phase_names.update((id, id) for id in ids)

    def _plan_dependencies(self) -> Mapping[str, object]:
        """The plan-level map of ids to ids; `dependencies` of another shape are about something else."""
        value = self._root.values.get("dependencies")
        if not isinstance(value, dict) or not all(isinstance(x, str | int | list) for x in value.values()):
            return {}
        return value

    def _phase(self, table: Table, id: str, needs: Mapping[str, object]) -> Phase:
        names = [*table.ids("depends_on"), *table.ids("dependencies")]
        if id in needs:
            names += self._root_ids(id)
        return Phase(
            id=id,
            title=title(table.values, "name", "phase_name", "title"),
            depends_on=tuple(self._phase_names.get(name, name) for name in names),
            parallel=table.flag("parallel_safe", False),
        )

    def _root_ids(self, id: str) -> tuple[str, ...]:
        root = self._root
        return Table(self._reading, ("dependencies",), root.values["dependencies"], "`dependencies`").ids(id)  # type: ignore[arg-type]

    def _task(self, table: Table, shared: Shared, phase: str, needs: Mapping[str, object]) -> Task:
        id = table.id(*TASK_IDS)
        if id is None and not any(table.values.get(key) is not None for key in TASK_IDS):
            table.missing("id", "every subtask has an id")
        id = id or ""
        table.about = f"subtask {shown(id)!r}"
        place = self._reading.places.mark(f"task:{id}", table.steps)
        values = table.values
        if not has_work(values):
            table.missing("description", "say what is to be done; an id is no prompt")
        status = status_of(values.get("status"))
        if status is None:
            self._reading.unknown_status(table.about, values.get("status"), (*table.steps, "status"), (id,), _STATUSES)
        writes = self._writes(table, place, id)
        return Task(
            id=id,
            phase=phase,
            title=shown(title(values, "title", "description"), 100),
            prompt=prompt(shared, values, done=status == "succeeded"),
            depends_on=tuple(self._depends_on(table, place, id, needs)),
            writes=writes,
            verify=self._verify(table, place, id),
            effect="any" if writes is None else "changes",
            priority=_priority(values.get("priority")),
            estimate_s=_estimate_s(values),
            status=status or "pending",
        )

    def _depends_on(self, table: Table, place: str, id: str, needs: Mapping[str, object]) -> list[str]:
        found = [
            (name, (*table.steps, key, i))
            for key in ("dependencies", "depends_on")
            for i, name in enumerate(table.ids(key))
        ]
        if id in needs:
            found += [(name, ("dependencies", id, i)) for i, name in enumerate(self._root_ids(id))]
        for i, (_, steps) in enumerate(found):
            self._reading.places.mark(f"{place}:depends_on:{i}", steps)
        return [name for name, _ in found]

    def _verify(self, table: Table, place: str, id: str) -> tuple[Check, ...]:
        steps = (*table.steps, "verification")
        found = checks(self._reading, table.values.get("verification"), steps, id)
        for i, (_, at) in enumerate(found):
            self._reading.places.mark(f"{place}:verify:{i}", at)
        return tuple(check for check, _ in found)

    def _writes(self, table: Table, place: str, id: str) -> tuple[str, ...] | None:
        """The declared paths as claims. None (unknown) when there are none, or when one of them is no path."""
        claims: list[tuple[str, Steps]] = []
        vague = False
        for raw, steps in self._declared(table):
            claim = claimed(raw)
            if claim is None:
                vague = True
                message = f"task {shown(id)!r} declares {shown(raw)!r}, which is no path in the repository"
                hint = "its scope counts as unknown"
                self._reading.report("vague-path", message, steps, hint, tasks=(id,))
            else:
                claims.append((claim, steps))
        known = self._reading.places.claims(place, claims)
        return known if known and not vague else None

    def _declared(self, table: Table) -> Iterator[tuple[str, Steps]]:
        for key in _WRITES:
            value = table.values.get(key)
            entries = value if isinstance(value, list) else [value]
            for i, each in enumerate(entries):
                steps: Steps = (*table.steps, key, i) if isinstance(value, list) else (*table.steps, key)
                if isinstance(each, dict):
                    each = next((each[x] for x in ("path", "file", "name") if isinstance(each.get(x), str)), each)
                if isinstance(each, str):
                    if each.strip():
                        yield each, steps
                elif each is not None:
                    table.wrong(key, "a path, or a list of paths", each, *steps[len(table.steps) + 1 :])

    def _tell(self) -> None:
        if self._silent:
            count = f"{len(self._silent)} phases do" if len(self._silent) > 1 else "a phase does"
            self._reading.report(
                "parallel-unsaid",
                f"{count} not say `parallel_safe`: the tasks there run one after another",
                self._silent[0],
                'add "parallel_safe": true where the tasks may run side by side',
                severity="info",
            )


def claimed(raw: str) -> str | None:
    """A declared path as a claim: placeholders widened, remarks dropped; None for what is no path in the repository."""
    if len(raw) > _MAX_PATH:
        return None
    if _PLAIN.fullmatch(raw):
        return raw
    path = re.sub(r"(?<!\s)\s+(?:\([^()]*\)\s*$|(?:-|–|—|#)\s.*$)", "", raw.strip()).strip().strip("`'\"")
    path = re.sub(r":\d+(?:-\d+)?$", "", path.replace("\\", "/"))
    path = re.sub(r"\{[^{}/]*\}|<[^<>/]*>", "*", path)
    path = re.sub(r"(^|/)(?:\.\.\.|…)(?=/|$)", r"\1**", path)
    path = re.sub(r"/{2,}", "/", re.sub(r"/\./", "/", path)).removeprefix("./")
    outside = path.startswith(("/", "~")) or re.match(r"[A-Za-z]:", path) or ".." in path.split("/")
    prose = " " in path and "/" not in path and not re.search(r"\.\w{1,8}$", path)
    if not path or outside or prose or re.search(r"[\x00-\x1f\x7f]", path):
        return None
    return path


def _priority(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 5:
        return value
    return _PRIORITIES.get(value.strip().casefold(), 3) if isinstance(value, str) else 3


def _estimate_s(values: Mapping[str, object]) -> float | None:
    """Seconds; of a range such as "4-6", the middle."""
    for key, unit_s in _HOURS.items():
        value = values.get(key)
        seconds = None
        if isinstance(value, str) and (span := _RANGE.fullmatch(value)):
            seconds = (float(span[1]) + float(span[2])) / 2 * unit_s
        elif isinstance(value, str) and re.search(r"[a-z]", value):
            seconds = duration_s(value)
        elif (number := duration_s(value)) is not None:
            seconds = number * unit_s
        if seconds is not None and 0 < seconds <= MAX_SECONDS:
            return seconds
    return None
