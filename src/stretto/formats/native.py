"""stretto's own plan format, in YAML, TOML or JSON (docs/plan.md). Every key is known, refused, or an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, cast

from stretto.formats.format import Format
from stretto.formats.reading import CONTROL, Read, Reading, Table, kind, shown
from stretto.formats.syntax.source import Source, Steps
from stretto.model.plan import Check, Contract, Defaults, Effect, FailurePolicy, Phase, Plan, PlanGates, Setup, Task

NAME = "stretto"

_PLAN_NOT_YET = {
    "frozen": "paths that no task may change",
    "landing": "how finished work enters the branch",
    "budget": "limits on what a run may cost",
}
_PHASE_NOT_YET = {"fallback": "another way to run a phase after a failure"}
_TASK_NOT_YET = {
    "resources": "slots of scarce things",
    "run_if": "tasks that run only after a failure",
    "not_before": "a time to start at",
    "runs_on": "machines of a kind",
    "session": "neighbours that share a session",
    "budget": "limits on what a task may cost",
}
_GATES_NOT_YET = dict.fromkeys(
    ("confidence", "consensus", "review", "integration", "coverage", "contracts"), "only `verify` is a gate so far"
)
_OTHERS = {
    **dict.fromkeys(("files", "claims", "paths", "scope"), "writes"),
    **dict.fromkeys(("deps", "dependencies", "needs", "requires", "blockedby"), "depends_on"),
    **dict.fromkeys(("description", "instructions", "details"), "prompt"),
    **dict.fromkeys(("tests", "checks", "gates", "verification"), "verify"),
    "name": "title",
}
"""What other tools call keys of a task or a phase."""
_POLICIES = ("continue", "stop", "rollback")
_MAX_PARALLEL = 10_000


def recognises(source: Source) -> bool:
    """Whether a document is meant as one of ours; a wrong one of ours still is."""
    match source.tree:
        case {"phases": list() as phases, **rest}:
            members = [phase for phase in phases if isinstance(phase, dict)]
            return any("tasks" in phase for phase in members) or ("name" in rest and not any(map(_foreign, members)))
        case {"tasks": list() as tasks, **rest}:
            members = [task for task in tasks if isinstance(task, dict)]
            ours = any("prompt" in task or "prompt_file" in task for task in members)
            return ours or "name" in rest or not members
        case {"name": _, **rest}:
            return not rest or not rest.keys().isdisjoint(
                ("phases", "tasks", "task", "phase", "defaults", "setup", "gates")
            )
        case {"phases": _} | {"tasks": _}:
            return True
        case _:
            return False


def _foreign(phase: Mapping[str, object]) -> bool:
    return bool({"sprints", "subtasks", "chunks", "domain", "features"} & phase.keys())


def read(source: Source) -> Read:
    """The plan in the file. Raises PlanError when wrong types, values or missing ids leave none."""
    reading = Reading(source)
    root = reading.root("the plan")
    reading.places.mark("plan", ())
    root.get("$schema")
    name = root.text("name").strip()
    if not name and root.get("name") is None:
        root.missing("name", "add a line `name: …`; it names the run and its branch")
    defaults = _defaults(root)
    setup = _setup(root)
    gates = _gates(root)
    contracts = _contracts(root)
    context = root.texts("context", "path") or ()
    keep = root.texts("keep", "path") or ()
    hot_files = root.texts("hot_files", "path") or ()
    prompt_template = root.text("prompt_template") or None
    isolation = cast('Literal["worktree", "none"] | None', root.choice("isolation", ("worktree", "none")))
    phases, tasks = _phases(root, context)
    root.close(_PLAN_NOT_YET)
    return reading.finish(
        lambda: Plan(
            name=name,
            format=NAME,
            phases=tuple(phases),
            tasks=tuple(tasks),
            defaults=defaults,
            gates=gates,
            contracts=contracts,
            setup=setup,
            keep=keep,
            hot_files=hot_files,
            prompt_template=prompt_template,
            isolation=isolation,
        )
    )


def _defaults(root: Table) -> Defaults:
    table = root.table("defaults")
    if table is None:
        return Defaults()
    defaults = Defaults(
        agent=table.texts("agent", "agent name") or (),
        timeout_s=table.seconds("timeout"),
        attempts=table.count("attempts", 1, 1000),
        on_failure=_policy(table),
    )
    for key in table.values:
        table.reading.places.mark(f"defaults:{key}", (*table.steps, key))
    table.close()
    return defaults


def _setup(root: Table) -> Setup:
    table = root.table("setup")
    if table is None:
        return Setup()
    setup = Setup(
        copy=table.texts("copy", "path") or (),
        link=table.texts("link", "path") or (),
        run=table.texts("run", "command") or (),
    )
    table.close()
    return setup


def _gates(root: Table) -> PlanGates:
    table = root.table("gates")
    if table is None:
        return PlanGates()
    gates = PlanGates(verify=_checks(table))
    table.close(_GATES_NOT_YET)
    return gates


def _contracts(root: Table) -> tuple[Contract, ...]:
    """Contracts by name, each with a schema or with nothing: it is published while the plan runs."""
    table = root.table("contracts")
    found = []
    for id in table.values if table is not None else ():
        assert table is not None
        entry = table.table(id)
        if not id.strip() or CONTROL.search(id):
            table.bad(id, "is no name for a contract", hint="give it a name of one line, without control characters")
        table.reading.places.mark(f"contract:{id}", (*table.steps, id))
        found.append(Contract(id=id, schema=(entry.text("schema") or None) if entry is not None else None))
        if entry is not None:
            entry.close()
    return tuple(found)


def _phases(root: Table, context: tuple[str, ...]) -> tuple[list[Phase], list[Task]]:
    reading = root.reading
    if "phases" not in root.values:
        if not root.get("tasks") and root.misspelt("tasks", "phases"):
            return [], []
        if "tasks" not in root.values:
            root.missing("phases", "a plan has `phases`, each with `tasks`, or just `tasks`")
            return [], []
        reading.places.mark("phase:main", ("tasks",))
        return [Phase(id="main")], [_task(task, "main", context) for task in root.tables("tasks", "task")]
    if root.get("tasks") is not None:
        root.bad("tasks", "stands beside `phases`", hint="move these tasks into a phase")
    phases: list[Phase] = []
    tasks: list[Task] = []
    for table in root.tables("phases", "phase"):
        id = table.own_id("every phase has an id that others can depend on")
        if id is None:
            id = ""
        else:
            table.about = f"phase {id!r}"
            reading.places.mark(f"phase:{id}", table.steps)
        phases.append(
            Phase(
                id=id,
                title=table.text("title"),
                depends_on=table.ids("depends_on"),
                parallel=table.flag("parallel", True),
                max_parallel=table.count("max_parallel", 1, _MAX_PARALLEL),
                on_failure=_policy(table),
            )
        )
        if not table.get("tasks"):
            table.misspelt("tasks")
        tasks += [_task(task, id, context) for task in table.tables("tasks", "task")]
        table.close(_PHASE_NOT_YET, _OTHERS)
    return phases, tasks


def _policy(table: Table) -> FailurePolicy | None:
    """`rollback` is not built yet; lint says so, for every format."""
    return cast("FailurePolicy | None", table.choice("on_failure", _POLICIES))


def _task(table: Table, phase: str, context: tuple[str, ...]) -> Task:
    id = table.own_id("every task has an id that others can depend on")
    if id is None:
        id = ""
    else:
        table.about = f"task {id!r}"
        table.reading.places.mark(f"task:{id}", table.steps)
    writes = table.texts("writes", "path")
    artifacts = table.texts("artifacts", "path") or ()
    effect = cast("Effect | None", table.choice("effect", ("changes", "artifact", "any")))
    prompt, prompt_file = table.text("prompt"), table.text("prompt_file")
    if prompt and prompt_file:
        table.bad("prompt_file", "stands beside `prompt`", hint="keep one; further files go into `context`")
    task = Task(
        id=id,
        phase=phase,
        title=table.text("title"),
        prompt=prompt,
        prompt_file=prompt_file or None,
        context=(*context, *(table.texts("context", "path") or ())),
        depends_on=table.ids("depends_on"),
        after=table.ids("after"),
        conflicts_with=table.ids("conflicts_with"),
        provides=table.ids("provides"),
        uses=table.ids("uses"),
        writes=writes,
        verify=_checks(table),
        artifacts=artifacts,
        effect=effect or ("changes" if writes else "artifact" if artifacts else None if writes is None else "any"),
        agent=table.texts("agent", "agent name") or (),
        priority=table.count("priority", 1, 5) or 3,
        critical=table.flag("critical", False),
        optional=table.flag("optional", False),
        timeout_s=table.seconds("timeout"),
        attempts=table.count("attempts", 1, 1000),
        estimate_s=table.seconds("estimate"),
        carry=table.flag("carry", False),
    )
    table.close(_TASK_NOT_YET, _OTHERS)
    return task


def _checks(table: Table) -> tuple[Check, ...]:
    value = table.get("verify")
    entries = value if isinstance(value, list) else [] if value is None else [value]
    found = []
    for i, entry in enumerate(entries):
        steps: Steps = ("verify", i) if isinstance(value, list) else ("verify",)
        match entry:
            case str() if "\0" in entry:
                table.bad("verify", "has a NUL character in it", *steps[1:])
            case str() if entry.strip():
                found.append(Check(command=entry))
            case dict():
                check = _check(Table(table.reading, (*table.steps, *steps), entry, f"a check of {table.about}"))
                found += [check] if check else []
            case _:
                what = "an empty command" if isinstance(entry, str) else kind(entry)
                table.reading.refuse(
                    "wrong-type",
                    f"`verify` of {table.about} should be a command, or a list of commands, not {what}",
                    (*table.steps, *steps),
                    _instead_of(entry, table.reading.source.written((*table.steps, *steps))),
                )
    return tuple(found)


def _instead_of(entry: object, written: str) -> str:
    """What to do about what is no command; `written` is how the file spells it."""
    match entry:
        case bool() | int() | float():
            return f'a command that reads so needs quotes: "{shown(written)}"'
        case None if written:
            return f'a command that reads so needs quotes: "{shown(written)}"; else leave it out'
        case list():
            return "write the commands into one list"
        case _:
            return "write a command there, or leave it out"


def _check(table: Table) -> Check | None:
    run, approval = table.text("run"), table.text("approval")
    expected, timeout_s = table.text("expected"), table.seconds("timeout")
    table.close()
    if bool(run.strip()) == bool(approval.strip()):
        table.reading.refuse(
            "wrong-value", f"{table.about} needs either `run` or `approval`", table.steps, "`{run: make test}`"
        )
        return None
    for key, text in {"run": run, "expected": expected}.items():
        if "\0" in text:
            table.bad(key, "has a NUL character in it")
    if len(expected.split()) > 1:
        table.bad("expected", "should be one word: the last line that the command prints", hint="or use `grep -q`")
    if approval and (expected or timeout_s):
        table.bad("approval", "takes neither `expected` nor `timeout`")
    if approval:
        return Check(kind="approval", instructions=approval)
    return Check(command=run, expected=expected.strip() or None, timeout_s=timeout_s)


def read_tasks(source: Source, phase: str) -> Read:
    """Tasks for a run that goes on: the `tasks` of an agent's result file, as a plan of their own.

    What they wait for may lie in the run's plan. A task that names no `phase` is for this one. Raises PlanError."""
    reading = Reading(source)
    root = reading.root("the result file")
    tasks: list[Task] = []
    for table in root.tables("tasks", "task"):
        for key in ("prompt_file", "context"):
            if table.get(key) is not None:
                table.bad(key, "names files, which are read when a run begins", hint="write it into `prompt`")
        for key in ("provides", "uses"):
            if table.get(key) is not None:
                table.bad(key, "speaks of contracts, which are not supported yet", hint="leave it out")
        tasks.append(_task(table, table.id("phase") or phase, ()))
    phases = tuple(Phase(id=id) for id in dict.fromkeys(task.phase for task in tasks))
    return reading.finish(lambda: Plan(name="proposed", format=NAME, phases=phases, tasks=tuple(tasks)))


FORMAT = Format(name=NAME, about="stretto's own", recognises=recognises, read=read)
