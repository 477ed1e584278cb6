"""Where the parts of a plan stand that is spread over several files."""

from __future__ import annotations

from collections.abc import Iterable

from stretto.model.plan import Finding, Location


class Spread(dict[str, Location]):
    """Places by name; what has none of its own is where its owner is: `task:a:writes:1` where `task:a` stands."""

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
