"""Which claims of a plan may meet, and which of those tasks could be active at the same time (R2.1).

A *meeting* is a claimed pattern with the tasks that claim exactly it (`owners`) and the tasks that claim something
within it (`inside`): owners exclude each other and everybody inside, those inside say nothing about each other. So a
meeting is a lock that owners take for writing and the others for reading, which is how the estimate uses it.

Cost. Literal paths are found through their ancestors, globs through the sorted paths below their literal prefix; a
plan of literals is linear. Who is ordered is answered exactly, for all meetings together, by sets of ancestors and
descendants kept as bits of ints: only tasks that share a claim or hold a wider one get a bit, and they go through
the graph `_WIDTH` at a time, so it costs (tasks + dependencies) x those / _WIDTH steps over ints of `_WIDTH` bits,
and 2 x tasks x _WIDTH / 8 bytes at the very most. Globs are compared with at most `_LOOKS` patterns in a plan, and
where wide claims or dependencies split paths into many groups about `_TOLD` names are told, shared out evenly; what
lies beyond that is not reported here, and still excluded at run time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate

import msgspec

from stretto.analysis.globs import Glob, contains, overlap, parse, plain
from stretto.analysis.graph import Graph, reach, remaining, topological
from stretto.model.plan import Plan, Value

_WIDTH = 4096
_LOOKS = 200_000
_TOLD = 500_000


class Conflict(Value, frozen=True, kw_only=True):
    """Tasks of which every two overlap at `path` and no chain of dependencies orders any two."""

    path: str
    """The narrowest claim there, as the first task that claims it spells it."""
    tasks: tuple[str, ...]
    """Ids in plan order. Two entries may name one path: then some of their tasks are ordered."""


class Meeting(msgspec.Struct, frozen=True):
    """A claimed pattern where tasks meet. Numbers are places in `plan.tasks`, rising."""

    path: str
    owners: tuple[int, ...]
    inside: tuple[int, ...]


class _Crowd(msgspec.Struct, frozen=True):
    """Tasks of which every two overlap: `core` claims exactly `path`, `around` something wider."""

    path: str
    core: tuple[int, ...]
    around: tuple[int, ...]

    def columns(self) -> tuple[int, ...]:
        """Those to ask about; a task alone in the core is known from its own row, so many files below one folder
        need no bit each."""
        return self.around if len(self.core) == 1 else self.core + self.around

    def only(self, tasks: Collection[int]) -> _Crowd:
        core = tuple(i for i in self.core if i in tasks)
        return _Crowd(self.path, core, tuple(i for i in self.around if i in tasks))


class _Claims(msgspec.Struct, frozen=True):
    """By folded pattern: who claims it, how the first spells it if not so, which narrower patterns it overlaps."""

    owners: dict[str, list[int]]
    spelled: dict[str, str]
    inside: dict[str, list[str]]

    def spelling(self, text: str) -> str:
        return self.spelled.get(text, text)


def meetings(plan: Plan) -> tuple[Meeting, ...]:
    """Every claimed pattern that more than one task has to do with, in plan order; hot files and tasks that have
    already succeeded are left out."""
    claims = _claims(plan)
    found = []
    for text, own in claims.owners.items():
        others = {i for narrower in claims.inside.get(text, ()) for i in claims.owners[narrower]}.difference(own)
        if len(own) + len(others) > 1:
            found.append(Meeting(claims.spelling(text), tuple(own), tuple(sorted(others))))
    return tuple(found)


def _claims(plan: Plan) -> _Claims:
    owners: dict[str, list[int]] = {}
    spelled: dict[str, str] = {}
    globs: list[Glob] = []
    hot_files = [parse(pattern) for pattern in plan.hot_files]
    for i, task in enumerate(plan.tasks):
        for pattern in task.writes or () if task.status != "succeeded" else ():
            text, glob = plain(pattern), None
            if text is None:
                glob = parse(pattern)
                text = glob.text
            own = owners.get(text)
            if own is not None:
                if own[-1] != i:
                    own.append(i)
            elif not (hot_files and any(contains(hot, glob or parse(pattern)) for hot in hot_files)):
                owners[text] = [i]
                if text != pattern:
                    spelled[text] = pattern
                if glob is not None and not glob.literal:
                    globs.append(glob)
    return _Claims(owners, spelled, _within(owners, globs))


def _within(owners: Mapping[str, object], globs: list[Glob]) -> dict[str, list[str]]:
    """For each pattern the narrower ones that it overlaps. Of two globs, the one with the longer prefix is narrower."""
    found: dict[str, list[str]] = defaultdict(list)
    wild = {glob.text for glob in globs}
    folders = {text.rpartition("/")[0]: None for text in owners if text not in wild}
    claimed = {folder: around for folder in folders if (around := _claimed(folder, owners, wild))}
    for text in owners if claimed else ():
        if text not in wild:
            for folder in claimed.get(text.rpartition("/")[0], ()):
                found[folder].append(text)
    if not globs:
        return found
    literals = sorted(text for text in owners if text not in wild)
    globs.sort(key=lambda glob: (glob.prefix, glob.text))
    looks = _LOOKS
    for n, glob in enumerate(globs):
        for folder in _claimed(glob.prefix.rpartition("/")[0], owners, wild):
            found[folder].append(glob.text)
        for text in _below(literals, glob.prefix):
            looks -= 1
            if overlap(glob.text, text):
                found[glob.text].append(text)
        for m in range(n + 1, len(globs)):
            looks -= 1
            if not globs[m].prefix.startswith(glob.prefix) or looks < 0:
                break
            if overlap(glob.text, globs[m].text):
                found[glob.text].append(globs[m].text)
        if looks < 0:
            break
    return found


def _claimed(folder: str, owners: Mapping[str, object], wild: Collection[str]) -> list[str]:
    """Those of a folder and the folders around it that are claimed as literals, the outermost first."""
    around = accumulate(folder.split("/"), "{}/{}".format) if folder else ()
    return [text for text in around if text in owners and text not in wild]


def _below(ordered: list[str], prefix: str) -> Iterable[str]:
    for place in range(bisect_left(ordered, prefix), len(ordered)):
        if not ordered[place].startswith(prefix):
            return
        yield ordered[place]


def conflicts(plan: Plan, graph: Graph) -> tuple[Conflict, ...]:
    """Overlapping claims of tasks that could be active at once, in plan order. Tasks on or behind a cycle, which can
    never start, are left out."""
    crowds = list(_crowds(_claims(plan)))
    if not crowds:
        return ()
    left = remaining(plan, graph)
    order = topological(left)
    found: list[list[tuple[int, ...]]] = [[] for _ in crowds]
    loose: list[set[int]] = [set() for _ in crowds]
    pairs = [0] * len(crowds)
    for n, free, bits in _free(crowds, range(len(crowds)), left, order):
        names = list(bits)
        seen = 0
        for i, others in free.items():
            if others:
                loose[n].add(i)
                pairs[n] += others.bit_count()
                seen |= others
        loose[n].update(names[bit] for bit in _ones(seen))
    mixed = []
    for n, crowd in enumerate(crowds):
        if not loose[n].isdisjoint(crowd.core):
            # Without a bit, a task alone in its core is counted from its own row only.
            asked = len(loose[n].intersection(crowd.columns()))
            if pairs[n] == asked * (len(loose[n]) - 1):
                found[n].append(tuple(sorted(loose[n])))
            else:
                mixed.append(n)
                crowds[n] = crowd.only(loose[n])
    share = _TOLD // max(1, len(mixed))
    for n, free, bits in _free(crowds, mixed, left, order):
        told = sum(len(group) for group in found[n])
        for group in _cliques(crowds[n].core, free, bits):
            if told > share:
                break
            found[n].append(group)
            told += len(group)
    entries = dict.fromkeys((c.path, group) for c, groups in zip(crowds, found, strict=True) for group in groups)
    return tuple(Conflict(path=path, tasks=tuple(plan.tasks[i].id for i in group)) for path, group in entries)


def _crowds(claims: _Claims) -> Iterator[_Crowd]:
    """Each claimed pattern with those who claim it and those whose wider claims meet there. Wider claims stand in one
    crowd if they all hold the same path; of a glob they may hold different parts, so each has a crowd of its own."""
    wider: dict[str, list[str]] = defaultdict(list)
    for wide, narrower in claims.inside.items():
        for text in narrower:
            wider[text].append(wide)
    left = _TOLD
    for text, own in claims.owners.items():
        if len(own) == 1 and text not in wider:
            continue
        groups: list[list[str]] = []
        for wide in wider.get(text, ()):
            left -= len(claims.owners[wide])
            if left < 0:
                break
            shared = parse(claims.spelling(text)).literal
            fits = (group for group in groups if shared and all(overlap(wide, other) for other in group))
            if (group := next(fits, None)) is not None:
                group.append(wide)
            else:
                groups.append([wide])
        for group in groups or [[]]:
            around = {i for wide in group for i in claims.owners[wide]}.difference(own)
            if len(own) + len(around) > 1:
                yield _Crowd(claims.spelling(text), tuple(own), tuple(sorted(around)))


def _free(
    crowds: Sequence[_Crowd], which: Iterable[int], graph: Graph, order: Sequence[int]
) -> Iterator[tuple[int, dict[int, int], dict[int, int]]]:
    """For a crowd, each task in it with the bits of those that nothing orders against it, and what the bits stand
    for. A crowd of more than `_WIDTH` comes in several parts."""
    possible = set(order)
    waits = graph.waits()
    dependents = graph.dependents()
    chunk: list[tuple[int, tuple[int, ...]]] = []
    bits: dict[int, int] = {}

    def settle() -> Iterator[tuple[int, dict[int, int], dict[int, int]]]:
        before, behind = reach(order, waits, bits), reach(order[::-1], dependents, bits)
        for n, part in chunk:
            mask = sum(1 << bits[i] for i in part)
            yield (
                n,
                {
                    i: mask & ~(before[i] | behind[i]) & ~(1 << bits[i] if i in bits else 0)
                    for i in (*crowds[n].core, *crowds[n].around)
                    if i in possible
                },
                bits,
            )

    for n in which:
        columns = [i for i in crowds[n].columns() if i in possible]
        while columns:
            part = tuple(columns[: _WIDTH - len(bits)])
            del columns[: len(part)]
            chunk.append((n, part))
            for i in part:
                bits.setdefault(i, len(bits))
            if len(bits) >= _WIDTH:
                yield from settle()
                chunk, bits = [], {}
    if chunk:
        yield from settle()


def _cliques(core: Iterable[int], free: Mapping[int, int], bits: Mapping[int, int]) -> Iterator[tuple[int, ...]]:
    """Groups without any order inside that together hold each unordered pair of a `core` task and another."""
    names = list(bits)
    todo = dict(free)
    for i in core:
        while todo.get(i):
            picked, held, others = [i], 0, todo[i]
            while others:
                low = others & -others
                picked.append(names[low.bit_length() - 1])
                held |= low
                others &= free[picked[-1]]
            if i in bits:
                held |= 1 << bits[i]
            for one in picked:
                todo[one] &= ~held
            yield tuple(sorted(picked))


def _ones(value: int) -> Iterable[int]:
    while value:
        low = value & -value
        yield low.bit_length() - 1
        value ^= low
