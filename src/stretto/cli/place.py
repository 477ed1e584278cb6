"""Where the command line stands: the user's repository, its runs, and one of them as its journal tells it."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

from stretto import wiring
from stretto.config import environment
from stretto.config.layers import NOTHING, Layer, Settings
from stretto.config.load import load
from stretto.core.commands import Answer
from stretto.core.coordinator import Coordinator
from stretto.core.events import PlanChanged, RequestReceived, Wish
from stretto.core.recovery import replay
from stretto.engine.disposal import room
from stretto.engine.home import RepositoryHome, RunHome, folder_homes, repository_home, state_dir
from stretto.engine.journal import SqliteInbox
from stretto.engine.reader import SqliteReader
from stretto.errors import ConfigError, PlanError, RepositoryError, RunNotFound, StateError
from stretto.model.names import meant
from stretto.observe.disguise import disguise, names_to_show
from stretto.observe.snapshot import Beside, has_delivered
from stretto.observe.words import on_plan
from stretto.ports import Engine, Recorded
from stretto.workspace.repository import around, top

if TYPE_CHECKING:
    from stretto.core.state import State
    from stretto.model.plan import Finding

_LOOKS = 20
"""So many other runs are read, to see whether one of them may be meant."""


def runs_here(name: str | None = None) -> RepositoryHome:
    """The runs of the repository that the current folder lies in. Raises RepositoryError, and ConfigError.

    Without one: of the folder without git that it lies in, else of one beneath it, where the run `name` is, or else the
    latest."""
    environment.read(os.environ)  # one that nothing reads would be believed to do something
    state = state_dir(os.environ)
    try:
        return repository_home(state, asyncio.run(wiring.repository(Path.cwd(), os.environ)).common)
    except RepositoryError:
        if (found := _in_place(state, Path.cwd().resolve(), name)) is None:
            raise
        return found


def _in_place(state: Path, here: Path, name: str | None) -> RepositoryHome | None:
    """Runs in place around the current folder, in no repository, or in one that can carry no others."""
    if (there := asyncio.run(around(here, environ=os.environ))) is not None:
        home = repository_home(state, there[1])
        return home if home.runs() else None
    homes = folder_homes(state)
    if above := [folder for folder in homes if here.is_relative_to(folder)]:
        return homes[max(above, key=lambda folder: len(folder.parts))]
    beneath = [home for folder, home in homes.items() if folder.is_relative_to(here) and home.runs()]
    named = [home for home in beneath if name and any(one.run.startswith(name) for one in home.runs())]
    return max(named or beneath, key=lambda home: _begun(home.runs()[-1]), default=None)


def _begun(run: RunHome) -> int:
    return (run.path / "launch.json").stat().st_mtime_ns


def settings_here(flags: Layer = NOTHING, profile: str | None = None) -> Settings:
    """The settings that hold in the current folder, in a repository or outside of one. Raises ConfigError."""
    return load(asyncio.run(top(Path.cwd(), environ=os.environ)), os.environ, flags=flags, profile=profile)


class View:
    """A run, read once. `last` is the number of its latest event."""

    def __init__(self, home: RunHome, recorded: Sequence[Recorded], engine: Engine | None) -> None:
        self.home, self.engine, self.last = home, engine, recorded[-1].seq
        self.recorded = recorded
        self._events = [one.event for one in recorded]
        self.coordinator = replay(self._events)

    @property
    def state(self) -> State:
        return self.coordinator.state

    def shown(self) -> View:
        """The same as others may see it: no secret in the name of an agent."""
        names = names_to_show(self.recorded)
        return View(self.home, disguise(self.recorded, names), self.engine) if names else self

    @property
    def delivered(self) -> bool:
        """Whether all that has landed is on the user's branch, too."""
        return reduce(lambda before, event: has_delivered(event, before), self._events, False)

    @property
    def replanned(self) -> bool:
        """Whether it was ever asked to go on with another plan (R8.4)."""
        wishes = (event.wish for event in self._events if isinstance(event, RequestReceived))
        return any(isinstance(wish, PlanChanged) for wish in wishes)

    @property
    def cleaned(self) -> bool:
        """Whether `clean` has left only what says what is done of it. An engine that has begun leaves more."""
        return self.state.resumes > 0 and not room(self.home)

    @property
    def again(self) -> str:
        """How to begin its plan once more, where it has been cleaned; else empty."""
        if not self.cleaned:
            return ""
        plan, here = Path(self.home.launch().plan_path), Path.cwd()
        return on_plan("run", str(plan.relative_to(here) if plan.is_relative_to(here) else plan))

    def must_not_be_cleaned(self) -> None:
        """Raises StateError: nobody goes on with a run whose branch and work are gone."""
        if again := self.again:
            raise StateError(f"`stretto clean` has removed the branch and the work of {self.home.run}", hint=again)

    @property
    def unfinished(self) -> bool:
        """Whether it is running, or waits for somebody to go on with it."""
        return not self.state.abandoned and (self.engine is not None or self.state.ended not in ("succeeded", "failed"))

    def beside(self) -> Beside:
        """What is known of it beside its state."""
        wishes, then = self.asked()
        return Beside(wishes=wishes, then=then.state if wishes else None, delivered=self.delivered, again=self.again)

    def asked(self) -> tuple[tuple[Wish, ...], Coordinator]:
        """The wishes that no engine has seen yet and that can be granted, and the run as it will be then."""
        then = self.coordinator
        wishes: list[Wish] = []
        if self.engine is None:
            with contextlib.suppress(StateError), contextlib.closing(SqliteInbox(self.home.journal)) as inbox:
                for n, asked in enumerate(inbox.waiting()):
                    then = then if n else replay(self._events)
                    got = then.handle(RequestReceived(at=asked.at, request=asked.id, wish=asked.wish))
                    refused = any(isinstance(command, Answer) and not command.accepted for command in got)
                    wishes += () if refused else (asked.wish,)
        return tuple(wishes), then

    def must_have(self, tasks: Iterable[str]) -> None:
        """Raises ConfigError for an id that the run does not have."""
        for task in tasks:
            if task not in self.state.by_id:
                if (why := _set_aside(self.home, task)) is not None:
                    raise ConfigError(f"task {task!r} is set aside: {why.message}", hint=why.hint)
                close = meant(task, self.state.by_id)
                hint = f"did you mean {close}?" if close else f"stretto status {self.home.run}"
                a_phase = "; that is a phase" if any(phase.id == task for phase in self.state.plan.phases) else ""
                raise ConfigError(f"there is no task {task!r} in run {self.home.run}{a_phase}", hint=hint)


