"""Files that many tasks touch: where both sides may be kept, and how git is told so (R2.5)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence

from stretto.analysis.globs import covers

_NAMES = (
    "changelog", "changes", "history", "news", "authors", "contributors", "maintainers", "readme", "codeowners",
    "go.sum", ".gitignore", ".gitattributes", ".mailmap", ".dockerignore", ".npmignore", ".eslintignore",
    ".prettierignore", ".helmignore",
)  # fmt: skip
_SUFFIXES = (".md", ".markdown", ".rst", ".adoc", ".txt", ".csv", ".tsv", ".log")
_GLOB = re.compile(r"([\\*?\[])")


def both_sides(path: str, hot_files: Sequence[str]) -> bool:
    """Whether the lines of both sides may stand where they conflict in this file.

    Hot alone is not enough: in anything with a structure (JSON, YAML, lock files, code) both sides together are broken,
    so only files that are known to be lists of lines or prose qualify."""
    name = path.rpartition("/")[2].lower()
    return (name in _NAMES or name.endswith(_SUFFIXES)) and any(covers(pattern, path) for pattern in hot_files)


def union_rules(paths: Iterable[str]) -> bytes:
    """Git attributes by which exactly these paths are merged by union."""
    return b"".join(os.fsencode(f'"/{_quoted(path)}" merge=union\n') for path in paths)


def _quoted(path: str) -> str:
    literal = _GLOB.sub(r"\\\1", path)
    return literal.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
