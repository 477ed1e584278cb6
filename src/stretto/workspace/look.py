"""What stretto must never touch, as a fingerprint: looked at around each attempt (R7.4)."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from stretto.workspace import refs
from stretto.workspace.environment import stamp
from stretto.workspace.repository import Repository

_RUN_BRANCHES = "refs/heads/stretto/"


async def look(repository: Repository, *, own_branch: str) -> Mapping[str, str]:
    """Fingerprints of HEAD, status, refs, stash, config, hooks and local rules; takes no lock and writes nothing."""
    git = repository.git
    status, listed = await asyncio.gather(
        git.run(
            "status", "--porcelain=v2", "-z", "--branch", "--no-ahead-behind", "--no-renames", "--untracked-files=all",
            "--ignore-submodules=dirty", options=("--no-optional-locks",),
        ),
        git.run("for-each-ref", "--format=%(objectname) %(symref) %(refname)"),
    )  # fmt: skip
    fields = status.fields
    head = [field for field in fields if field.startswith("# branch.") and "upstream" not in field]
    files = [field for field in fields if not field.startswith("#")]
    theirs = [line for line in listed.text.splitlines() if not _is_ours(line.rpartition(" ")[2], own_branch)]
    stash = [line for line in theirs if line.endswith(" refs/stash")]
    return {
        "HEAD": _digest(head),
        "status": _digest(f"{field} {stamp(repository.root / _path(field))}" for field in files),
        "refs": _digest(line for line in theirs if line not in stash),
        "stash": _digest(stash),
        "config": _digest(_content(folder / name) for folder, name in _configs(repository)),
        "hooks": _digest(_hooks(repository.common / "hooks")),
        "info/exclude": _content(repository.common / "info" / "exclude"),
        "info/attributes": _content(repository.common / "info" / "attributes"),
    }


def _is_ours(ref: str, own_branch: str) -> bool:
    return ref.startswith((refs.OURS, _RUN_BRANCHES)) or ref == f"refs/heads/{own_branch}"


def _path(field: str) -> str:
    """The path in a line of porcelain v2: after 8 words for a changed file, 10 for an unmerged one, 1 for others."""
    words = {"1": 8, "u": 10}.get(field[:1], 1)
    return field.split(" ", words)[-1]


def _configs(repository: Repository) -> Iterable[tuple[Path, str]]:
    yield repository.common, "config"
    yield repository.git_dir, "config.worktree"


def _hooks(folder: Path) -> Iterable[str]:
    try:
        hooks = sorted(folder.iterdir())
    except OSError:
        return
    for hook in hooks:
        if hook.suffix != ".sample":
            yield f"{hook.name} {os.access(hook, os.X_OK)} {_content(hook)}"


def _content(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()
