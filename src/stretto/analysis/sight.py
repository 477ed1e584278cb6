"""What can be seen of why one task should wait for another: files, names, and words that both have.

It is a guess, and errs on the side of a reason: a task of which nobody can say what it touches, or that looks at
everything (tests, reviews, releases), has a reason to wait for whatever is before it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache

from stretto.analysis.globs import is_literal, overlap, parse
from stretto.model.plan import Plan, Task

Named = Callable[[str], Iterable[str]]
"""The paths that a text names."""

_SWEEPING = re.compile(
    r"\b(?:verif\w*|validat\w*|integrat\w*|e2e|end[- ]to[- ]end|regress\w*|smoke|accept\w*|qa|audit\w*|review\w*"
    r"|release|deploy\w*|clean\W?up|document\w*|docs|readme|changelog|benchmark\w*|polish\w*|final\w*|everything|whole|tests?"
    r"|testing|migrat\w*|wire|wiring|hook up|connect\w*)\b",
    re.IGNORECASE,
)
"""A title with one of these speaks of what others make."""
_TOKEN = re.compile(r"[^\W_](?:[\w.-]*[^\W_])?")
_CODE = re.compile(r"`([^`\n]{3,60})`|\b([A-Za-z][a-z0-9]*(?:_[a-z0-9]+)+|[A-Za-z][a-z0-9]+(?:[A-Z][a-z0-9]+)+)\b")
_ORDINARY = frozenset(
    re.findall(
        r"\w+",
        """index main init readme types utils test tests config page layout style styles setup package common base
        default model models file files data code conftest""",
    )
)
"""Names of files that say nothing."""
_STEM = 4
"""A shorter name of a file is a word like any other."""
_COMMON = 3
"""A word of code that every third task has is the project's, and joins nobody."""


class Sight:
    """One plan, seen once. Numbers are places in `plan.tasks`."""

    def __init__(self, plan: Plan, named: Named) -> None:
        self._tasks = plan.tasks
        own = _own_words(plan)
        self._text = [words.casefold() for words in own]
        self._tokens = [_tokens(text) for text in self._text]
        self._paths = [tuple(dict.fromkeys(named(words))) for words in own]
        self._claims = [tuple(dict.fromkeys((*(task.writes or ()), *task.artifacts))) for task in plan.tasks]
        self._folders = [{folder for path in paths if (folder := _folder(path))} for paths in self._claims]
        self._stems = [{stem for path in paths if (stem := _stem(path))} for paths in self._claims]
        codes = [{a or b for a, b in _CODE.findall(words)} for words in own]
        often = Counter(code for each in codes for code in each)
        few = max(2, len(codes) // _COMMON)
        self._codes = [{code for code in each if often[code] <= few} for each in codes]
        self._phases = {phase.id: (phase.id, phase.title) for phase in plan.phases}
        self.named = self._paths
        """The paths that each task names in words of its own."""
        self.reason = cache(self._reason)

    def vague(self, i: int) -> bool:
        """Whether nobody can say what the task touches, or it looks at everything."""
        task = self._tasks[i]
        return not (task.writes or self._paths[i]) or bool(
            _SWEEPING.search(f"{task.title} {task.id}".replace("_", " "))
        )

    def silent(self, i: int) -> bool:
        """Whether it neither claims a path nor names one."""
        return not (self._tasks[i].writes or self._paths[i])

    def _reason(self, i: int, other: int) -> str:
        """Why the first should wait for the second, as far as one can see; empty: nothing is to be seen."""
        its = self._tasks[other]
        if self.vague(i) or self.silent(other):
            return "scope"
        names = (its.id, *(self._phases.get(its.phase, ()) if its.phase != self._tasks[i].phase else ()))
        if any(_mentions(self._text[i], self._tokens[i], name) for name in names):
            return "name"
        mine = self._claims[i]
        if any(overlap(a, b) for a in mine for b in self._claims[other]):
            return "claim"
        if any(overlap(a, b) for a in self._paths[i] for b in (*self._claims[other], *self._made(other))):
            return "path"
        if any(overlap(a, b) for a in mine for b in self._paths[other]):
            return "path"
        if any(
            is_literal(path) and len(path) > _STEM and path.casefold() in self._text[i] for path in self._claims[other]
        ):
            return "path"
        if self._stems[other] & self._tokens[i] or self._folders[i] & self._folders[other]:
            return "path"
        return "word" if self._codes[i] & self._codes[other] else ""

    def names_only(self, i: int, path: str, other: int) -> bool:
        """Whether of all that the second makes the first names this path, and nothing else."""
        rest = [each for each in self._claims[other] if each != path]
        mine = (*self._claims[i], *self._paths[i])
        stems = {stem for each in rest if (stem := _stem(each))}
        tokens = _tokens(self._text[i].replace(path.casefold(), " "))
        return any(overlap(a, path) for a in self._paths[i]) and not (
            any(overlap(a, b) for a in mine for b in rest) or stems & tokens
        )

    def _made(self, i: int) -> tuple[str, ...]:
        """What a task without claims may make: the paths it names."""
        return () if self._claims[i] else self._paths[i]


def _own_words(plan: Plan) -> list[str]:
    """What each task is told, without the lines that go with many prompts."""
    lines = [
        [
            x
            for x in (*task.title.splitlines(), *task.prompt.splitlines(), *(c.command for c in task.verify))
            if x.strip()
        ]
        for task in plan.tasks
    ]
    often = Counter(line for each in lines for line in set(each))
    sizes = Counter(task.phase for task in plan.tasks)
    of_phase = Counter((task.phase, line) for task, each in zip(plan.tasks, lines, strict=True) for line in set(each))

    def shared(task: Task, line: str) -> bool:
        return often[line] > max(2, len(lines) // 2) or of_phase[task.phase, line] == sizes[task.phase] > 1

    return [
        "\n".join(line for line in each if not shared(task, line)) for task, each in zip(plan.tasks, lines, strict=True)
    ]


def _tokens(text: str) -> frozenset[str]:
    found = set(_TOKEN.findall(text))
    bare = {token.partition(".")[0] for token in found}  # `menu` of `menu.css`
    return frozenset(found | bare | {re.sub(r"[_.-]", "", token) for token in found | bare})


def _mentions(text: str, tokens: frozenset[str], name: str) -> bool:
    name = name.casefold().strip()
    if name.isdecimal():
        return re.search(rf"(?:tasks?|steps?|items?|phases?|#)\s*{name}\b", text) is not None
    return name in tokens or (len(name) > _STEM and name in text)


def _folder(path: str) -> str:
    """The folder of a file, where it is one that a few files share: not at the top, nor right below it."""
    folder = parse(path).text.rpartition("/")[0]
    return folder if folder.count("/") >= 2 and "*" not in folder else ""


def _stem(path: str) -> str:
    stem = re.sub(r"[_.-]", "", parse(path).text.rstrip("/*").rpartition("/")[2].partition(".")[0])
    return stem if len(stem) >= _STEM and stem not in _ORDINARY and "*" not in stem else ""


def disjoint(patterns: Sequence[str]) -> bool:
    """Whether no two of them may mean the same path."""
    return not any(overlap(a, b) for n, a in enumerate(patterns) for b in patterns[n + 1 :])
