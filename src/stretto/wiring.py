"""The only file that knows every concrete class: it builds the world that a run acts through."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from pathlib import Path
from shlex import quote

from stretto.agents.headless import HeadlessAgent
from stretto.agents.profiles import PROFILES
from stretto.agents.scripted import ScriptedAgent
from stretto.agents.shell import ShellAgent
from stretto.agents.text import TextAgent
from stretto.core.coordinator import Coordinator
from stretto.core.events import Event, RunStarted
from stretto.core.state import State
from stretto.engine.embedded import EmbeddedEngine
from stretto.engine.gating import Checks
from stretto.engine.home import Launch, RunHome
from stretto.engine.journal import SqliteJournal
from stretto.engine.performer import Performer, World
from stretto.engine.prompt import Prompts, folder_of
from stretto.engine.supervise import ProcessSupervisor
from stretto.errors import ConfigError, JournalMismatch, RepositoryError, StateError
from stretto.formats.load import keeper_of, plan_files, plan_files_by_now
from stretto.formats.proposals import proposed
from stretto.gates.approval import ApprovalGate
from stretto.gates.artifacts import ArtifactsGate
from stretto.gates.command import CommandGate
from stretto.limits.memory import OpenLimits
from stretto.model.agent import AgentSpec
from stretto.model.plan import Plan
from stretto.model.run import RunSettings
from stretto.model.surroundings import surroundings
from stretto.ports import Agent, Gate, Processes, Workspaces
from stretto.recipes import load as recipes
from stretto.workspace.inplace import InPlaceWorkspaces
from stretto.workspace.landing import checkout
from stretto.workspace.repository import Repository as Repository
from stretto.workspace.worktree import GitWorkspaces

GATES: Mapping[str, Gate] = {"command": CommandGate(), "artifacts": ArtifactsGate(), "approval": ApprovalGate()}


def agent(spec: AgentSpec, environ: Mapping[str, str] | None = None) -> Agent:
    """The agent that settings describe, for a user with this environment (None: our own). Raises ConfigError."""
    match spec.kind:
        case "shell":
            return ShellAgent(spec.command, spec.env)
        case "scripted":
            return ScriptedAgent()
        case "text":
            return TextAgent(spec, os.environ if environ is None else environ)
        case kind if kind in PROFILES:
            return HeadlessAgent(PROFILES[kind], spec, os.environ if environ is None else environ)
        case _:
            kinds = ", ".join(("shell", "scripted", "text", *PROFILES))
            raise ConfigError(f"there is no kind of agent {spec.kind!r}", hint=f"there are {kinds}")


def agent_class(spec: AgentSpec) -> type[ShellAgent | ScriptedAgent | TextAgent | HeadlessAgent]:
    """What kind of agent it would be, whether it is installed or not."""
    return {"shell": ShellAgent, "scripted": ScriptedAgent, "text": TextAgent}.get(spec.kind, HeadlessAgent)


class SystemClock:
    """The wall clock as it was at the start, carried on by one that nobody sets: never behind `at_least`.

    Both count seconds; a test gives clocks of its own."""

    def __init__(
        self, at_least: float = 0.0, *, wall: Callable[[], float] = time.time, uptime: Callable[[], float] | None = None
    ) -> None:
        self._uptime_s = uptime or _uptime_s
        self._offset_s = max(wall(), at_least) - self._uptime_s()

    def now(self) -> float:
        return self._offset_s + self._uptime_s()


def _uptime_s() -> float:
    """Goes on while the machine sleeps, where there is such a clock."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


async def repository(path: Path, environ: Mapping[str, str]) -> Repository:
    """The user's repository around `path`. Raises RepositoryError."""
    return await Repository.find(path, environ=environ)


async def repository_of(home: RunHome, environ: Mapping[str, str], *, launch: Launch | None = None) -> Repository:
    """The repository, seen from the work tree that the run was started in. Raises StateError when that is gone."""
    launch = launch or home.launch()
    root = Path(launch.repository)
    if (root / ".git").exists():
        found = await Repository.find(root, environ=environ)
        if str(found.common) == launch.common_dir:
            return found
    raise StateError(f"{root}, in which the run was started, is gone", hint=_back(launch))


def _back(launch: Launch) -> str:
    """The command that brings the work tree back: at its place, with the same branch."""
    root = quote(launch.repository)
    if launch.user_branch is None:
        return f"git worktree prune && git worktree add --detach {root} {launch.base[:10]}"
    add = f"git worktree prune && git worktree add {root} {quote(launch.user_branch)}"
    there = checkout(Path(launch.common_dir), f"refs/heads/{launch.user_branch}")
    if there is None:
        return add
    if (there / ".git").is_file():
        return f"git worktree move {quote(str(there))} {root}"
    return f"git -C {quote(str(there))} switch --detach && {add}"


async def workspaces(
    home: RunHome, launch: Launch, plan: Plan, settings: RunSettings, environ: Mapping[str, str], processes: Processes
) -> Workspaces:
    """The workspaces of a run, where it was started. Raises RepositoryError and StateError."""
    make = in_place if launch.isolation == "none" else worktrees
    return await make(home, launch, plan, settings, environ, processes)


