"""Who does the tasks of a plan, were it run now: what `run` would refuse, who reads prompts, and who asks a person."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial

from stretto import wiring
from stretto.analysis.wording import counted, listed
from stretto.config.agents import SCRIPTED, SHELL, nobody
from stretto.config.installed import KNOWN, installed
from stretto.config.layers import Settings
from stretto.config.resolve import doers
from stretto.config.table import FILE
from stretto.errors import ConfigError
from stretto.formats.load import Loaded
from stretto.model.plan import Finding, Location, Plan, Task


def agent_findings(loaded: Loaded, settings: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Of tasks that are left to do. Programs are looked for in `environ`, and none is started."""
    left = [task for task in loaded.plan.tasks if task.status != "succeeded"]

    place = partial(_place, loaded)
    try:
        who = doers(loaded.plan, settings)
    except ConfigError as error:
        yield _unavailable(error, "", (), place("defaults:agent"))
        return
    idle = tuple(task.id for task in left if not who.of(task))
    if idle:
        told = nobody(listed(idle))
        yield Finding(
            code="no-agent",
            severity="warning" if loaded.plan.format == "stretto" else "info",
            message=str(told),
            hint=_who_could(environ) or told.hint,
            location=place(f"task:{idle[0]}"),
            tasks=idle,
        )
    named: dict[str, list[str]] = {}
    for task in left:
        for name in who.of(task):
            named.setdefault(name, []).append(task.id)
    own = {name: task.id for task in reversed(left) for name in task.agent}
    for name, tasks in named.items():
        try:
            wiring.agent(who.spec(name), environ)
        except ConfigError as error:
            owner = f"task:{own[name]}" if name in own else ""
            where = (f"{owner}:agent", owner) if owner else ("defaults:agent",)
            yield _unavailable(error, f"{listed(tasks)} cannot be done by {name!r}: ", tuple(tasks), place(*where))


def wait_for_person(tasks: Iterable[Task]) -> str:
    """Which of these tasks a person will be asked about, in a sentence; empty: none."""
    ids = [task.id for task in tasks if any(check.kind == "approval" for check in task.verify)]
    return f"{counted(len(ids), 'task')} will wait for a person's yes: {listed(ids)}" if ids else ""


def person_findings(loaded: Loaded) -> Iterator[Finding]:
    """That somebody will be asked, at the first place where the plan says so."""
    left = [task for task in loaded.plan.tasks if task.status != "succeeded"]
    asked = [task for task in left if any(check.kind == "approval" for check in task.verify)]
    if asked:
        first = asked[0]
        n = next(i for i, check in enumerate(first.verify) if check.kind == "approval")
        yield Finding(
            code="asks-person",
            severity="info",
            message=wait_for_person(asked),
            hint="`stretto approve TASK` answers; a run without a terminal ends there, and can be resumed",
            location=_place(loaded, f"task:{first.id}:verify:{n}", f"task:{first.id}"),
            tasks=tuple(task.id for task in asked),
        )


def goes_by_prompt(settings: Settings, plan: Plan) -> Callable[[Task], bool]:
    """Whether a task is done by somebody who reads its prompt; a command of one's own may know without."""
    try:
        who = doers(plan, settings)
    except ConfigError:
        return lambda task: True

    @cache
    def reads(name: str) -> bool:
        try:
            return who.spec(name).kind not in (SHELL, SCRIPTED)
        except ConfigError:
            return True

    return lambda task: all(map(reads, who.of(task)))


def _place(loaded: Loaded, *keys: str) -> Location | None:
    return next((found for key in (*keys, "plan") if (found := loaded.places.get(key)) is not None), None)


def _who_could(environ: Mapping[str, str]) -> str:
    """A hint with the coding agent that is here and needs no settings; empty where there is none."""
    there = installed(environ)
    return next(
        (f"--agent {known.name}, or `agent` in {FILE}" for known in KNOWN if known.name in there and not known.command),
        "",
    )


def _unavailable(error: ConfigError, what: str, tasks: tuple[str, ...], place: Location | None) -> Finding:
    return Finding(
        code="agent-unavailable",
        severity="warning",
        message=f"{what}{error}",
        hint=error.hint,
        location=place,
        tasks=tasks,
    )
