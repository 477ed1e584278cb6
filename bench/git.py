"""Workspaces and landings on a repository of 20,000 files, against what a person would type."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import repository
from measure import Row, scratch, timed, turn_about
from repository import ENV, git

from stretto.engine.supervise import ProcessSupervisor
from stretto.formats.format import each_file
from stretto.model.plan import Setup
from stretto.model.run import TARGET, LandEntry
from stretto.ports import StatusWriter
from stretto.workspace.repository import Repository
from stretto.workspace.worktree import GitWorkspaces

SETUP = Setup(copy=(".env.test",), link=("modules",), run=("mkdir -p deps && seq 300 | xargs -I{} touch deps/{}",))


async def workspaces(
    root: Path, state: Path, *, run: str, setup: Setup | None = None, writer: StatusWriter | None = None
) -> GitWorkspaces:
    found = await Repository.find(root, environ=ENV)
    made = GitWorkspaces(
        found, run=run, branch=run, pool_root=state, setup=setup, processes=ProcessSupervisor(), env=ENV,
        plan_files=(repository.path_of(1),) if writer else (), keeper=partial(each_file, writer) if writer else None,
    )  # fmt: skip
    await made.create_branch(found.head)
    return made


def worktrees(root: Path, folder: Path, bases: list[str], files: int, *, setup: Setup | None, turns: int) -> Row:
    """Opening and closing a workspace in which three files were edited and one was made; `git worktree add`."""
    with asyncio.Runner() as runner:
        name = "set up" if setup else "plain"
        spaces = runner.run(workspaces(root, folder / name, run=f"{name.replace(' ', '-')}", setup=setup))

        async def ours(turn: int) -> float:
            began = time.perf_counter()
            space = await spaces.open(task="t", attempt=1, base=bases[turn + 1], role="agent")
            opened = time.perf_counter() - began
            for path in repository.edits(turn, files):
                with (space.path / path).open("a") as file:
                    file.write(f"edit {turn}\n")
            (space.path / "new.txt").write_text("new\n")
            await spaces.save(space, task="t", attempt=1, message="m")
            began = time.perf_counter()
            await spaces.close(space)
            return opened + time.perf_counter() - began

        def theirs(turn: int) -> float:
            place = folder / f"theirs{turn}"

            def add() -> None:
                git(root, "worktree", "add", "--quiet", "--detach", str(place), bases[turn + 1])
                if setup:
                    shutil.copy2(root / ".env.test", place)
                    (place / "modules").symlink_to(root / "modules")
                    subprocess.run(["sh", "-c", *setup.run], cwd=place, env=ENV, check=True)

            took = timed(add)
            git(root, "worktree", "remove", "--force", str(place))
            return took

        what = "open + close a workspace / `git worktree add`" + (" + set-up" if setup else "")
        taken = turn_about(lambda turn: runner.run(ours(turn)), theirs, turns=turns)
        return Row.of(what, f"{files:,} files", *taken, unit="ms", scale=1e3, most=1 / 40)


def landing(
    root: Path, folder: Path, base: str, edits: list[str], files: int, *, writer: StatusWriter | None, turns: int
) -> Row:
    """One finished attempt onto a branch that has moved since; `git merge` in a worktree."""
    name = "statuses" if writer else "lands"
    place = folder / f"merge-{name}"
    git(root, "worktree", "add", "--quiet", "--detach", str(place), base)
    with asyncio.Runner() as runner:
        spaces = runner.run(workspaces(root, folder / name, run=name, writer=writer))
        known = [base]

        async def ours(turn: int) -> float:
            batch, entry = turn + 2, LandEntry(task=f"t{turn}", attempt=1, commit=edits[turn + 1])
            began = time.perf_counter()
            assert await spaces.landed(TARGET, batch, known=known[-1]) is None
            merge = await spaces.merge(TARGET, batch, (entry,), known=known[-1])
            known.append(await spaces.advance(TARGET, batch, merge, {entry.task: "succeeded"}))
            return time.perf_counter() - began

        def theirs(turn: int) -> float:
            return timed(lambda: git(place, "merge", "--quiet", "--no-ff", "-m", "landed", edits[turn + 1]))

        what = "land an attempt / `git merge` in a worktree" + (", statuses written" if writer else "")
        taken = turn_about(lambda turn: runner.run(ours(turn)), theirs, turns=turns)
        return Row.of(what, f"{files:,} files", *taken, unit="ms", scale=1e3, most=None if writer else 1 / 6)


def statuses(source: bytes, statuses: Mapping[str, str]) -> bytes:
    return source + "".join(f"{task}: {status}\n" for task, status in statuses.items()).encode()


def rows(*, quick: bool) -> list[Row]:
    files, turns = (200, 1) if quick else (20_000, 21)
    with scratch("git") as folder:
        root = folder / "repository"
        base = repository.make(root, files)
        (root / ".env.test").write_text("KEY=1\n")
        (root / "modules").mkdir()
        edits = repository.branches(root, base, turns + 1, files)
        few = min(turns, 5)
        return [
            worktrees(root, folder, edits, files, setup=None, turns=few),
            worktrees(root, folder, edits, files, setup=SETUP, turns=few),
            landing(root, folder, base, edits, files, writer=None, turns=turns),
            landing(root, folder, base, edits, files, writer=statuses, turns=turns),
        ]
