"""Where a run's commits are kept in the user's repository (R6.5); a plain clone does not see them."""

from __future__ import annotations

from stretto.model.names import task_dir
from stretto.model.run import TARGET

OURS = "refs/stretto/"


def base(run: str) -> str:
    return f"{OURS}{run}/base"


def attempt(run: str, task: str, number: int) -> str:
    return f"{OURS}{run}/task/{task_dir(task)}/{number}"


def copied(run: str, task: str, number: int) -> str:
    """Files that set-up had put into the workspace and the attempt changed."""
    return f"{attempt(run, task, number)}-copied"


def lane(run: str, branch: str, name: str) -> str:
    """The ref that a lane lands on (R1.3)."""
    return f"refs/heads/{branch}" if name == TARGET else f"{OURS}{run}/phase/{task_dir(name)}"
