"""Merging and editing trees without a work tree."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from stretto.model.plan import Value
from stretto.workspace.git import Git


class Merged(Value, frozen=True, kw_only=True):
    """A three-way merge. The tree holds markers where files conflict."""

    tree: str
    conflicts: tuple[str, ...] = ()
    """Paths in conflict, as `os.fsdecode` gives them."""
    clean: bool


async def merge(git: Git, ours: str, theirs: str, *, attributes: Path | None = None) -> Merged:
    """Merge two commits. `attributes`: a file of merge rules for paths that the repository's own rules leave open."""
    options = () if attributes is None else ("-c", f"core.attributesFile={attributes}")
    reply = await git.run(
        "merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs, ok=(0, 1), options=options
    )
    tree, *conflicts = reply.fields
    return Merged(tree=tree, conflicts=tuple(conflicts), clean=reply.code == 0)


async def apply(git: Git, commit: str, parent: str, onto: str) -> Merged:
    """The changes from `parent` to `commit`, brought onto `onto`.

    The merge base is `parent` whatever the history says: `onto` is merged in the guise of a child of it."""
    found = await git.commits((onto, commit))
    guise = await git.commit_tree(found[onto].tree, (parent,), "stretto: the base of an attempt\n")
    return await merge(git, guise, commit)


class File(Value, frozen=True, kw_only=True):
    """A regular file of a commit."""

    path: str
    content: bytes
    trees: tuple[bytes, ...]
    """The folders on the way to it, the top one first, as git stores them."""


async def file(git: Git, commit: str, path: str) -> File | None:
    """The file at this path of a commit, or of a tree; None when it is not there, or is a link or a folder."""
    folders = [folder.as_posix() for folder in reversed(PurePosixPath(path).parents[:-1])]
    names = [f"{commit}^{{tree}}", *(f"{commit}:{name}" for name in (*folders, path))]
    found = [each for each in await git.objects(names) if each is not None]
    if len(found) < len(names):
        return None
    (id, content), *around = reversed(found)
    trees = tuple(tree for _, tree in reversed(around))
    mode, _ = _entry(trees[-1], path.rpartition("/")[2], len(id) // 2)
    return File(path=path, content=content, trees=trees) if mode.startswith(b"100") else None


async def with_content(git: Git, file: File, content: bytes) -> str:
    """The commit's tree with other content in the file. Only the folders on the way are written, so it takes as long
    for a million files as for ten."""
    id = await _written(git, "blob", content)
    for tree, name in zip(reversed(file.trees), reversed(PurePosixPath(file.path).parts), strict=True):
        width = len(id) // 2
        _, at = _entry(tree, name, width)
        id = await _written(git, "tree", tree[:at] + bytes.fromhex(id) + tree[at + width :])
    return id


async def with_contents(git: Git, tree: str, contents: Mapping[str, bytes]) -> str:
    """The tree, or that of a commit, with other content in these files of it; the same where there are none."""
    for path, content in contents.items():
        there = await file(git, tree, path)
        assert there is not None
        tree = await with_content(git, there, content)
    return tree


async def _written(git: Git, kind: str, content: bytes) -> str:
    return await git.text("hash-object", "-w", "-t", kind, "--stdin", input=content)


def _entry(tree: bytes, name: str, width: int) -> tuple[bytes, int]:
    """Its mode, and where in the tree its id of `width` bytes stands."""
    at = 0
    while True:
        end = tree.index(b"\0", at)
        mode, _, found = tree[at:end].partition(b" ")
        if found == os.fsencode(name):
            return mode, end + 1
        at = end + 1 + width
