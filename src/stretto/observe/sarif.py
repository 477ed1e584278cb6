"""Findings as SARIF 2.1.0, the form in which code scanning and editors take the results of any analyser."""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from stretto import __version__
from stretto.model.plan import Finding
from stretto.observe.codes import Meaning, meanings
from stretto.observe.findings import with_hint

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS: Mapping[str, str] = {"error": "error", "warning": "warning", "info": "note"}
_NAMED = re.compile(r"`[^`]*`|(?<!\w)'[^']*'(?!\w)")


def sarif(
    file: str, findings: Sequence[Finding], *, within: Callable[[str], str], known: Mapping[str, Meaning] | None = None
) -> dict[str, Any]:
    """One run, ready to be written as JSON. `within` turns a path as it was given into one from the top of the
    repository; one that lies elsewhere stays absolute. `known` says what codes mean; default: the page of findings."""
    known = meanings() if known is None else known
    codes = list(dict.fromkeys(finding.code for finding in findings))
    seen: Counter[str] = Counter()
    results = []
    for finding in findings:
        where = _artifact(within(finding.location.file if finding.location else file))
        what = _identity(finding, where["uri"])
        seen[what] += 1
        results.append(_result(finding, codes.index(finding.code), where, f"{what}:{seen[what]}"))
    driver = {
        "name": "stretto",
        "semanticVersion": __version__,
        "rules": [_rule(code, known.get(code), findings) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        # Uploads of two plans of one commit must not take each other's place.
        "automationDetails": {"id": f"stretto/{_artifact(within(file))['uri']}/"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The top of the repository."}}},
        "results": results,
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(finding: Finding, rule: int, where: Mapping[str, str], fingerprint: str) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": where}
    if finding.location:
        place["region"] = {"startLine": finding.location.line, "startColumn": finding.location.column}
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": LEVELS[finding.severity],
        "message": {"text": with_hint(finding)},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"strettoFinding/v1": fingerprint},
    }
    if finding.tasks:
        result["properties"] = {"tasks": list(finding.tasks)}
    return result


def _rule(code: str, meaning: Meaning | None, findings: Iterable[Finding]) -> dict[str, Any]:
    """What a viewer tells about a code; one that the page does not have is told by its name."""
    if meaning is None:
        severity = next(finding.severity for finding in findings if finding.code == code)
        meaning = Meaning(severity=severity, short=code, what=code, advice="")
    help = "\n\n".join(part for part in (meaning.what, meaning.advice) if part)
    return {
        "id": code,
        "shortDescription": {"text": meaning.short},
        "fullDescription": {"text": meaning.what},
        "help": {"text": help, "markdown": help},
        "defaultConfiguration": {"level": LEVELS[meaning.severity]},
    }


def _artifact(path: str) -> dict[str, str]:
    if PurePath(path).is_absolute():
        return {"uri": PurePath(path).as_uri()}
    return {"uri": quote(os.fsencode(path)), "uriBaseId": "%SRCROOT%"}


def _identity(finding: Finding, uri: str) -> str:
    """The same for the same trouble, wherever its line has moved, and whatever figures or words tell of it: a finding
    is known by its code, its file and the names in its message."""
    named = _NAMED.findall(finding.message)
    return hashlib.sha256("\0".join((finding.code, uri, *named)).encode("utf-8", "surrogatepass")).hexdigest()[:32]
