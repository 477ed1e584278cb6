"""Findings as annotations of a pull request: the workflow commands of GitHub Actions.

Whatever comes from a plan is escaped, so that no id or path in it can be a command of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from stretto.model.excerpt import legible
from stretto.model.plan import Finding
from stretto.observe.findings import folded, tally, with_hint

COMMANDS: Mapping[str, str] = {"error": "error", "warning": "warning", "info": "notice"}
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = _DATA | str.maketrans({":": "%3A", ",": "%2C"})


def workflow_commands(file: str, findings: Sequence[Finding], *, within: Callable[[str], str]) -> Iterator[str]:
    """One command a finding, and a count at the end. `within` turns a path as it was given into one from the top of
    the repository, where GitHub looks for it. GitHub shows ten of each severity a step, so many of one code are folded
    as they are for people."""
    shown, _ = folded(findings)
    for finding in shown:
        place = finding.location
        properties = {"file": within(place.file if place else file)}
        if place:
            properties |= {"line": str(place.line), "col": str(place.column)}
        properties["title"] = finding.code
        said = ",".join(f"{key}={value.translate(_PROPERTY)}" for key, value in properties.items())
        yield f"::{COMMANDS[finding.severity]} {said}::{legible(with_hint(finding)).translate(_DATA)}"
    yield f"stretto check: {tally(findings)}"
