"""The difference of two versions of a file, as `git apply` and `patch -p1` take it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

_ODD = re.compile(r'["\\\x00-\x1f\x7f]')


def patch(path: str, before: bytes, after: bytes) -> str:
    """A unified diff of the file at `path`, which counts from where the patch will be applied; empty for no change."""
    return "".join(_lines(path, _split(before), _split(after)))


def _lines(path: str, before: list[str], after: list[str]) -> Iterator[str]:
    old, new = (_name(f"{side}/{path}") for side in "ab")
    for text in difflib.unified_diff(before, after, old, new, lineterm="\n"):
        yield text if text.endswith("\n") else f"{text}\n\\ No newline at end of file\n"


def _split(data: bytes) -> list[str]:
    """Lines with what ends them; only a line feed does, as for git."""
    return re.findall(r"[^\n]*\n|[^\n]+", data.decode("utf-8", "surrogateescape"))


def _name(path: str) -> str:
    """As git spells a name in a patch: quoted where it must be, and with a tab behind one that has a blank in it."""
    if _ODD.search(path):
        return '"' + _ODD.sub(lambda found: f"\\{ord(found[0]):03o}", path) + '"'
    return f"{path}\t" if " " in path else path
