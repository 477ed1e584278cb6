"""Which files differ between two trees, as data."""

from __future__ import annotations

from collections.abc import Mapping

from stretto.model.plan import Value
from stretto.workspace.git import Git, shown

_KINDS: Mapping[str, str] = {
    "A": "added", "C": "copied", "D": "deleted", "M": "modified", "R": "renamed", "T": "type changed",
}  # fmt: skip


class Change(Value, frozen=True, kw_only=True):
    """A file that differs; numbers of lines are None for a binary one."""

    path: str
    status: str
    before: str | None = None
    """Its path before it was renamed or copied."""
    added: int | None
    removed: int | None


async def changes(git: Git, old: str, new: str) -> tuple[Change, ...]:
    """In git's order."""
    reply = await git.run("diff-tree", "-r", "-z", "-M", "--raw", "--numstat", old, new)
    fields = iter(reply.fields)
    kinds: dict[str, tuple[str, str | None]] = {}
    found: list[Change] = []
    for field in fields:
        if field.startswith(":"):
            letter = field.rpartition(" ")[2][:1]
            path, before = next(fields), None
            if letter in "RC":
                path, before = next(fields), path
            kinds[path] = (_KINDS.get(letter, "modified"), before)
            continue
        added, removed, path = field.split("\t", 2)
        if not path:
            _, path = next(fields), next(fields)
        status, before = kinds[path]
        numbers = [None if number == "-" else int(number) for number in (added, removed)]
        found.append(
            Change(
                path=shown(path),
                status=status,
                before=None if before is None else shown(before),
                added=numbers[0],
                removed=numbers[1],
            )
        )
    return tuple(found)
