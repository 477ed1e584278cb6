"""A file of a commit, and the tree with other content in it, made without an index (R6.4)."""

from __future__ import annotations

from pathlib import Path

import pytest

from stretto.workspace.git import Git
from stretto.workspace.trees import file, with_content
from unit.workspace.kit import awaited, commit, git, make_repository

ODD = "an odd\nfolder/ünder/plan.yaml"


@pytest.mark.parametrize("objects", ["sha1", "sha256"])
@pytest.mark.parametrize("path", ["plan.yaml", "a/plan.yaml", ODD])
@awaited
async def test_r6_4_only_the_file_and_the_folders_around_it_change(tmp_path: Path, path: str, objects: str) -> None:
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "-q", f"--object-format={objects}")
    places = ["plan.yaml", "a/plan.yaml", "a/b/plan.yaml", "a.b", ODD, f"{ODD}.old"]
    base = commit(root, dict.fromkeys(places, "old\n"))
    git(root, "update-index", "--chmod=+x", "--", path)
    git(root, "commit", "-qm", "executable")
    base = git(root, "rev-parse", "HEAD")
    found = await file(Git(root), base, path)
    assert found is not None
    assert found.content == b"old\n"
    tree = await with_content(Git(root), found, b"new\n")
    assert git(root, "diff-tree", "-r", "-z", "--name-only", base, tree) == f"{path}\0"
    assert git(root, "ls-tree", "-z", tree, "--", path).startswith("100755 blob ")
    assert git(root, "cat-file", "blob", f"{tree}:{path}") == "new"
    git(root, "fsck", "--strict")


@pytest.mark.parametrize("path", ["none", "folder", "folder/none", "link", "folder/file/below", "module"])
@awaited
async def test_r6_4_what_is_no_file_has_no_content(tmp_path: Path, path: str) -> None:
    root = make_repository(tmp_path / "repository", {"folder/file": "1\n"})
    (root / "link").symlink_to("folder/file")
    head = commit(root, {})
    git(root, "update-index", "--add", "--cacheinfo", f"160000,{head},module")
    git(root, "commit", "-qm", "a submodule whose commit is known here")
    assert await file(Git(root), git(root, "rev-parse", "HEAD"), path) is None
