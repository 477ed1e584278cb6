"""Real repositories in temporary folders, and the smallest honest `Processes`."""

from __future__ import annotations

import asyncio
import functools
import os
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import ParamSpec

from stretto.ports import ProcessExit, ProcessSpec, Workspace
from stretto.workspace.repository import Repository
from stretto.workspace.worktree import GitWorkspaces

P = ParamSpec("P")


def awaited(test: Callable[P, Awaitable[None]]) -> Callable[P, None]:
    """A test that is a coroutine, in a loop of its own."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        async def story() -> None:
            await test(*args, **kwargs)

        asyncio.run(story())

    return run


def git(folder: Path, *args: str, input: str | None = None) -> str:
    """What a user would type; returns the output without its last newline."""
    options = ("-c", "user.name=user", "-c", "user.email=user@example.com", "-c", "protocol.file.allow=always")
    return subprocess.run(
        ("git", *options, *args), cwd=folder, input=input, capture_output=True, text=True, check=True
    ).stdout.removesuffix("\n")


def write(root: Path, files: Mapping[str, str | None]) -> None:
    """Write these files; None removes."""
    for name, text in files.items():
        path = root / name
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


def commit(root: Path, files: Mapping[str, str | None], message: str = "more") -> str:
    write(root, files)
    git(root, "add", "-A")
    git(root, "commit", "-qm", message)
    return git(root, "rev-parse", "HEAD")


def make_repository(root: Path, files: Mapping[str, str | None] | None = None) -> Path:
    root.mkdir(parents=True)
    git(root, "init", "-q", "-b", "main")
    commit(root, files or {"README": "hi\n", "src/a.py": "a = 1\n", ".gitignore": "*.log\nbuild/\n.env*\n"}, "first")
    return root


def files_in(root: Path, commit: str) -> dict[str, str]:
    """Path to content of everything in a commit; links as `-> target`, gitlinks as `@commit`."""
    listed = {}
    for line in git(root, "ls-tree", "-r", "-z", commit).split("\0"):
        if line:
            meta, _, path = line.partition("\t")
            mode, kind, oid = meta.split()
            content = f"@{oid}" if kind == "commit" else git(root, "cat-file", "blob", oid)
            listed[path] = f"-> {content}" if mode == "120000" else content
    return listed


class Shell:
    """Runs commands as they are told, with a time limit."""

    async def run(self, spec: ProcessSpec) -> ProcessExit:
        started = time.monotonic()
        with open(spec.log, "ab") as log:
            process = await asyncio.create_subprocess_exec(
                *spec.argv, cwd=spec.cwd, env=dict(spec.env), stdout=log, stderr=log
            )
            try:
                async with asyncio.timeout(spec.timeout_s):
                    code = await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
                return ProcessExit(ended="timeout", code=None, signal=9, duration_s=time.monotonic() - started)
        return ProcessExit(ended="exit", code=code, duration_s=time.monotonic() - started)


ENV = {"PATH": os.environ["PATH"]}


async def workspaces(
    root: Path, state: Path, *, run: str = "run-1", fresh: bool = True, **options: object
) -> GitWorkspaces:
    """The workspaces of a run in the repository at `root`, with its branch made."""
    repository = await Repository.find(root)
    made = GitWorkspaces(
        repository, run=run, branch=f"stretto/{run}", pool_root=state / "worktrees",
        processes=Shell(), env=ENV, **options,  # type: ignore[arg-type]
    )  # fmt: skip
    if fresh:
        await made.create_branch(repository.head)
    return made


async def agent(spaces: GitWorkspaces, root: Path, task: str = "t", attempt: int = 1, **more: str | bool) -> Workspace:
    """A workspace for this attempt, at the head of the user's branch unless `base` says otherwise."""
    base = str(more.pop("base", git(root, "rev-parse", "HEAD")))
    return await spaces.open(task=task, attempt=attempt, base=base, role="agent", **more)  # type: ignore[arg-type]