async def in_place(
    home: RunHome, launch: Launch, plan: Plan, settings: RunSettings, environ: Mapping[str, str], processes: Processes
) -> InPlaceWorkspaces:
    """The folder itself, with the repository around it where there is one. Raises StateError when it is gone."""
    root = Path(launch.repository)
    if not root.is_dir():
        raise StateError(f"{root}, in which the run was started, is gone", hint="bring it back, and resume the run")
    try:
        repository = await Repository.find(root, environ=environ) if launch.common_dir else None
    except RepositoryError:  # of one without a commit, or that git does not trust, nothing is asked
        repository = None
    return InPlaceWorkspaces(
        root,
        run=home.run,
        folder=home.in_place,
        tasks=plan.tasks,
        hidden=(Path(os.path.realpath(home.repository.path.parent)),),
        repository=repository,
        plan_files=(
            [root / name for name in plan.status_files]
            if launch.recipe
            else [Path(path) for path in plan_files_by_now(launch.plan_path, plan)]
        ),
        keeper=(recipes.keeper_of if launch.recipe else keeper_of)(launch.plan_format),
        setup=plan.setup,
        processes=processes,
        env=surroundings(environ, passed=launch.env_pass),
        setup_timeout_s=settings.setup_timeout_s,
    )


async def worktrees(
    home: RunHome, launch: Launch, plan: Plan, settings: RunSettings, environ: Mapping[str, str], processes: Processes
) -> GitWorkspaces:
    """Worktrees of the repository that the run was started in. Raises RepositoryError and StateError."""
    # With the run's cookie a sweep finds a git that outlived its engine, too, before anybody works in the same place.
    cookie = {"STRETTO_RUN": home.run, "STRETTO_TASK": ""}
    repository = await repository_of(home, {**environ, **cookie}, launch=launch)
    return GitWorkspaces(
        repository,
        run=home.run,
        branch=launch.branch,
        pool_root=home.repository.worktrees,
        setup=plan.setup,
        keep=plan.keep,
        hot_files=plan.hot_files,
        plan_files=plan_files(launch.plan_in_repository, plan) if launch.plan_in_repository else (),
        keeper=keeper_of(launch.plan_format),
        processes=processes,
        env=surroundings(environ, passed=launch.env_pass),
        titles={task.id: task.title for task in plan.tasks},
        setup_timeout_s=settings.setup_timeout_s,
    )


def checks(
    home: RunHome,
    launch: Launch,
    plan: Plan,
    settings: RunSettings,
    environ: Mapping[str, str],
    places: Workspaces,
    processes: Processes,
) -> Checks:
    """The gates of a run; they never see a secret."""
    return Checks(
        run=home.run,
        plan=plan,
        settings=settings,
        gates=GATES,
        workspaces=places,
        processes=processes,
        home=home,
        env=surroundings(environ, passed=launch.env_pass, gate=True),
    )


@contextlib.asynccontextmanager
async def embedded(home: RunHome, environ: Mapping[str, str]) -> AsyncIterator[EmbeddedEngine]:
    """The engine of a run, ready to go. The caller holds the run's lock."""
    launch = home.launch()
    journal = SqliteJournal(home.journal)
    try:
        started = next((recorded.event for recorded in journal.read()), None)
        if not isinstance(started, RunStarted):
            raise JournalMismatch(
                f"the journal of {home.run} does not begin with its start", hint="start anew: --new with the same plan"
            )
        plan, settings = started.plan, started.settings
        processes = ProcessSupervisor(journal.started)
        places = await workspaces(home, launch, plan, settings, environ, processes)
        agents = {name: agent(spec, environ) for name, spec in launch.agents.items()}
        world = World(
            agents=agents,
            workspaces=places,
            checks=checks(home, launch, plan, settings, environ, places, processes),
            limits=OpenLimits(),
            processes=processes,
            clock=SystemClock(at_least=max(recorded.event.at for recorded in journal.read())),
            inbox=journal,
            home=home,
            agent_env={**surroundings(environ, passed=launch.env_pass), **_reserved(home)},
            prompts=_prompts(home, launch, plan),
            read_proposal=partial(proposed, agents=agents, default=settings.agent),
        )

        def make(coordinator: Coordinator, report: Callable[[Event], None]) -> Performer:
            state: State = coordinator.state
            world.prompts = _prompts(home, launch, state.plan)  # with what was added since the run began
            places.take(state.plan.tasks)
            return Performer(state.run, state.plan, state.settings, world, report)

        yield EmbeddedEngine(
            journal=journal,
            inbox=journal,
            workspaces=places,
            clock=world.clock,
            pause_files=(home.pause, home.repository.path / "PAUSE", home.repository.path.parent / "PAUSE"),
            make_performer=make,
        )
    finally:
        journal.close()


def _reserved(home: RunHome) -> dict[str, str]:
    """What lets a `stretto` called by an agent find the run's state; the cookie is the process runner's."""
    return {"STRETTO_STATE_DIR": str(home.repository.path.parent)}


def _prompts(home: RunHome, launch: Launch, plan: Plan) -> Prompts:
    """What agents are told: context files and the template are as they were at the start (R8.7)."""
    folder = folder_of(launch.plan_folder, Path(launch.repository))
    return Prompts(plan, home.context(), template=home.template(), folder=folder)
