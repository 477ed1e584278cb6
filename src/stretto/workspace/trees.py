"""Merging and editing trees without a work tree."""

from __future__ import annotations

from pathlib import Path

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


async def with_blobs(git: Git, tree: str, entries: str, *, scratch: Path) -> str:
    """The tree with some entries replaced; `entries` is what `update-index --index-info -z` reads."""
    with git.scratch(scratch) as own:
        await own.run("read-tree", tree)
        await own.run("update-index", "-z", "--index-info", input=entries.encode("utf-8", "surrogateescape"))
        return await own.text("write-tree")


async def blob(git: Git, tree: str, path: str) -> tuple[str, bytes] | None:
    """(mode, content) of a regular file in a tree, or None."""
    listed = (await git.run("ls-tree", "-z", tree, "--", path)).fields
    if len(listed) != 1 or not listed[0].startswith("100"):
        return None
    mode, _, oid = listed[0].partition("\t")[0].split(" ")
    return mode, (await git.run("cat-file", "blob", oid)).out
