"""Page specs from flags to the last word: the options laid over each other, the run, and what has become of it."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence, Set
from pathlib import Path

from msgspec.structs import replace

from stretto.cli import begin, front, page_earlier, terminal
from stretto.cli.named import is_folder
from stretto.cli.page_outcome import outcome_of, tell
from stretto.cli.place import View, settings_here
from stretto.cli.showing import Lines, Show
from stretto.config.agents import TEXT
from stretto.config.layers import Settings, flags, wrong
from stretto.config.resolve import doers
from stretto.config.values import Duration
from stretto.core.events import StopRequested
from stretto.core.state import State
from stretto.engine.home import RunHome
from stretto.engine.journal import SqliteInbox
from stretto.errors import ConfigError, StateError
from stretto.formats.load import Loaded
from stretto.model.excerpt import head
from stretto.model.names import meant
from stretto.model.plan import Plan, Value
from stretto.recipes.page_specs import settings
from stretto.recipes.page_specs.folder import MASTER, is_filled, written
from stretto.recipes.page_specs.pages import named
from stretto.recipes.page_specs.plan import Ground, make, survey
from stretto.recipes.page_specs.settings import Choices
from stretto.recipes.page_specs.state import MASTER_ID, Progress, keeper, write_progress


class Asked(Value, frozen=True, kw_only=True):
    """What the command line says; None: nothing."""

    app: str
    parallel: int | None = None
    timeout: str | None = None
    master_timeout: str | None = None
    total_timeout: str | None = None
    attempts: int | None = None
    only: tuple[str, ...] = ()
    resume: bool = False
    skip_existing: bool | None = None
    profile: str | None = None
    agent: str | None = None
    critic: int | None = None
    yes: bool = False
    dry_run: bool = False
    json: bool = False

    def choices(self) -> Choices:
        """Raises ConfigError."""
        return Choices(
            parallel=self.parallel,
            timeout_s=_seconds("--timeout", self.timeout),
            attempts=self.attempts,
            master_timeout_s=_seconds("--master-timeout", self.master_timeout),
            total_timeout_s=_seconds("--total-timeout", self.total_timeout),
            skip_existing=self.skip_existing,
        )


def generate(asked: Asked) -> int:
    """The exit code. Raises PlanError, ConfigError, RepositoryError and StateError."""
    folder = Path(asked.app)
    if not is_folder(folder):
        raise ConfigError(
            f"{head(asked.app, 200)} is no folder that can be used",
            hint="name the folder of an app: it has specs/pages-and-routes.md",
        )
    of_file, findings = settings.of_file(folder)
    below = settings.of_environment(os.environ).over(of_file)
    choices = asked.choices().over(below.over(settings.of_profile(asked.profile)) if asked.profile else below)
    ground = survey(folder)
    only = _names(ground, asked.only)
    earlier = None if asked.dry_run else page_earlier.unfinished(folder)
    if earlier is not None:
        if not asked.resume:
            raise page_earlier.refuse(earlier, asked.app)
        page_earlier.must_fit(only, asked.agent, earlier, asked.app)
        return _go_on(earlier, ground, asked, choices)
    # How many at once is the run's own affair, which may change when it goes on; in a plan it would stand for good.
    unbound = replace(choices, parallel=None)
    made = make(ground, unbound, resume=asked.resume, keep_master=bool(only), findings=findings)
    opened = Loaded(plan=made.plan, places=made.places, findings=made.findings, keeper=keeper, data=b"")
    spelled = {"parallel": choices.parallel, "agent": asked.agent, "attempts": choices.attempts, "timeout": None}
    if choices.timeout_s is not None:
        spelled["timeout"] = f"{choices.timeout_s:g}"
    said = flags(spelled)
    if asked.critic is not None:
        _has_critic(made.plan, settings_here(said))
    wanted = begin.Wanted(
        plan=asked.app,
        opened=opened,
        flags=said,
        agent_args=() if asked.critic is None else ("--critic", str(asked.critic)),
        only=only,
        with_deps=bool(only),
        new=True,
        interactive=terminal.is_interactive(),
        ask=terminal.is_interactive() and not asked.yes,
        json=asked.json,
        start=not asked.dry_run,
    )
    try:
        ready = begin.prepare(wanted)
    except ConfigError as error:
        # The scripted agent, which others are offered, writes no specification.
        raise ConfigError(str(error), hint=error.hint.replace("--agent scripted", "--agent text")) from error
    begin.show(ready, json=asked.json, whole=asked.dry_run)
    _tell_again(ground, {task.id for task in ready.todo}, json=asked.json)
    if asked.dry_run:
        return 0
    if ready.todo and wanted.ask and not terminal.ask("Write them?", default=True):
        print("nothing was started", file=sys.stderr)
        return 130
    progress = _progress(ground, frozenset(ready.done), [task.id for task in ready.todo])
    write_progress(folder, progress)
    code: int | None = 0
    state = None
    if ready.todo:
        code, state = _run(begin.create(ready), ground, progress, choices, json=asked.json)
        if code is None:
            return 0
    outcome = outcome_of(ground, state, only)
    tell(outcome, ground, asked, code=code or 0)
    return code or 0 if outcome.complete else code or 1


def _go_on(earlier: View, ground: Ground, asked: Asked, choices: Choices) -> int:
    """With a run that was stopped or killed, to its end."""
    there = page_earlier.prepare(earlier, ground, parallel=asked.parallel, json=asked.json)
    state = earlier.state
    over = {*state.gone, *there, *(record.id for record in state.tasks if record.state == "succeeded")}
    left = [record.id for record in state.tasks if record.id not in over]
    before = (ground.progress or Progress()).after(dict.fromkeys(there, True)).begin(left)
    write_progress(ground.folder, before)
    code, then = _run(earlier.home, ground, before, choices, json=asked.json, after=earlier.last)
    if code is None:
        return 0
    names = tuple(page.name for page in ground.pages if page.name in state.by_id)
    outcome = outcome_of(ground, then, names)
    tell(outcome, ground, asked, code=code)
    return code if outcome.complete else code or 1


def _run(
    home: RunHome, ground: Ground, before: Progress, choices: Choices, *, json: bool, after: int = 0
) -> tuple[int | None, State | None]:
    """Run it to its end: (exit code, how things stand). None: it was detached.

    The engine writes down what succeeds as it lands; what has failed, however it ended, is written here, and what no
    generation has begun is taken back. Whoever dies before that leaves it unfinished, which errs on the safe side."""
    seen: list[State] = []

    def note(state: State) -> None:
        seen[:] = [state]

    shows = contextlib.nullcontext(_people(after)) if json else None
    with _total(home, choices.total_timeout_s):
        code = front.follow(home, json=json, after=after, shows=shows, tell=note)
    if code is None or not seen:
        return code, None
    records = [record for record in seen[0].tasks if record.id not in seen[0].gone]
    ended = {record.id: record.state == "succeeded" for record in records if record.state in ("succeeded", "failed")}
    doubtful = ground.progress.doubtful if ground.progress else frozenset()
    untouched = {record.id for record in records if not record.attempt} & frozenset(before.unfinished)
    write_progress(ground.folder, before.without(untouched - doubtful).after(ended))
    return code, seen[0]


@contextlib.contextmanager
def _total(home: RunHome, limit_s: float | None) -> Iterator[None]:
    """Within it, the run is stopped when its time is over: what is under way may finish."""
    if limit_s is None:
        yield
        return

    def stop() -> None:
        terminal.say(f"the total timeout of {limit_s:g} s is over: nothing more is begun", json=True)
        with contextlib.suppress(StateError), contextlib.closing(SqliteInbox(home.journal)) as inbox:
            inbox.put(StopRequested(at=time.time()), request=uuid.uuid4().hex)

    timer = threading.Timer(limit_s, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _people(after: int) -> Show:
    """Progress for people where standard output is for a program."""
    return Lines(after, sys.stderr)


def _progress(ground: Ground, done: Set[str], todo: Sequence[str]) -> Progress:
    """The state file as it should be now: what is to be written is unfinished; what has no file and what is no page is
    not in it."""
    before = ground.progress or Progress()
    known = {MASTER_ID, *(page.name for page in ground.pages)}
    names = (*before.completed, *before.failed, *before.unfinished)
    gone = [name for name in before.completed if written(ground.folder, name) is None]
    kept = before.without((*gone, *(name for name in names if name not in known)))
    return kept.after({page.name: True for page in ground.pages if page.name in done}).begin(todo)


def _tell_again(ground: Ground, todo: Set[str], *, json: bool) -> None:
    """Name what has a file that does not count."""
    doubtful = (ground.progress or Progress()).doubtful & todo
    files = [MASTER] if MASTER_ID in doubtful and is_filled(ground.folder / MASTER) else []
    files += [path for page in ground.pages if page.name in doubtful and (path := written(ground.folder, page.name))]
    if files:
        what = f"{', '.join(files[:5])}{f' and {len(files) - 5} more' if len(files) > 5 else ''}"
        terminal.say(f"an earlier generation failed at it or broke off, so it is written again: {what}", json=json)


def _has_critic(plan: Plan, known: Settings) -> None:
    """Raises ConfigError where somebody else than the text agent would write."""
    who = doers(plan, known)
    writers = who.default[:1]
    if any(who.spec(name).kind != TEXT for name in writers):
        raise ConfigError(f"--critic is for the text agent, and {writers[0]} writes", hint="--agent text")


def _names(ground: Ground, only: tuple[str, ...]) -> tuple[str, ...]:
    """The pages that `--only` means. Raises ConfigError."""
    found = []
    for name in only:
        page = named(ground.pages, name)
        if page is None:
            close = meant(name, [page.name for page in ground.pages])
            hint = f"did you mean {close}?" if close else f"there are {', '.join(page.name for page in ground.pages)}"
            raise ConfigError(f"--only: there is no page {name!r} in {ground.folder}", hint=hint)
        found.append(page.name)
    return tuple(dict.fromkeys(found))


def _seconds(flag: str, said: str | None) -> float | None:
    if said is None:
        return None
    kind = Duration()
    value = kind.parse(said)
    if value is None:
        raise wrong(flag, kind, said)
    return value
