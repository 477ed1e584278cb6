"""What git's words mean to a person: the line that says what is wrong, and what can be done about it."""

from __future__ import annotations

import re
import shlex

_DISK = re.compile(
    r"no space left on device|disk quota exceeded|out of diskspace|file too large|read-only file system"
    r"|insufficient permission for adding an object|unable to create temporary file|unable to write .*object",
    re.IGNORECASE,
)
_FULL = re.compile(r"no space left on device|disk quota exceeded|out of diskspace|file too large", re.IGNORECASE)
_CLOSED = re.compile(r"permission denied|insufficient permission|read-only file system", re.IGNORECASE)
_LOCK = re.compile(r"Unable to create '(?P<path>.+\.lock)': File exists")
_FILTER = re.compile(r"(smudge|clean) filter '?(?P<name>[\w-]+)'? failed|(?P<lfs>git-lfs\b).*not found")
_NO_LFS = re.compile(
    r"git-lfs: (command )?not found|'lfs' is not a git command"
    r"|cannot run .*: No such file|initialization for subprocess"
)
_LFS_OBJECT = re.compile(
    r"^(?:Error downloading object: (?P<first>.+?) \([0-9a-f]+\)|fatal: (?P<last>.+): smudge filter lfs failed"
    r"|error: '(?P<late>.+)' was not filtered properly)",
    re.MULTILINE,
)
_SHOWN = 3
"""So many files without their objects are named."""
_PROMISED = re.compile(r"from promisor remote|lazy fetching disabled")
_DAMAGED = re.compile(
    r"bad object|loose object .* is corrupt|missing blob|unable to read tree|unable to read [0-9a-f]{40}"
)
_CONSEQUENCES = ("fatal: the remote end hung up unexpectedly", "fatal: early EOF")


def told(stderr: str, status: int) -> str:
    """The line that says what is wrong; lines of advice may follow it."""
    if without := _without_objects(stderr):
        more = f" and {len(without) - _SHOWN} more" if len(without) > _SHOWN else ""
        return f"objects of Git LFS are missing here: {', '.join(without[:_SHOWN])}{more}"
    lines = [line for line in stderr.splitlines() if line.strip()] or [f"status {status}"]
    named = (line for line in reversed(lines) if line.startswith(("fatal: ", "error: ")))
    line = next(named, lines[-1])
    return f"{lines[0]} ({line})" if line.strip() in _CONSEQUENCES and len(lines) > 1 else line


def _without_objects(stderr: str) -> list[str]:
    """Files that Git LFS keeps elsewhere and could not bring; none where it is Git LFS itself that is missing."""
    if _NO_LFS.search(stderr):
        return []
    return list(dict.fromkeys(next(filter(None, found.groups())) for found in _LFS_OBJECT.finditer(stderr)))


def is_of_the_disk(stderr: str) -> bool:
    """Whether git could not write what it wanted to keep, whatever file that was."""
    return _DISK.search(stderr) is not None


def lock(stderr: str) -> str:
    """The lock file that stands in git's way; empty where it is something else."""
    found = _LOCK.search(stderr)
    return found["path"] if found else ""


def hint(stderr: str, place: str) -> str:
    """What a person can do; empty where nothing is known. `place`: the git folder or the work tree."""
    if file := lock(stderr):
        return f"if no git is at work there: rm {shlex.quote(file)}"
    if _without_objects(stderr):
        return "git lfs pull"
    if found := _FILTER.search(stderr):
        name = "lfs" if found["lfs"] else found["name"]
        install = "install git-lfs\n" if name == "lfs" else ""
        return f"{install}what git is told to run: git config --get-regexp '^filter[.]{name}'"
    if _PROMISED.search(stderr):
        return "this clone fetches contents when they are needed, and its remote is out of reach: git fetch"
    if _FULL.search(stderr):
        return f"make room there: df -h {shlex.quote(place)}"
    if _CLOSED.search(stderr):
        return f"see that you may write there: ls -ld {shlex.quote(place)}"
    if _DAMAGED.search(stderr):
        return "what of the repository is damaged: git fsck"
    return ""
