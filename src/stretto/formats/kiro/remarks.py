"""What there is to say about a Kiro list besides its plan: guesses, gaps, and words that lead nowhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise

from stretto.formats.kiro.line import tasks_in
from stretto.formats.kiro.marks import Reference
from stretto.formats.kiro.order import Order
from stretto.formats.kiro.requirements import Requirements
from stretto.formats.kiro.tree import Part, Tree
from stretto.formats.kiro.waves import Graph
from stretto.formats.reading import Reading, shown
from stretto.formats.set_aside import Aside
from stretto.formats.syntax.markdown_text import Outline
from stretto.formats.syntax.source import Steps


class Remarks:
    """Findings of one list; of each kind one, at the first place."""

    def __init__(
        self, reading: Reading, outline: Outline, tree: Tree, kept: Sequence[int], spot: Callable[[int, int], Steps]
    ) -> None:
        self._report = reading.report
        self._text = reading.source.text.text
        self._outline = outline
        self._tree = tree
        self._lines = tree.lines
        self._kept = kept
        self._spot = spot

    def say(self, placed: Order, graph: Graph | None, apart: Mapping[int, int], requirements: Requirements) -> None:
        self._order(placed, graph)
        self._apart(apart)
        self._numbers()
        self._loose()
        self._half_done()
        self._own_work()
        self._foreign()
        self._guessed()
        if requirements:
            self._requirements(requirements)

    def set_aside(self, gone: Sequence[int], aside: Mapping[int, Aside]) -> None:
        """Tasks that are no part of the run, and why."""
        for why, what, hint in (
            ("dropped", "optional, which Kiro leaves undone: no part of the run", "take the * away to have it done"),
            ("later", "blocked, as its mark says: no part of the run", "take the mark _Blocked:_ away to have it done"),
            (None, "waits for what is blocked: no part of the run either", "do that first, or no longer depend on it"),
        ):
            if some := [i for i in gone if aside.get(i) == why]:
                message = f"{self._some(some)}: {what}"
                ids = tuple(self._lines[i].id for i in some)
                self._report("set-aside", message, ("tasks", some[0]), hint, severity="info", tasks=ids)

    def _order(self, placed: Order, graph: Graph | None) -> None:
        open_ones = [i for i in self._kept if not self._lines[i].done]
        if placed.kind == "chain" and len(open_ones) > 1:
            self._report(
                "one-by-one",
                f"{len(open_ones)} tasks run one after another, as Kiro does them: nothing says which may run at once",
                ("tasks", open_ones[0]),
                'say it with a "## Task Dependency Graph" of waves, or with (P) and _Depends: 1.2_ on the tasks',
                severity="info",
            )
        if placed.left_out and graph is not None:
            only = all(self._lines[i].checkpoint for i in placed.left_out)
            self._report(
                "left-out-of-graph",
                f"the task dependency graph does not name {self._some(placed.left_out)}",
                ("tasks", placed.left_out[0]),
                "each waits for the waves of the tasks above it, and what comes later waits for it"
                if graph.waves
                else "each waits for all tasks above it",
                severity="info" if only else "warning",
                tasks=tuple(self._lines[i].id for i in placed.left_out),
            )
        if placed.unknown:
            named = _some([each.name for each in placed.unknown])
            message = f"the task dependency graph names what is no task: {named}"
            self._report("graph-unknown", message, self._at(placed.unknown[0]), "correct the number, or take it out")
        if placed.twice:
            named = _some([each.name for each in placed.twice])
            message = f"in more than one wave: {named}"
            self._report(
                "graph-unknown", message, self._at(placed.twice[0]), "the first one counts; take out the other"
            )

    def _apart(self, apart: Mapping[int, int]) -> None:
        if not apart:
            return
        (later, first), *more = apart.items()
        shared = [x for x in self._lines[later].marks.boundary if x in self._lines[first].marks.boundary]
        others = f", and {len(more)} more such pairs" if more else ""
        self._report(
            "same-boundary",
            f"{self._lines[first].id} and {self._lines[later].id} share the boundary {shown(_some(shared))!r}{others}: "
            "one after the other",
            ("tasks", later),
            "cc-sdd lets tasks run at once only where their boundaries differ",
            severity="info",
            tasks=(self._lines[first].id, self._lines[later].id),
        )

    def _numbers(self) -> None:
        """Numbers that do not follow each other."""
        wrong: list[tuple[int, str]] = []
        gaps: list[tuple[int, str]] = []
        for siblings in self._siblings():
            for before, behind in pairwise(siblings):
                low, high = _last(before), _last(behind)
                assert behind.line is not None
                if high < low:
                    wrong.append((behind.line, f"{behind.id} stands below {before.id}"))
                elif high[0] > low[0] + 1:
                    gaps.append((behind.line, f"{behind.id} comes right behind {before.id}"))
        for i, line in enumerate(self._lines):
            if (outer := self._within(i)) is not None and not line.id.startswith(f"{outer}."):
                wrong.append((i, f"{line.id} stands within {outer}"))
        if wrong:
            message = f"numbers are not in order: {_some([what for _, what in wrong])}"
            hint = "the order in the file counts, and what a task is a part of is told by its number"
            self._report("number-order", message, ("tasks", wrong[0][0]), hint)
        if gaps:
            message = f"numbers are missing: {_some([what for _, what in gaps])}"
            self._report("number-missing", message, ("tasks", gaps[0][0]), "nothing has to be done", severity="info")

    def _siblings(self) -> Iterator[list[Part]]:
        yield [part for part in self._tree.top if part.line is not None]
        for part in self._tree.of:
            if part.parts and self._tree.known.get(part.id) is part:
                yield [each for each in part.parts if each.line is not None]

    def _within(self, i: int) -> str | None:
        at = self._lines[i].box.within
        return self._ids.get(at) if at is not None else None

    @cached_property
    def _boxes(self) -> tuple[list[int], list[int]]:
        return tasks_in(self._outline, self._text)

    @cached_property
    def _ids(self) -> Mapping[int, str]:
        """Of each box that is a task."""
        return {at: line.id for at, line in zip(self._boxes[0], self._lines, strict=True)}

    def _loose(self) -> None:
        _, loose = self._boxes
        if loose:
            box = self._outline.boxes[loose[0]]
            self._report(
                "no-number",
                f"{_count(loose, 'check box')} without a number: not done, and not ticked",
                self._spot(box.start, box.end),
                "give a box the next number, such as 7. or 7.1, to have it done",
                severity="info",
            )

    def _half_done(self) -> None:
        found = []
        for part in self._tree.of:
            if part.parts and part.line is not None and self._lines[part.line].done and not self._tree.is_task(part):
                left = [i for i in self._tree.tasks_of(part) if i in self._open]
                if left:
                    found.append((part.line, f"{part.id} is ticked, but not its {self._some(left)}"))
        if found:
            message = f"{_some([what for _, what in found])}"
            self._report(
                "half-done", message, ("tasks", found[0][0]), "the boxes of the parts count: they are done again"
            )

    @cached_property
    def _open(self) -> frozenset[int]:
        return frozenset(i for i in self._kept if not self._lines[i].done)

    def _own_work(self) -> None:
        own = sorted(i for i in self._tree.with_own_work if i in self._open and self._has_tests(self._tree.of[i]))
        if own:
            self._report(
                "own-work",
                f"parts that only test stand below {self._some(own)}: done as a task of its own, before them",
                ("tasks", own[0]),
                "a number whose parts are all of its work is only a heading for them",
                severity="info",
                tasks=tuple(self._lines[i].id for i in own),
            )

    def _has_tests(self, part: Part) -> bool:
        """Whether any of its parts is to be done."""
        return any(each.line is not None and not self._lines[each.line].optional for each in part.parts)

    def _foreign(self) -> None:
        found = [(i, each) for i, line in enumerate(self._lines) for each in line.marks.foreign]
        if found:
            named = _some([repr(shown(each.name, 40)) for _, each in found])
            self._report(
                "outside-need",
                f"what is no task of this list is not waited for: {named}",
                self._at(found[0][1]),
                "write numbers of this list; see to it that the rest is there before the run",
                tasks=tuple(dict.fromkeys(self._lines[i].id for i, _ in found)),
            )

    def _guessed(self) -> None:
        found = [i for i in self._kept if i in self._open and self._lines[i].paths]
        if found:
            self._report(
                "claims-guessed",
                f"{_count(found, 'task')} with the files that their words name: a guess",
                ("tasks", found[0], "paths", 0),
                "Kiro's lists do not say what a task may write; `stretto show PLAN --json` has them all",
                severity="info",
            )

    def _requirements(self, requirements: Requirements) -> None:
        found = [each for line in self._lines for each in requirements.missing(line.marks.requirements)]
        if found:
            named = _some([each.name + (f"-{each.until}" if each.until else "") for each in found])
            message = f"requirements that are not to be found beside the list: {named}"
            self._report("requirement-missing", message, self._at(found[0]), "correct the number, or the requirements")

    def _at(self, reference: Reference) -> Steps:
        return self._spot(reference.start, reference.end)

    def _some(self, tasks: Sequence[int]) -> str:
        return _some([self._lines[i].id for i in tasks])


def _last(part: Part) -> tuple[int, str]:
    number = part.id.rpartition(".")[2]
    digits = number.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return int(digits), number[len(digits) :].casefold()


def _count(things: Sequence[object], word: str) -> str:
    return f"{len(things)} {word}{'' if len(things) == 1 else 'es' if word.endswith('x') else 's'}"


def _some(names: Sequence[str]) -> str:
    names = list(dict.fromkeys(names))
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
