"""The folder beside a `parallel.json`: the plan in words, and the papers that say how far each achievement is."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from stretto.model.papers import FOLDERS, Paper, exact_key, own_word, paper_of, short_key

_GLANCE = 4096
_MAX_BYTES = 256 * 1024
_MAX_PLAN_BYTES = 4 * 1024 * 1024


class Folder:
    """What stands beside one plan file. Only papers of the plan's own name count; nothing is ever written there."""

    def __init__(self, file: Path, name: str) -> None:
        self._home = file.absolute().parent
        self._names = {name.casefold(), self._home.name.casefold()}
        self._name = name
        self._papers: dict[str, list[Paper]] = defaultdict(list)
        for paper in self._found():
            self._papers[paper.key].append(paper)

    def papers(self, id: str, *, shared: bool = False) -> list[Paper]:
        """Those of one id. `shared`: another id has the same file names, so that each paper's own words decide."""
        short, exact = short_key(id), exact_key(id)
        found = self._papers.get(short, [])
        found = [paper for paper in found if self._about(paper) == id] if shared else found
        return found + self._papers.get(exact, []) if exact != short else found

    def has(self, id: str) -> bool:
        """Whether there are papers of which one has to be told whose they are, where that is shared."""
        return short_key(id) in self._papers

    @cached_property
    def plan_name(self) -> str:
        """The file name of the plan in words; empty where there is none, or where nobody can tell which it is."""
        names = [name for name in _listed(self._home) if re.fullmatch(r"PLAN_.+\.md", name)]
        own = [name for name in names if name == f"PLAN_{self._name}.md"]
        own = own or [name for name in names if name[5:-3].casefold() in self._names]
        return (own or (names if len(names) == 1 else []) or [""])[0]

    @cached_property
    def plan_text(self) -> str:
        return _text(self._home / self.plan_name, _MAX_PLAN_BYTES) if self.plan_name else ""

    def is_readable(self, paper: Paper) -> bool:
        """Whether it can go with a prompt: a text, and not a huge one."""
        return bool(_text(self._home / paper.path, _MAX_BYTES + 1, strict=True))

    def _about(self, paper: Paper) -> str:
        return own_word(_text(self._home / paper.path, _GLANCE))

    def _found(self) -> Iterator[Paper]:
        for part in FOLDERS:
            for name in sorted(_listed(self._home / part)):
                paper = paper_of(part, name)
                if paper is not None and (paper.name or self._name).casefold() in self._names:
                    yield paper


def _listed(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(folder) if entry.is_file()]
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return []


def _text(path: Path, most: int, *, strict: bool = False) -> str:
    """The beginning of a file; with `strict` nothing of one that is longer, or is no text."""
    try:
        with path.open("rb") as file:
            data = file.read(most)
        if strict and len(data) >= most:
            return ""
        return data.decode("utf-8", "strict" if strict else "replace")
    except (OSError, ValueError):
        return ""
