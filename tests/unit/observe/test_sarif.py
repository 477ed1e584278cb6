"""Findings as SARIF 2.1.0: every object has what the standard asks for, and nothing that it does not know."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
import pytest

from stretto.model.plan import Finding, Location
from stretto.observe.codes import meanings
from stretto.observe.sarif import sarif

PAGE = Path(__file__).parents[3] / "docs" / "findings.md"
MESSAGE = {"text": str, "markdown": str}
SHAPES: Mapping[str, tuple[Mapping[str, Any], frozenset[str]]] = {
    "log": ({"$schema": str, "version": str, "runs": ["run"]}, frozenset({"version", "runs"})),
    "run": (
        {
            "tool": "tool", "automationDetails": "automation", "columnKind": str, "originalUriBaseIds": dict,
            "results": ["result"],
        },
        frozenset({"tool"}),
    ),
    "tool": ({"driver": "driver"}, frozenset({"driver"})),
    "driver": ({"name": str, "semanticVersion": str, "rules": ["rule"]}, frozenset({"name"})),
    "automation": ({"id": str}, frozenset()),
    "rule": (
        {
            "id": str, "shortDescription": "message", "fullDescription": "message", "help": "message",
            "defaultConfiguration": "configuration",
        },
        frozenset({"id"}),
    ),
    "message": (MESSAGE, frozenset({"text"})),
    "configuration": ({"level": str}, frozenset()),
    "result": (
        {
            "ruleId": str, "ruleIndex": int, "level": str, "message": "message", "locations": ["location"],
            "partialFingerprints": dict, "properties": dict,
        },
        frozenset({"message"}),
    ),
    "location": ({"physicalLocation": "physical"}, frozenset()),
    "physical": ({"artifactLocation": "artifact", "region": "region"}, frozenset({"artifactLocation"})),
    "artifact": ({"uri": str, "uriBaseId": str}, frozenset()),
    "region": ({"startLine": int, "startColumn": int}, frozenset()),
}  # fmt: skip
"""The objects of the standard that are used here: their properties that are used, and those that it demands."""


def fits(value: Any, shape: Any) -> bool:
    match shape:
        case str():
            known, needed = SHAPES[shape]
            return needed <= value.keys() <= known.keys() and all(fits(value[key], known[key]) for key in value)
        case [each]:
            return isinstance(value, list) and all(fits(one, each) for one in value)
        case _:
            return isinstance(value, shape)


def found(message: str = "`a` waits for `b`", *, code: str = "cycle", line: int = 3, **rest: Any) -> Finding:
    location = Location(file=rest.pop("file", "plan.yaml"), line=line, column=7)
    given: dict[str, Any] = {"severity": "error", "location": location, "message": message, "code": code}
    return Finding(**given | rest)


def written(*findings: Finding, file: str = "plan.yaml", top: str = "") -> dict[str, Any]:
    told = sarif(file, findings, within=lambda path: top + path)
    back: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(told))
    return back


def results(*findings: Finding, **rest: Any) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = written(*findings, **rest)["runs"][0]["results"]
    return told


SOME = (
    found(hint="cut it", tasks=("a", "b")),
    found(code="overlap", severity="warning", line=9),
    found(code="unknown-scope", severity="info", line=1),
    found(line=12),
    Finding(code="unreadable", severity="error", message="there is no such file"),
    found(code="not-on-the-page", severity="warning"),
)


@pytest.mark.parametrize("findings", [(), SOME], ids=["none", "some"])
def test_it_has_the_shape_of_the_standard(findings: tuple[Finding, ...]) -> None:
    log = written(*findings)
    assert fits(log, "log")
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules) == len({finding.code for finding in findings})
    assert [each["ruleId"] for each in run["results"]] == [finding.code for finding in findings]
    for each in run["results"]:
        assert rules[each["ruleIndex"]]["id"] == each["ruleId"]
        place = each["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uriBaseId"] in run["originalUriBaseIds"]
        assert min(place.get("region", {"startLine": 1}).values()) >= 1
    assert {level for x in (*rules, *run["results"]) if (level := x.get("level"))} <= {"error", "warning", "note"}


def test_what_a_finding_says_is_all_there() -> None:
    first, warning, info, _, nowhere, _ = results(*SOME)
    assert first["message"]["text"] == "`a` waits for `b`\nhint: cut it"
    assert first["locations"][0]["physicalLocation"]["region"] == {"startLine": 3, "startColumn": 7}
    assert first["properties"] == {"tasks": ["a", "b"]}
    assert [first["level"], warning["level"], info["level"]] == ["error", "warning", "note"]
    assert "region" not in nowhere["locations"][0]["physicalLocation"]


def test_rules_are_told_as_the_page_tells_them() -> None:
    rules = {rule["id"]: rule for rule in written(*SOME)["runs"][0]["tool"]["driver"]["rules"]}
    assert rules["cycle"]["shortDescription"]["text"] == "Tasks or phases wait for each other in a circle."
    assert "Why it matters: none of them" in rules["cycle"]["help"]["markdown"]
    assert rules["cycle"]["defaultConfiguration"] == {"level": "error"}
    assert rules["not-on-the-page"]["shortDescription"]["text"] == "not-on-the-page"


def test_every_section_of_the_page_is_understood() -> None:
    every = meanings()
    assert list(every) == re.findall(r"^## (.+)$", PAGE.read_text(), re.MULTILINE)
    for code, meaning in every.items():
        assert meaning.severity in ("error", "warning", "info"), code
        assert meaning.short.endswith(".") and "](" not in meaning.what, code
        assert meaning.advice.startswith("Why it matters: "), code
    assert meanings("") == {}


@pytest.mark.parametrize(
    ("path", "uri", "based"),
    [
        ("plan.yaml", "plan.yaml", True),
        ("my plans/a#1.md", "my%20plans/a%231.md", True),
        ("c:d/50%.md", "c%3Ad/50%25.md", True),
        ("plän.md", "pl%C3%A4n.md", True),
        ("/else where/plan.md", "file:///else%20where/plan.md", False),
    ],
)
def test_places_are_uris_from_the_top_of_the_repository(path: str, uri: str, based: bool) -> None:
    (result,) = results(found(file=path), file=path)
    where = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert where == {"uri": uri} | ({"uriBaseId": "%SRCROOT%"} if based else {})
    assert unquote(urlsplit(uri).path) == path


def prints(*findings: Finding, **rest: Any) -> list[str]:
    told = [result["partialFingerprints"] for result in results(*findings, **rest)]
    assert {tuple(each) for each in told} == {("strettoFinding/v1",)}
    return [each["strettoFinding/v1"] for each in told]


def test_fingerprints_stay_when_lines_move_and_figures_change() -> None:
    before = prints(found("`a` takes 3 min", line=3), found("`b` takes 3 min", line=4))
    assert prints(found("`a` takes 12 min", line=30), found("`b` takes 3 min", line=400)) == before
    assert prints(found("`b` takes 3 min", line=4)) == before[1:]


@pytest.mark.parametrize(
    "other",
    [found("`c` waits for `b`"), found(code="overlap"), found(file="other.yaml"), found("'a' waits for 'c'")],
)
def test_fingerprints_tell_findings_apart(other: Finding) -> None:
    assert prints(found()) != prints(other)
    assert len(set(prints(found(), other, found(), other))) == 4, "also those that say the same"


def test_two_plans_do_not_take_each_other_s_place() -> None:
    ids = {written(file=file)["runs"][0]["automationDetails"]["id"] for file in ("a.yaml", "b.yaml")}
    assert ids == {"stretto/a.yaml/", "stretto/b.yaml/"}
