"""Which phase waits for which: what the file says, what its planner would have said, and the last ones last."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence

from stretto.formats.auto_claude.prompt import title
from stretto.formats.dynamic_phases.domains import domain_of
from stretto.formats.dynamic_phases.shape import id_of
from stretto.model.plan import Value

_NONE = {"", "none", "n/a", "-"}
_NAMED = re.compile(r"\s*(?:,|;|\band\b|&)\s*")
_LABELS = {
    "project setup": "setup",
    "database schema": "database",
    "database setup": "database",
    "authentication system": "auth",
}
"""What the planner calls phases in `dependencyNames`, whatever their names are."""
_NEEDS_AUTH = {"admin", "ui-role", "analytics"}
_BEFORE_DATABASE = {"setup", "database"}
ALL = "all previous phases"


class Known(Value, frozen=True, kw_only=True):
    """A phase, as others may speak of it."""

    id: str
    values: dict[str, object]
    domain: str


class Names:
    """Everything that a dependency may call a phase."""

    def __init__(self, phases: Sequence[Known]) -> None:
        self._ids = {phase.id for phase in phases}
        self._named: dict[str, list[str]] = {}
        self._first: dict[str, Known] = {}
        self._rank: dict[str, int] = {}
        for phase in phases:
            self._named.setdefault(_folded(title(phase.values, "name", "title")), []).append(phase.id)
            self._first.setdefault(phase.domain, phase)
        ids = [phase.id for phase in phases]
        if all(id.isdecimal() for id in ids):
            ids.sort(key=lambda id: (len(id), id))
        for id in ids:
            self._rank.setdefault(id, len(self._rank))
        self._start = ids[0] if ids else None

    def ids(self, text: str) -> list[str]:
        """The phases that an entry of `dependencies` names; the text itself where it names none."""
        if text.strip().casefold() in _NONE:
            return []
        found = self._known(text)
        if not found:
            parts = [self._known(part) for part in _NAMED.split(text.strip())]
            found = [id for part in parts for id in part] if all(parts) else []
        return found or [id_of(text) or text]

    def called(self, name: str) -> list[str]:
        """The phases of exactly this name."""
        return self._named.get(_folded(name), []) if name.strip() else []

    def labelled(self, name: str) -> list[str]:
        """The phases that an entry of `dependencyNames` means; the text itself where it means none."""
        folded = _folded(name)
        if folded in _NONE or folded == ALL:
            return []
        if found := self._known(name):
            return found
        phase = self._first.get(_LABELS.get(folded, folded))
        return [phase.id] if phase else [name]

    def guessed(self, phase: Known) -> Iterator[str]:
        """What the planner writes down for a phase: the first one, what its features name, the database, auth."""
        wanted = [self._start, *self._of_features(phase)]
        if phase.domain not in _BEFORE_DATABASE:
            wanted.append(self._of_domain("database"))
        if phase.domain in _NEEDS_AUTH:
            wanted.append(self._of_domain("auth"))
        mine = self._rank[phase.id]
        yield from dict.fromkeys(id for id in wanted if id is not None and self._rank[id] < mine)

    def _known(self, text: str) -> list[str]:
        id = id_of(text)
        return [id] if id in self._ids and id is not None else self.called(text)

    def _of_domain(self, domain: str) -> str | None:
        phase = self._first.get(domain)
        return phase.id if phase else None

    def _of_features(self, phase: Known) -> Iterator[str]:
        details = phase.values.get("featureDetails")
        for detail in details if isinstance(details, list) else ():
            needs = detail.get("dependencies") if isinstance(detail, dict) else None
            for need in needs if isinstance(needs, list) else ():
                if isinstance(need, str):
                    yield from (id for id in self.labelled(need) if id in self._ids)


def finish(needs: dict[str, list[str]], last: set[str]) -> dict[str, list[str]]:
    """What the phases of `last` have to wait for besides: all that do not wait for them, through the ends of chains.

    `needs`: of every phase, in the order of the file. Where the order has a circle, what is behind it gets nothing."""
    waiting: dict[str, list[str]] = {}
    left = dict.fromkeys(needs, 0)
    rank = {id: i for i, id in enumerate(needs)}
    for id, names in needs.items():
        for name in dict.fromkeys(names):
            if name in needs:
                waiting.setdefault(name, []).append(id)
                left[id] += 1
    first = deque(id for id, n in left.items() if n == 0 and id not in last)
    later = deque(id for id, n in left.items() if n == 0 and id in last)
    ends: dict[str, None] = {}
    added: dict[str, list[str]] = {}
    while first or later:
        id = (first or later).popleft()
        own = set(needs[id])
        if id in last:
            if more := [end for end in ends if end not in own]:
                added[id] = sorted(more, key=rank.__getitem__)
            ends.clear()
        for name in own:
            ends.pop(name, None)
        ends[id] = None
        for other in waiting.get(id, ()):
            left[other] -= 1
            if left[other] == 0:
                (later if other in last else first).append(other)
    return added


def known(id: str, phase: dict[str, object]) -> Known:
    return Known(id=id, values=phase, domain=domain_of(phase))


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
