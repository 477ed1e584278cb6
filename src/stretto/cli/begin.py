"""From a plan file and flags to a run on disk, whose journal holds one event (R8.1)."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec.structs import replace

from stretto import wiring
from stretto.analysis.effects import settled
from stretto.analysis.lint import ok
from stretto.analysis.select import select
from stretto.cli import terminal
from stretto.cli.earlier import refuse_unfinished, runs_of
from stretto.cli.ground import Ground, in_place, in_repository
from stretto.cli.linting import OVERLAP, examine, must_have, of_these, refusal, set_aside
from stretto.cli.opening import own_folder
from stretto.cli.place import settings_here
from stretto.cli.staffing import agent_findings, wait_for_person
from stretto.cli.texts import read_template, read_texts
from stretto.config.layers import NOTHING, Layer, Settings
from stretto.config.resolve import Resolved, isolation, resolve, run_settings
from stretto.core.events import RunStarted
from stretto.engine.history import expected_s
from stretto.engine.home import (
    CONTEXT,
    TEMPLATE,
    Launch,
    RunHome,
    new_run_id,
)
from stretto.engine.lock import RunLock
from stretto.engine.supervise import ProcessSupervisor
from stretto.formats.load import Loaded
from stretto.formats.native_text import as_yaml
from stretto.model.agent import AgentSpec
from stretto.model.plan import Finding, Plan, Task, Value
from stretto.observe.outline import outline
from stretto.observe.paint import count
from stretto.observe.planview import show_json, show_text
from stretto.observe.words import on_plan

WARNINGS = 5
"""So many are shown before a run; `check` has them all."""
BEGIN_S = 30.0
"""How long a run waits, in seconds, while another one of this repository is being written down."""


class Wanted(Value, frozen=True, kw_only=True):
    """What the command line asks for."""

    plan: str
    opened: Loaded | None = None
    """What a recipe has made of it already, by options of its own."""
    flags: Layer = NOTHING
    profile: str | None = None
    agent_args: tuple[str, ...] = ()
    """Further words for the command line of the default agent."""
    only: tuple[str, ...] = ()
    phase: str | None = None
    with_deps: bool = False
    base: str | None = None
    branch: str | None = None
    land: bool = False
    ignore_status: bool = False
    new: bool = False
    interactive: bool = False
    """A person sits at the terminal."""
    ask: bool = False
    json: bool = False
    start: bool = True
    """There have to be agents, and they here; else their work is only described."""
    task: str | None = None
    """The one that is asked about: it has to be in the plan."""


class Ready(Value, frozen=True, kw_only=True):
    """A run that could start now. Nothing has been written."""

    wanted: Wanted
    path: Path
    """The plan file, or the folder that the plan is made of; real path."""
    data: bytes
    """The plan as it is kept with the run."""
    plan: Plan
    """The tasks that were selected, with the text of their prompts."""
    context: Mapping[str, Mapping[str, str]]
    """Task id to the text of its context files, by name."""
    template: str | None
    """The plan's own template of prompts."""
    findings: tuple[Finding, ...]
    done: tuple[str, ...]
    ground: Ground
    """Where it will stand."""
    settings: Resolved
    landed: tuple[str, ...] = ()
    """Tasks that are done because an earlier run has landed them, and the user's branch has them."""
    changed: tuple[str, ...] = ()
    """Tasks that the earlier run landed, and that are done again because the plan says something else of them now."""
    expected_s: Mapping[str, float] = {}
    """Task id to seconds, where nobody estimated and earlier runs have shown it."""

    @property
    def todo(self) -> tuple[Task, ...]:
        done = frozenset(self.done)
        return tuple(task for task in self.plan.tasks if task.id not in done)


def prepare(wanted: Wanted) -> Ready:
    """Everything that can be refused is refused here. Raises PlanError, ConfigError, RepositoryError, StateError."""
    settings = settings_here(wanted.flags, wanted.profile)
    path = Path(os.path.realpath(wanted.plan))  # two names of one file are one plan
    loaded, findings = examine(wanted.plan, run_settings(settings), opened=wanted.opened)
    # Whether claims overlap is asked again of the tasks that are selected.
    if not ok(finding for finding in findings if finding.code != OVERLAP):
        raise refusal(wanted.plan, findings)
    if wanted.task is not None:
        must_have(loaded, wanted.task, wanted.plan)
    return asyncio.run(_prepare(wanted, settings, path, loaded, findings))


