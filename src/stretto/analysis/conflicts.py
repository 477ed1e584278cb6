"""Which claims of a plan may meet, and which of those tasks could be active at the same time (R2.1).

A *meeting* is a claimed pattern with the tasks that claim exactly it (`owners`) and the tasks that claim something
within it (`inside`): owners exclude each other and everybody inside, those inside say nothing about each other. So a
meeting is a lock that owners take for writing and the others for reading, which is how the estimate uses it.

Cost. Literal paths are found through their ancestors, globs through the sorted paths below their literal prefix; a
plan of literals is linear. Who is ordered is answered exactly, for all meetings together, by sets of ancestors and
descendants kept as bits of ints: only owners of a meeting get a bit, and they go through the graph `_WIDTH` at a
time, so it costs (tasks + dependencies) x owners / _WIDTH steps over ints of `_WIDTH` bits, and 2 x tasks x
_WIDTH / 8 bytes at the very most. Globs are compared with at most `_LOOKS` patterns in a plan; what lies beyond that
is not reported here, and still excluded at run time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from stretto.analysis.globs import Glob, contains, overlap, parse, plain
from stretto.analysis.graph import Graph, remaining, topological
from stretto.model.plan import Plan, Value

_WIDTH = 4096
_LOOKS = 200_000


class Conflict(Value, frozen=True, kw_only=True):
    """Tasks that all touch `path`, or something within it, and that no chain of dependencies orders."""

    path: str
    """As the first task that claims it spells it."""
    tasks: tuple[str, ...]
    """Ids in plan order. Each could be active beside at least one of the others."""


class Meeting(msgspec.Struct, frozen=True):
    """A claimed pattern where tasks meet. Numbers are places in `plan.tasks`, rising."""

    path: str
    owners: tuple[int, ...]
    inside: tuple[int, ...]


def meetings(plan: Plan) -> tuple[Meeting, ...]:
    """Every claimed pattern that more than one task has to do with, in plan order; hot files and tasks that have
    already succeeded are left out."""
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
            if own is None:
                if any(contains(hot, glob or parse(pattern)) for hot in hot_files):
                    continue
                owners[text], spelled[text] = [i], pattern
                if glob is not None and not glob.literal:
                    globs.append(glob)
            elif own[-1] != i:
                own.append(i)
    inside = _within(owners, globs)
    found = []
    for text, own in owners.items():
        others: set[int] = set()
        if text in inside:
            others = {i for narrower in inside[text] for i in owners[narrower]}.difference(own)
        if len(own) + len(others) > 1:
            found.append(Meeting(spelled[text], tuple(own), tuple(sorted(others))))
    return tuple(found)


def _within(owners: Mapping[str, object], globs: list[Glob]) -> dict[str, list[str]]:
    """For each pattern the narrower ones that it overlaps. Of two globs, the one with the longer prefix is narrower."""
    found: dict[str, list[str]] = defaultdict(list)
    wild = {glob.text for glob in globs}
    claimed: dict[str, list[str]] = {}
    for text in owners:
        if text not in wild:
            for ancestor in _claimed_ancestors(text, owners, wild, claimed):
                found[ancestor].append(text)
    if not globs:
        return found
    literals = sorted(text for text in owners if text not in wild)
    globs.sort(key=lambda glob: (glob.prefix, glob.text))
    looks = _LOOKS
    for n, glob in enumerate(globs):
        for ancestor in _claimed_ancestors(glob.prefix, owners, wild, claimed):
            found[ancestor].append(glob.text)
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


def _claimed_ancestors(
    text: str, owners: Mapping[str, object], wild: Collection[str], known: dict[str, list[str]]
) -> list[str]:
    """Literal claims of a folder that `text` lies in; `known` remembers the answer for each folder."""
    folder = text.rpartition("/")[0]
    found = known.get(folder)
    if found is None:
        cuts = [m for m, char in enumerate(folder) if char == "/"]
        names = [*(folder[:m] for m in cuts), folder] if folder else []
        found = known[folder] = [name for name in names if name in owners and name not in wild]
    return found


def _below(ordered: list[str], prefix: str) -> Iterable[str]:
    for place in range(bisect_left(ordered, prefix), len(ordered)):
        if not ordered[place].startswith(prefix):
            return
        yield ordered[place]


def conflicts(plan: Plan, graph: Graph) -> tuple[Conflict, ...]:
    """Overlapping claims of tasks that could be active at once, in plan order. Tasks on or behind a cycle, which can
    never start, are left out."""
    met = meetings(plan)
    if not met:
        return ()
    left = remaining(plan, graph)
    found = _unordered(met, left, topological(left))
    return tuple(
        Conflict(path=meeting.path, tasks=tuple(plan.tasks[i].id for i in sorted(tasks)))
        for meeting, tasks in zip(met, found, strict=True)
        if tasks
    )


def _unordered(met: Sequence[Meeting], graph: Graph, order: Sequence[int]) -> list[set[int]]:
    """For each meeting the tasks that nothing orders against some owner of it (owners: against anybody in it)."""
    found: list[set[int]] = [set() for _ in met]
    possible = set(order)
    waits = [tuple(dict.fromkeys(graph.needs[i] + graph.after[i])) for i in range(len(graph.names))]
    dependents = graph.dependents()
    chunk: list[tuple[int, tuple[int, ...]]] = []
    bits: dict[int, int] = {}

    def settle() -> None:
        before, behind = _reach(order, waits, bits), _reach(order[::-1], dependents, bits)
        names = list(bits)
        for n, owners in chunk:
            mask = sum(1 << bits[i] for i in owners)
            loose = 0
            for i in (*met[n].owners, *met[n].inside):
                missing = mask & ~(before[i] | behind[i]) & ~(1 << bits[i] if i in bits else 0)
                if missing and i in possible:
                    found[n].add(i)
                    loose |= missing
            found[n].update(names[b] for b in _ones(loose))
        chunk.clear()
        bits.clear()

    for n, meeting in enumerate(met):
        owners = [i for i in meeting.owners if i in possible]
        while owners:
            part = tuple(owners[: _WIDTH - len(bits)])
            del owners[: len(part)]
            chunk.append((n, part))
            for i in part:
                bits.setdefault(i, len(bits))
            if len(bits) >= _WIDTH:
                settle()
    if chunk:
        settle()
    return found


def _reach(order: Sequence[int], sources: Sequence[Sequence[int]], bits: dict[int, int]) -> list[int]:
    """For each node the bits of the nodes that it is reached from; `sources` come before it in `order`."""
    reach = [0] * len(sources)
    for node in order:
        own = 0
        for other in sources[node]:
            got = reach[other] | (1 << bits[other] if other in bits else 0)
            own = own | got if own else got
        reach[node] = own
    return reach


def _ones(value: int) -> Iterable[int]:
    while value:
        low = value & -value
        yield low.bit_length() - 1
        value ^= low