def _set_aside(home: RunHome, task: str) -> Finding | None:
    """Why the run does not have a task that its copy of the plan has; None also where nobody can tell."""
    from stretto.cli.linting import set_aside
    from stretto.formats.load import load as read

    try:
        launch = home.launch()
        # Where the plan is kept, not where its copy is: some formats look at what lies beside a plan.
        return set_aside(read(home.plan() if launch.recipe else launch.plan_path, home.plan().read_bytes())).get(task)
    except (PlanError, StateError, OSError):
        return None


def view(home: RunHome) -> View | None:
    """What the journal says; None for a run that was never begun (killed while it was being made)."""
    reader = SqliteReader(home)
    engine = reader.engine()
    recorded = list(reader.events())
    if not recorded:
        return None
    return View(home, recorded, engine or reader.engine())


def find(name: str | None, *, abandoned: bool = False) -> View:
    """The run of that name, or the latest; inside an attempt its own. Where the latest has been abandoned, that is the
    latest unfinished one, if there is any, unless `abandoned` asks for what is the latest. Raises RunNotFound."""
    runs = runs_here(name)
    if name is None and "STRETTO_TASK" in os.environ:
        name = os.environ.get("STRETTO_RUN")
    if name is not None or not runs.runs():
        found = view(runs.find(name))
        if found is None:
            raise RunNotFound(f"run {name!r} was never begun", hint="start it again with `stretto run PLAN`")
        return found
    latest = None
    for home in reversed(runs.runs()):
        seen = view(home) if latest is None else _readable(home)
        if seen is None:
            continue
        if seen.unfinished or (latest is None and (abandoned or not seen.state.abandoned)):
            return seen
        latest = latest or seen
    if latest is not None:
        return latest
    raise RunNotFound("there is no run of this repository", hint="start one with `stretto run PLAN`")


def other_runs(view: View) -> Iterator[View]:
    """The latest other ones beside it that can be read and have not been abandoned, latest first."""
    homes = [home for home in reversed(runs_here(view.home.run).runs()) if home.run != view.home.run]
    for home in homes[:_LOOKS]:
        if (seen := _readable(home)) is not None and not seen.state.abandoned:
            yield seen


def _readable(home: RunHome) -> View | None:
    """None also for one that is damaged: nobody has asked for it."""
    try:
        return view(home)
    except StateError:
        return None
