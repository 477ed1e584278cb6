"""Files that Git LFS keeps elsewhere and cannot bring here: an attempt says which, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from stretto.errors import GitError
from unit.workspace.kit import awaited, git, workspaces, write

POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 12\n"
SMUDGE = """#!/bin/sh
echo "Error downloading object: $1 (aaaaaaa): Smudge error: Error downloading $1 (aaaaaaa): object not found" >&2
exit 2
"""


@awaited
async def test_a_file_without_its_object_is_named_with_what_to_do(root: Path, state: Path) -> None:
    write(root, {".gitattributes": "*.bin filter=lfs\n", "media/big.bin": POINTER})
    git(root, "add", "-A")
    git(root, "commit", "-qm", "large")
    smudge = root.parent / "smudge"
    smudge.write_text(SMUDGE)
    smudge.chmod(0o755)
    git(root, "config", "filter.lfs.smudge", f"'{smudge}' %f")
    git(root, "config", "filter.lfs.required", "true")
    spaces = await workspaces(root, state)
    with pytest.raises(GitError) as caught:
        await spaces.open(task="t", attempt=1, base=git(root, "rev-parse", "HEAD"), role="agent")
    assert str(caught.value) == "git read-tree: objects of Git LFS are missing here: media/big.bin"
    assert caught.value.hint == "git lfs pull"
