"""The commits that a run has made, in one file that `git fetch` reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from stretto.workspace.git import Git


async def bundle(git: Git, refs: Mapping[str, str], base: str, path: Path) -> bool:
    """Write every ref that has anything beyond `base`; False when none has. Raises GitError."""
    bound = f"^{base}\n" if await git.resolve(base) else ""
    commits = "".join(f"{commit}\n" for commit in refs.values()) + bound
    if not refs or not (await git.run("rev-list", "--max-count=1", "--stdin", input=commits.encode())).out:
        return False
    names = "".join(f"{name}\n" for name in refs) + bound
    await git.run("bundle", "create", "--quiet", str(path), "--stdin", input=names.encode())
    return True
