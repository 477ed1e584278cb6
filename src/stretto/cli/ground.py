"""Where a run will stand: on a commit of the repository, or in a folder itself (R10.3)."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from stretto import wiring
from stretto.cli import terminal
from stretto.cli.earlier import Earlier, earlier_run, landed_before, landed_in_place, refuse_unfinished, runs_of
from stretto.config.table import FILE
from stretto.engine.home import RepositoryHome, RunHome, repository_home, state_dir
from stretto.engine.reader import SqliteReader
from stretto.errors import ConfigError, RepositoryError, RunLeased, StateError
from stretto.formats.load import Loaded, plan_files
from stretto.model.plan import Isolation, Value
from stretto.model.run import IN_PLACE
from stretto.observe.paint import count
from stretto.ports import Engine
from stretto.workspace.project import project_of
from stretto.workspace.repository import Repository, around

if TYPE_CHECKING:
    from stretto.cli.begin import Wanted


class Ground(Value, frozen=True, kw_only=True):
    """What a run of the plan would find there. Nothing has been written."""

    isolation: Isolation = "worktree"
    runs: RepositoryHome
    root: Path
    """Top of the user's work tree, or the folder that all tasks work in."""
    common: Path | None
    """The repository's common folder; None without git."""
    base: str
    user_branch: str | None = None
    plan_in_repository: str | None = None
    dirty: tuple[str, ...] = ()
    under_way: tuple[str, ...] = ()
    builds_on: str | None = None
    earlier: frozenset[str] = frozenset()
    """What has landed on the branch that it builds on."""
    landed: frozenset[str] = frozenset()
    """What an earlier run has landed, and what has not changed since."""


async def in_repository(wanted: Wanted, path: Path, loaded: Loaded, folder: Path) -> Ground:
    """Around the current folder; `path` is the plan's own, `folder` the one that its paths count from."""
    if path.is_dir():
        raise ConfigError(
            "a plan that is made of a folder works in that folder, not in worktrees", hint="leave --isolation out"
        )
    try:
        repository = await wiring.repository(Path.cwd(), os.environ)
    except RepositoryError as error:
        hint = f"{error.hint}\nor let tasks work in the folder itself: --isolation none"
        raise RepositoryError(str(error), hint=hint) from error
    if wanted.branch is not None:
        await repository.check_branch(wanted.branch)
    runs = repository_home(state_dir(os.environ), repository.common)
    await _refuse_place(repository, runs)
    base = await repository.resolve(wanted.base or "HEAD")
    views = runs_of(runs, path, new=wanted.new)
    if not wanted.new:
        refuse_unfinished(views)
    before, landed = None, set[str]()
    if not wanted.ignore_status:
        if wanted.base is None and (before := _build_on(wanted, await earlier_run(views, repository, base))):
            base = before.tip
        if loaded.unrecorded:  # of the others the file itself says what is done
            landed = await landed_before(views, loaded.plan.tasks, folder, repository, base) & loaded.unrecorded
    inside = repository.inside(path)
    files = () if inside is None else plan_files(inside, loaded.plan)
    tracked = bool(files) and bool((await repository.git.run("ls-files", "-z", "--", *files)).out)
    return Ground(
        runs=runs,
        root=repository.root,
        common=repository.common,
        base=base,
        user_branch=repository.branch,
        plan_in_repository=inside if tracked else None,
        dirty=tuple(name for name in await repository.dirty() if name not in (FILE, inside)),
        under_way=repository.under_way,
        builds_on=before.run if before else None,
        earlier=frozenset(before.succeeded if before else ()),
        landed=frozenset(landed),
    )


async def _refuse_place(repository: Repository, runs: RepositoryHome) -> None:
    """Raises RepositoryError where a run would work on its own worktrees, and StateError where they would lie among
    the user's files."""
    worktrees, folder = (Path(os.path.realpath(path)) for path in (runs.worktrees, runs.path))
    if repository.root.is_relative_to(worktrees):
        raise RepositoryError(
            f"{repository.root} is a worktree of stretto's own, which the next task will clean",
            hint="go to one of yours: git worktree list",
        )
    inside = repository.inside(folder)
    if inside is not None and not folder.is_relative_to(repository.common):
        ignored = await repository.git.run("check-ignore", "-q", "--", f"{inside}/x", ok=(0, 1), globs=True)
        if ignored.code:
            raise StateError(
                f"the state folder lies among the files of the repository: {folder}",
                hint="set STRETTO_STATE_DIR to a folder outside of it, or let git ignore it: .git/info/exclude",
            )


