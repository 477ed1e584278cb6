"""Which papers a batch makes, which it leaves, and what is missing for others; what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from stretto.model.papers import execution_path, part_number, subplan_path
from stretto.model.plan import Value
from stretto.recipes.subplans.progress import Progress, Standing

Kind = Literal["subplans", "executions"]
ALL: Literal["all"] = "all"


class Item(Value, frozen=True, kw_only=True):
    """A paper to write."""

    id: str
    """Of its achievement."""
    path: str
    """Relative to the plan file."""
    kind: Kind
    number: int = 0
    """Of an execution, from 1."""


class Note(Value, frozen=True, kw_only=True):
    """Why an achievement gets no paper, or which trouble it had."""

    id: str
    message: str
    path: str = ""


class Batch(Value, frozen=True, kw_only=True):
    kind: Kind
    level: int | Literal["all"] | None
    """None: there is no level that lacks anything."""
    make: tuple[Item, ...] = ()
    skipped: tuple[Note, ...] = ()
    missing: tuple[Note, ...] = ()
    """Prerequisites: an execution is never made without its SUBPLAN."""


class Count(Value, frozen=True, kw_only=True):
    done: int
    total: int
    percent: int


class Result(Value, frozen=True, kw_only=True):
    """What came of a batch."""

    plan: str
    kind: str
    level: int | str | None
    dry_run: bool = False
    planned: tuple[str, ...] = ()
    """What it set out to write."""
    created: tuple[str, ...] = ()
    skipped: tuple[Note, ...] = ()
    errors: tuple[Note, ...] = ()
    missing: tuple[Note, ...] = ()
    rolled_back: tuple[str, ...] = ()
    """What was made, and taken back."""
    kept_in: str = ""
    """Folder that what was taken back is in now; empty: it was removed."""
    progress: Count

    @property
    def ok(self) -> bool:
        return not self.errors and not self.missing


def count(progress: Progress) -> Count:
    return Count(done=progress.done, total=progress.total, percent=progress.percent)


def batch(progress: Progress, kind: Kind, level: int | Literal["all"] | None = None) -> Batch:
    """`level` None: the first that lacks such a paper and could have it."""
    chosen = _first(progress, kind) if level is None else level
    if chosen is None:
        return Batch(kind=kind, level=None)
    members = [one for one in progress.standings if chosen == ALL or one.level == chosen]
    make, skipped, missing = list[Item](), list[Note](), list[Note]()
    for one in members:
        if one.is_settled:
            skipped.append(Note(id=one.id, message=f"it is {one.status}"))
        elif not _lacks(one, kind):
            have = (one.subplan,) if kind == "subplans" and one.subplan else one.executions
            skipped += [Note(id=one.id, message="it is there already", path=found.path) for found in have]
        elif kind == "executions" and (why := without_subplan(one)):
            missing.append(Note(id=one.id, message=why))
        else:
            make += _items(progress, one, kind)
            kept = one.executions if kind == "executions" else ()
            skipped += [Note(id=one.id, message="it is there already", path=found.path) for found in kept]
    return Batch(kind=kind, level=chosen, make=tuple(make), skipped=tuple(skipped), missing=tuple(missing))


def hollow(progress: Progress, level: int | Literal["all"] | None = None) -> tuple[Item, ...]:
    """Papers that are placeholders, SUBPLANs first; of one level, or of all that is not settled."""
    found = []
    for one in progress.open:
        if level in (None, ALL, one.level):
            for paper in one.hollow:
                kind: Kind = "subplans" if paper.paper.step == "subplan_created" else "executions"
                found.append(Item(id=one.id, path=paper.path, kind=kind, number=paper.paper.number))
    return tuple(sorted(found, key=lambda item: item.kind == "executions"))


def execution_paths(progress: Progress, one: Standing) -> tuple[str, ...]:
    """Those that an achievement has, or will have."""
    key = progress.keys.new(one.id)
    have = {found.paper.number: found.path for found in one.executions}
    parts = one.achievement.parts
    numbers = [part_number(part.id, i) for i, part in enumerate(parts)] if parts else sorted(have) or [1]
    return tuple(have.get(n) or execution_path(progress.plan.name, key, n) for n in dict.fromkeys(numbers))


def without_subplan(one: Standing) -> str:
    """Why no execution can be made of it; empty where one can."""
    if one.subplan is None:
        return "its SUBPLAN is missing: create that first"
    if one.subplan.hollow:
        return "its SUBPLAN is a placeholder: fill that first"
    return ""


def _lacks(one: Standing, kind: Kind) -> bool:
    return one.subplan is None if kind == "subplans" else bool(one.missing_executions)


def _first(progress: Progress, kind: Kind) -> int | None:
    """The lowest level that lacks one and could have it; else the lowest that lacks one."""
    lacking = [one for one in progress.open if one.level is not None and _lacks(one, kind)]
    able = [one for one in lacking if kind == "subplans" or not without_subplan(one)]
    return min((one.level for one in able or lacking if one.level is not None), default=None)


def _items(progress: Progress, one: Standing, kind: Kind) -> Iterator[Item]:
    name, key = progress.plan.name, progress.keys.new(one.id)
    if kind == "subplans":
        yield Item(id=one.id, path=subplan_path(name, key), kind=kind)
        return
    for number in one.missing_executions:
        yield Item(id=one.id, path=execution_path(name, key, number), kind=kind, number=number)


def by_level(progress: Progress, items: Sequence[Item]) -> dict[int, list[Item]]:
    """For a preview."""
    found: dict[int, list[Item]] = {}
    for item in items:
        found.setdefault(progress.by_id[item.id].level or 0, []).append(item)
    return dict(sorted(found.items()))