async def _prepare(
    wanted: Wanted, settings: Settings, path: Path, loaded: Loaded, findings: tuple[Finding, ...]
) -> Ready:
    where = isolation(loaded.plan, settings)
    folder = own_folder(wanted.plan).absolute()
    ground = await (in_place if where == "none" else in_repository)(wanted, path, loaded, folder)
    earlier, landed = ground.earlier & {task.id for task in loaded.plan.tasks}, ground.landed
    changed = loaded.unrecorded & (earlier - landed)
    done = set(landed | (earlier - changed))
    if not wanted.ignore_status:
        done |= {task.id for task in loaded.plan.tasks if task.status == "succeeded"}
    selection = select(
        loaded.plan,
        only=wanted.only,
        phase=wanted.phase,
        with_deps=wanted.with_deps,
        done=done,
        aside=set_aside(loaded),
    )
    plan, context = read_texts(selection.plan, folder, done)
    todo = replace(plan, tasks=tuple(task for task in plan.tasks if task.id not in done))
    if not wanted.start:
        findings = (*findings, *(replace(x, severity="warning") for x in agent_findings(loaded, settings, os.environ)))
    findings = of_these(findings, loaded, plan, todo, run_settings(settings))
    if not ok(findings):
        raise refusal(wanted.plan, findings)
    # Who is asked about one task asks also when it is done: then nobody else's agents are known.
    asked = todo.tasks if wanted.task is None else tuple(task for task in plan.tasks if task.id == wanted.task)
    resolved = resolve(
        replace(todo, tasks=asked),
        settings,
        interactive=wanted.interactive,
        agent_args=wanted.agent_args,
        staffed=wanted.start,
    )
    # What cannot be built is refused now, not by the engine.
    coding = {name for name, spec in resolved.agents.items() if _codes(spec, start=wanted.start)}
    return Ready(
        wanted=wanted,
        path=path,
        data=as_yaml(loaded.plan).encode() if path.is_dir() else loaded.data,
        plan=settled(plan, coding=coding, default=resolved.run.agent),
        context=context,
        template=read_template(plan, folder),
        findings=(*findings, *selection.findings),
        done=tuple(sorted(done)),
        ground=ground,
        settings=resolved,
        landed=tuple(task.id for task in plan.tasks if task.id in landed - earlier),
        changed=tuple(task.id for task in plan.tasks if task.id in changed),
        expected_s=expected_s(ground.runs, todo.tasks, agents=resolved.agents, default=resolved.run.agent),
    )


def _codes(spec: AgentSpec, *, start: bool) -> bool:
    """Raises ConfigError for an agent that cannot `start`, where it is to."""
    return wiring.agent(spec).codes if start else wiring.agent_class(spec).codes