def _build_on(wanted: Wanted, before: Earlier | None) -> Earlier | None:
    """Whether to go on from what an earlier run of the plan has landed (R6.4)."""
    if before is None:
        return None
    them = "them" if before.beyond > 1 else "it"
    number = count(before.beyond, "task") if before.beyond else "what"
    what = f"{number} of the earlier run {before.run} landed and not in your branch yet"
    if wanted.ask:
        terminal.say(f"{what}.", json=True)  # where the question stands, on standard error
        return before if terminal.ask(f"Build on {them}?", default=True) else None
    terminal.say(f"{what}: building on {them} (--base HEAD counts {them} as pending)", json=wanted.json)
    return before


# --- in place ----------------------------------------------------------------------------------------------------


async def in_place(wanted: Wanted, path: Path, loaded: Loaded, folder: Path) -> Ground:
    """The folder that the plan is made of; of a plan file the top of the repository, or without one the project that
    it lies in. Raises ConfigError for what only a branch could mean, and RunLeased where a run is at work there."""
    flags = {"--base": wanted.base, "--branch": wanted.branch, "--land": wanted.land or None}
    for flag, said in flags.items():
        if said is not None:
            raise ConfigError(
                f"{flag} means nothing where tasks work in the folder itself: there is no branch", hint="leave it out"
            )
    state = state_dir(os.environ)
    here = await around(path if path.is_dir() else Path.cwd(), environ=os.environ)
    if here is None and not path.is_dir():
        here = await around(path.parent, environ=os.environ)
    root = path if path.is_dir() else here[0] if here else project_of(path.parent, home=_home())
    if root.is_relative_to(os.path.realpath(state)):
        raise StateError(f"{root} lies in stretto's own state folder", hint="run it somewhere else")
    runs = repository_home(state, here[1] if here else root)
    views = runs_of(runs, path, new=wanted.new)
    if not wanted.new:
        refuse_unfinished(views, in_place=True)
    if wanted.start:
        refuse_busy(state, root)
    learns = loaded.unrecorded and not wanted.ignore_status
    return Ground(
        isolation="none",
        runs=runs,
        root=root,
        common=here[1] if here else None,
        base=IN_PLACE,
        landed=loaded.unrecorded & landed_in_place(views, loaded.plan, path, folder, root) if learns else frozenset(),
    )


def _home() -> Path:
    return Path(os.path.realpath(os.environ.get("HOME") or "/"))


def refuse_busy(state: Path, root: Path, *, but: str = "") -> None:
    """Raises RunLeased where a run other than `but` is at work in this folder, above it or beneath it (R8.5).

    Of whichever repository: one may lie within another, or within a folder that is in none."""
    for home, engine in _at_work(state):
        if home.run == but:
            continue
        try:
            launch = home.launch()
        except StateError:  # one that is damaged does nothing
            continue
        if launch.isolation == "none" and _meet(Path(launch.repository), root):
            holder = f"process {engine.pid} on {engine.host}"
            there = "" if launch.repository == str(root) else f"cd {shlex.quote(launch.repository)} && "
            raise RunLeased(
                f"a run is at work in {launch.repository} already: {home.run}, by {holder}",
                holder=holder,
                hint=f"see how far it is: {there}stretto status {home.run}\nor end it: {there}stretto stop {home.run}",
            )


def _at_work(state: Path) -> Iterator[tuple[RunHome, Engine]]:
    """Every run whose lock is held, and by whom; only locks are read, for there may be thousands of runs."""
    for lock in sorted(state.glob("*/runs/[!.]*/lock")):
        home = RunHome(path=lock.parent)
        with contextlib.suppress(StateError):  # of somebody else, or damaged
            if (engine := SqliteReader(home).engine()) is not None:
                yield home, engine


def _meet(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)
