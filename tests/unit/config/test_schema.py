"""The schemas say what the readers say: a real validator judges what they judge, and every key is in both."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from jsonschema import Draft202012Validator

from stretto.analysis.lint import lint
from stretto.cli.schema import events
from stretto.config.files import read
from stretto.config.schema import settings
from stretto.core import events as core_events
from stretto.errors import ConfigError, PlanError
from stretto.formats.load import load
from stretto.formats.native_schema import PLAN
from stretto.formats.syntax.parse import parse
from unit.formats.corpus import ROOT, sample

SCHEMAS = {"plan": PLAN, "settings": settings(), "events": events()}


@pytest.mark.parametrize("name", SCHEMAS)
def test_they_are_schemas(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])


def fits(name: str, value: object) -> bool:
    return bool(Draft202012Validator(SCHEMAS[name]).is_valid(value))


PLANS = [*sorted(sample("stretto").iterdir()), *sorted(ROOT.glob("examples/*/plan.*"))]


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.name)
def test_plans_that_are_read_fit(path: Path) -> None:
    load(path)
    assert fits("plan", parse(path.name, path.read_bytes()).tree)


GOOD = {"id": "a", "prompt": "x"}
WRONG: list[dict[str, Any]] = [
    {"prompt": "x"},
    {**GOOD, "promt": "x"},
    {**GOOD, "priority": 6},
    {**GOOD, "priority": True},
    {**GOOD, "attempts": 0},
    {**GOOD, "timeout": "soon"},
    {**GOOD, "timeout": 0},
    {**GOOD, "writes": ["a", 1]},
    {**GOOD, "writes": [""]},
    {**GOOD, "verify": [{"run": "x", "approval": "y"}]},
    {**GOOD, "verify": [{}]},
    {**GOOD, "verify": {"run": "x", "expected": "two words"}},
    {**GOOD, "effect": "nothing"},
    {**GOOD, "critical": "yes"},
    {**GOOD, "depends_on": [{}]},
    {**GOOD, "id": None},
    {**GOOD, "id": []},
]


@pytest.mark.parametrize("task", WRONG, ids=str)
def test_what_is_wrong_in_a_plan_is_wrong_by_its_schema(task: dict[str, Any]) -> None:
    assert fits("plan", {"name": "n", "tasks": [GOOD]})
    whole = {"name": "n", "tasks": [task]}
    assert not fits("plan", whole)
    try:
        loaded = load("plan", msgspec.json.encode(whole))
        found = (*loaded.findings, *lint(loaded.plan))
    except PlanError as error:
        found = error.findings
    assert any(finding.severity == "error" for finding in found)


def known(where: str) -> set[str]:
    """The keys that the reader knows there, from what it says of one that nobody knows."""
    inside = {
        "the plan": '{"name": "n", "tasks": [], "zzzzzz": 1}',
        "defaults": '{"name": "n", "tasks": [], "defaults": {"zzzzzz": 1}}',
        "setup": '{"name": "n", "tasks": [], "setup": {"zzzzzz": 1}}',
        "gates": '{"name": "n", "tasks": [], "gates": {"zzzzzz": 1}}',
        "phase": '{"name": "n", "phases": [{"id": "p", "tasks": [], "zzzzzz": 1}]}',
        "task": '{"name": "n", "tasks": [{"id": "a", "prompt": "x", "zzzzzz": 1}]}',
        "check": '{"name": "n", "tasks": [{"id": "a", "prompt": "x", "verify": [{"run": "x", "zzzzzz": 1}]}]}',
    }
    (hint,) = (x.hint for x in load("plan", inside[where].encode()).findings if "zzzzzz" in x.message)
    return set(re.sub(r"^it may have: ", "", hint).split(", "))


def test_every_key_of_a_plan_is_in_both() -> None:
    top = PLAN["properties"]
    task, check = PLAN["$defs"]["task"]["properties"], PLAN["$defs"]["check"]["oneOf"]
    assert known("the plan") | {"phases"} == set(top)
    for name in ("defaults", "setup", "gates"):
        assert known(name) == set(top[name]["properties"])
    assert known("phase") == set(top["phases"]["items"]["properties"])
    assert known("task") == set(task)
    assert known("check") == {key for shape in check[1:] for key in shape["properties"]}


SETTINGS = [
    "parallel = 3\ntimeout = '15m'\n[env]\npass = ['A', 'B*']\n[agents.mine]\nprofile = 'shell'\ncommand = 'x'\n",
    "[agents.mine.env]\nA = 'b'\n[profiles.ci]\nparallel = 2\n",
    "parallel = 0\n",
    "parallel = '3'\n",
    "timeout = 'soon'\n",
    "on_failure = 'maybe'\n",
    "colour = 'red'\n",
    "[env]\npass = 'A'\n",
    "[env]\nuse = ['A']\n",
    "[profiles.ci]\nparalel = 2\n",
    "[agents.mine]\ncolour = 1\n",
    "[agents.mine.env]\nA = 1\n",
]


@pytest.mark.parametrize("text", SETTINGS)
def test_settings_are_judged_alike(text: str, tmp_path: Path) -> None:
    path = tmp_path / "stretto.toml"
    path.write_text(text)
    try:
        read(path, "repository")
        right = True
    except ConfigError:
        right = False
    assert fits("settings", tomllib.loads(text)) is right


def test_each_event_has_its_part() -> None:
    kinds = {part["$ref"].rpartition("/")[2] for part in SCHEMAS["events"]["anyOf"]}
    assert kinds == {kind.__name__ for kind in get_args(core_events.Event)}
    assert not fits("events", {"seq": 1, "kind": "Nothing"})
    assert not fits("events", {"seq": 1, "kind": "RunStarted"})
