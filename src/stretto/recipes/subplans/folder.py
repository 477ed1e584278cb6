"""What lies in the folder of a `parallel.json`: papers, when they were touched, and which of them say nothing yet."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from stretto.model.achievements import Achievements
from stretto.model.papers import FOLDERS, Keys, Paper, exact_key, own_word, paper_of, short_key
from stretto.model.plan import Value
from stretto.recipes.subplans.placeholder import is_placeholder, is_untouched

LONGEST = 1 << 20
"""Bytes of a paper; what is longer is somebody's work, and is not looked into."""


class Found(Value, frozen=True, kw_only=True):
    """A paper, and what can be seen of it."""

    paper: Paper
    touched_s: float
    """When it was written last, in seconds since the epoch."""
    hollow: bool = False
    """It is a placeholder."""
    untouched: bool = False
    """It is as the template made it."""

    @property
    def path(self) -> str:
        return self.paper.path


class Look(Value, frozen=True, kw_only=True):
    """One look at a folder."""

    papers: Mapping[str, tuple[Found, ...]]
    """By id of an achievement or a part."""
    approved: frozenset[str]
    """Ids that others depend on and that are not in the plan, and are approved."""


def look(home: Path, plan: Achievements) -> Look:
    """Papers of another plan do not count. A paper that ids share is that of the id its own words name."""
    keys = Keys(plan.ids)
    names = {plan.name.casefold(), home.absolute().name.casefold()}
    found: dict[str, list[Found]] = defaultdict(list)
    for one in _found(home):
        if (one.paper.name or plan.name).casefold() in names:
            found[one.paper.key].append(one)

    def of(id: str, *, shared: bool) -> tuple[Found, ...]:
        short, exact = short_key(id), exact_key(id)
        mine = [one for one in found.get(short, ()) if not shared or own_word(text_of(home / one.path)) == id]
        return (*mine, *(found.get(exact, ()) if exact != short else ()))

    outside = {need for one in plan.achievements for need in one.depends_on} - set(plan.ids)
    return Look(
        papers={id: of(id, shared=keys.is_shared(id)) for id in plan.ids},
        approved=frozenset(
            id for id in outside if any(one.paper.step == "complete" for one in of(id, shared=keys.knows(id)))
        ),
    )


def text_of(path: Path) -> str:
    """Its text; empty where it is none, or too long to look at."""
    try:
        with path.open("rb") as file:
            data = file.read(LONGEST + 1)
        return data.decode("utf-8") if len(data) <= LONGEST else ""
    except (OSError, UnicodeDecodeError, ValueError):
        return ""


def _found(home: Path) -> Iterator[Found]:
    for part in FOLDERS:
        for name, touched_s, size in _listed(home / part):
            paper = paper_of(part, name)
            if paper is None:
                continue
            written = paper.step in ("subplan_created", "execution_created")
            text = text_of(home / paper.path) if written else ""
            yield Found(
                paper=paper,
                touched_s=touched_s,
                hollow=written and (is_placeholder(text) if text else not size),
                untouched=paper.step == "execution_created" and is_untouched(text),
            )


def _listed(folder: Path) -> list[tuple[str, float, int]]:
    """(name, time of the last write, size) of its files, by name."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_file():
                    status = entry.stat()
                    found.append((entry.name, status.st_mtime, status.st_size))
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return sorted(found)
    return sorted(found)
