"""Sparse checkouts: a workspace shows what the user's work tree shows, and what that hides is not overwritten unseen.

Git makes a new worktree as sparse as the one that it is made from, and refuses to `add` over what is hidden. So do we:
a tracked file that an agent wrote where none was to be seen is kept apart, unless the agent widened its own view first.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from stretto.model.plan import Value
from stretto.workspace import disk
from stretto.workspace.git import Git

VIEW = ("-c", "core.sparseCheckout=true", "-c", "sparse.expectFilesOutsideOfPatterns=false")
"""Options by which git takes a hidden file for what it is on disk, where something is."""
_UNSEEN = ("-c", "sparse.expectFilesOutsideOfPatterns=true")
_PLACES = ("core.worktree", "core.bare")
"""Settings of the user's work tree that are true of no other."""


class View(Value, frozen=True, kw_only=True):
    """What a work tree shows: its own settings, and the patterns of what is checked out; empty where it has none."""

    config: bytes = b""
    patterns: bytes = b""

    @property
    def mark(self) -> str:
        """Names it; empty where nothing is hidden."""
        return hashlib.sha256(self.config + b"\0" + self.patterns).hexdigest() if self.patterns else ""


async def view_of(git: Git, git_dir: Path, *, sparse: bool) -> View:
    """That of the user's work tree with this git folder, as it has to be said to another one; `sparse`: it hides some
    of its files."""
    config = git_dir / "config.worktree"
    fields = (await git.run("config", "-z", "--file", str(config), "--list")).out if config.is_file() else b""
    settings = (field.partition(b"\n") for field in fields.split(b"\0") if field)
    lines = [_setting(key.decode(), value) for key, _, value in settings if key.decode() not in _PLACES]
    return View(config=b"".join(lines), patterns=_content(_patterns(git_dir)) if sparse else b"")


def seen(admin: Path) -> View:
    """What the worktree with this administrative folder shows now."""
    return View(config=_content(admin / "config.worktree"), patterns=_content(_patterns(admin)))


def show(view: View, admin: Path) -> None:
    """Let the worktree show that; its files follow at the next `read-tree`."""
    for path, content in ((admin / "config.worktree", view.config), (_patterns(admin), view.patterns)):
        if content == _content(path):
            continue
        with disk.at(path):
            if content:
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content)
            else:
                path.unlink(missing_ok=True)


async def unseen(own: Git, files: Iterable[str]) -> list[str]:
    """Those of the files that stand where the index, which `own` has, knows something hidden."""
    listed = (await own.run("ls-files", "-z", "-t", options=_UNSEEN)).fields
    hidden = {entry[2:] for entry in listed if entry.startswith("S ")}
    folders = {str(parent) for path in hidden for parent in PurePosixPath(path).parents}
    return [
        path
        for path in files
        if path in hidden or path in folders or any(str(parent) in hidden for parent in PurePosixPath(path).parents)
    ]


def _patterns(git_dir: Path) -> Path:
    return git_dir / "info" / "sparse-checkout"


def _setting(key: str, value: bytes) -> bytes:
    section, _, name = key.rpartition(".")
    section, _, part = section.partition(".")
    head = f'[{section} "{_escaped(part)}"]' if part else f"[{section}]"
    text = value.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return f"{head}\n\t{name} = ".encode() + b'"' + text + b'"\n'


def _escaped(part: str) -> str:
    return part.replace("\\", "\\\\").replace('"', '\\"')


def _content(path: Path) -> bytes:
    with contextlib.suppress(OSError):
        return path.read_bytes()
    return b""
