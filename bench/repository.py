"""A repository with many files, quickly made; and git as a user would call it."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Sequence
from pathlib import Path

BYTES = 4_000
"""Of a file, on average. Small files make `git worktree add` look good: it writes them all."""
ENV = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{role}_{what}": "bench@localhost" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def git(folder: Path, *args: str, input: bytes | None = None) -> str:
    done = subprocess.run(["git", *args], cwd=folder, env=ENV, input=input, capture_output=True, check=True)
    return done.stdout.decode().strip()


def path_of(number: int) -> str:
    return f"d{number // 1000}/s{number // 50 % 20}/f{number}.txt"


def make(root: Path, files: int) -> str:
    """A repository at `root` with one commit, packed and checked out; the commit."""
    root.mkdir(parents=True)
    git(root, "init", "-q", "-b", "main")
    random_ = random.Random(1)
    stream = bytearray()
    for number in range(files):
        size = int(BYTES * random_.uniform(0.2, 1.8))
        content = (random_.randbytes(size // 4).hex() + "a line of code\n" * (size // 30)).encode()
        stream += b"blob\nmark :%d\ndata %d\n%s\n" % (number + 1, len(content), content)
    stream += b"commit refs/heads/main\ncommitter bench <bench@localhost> 0 +0000\ndata 5\nfirst\n"
    for number in range(files):
        stream += b"M 100644 :%d %s\n" % (number + 1, path_of(number).encode())
    git(root, "fast-import", "--quiet", input=bytes(stream))
    git(root, "config", "gc.auto", "0")
    git(root, "repack", "-adq")
    git(root, "reset", "-q", "--hard")
    return git(root, "rev-parse", "HEAD")


def edits(number: int, files: int) -> Sequence[str]:
    """Three paths that the attempt with this number edits."""
    return [path_of((number * 97 + i * 6113) % files) for i in range(3)]


def branches(root: Path, base: str, count: int, files: int) -> list[str]:
    """Commits on `base`, each of one edit to a file of its own; made without a work tree."""
    stream = bytearray()
    for number in range(count):
        content = f"edited {number}\n".encode()
        stream += b"commit refs/heads/edit-%d\ncommitter bench <bench@localhost> 0 +0000\ndata 4\nedit\n" % number
        stream += b"from %s\nM 100644 inline %s\n" % (base.encode(), path_of(number * 50 % files).encode())
        stream += b"data %d\n%s\n" % (len(content), content)
    git(root, "fast-import", "--quiet", input=bytes(stream))
    return [git(root, "rev-parse", f"edit-{number}") for number in range(count)]
