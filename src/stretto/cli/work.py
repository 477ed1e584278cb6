"""Where the work of an attempt is: in a commit, or in the workspace of one that runs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

from stretto import wiring
from stretto.engine.home import RunHome
from stretto.errors import GitError, StateError, WorkspaceError
from stretto.model.plan import Value
from stretto.observe.story import Try
from stretto.observe.words import on_task
from stretto.workspace import refs
from stretto.workspace.git import Git
from stretto.workspace.glance import glance
from stretto.workspace.pool import Pool


class Work(Value, frozen=True, kw_only=True):
    """Two trees that `git` knows, for as long as the block lasts."""

    git: Git
    base: str
    end: str
    commit: str | None
    """None for what a workspace holds now."""


@contextlib.asynccontextmanager
async def work_of(home: RunHome, one: Try) -> AsyncIterator[Work | None]:
    """What the attempt changed; None when that is nothing. Raises StateError when it is not kept any more."""
    repository = await wiring.repository(Path.cwd(), os.environ)
    git, commit = repository.store, one.commit
    if one.ended_at is None:
        pool = Pool(Path(os.path.realpath(home.repository.worktrees)), git, repository.common)
        try:
            async with glance(pool, run=home.run, task=one.task, attempt=one.number) as seen:
                if seen is not None:
                    yield Work(git=seen.git, base=seen.base, end=seen.tree, commit=None)
                    return
        except (GitError, WorkspaceError) as error:
            said = f"attempt {one.number} of {one.task!r} went on while it was looked at: {error}"
            raise StateError(said, hint="the same again") from error
        commit = await git.resolve(refs.attempt(home.run, one.task, one.number))  # saved, and nobody has said so yet
    if commit is None:
        yield None
        return
    base = await git.resolve(f"{commit}^")
    if base is None:
        raise StateError(
            f"what attempt {one.number} of {one.task!r} changed is not kept any more ({commit[:10]})",
            hint=on_task("explain", one.task, home.run),
        )
    yield Work(git=git, base=base, end=commit, commit=commit)