def show(ready: Ready, *, json: bool, whole: bool) -> None:
    """The plan by level, and what a person should know before saying yes; `whole` is for who only wants to look."""
    done = frozenset(ready.done)
    tasks = (replace(task, status="succeeded" if task.id in done else "pending") for task in ready.plan.tasks)
    plan, settings = replace(ready.plan, tasks=tuple(tasks)), ready.settings.run
    if json and whole:
        told = show_json(plan, places=settings.parallel, default_s=settings.estimate_s, learned_s=ready.expected_s)
        print(msgspec.json.format(msgspec.json.encode(told)).decode())
    stream = terminal.people(json)
    paint, width = terminal.paint(stream), terminal.width(stream) or terminal.WIDTH
    if whole:
        lines = show_text(
            plan,
            width=width,
            places=settings.parallel,
            default_s=settings.estimate_s,
            learned_s=ready.expected_s,
            paint=paint,
        )
    else:
        lines = outline(plan, settings=settings, paint=paint, width=width, learned_s=ready.expected_s)
    for text in lines:
        print(text, file=stream)
    if ready.landed:
        what = f"{count(len(ready.landed), 'task')} landed by an earlier run and unchanged since"
        terminal.say(f"done already: {what} (--ignore-status does them again)", json=json)
    if ready.changed:
        terminal.say(f"done again, because the plan has changed: {', '.join(ready.changed)}", json=json)
    if asks := wait_for_person(ready.todo):
        terminal.say(asks, json=json, label="note")
    warnings = [_said(finding, ready.path) for finding in ready.findings if finding.severity == "warning"]
    for message in warnings[:WARNINGS]:
        terminal.say(message, json=json, label="warning")
    if len(warnings) > WARNINGS:
        terminal.say(f"… and {count(len(warnings) - WARNINGS, 'warning')} more:", json=json)
        print(f"  {on_plan('check', ready.wanted.plan)}", file=stream)
    ground = ready.ground
    if ground.isolation == "none":
        terminal.say(f"tasks work in {ground.root} itself: nothing is copied, committed or merged", json=json)
    if ground.dirty:
        named = ", ".join(ground.dirty[:5]) + (f" and {len(ground.dirty) - 5} more" if len(ground.dirty) > 5 else "")
        terminal.say(f"uncommitted edits are not in the run's base: {named}", json=json, label="note")
    if ground.under_way:
        what = f"{' and '.join(ground.under_way)} is under way"
        terminal.say(
            f"{what}: the run starts from {ground.base[:10]}, and can land when it is over", json=json, label="note"
        )
    stream.flush()


def _said(finding: Finding, plan: Path) -> str:
    """What is wrong, and where, if that is in another file than the one that was named."""
    place = finding.location
    if place is None or Path(os.path.realpath(place.file)) == plan:
        return finding.message
    return f"{place.file}:{place.line}:{place.column}: {finding.message}"


def create(ready: Ready) -> RunHome:
    """Write the run down: it can be resumed from here on. Raises RepositoryError and StateError."""
    ground = ready.ground
    ground.runs.make(folder=None if ground.common else ground.root)
    with RunLock(ground.runs.path / "begin.lock", what="the beginning of another run", patience_s=BEGIN_S):
        if not ready.wanted.new:  # another one may have begun while the question was open
            refuse_unfinished(runs_of(ground.runs, ready.path, new=False), in_place=ground.isolation == "none")
        return asyncio.run(_create(ready))


async def _create(ready: Ready) -> RunHome:
    now = time.time()
    run = new_run_id(ready.plan.name, now, {home.run for home in ready.ground.runs.runs()})
    settings, ground = ready.settings, ready.ground
    launch = Launch(
        isolation=ground.isolation,
        repository=str(ground.root),
        common_dir=str(ground.common or ""),
        plan_path=str(ready.path),
        plan_in_repository=ground.plan_in_repository,
        plan_format=ready.plan.format,
        recipe=ready.path.is_dir(),
        part=bool(ready.wanted.only) or ready.wanted.phase is not None,
        branch="" if ground.isolation == "none" else ready.wanted.branch or f"stretto/{run}",
        user_branch=ground.user_branch,
        base=ground.base,
        agents=settings.agents,
        agent=settings.run.agent,
        env_pass=settings.env_pass,
        land_at_end=ready.wanted.land,
        interactive=ready.wanted.interactive,
    )
    started = RunStarted(
        at=now,
        run=run,
        plan=ready.plan,
        settings=settings.run,
        base=ground.base,
        branch=launch.branch,
        done=ready.done,
        expected_s=ready.expected_s,
    )
    if ground.isolation == "worktree":
        home = RunHome(path=ground.runs.path / "runs" / run)
        places = await wiring.worktrees(home, launch, ready.plan, settings.run, os.environ, ProcessSupervisor())
        await places.create_branch(ground.base)  # first: a branch without a run harms nobody
    files = {CONTEXT: msgspec.json.encode(ready.context)}
    if ready.template is not None:
        files[TEMPLATE] = ready.template.encode()
    return ground.runs.create(run, launch, ready.data, events=[started], files=files)
