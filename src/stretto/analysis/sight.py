"""What can be seen of why one task should wait for another: files, names, and words that both have.

It is a guess, and errs on the side of a reason: a task of which nobody can say what it touches, or that looks at
everything (tests, reviews, releases), has a reason to wait for whatever is before it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import accumulate

from stretto.analysis.globs import overlap, parse
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


class _Paths:
    """Patterns, in the form in which two lots of them are quickly compared."""

    __slots__ = ("above", "plain", "wild")

    def __init__(self, patterns: Iterable[str]) -> None:
        known = [parse(pattern) for pattern in patterns]
        self.plain = {glob.text for glob in known if glob.literal}
        self.above = {folder for text in self.plain for folder in accumulate(text.split("/")[:-1], "{}/{}".format)}
        self.wild = tuple(glob.text for glob in known if not glob.literal)

    def meets(self, other: _Paths) -> bool:
        """Whether some path may belong to both."""
        if not (self.plain.isdisjoint(other.plain) and self.plain.isdisjoint(other.above)):
            return True
        if not self.above.isdisjoint(other.plain):
            return True
        return any(overlap(a, b) for a in self.wild for b in (*other.plain, *other.wild)) or any(
            overlap(a, b) for a in self.plain for b in other.wild
        )


class Sight:
    """One plan, seen once. Numbers are places in `plan.tasks`."""

    def __init__(self, plan: Plan, named: Named) -> None:
        own = _own_words(plan)
        self.named = [tuple(dict.fromkeys(named(words))) for words in own]
        """The paths that each task names in words of its own."""
        self._text = [words.casefold() for words in own]
        self._tokens = [_tokens(text) for text in self._text]
        self._made = [tuple(dict.fromkeys((*(task.writes or ()), *task.artifacts))) for task in plan.tasks]
        self._claims = [_Paths(paths) for paths in self._made]
        self._paths = [_Paths(paths) for paths in self.named]
        self._likely = [_Paths(made or paths) for made, paths in zip(self._made, self.named, strict=True)]
        """What each makes: where it claims nothing, the paths that it names."""
        self._folders = [{folder for path in paths if (folder := _folder(path))} for paths in self._made]
        self._stems = [{stem for path in paths if (stem := _stem(path))} for paths in self._made]
        self._literals = [{x for x in paths.plain if len(x) > _STEM} for paths in self._claims]
        codes = [{a or b for a, b in _CODE.findall(words)} for words in own]
        often = Counter(code for each in codes for code in each)
        few = max(2, len(codes) // _COMMON)
        self._codes = [{code for code in each if often[code] <= few} for each in codes]
        self._home = [task.phase for task in plan.tasks]
        self._ids = [_folded(task.id) for task in plan.tasks]
        self._phases = {phase.id: [_folded(phase.id), _folded(phase.title)] for phase in plan.phases}
        self.silent = [not (task.writes or paths) for task, paths in zip(plan.tasks, self.named, strict=True)]
        """Of each task, whether it neither claims a path nor names one."""
        self.vague = [
            silent or _SWEEPING.search(f"{task.title} {task.id}".replace("_", " ")) is not None
            for task, silent in zip(plan.tasks, self.silent, strict=True)
        ]
        """Of each task, whether nobody can say what it touches, or it looks at everything."""
        self.sees = cache(self._sees)

    def _sees(self, i: int, other: int) -> bool:
        """Whether there is a reason to be seen why the first should wait for the second."""
        if self.vague[i] or self.silent[other]:
            return True
        text, tokens = self._text[i], self._tokens[i]
        if _mentions(text, tokens, self._ids[other]):
            return True
        home = self._home[other]
        if home != self._home[i] and any(_mentions(text, tokens, name) for name in self._phases.get(home, ())):
            return True
        return (
            self._claims[i].meets(self._claims[other])
            or self._paths[i].meets(self._likely[other])
            or self._claims[i].meets(self._paths[other])
            or not self._stems[other].isdisjoint(tokens)
            or not self._folders[i].isdisjoint(self._folders[other])
            or not self._codes[i].isdisjoint(self._codes[other])
            or any(path in text for path in self._literals[other])
        )

    def names_only(self, i: int, path: str, other: int) -> bool:
        """Whether of all that the second makes the first names this path, and nothing else."""
        rest = [each for each in self._made[other] if each != path]
        stems = {stem for each in rest if (stem := _stem(each))}
        tokens = _tokens(self._text[i].replace(path.casefold(), " "))
        others = _Paths(rest)
        return self._paths[i].meets(_Paths([path])) and not (
            self._paths[i].meets(others) or self._claims[i].meets(others) or stems & tokens
        )


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
    """Whether a folded text has this name in it, as a word or, where it is a long one, anywhere."""
    if name.isdecimal():
        return re.search(rf"(?:tasks?|steps?|items?|phases?|#)\s*{name}\b", text) is not None
    return name in tokens or (len(name) > _STEM and name in text)


def _folded(name: str) -> str:
    return name.casefold().strip()


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
