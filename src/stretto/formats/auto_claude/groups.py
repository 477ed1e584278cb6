"""Groups of phases that a plan's summary calls parallel, held against what its phases wait for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stretto.formats.reading import Reading, Table, shown
from stretto.formats.syntax.source import Steps
from stretto.model.plan import Phase

_AT: Steps = ("summary", "parallelism", "parallel_groups")
_NEVER_ALONE = 2


def compare(reading: Reading, root: Table, phases: Sequence[Phase], names: Mapping[str, str]) -> None:
    """Report groups whose phases wait for each other. `names`: everything that a phase may be called, and its id."""
    waits = {phase.id: phase.depends_on for phase in phases}
    found = []
    for steps, group in _groups(root):
        members = list(dict.fromkeys(names[name] for name in group if name in names))
        before = {id: _before(id, waits) for id in members}
        found += [(steps, later, other) for later in members for other in members if other in before[later]]
    if found:
        steps, later, other = found[0]
        more = f", and {len(found) - 1} more like that" if len(found) > 1 else ""
        reading.report(
            "groups-differ",
            f"the summary calls phases {shown(other)!r} and {shown(later)!r} parallel, but the second waits for the"
            f" first{more}",
            steps,
            "what counts is `depends_on`: take it out there, or the phase out of the group",
        )


def _groups(root: Table) -> Iterator[tuple[Steps, list[str]]]:
    value: object = root.values
    for key in _AT:
        value = value.get(str(key)) if isinstance(value, dict) else None
    for i, group in enumerate(value if isinstance(value, list) else ()):
        phases = group.get("phases") if isinstance(group, dict) else None
        named = [str(x) for x in phases if isinstance(x, str | int)] if isinstance(phases, list) else []
        if len(named) >= _NEVER_ALONE:
            yield (*_AT, i, "phases"), named


def _before(id: str, waits: Mapping[str, Sequence[str]]) -> set[str]:
    """All that a phase waits for in the end, without itself."""
    seen: set[str] = set()
    front = [id]
    while front:
        for name in waits.get(front.pop(), ()):
            if name not in seen:
                seen.add(name)
                front.append(name)
    return seen - {id}
