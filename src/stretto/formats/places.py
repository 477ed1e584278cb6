"""Where the parts of a plan stand, in one file or in several, and findings in the order of their places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from stretto.formats.syntax.source import Source, Steps
from stretto.model.plan import Finding, Location


class Places(Mapping[str, Location]):
    """Where the parts of a plan stand in its file; looked up when asked, for most are never asked.

    A name that was not marked is looked for beneath the longest one that was: `task:a:writes:1` is step `writes`,
    then step 1, from where `task:a` stands.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._steps: dict[str, Steps] = {}
        self._copies: dict[str, int] = {}
        """The last number that was given to a name, where there was more than one."""

    def mark(self, name: str, steps: Steps) -> str:
        """Note where `name` stands; a second one of that name becomes `name#2`. Returns the name it got."""
        if name not in self._steps:
            self._steps[name] = steps
            return name
        unique, n = name, self._copies.get(name, 1)
        while unique in self._steps:
            n += 1
            unique = f"{name}#{n}"
        self._copies[name] = n
        self._steps[unique] = steps
        return unique

    def claims(self, owner: str, found: Iterable[tuple[str, Steps]]) -> tuple[str, ...]:
        """Paths that a task will write, each once, with the place where it is named first."""
        first: dict[str, Steps] = {}
        for path, steps in found:
            first.setdefault(path, steps)
        for i, steps in enumerate(first.values()):
            self.mark(f"{owner}:writes:{i}", steps)
        return tuple(first)

    def __getitem__(self, name: str) -> Location:
        return self._source.location(self.steps(name))

    def steps(self, name: str) -> Steps:
        """The way to it from the root. Raises KeyError."""
        known, rest = name, ""
        while known not in self._steps:
            known, colon, last = known.rpartition(":")
            if not colon:
                raise KeyError(name)
            rest = f":{last}{rest}"
        return self._steps[known] + tuple(int(x) if x.isdecimal() else x for x in rest.split(":")[1:])

    def __iter__(self) -> Iterator[str]:
        return iter(self._steps)

    def __len__(self) -> int:
        return len(self._steps)


class Spread(dict[str, Location]):
    """Where the parts of a plan of several files stand; what has no place of its own is where its owner is:
    `task:a:writes:1` where `task:a` stands."""

    def __missing__(self, name: str) -> Location:
        owner, colon, _ = name.rpartition(":")
        if not colon:
            raise KeyError(name)
        return self[owner]


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Errors first, then file by file as they stand there."""
    return sorted(findings, key=_order)


def _order(finding: Finding) -> tuple[int, str, int, int]:
    severity = ("error", "warning", "info").index(finding.severity)
    place = finding.location
    return (severity, place.file, place.line, place.column) if place else (severity, "", 0, 0)
