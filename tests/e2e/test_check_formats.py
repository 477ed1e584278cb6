"""`check` for other programs: annotations of GitHub and SARIF, of good plans, bad ones and unreadable ones (R11)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from e2e.toy import Toy

GOOD = "name: good\nphases: [{id: p, tasks: [{id: a, prompt: write the chapter on birds, writes: [birds.md]}]}]\n"
BAD = GOOD.replace("writes:", "depends_on: [nobody], writes:")
WARNS = GOOD.replace("}]}]", "}]}, {id: q, tasks: []}]")
MARKDOWN = "# Tasks: birds\n\n## Phase 1: Setup\n\n- [ ] T001 Make the folder in src/a.py\n- [-] T002 Fill src/b.py\n"


def check(toy: Toy, plan: str, format: str, *flags: str, code: int = 0) -> str:
    said = toy.stretto("check", plan, "--agent", "scripted", "--format", format, *flags, code=code)
    assert said.stderr == ""
    return said.stdout


def results(text: str) -> list[dict[str, Any]]:
    (run,) = json.loads(text)["runs"]
    found: list[dict[str, Any]] = run["results"]
    return found


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    files = {"plans/bad.yaml": BAD, "good.yaml": GOOD, "warns.yaml": WARNS, "broken.json": "{", "tasks.md": MARKDOWN}
    return Toy(tmp_path, files)


def test_a_good_plan_has_no_results(toy: Toy) -> None:
    assert check(toy, "good.yaml", "github") == "stretto check: nothing to complain about\n"
    assert results(check(toy, "good.yaml", "sarif")) == []


def test_places_are_told_from_the_top_of_the_repository_wherever_it_is_asked(toy: Toy) -> None:
    column = BAD.splitlines()[1].index("nobody") + 1
    command = f"::error file=plans/bad.yaml,line=2,col={column},title=unknown-id::"
    for plan, folder in (("plans/bad.yaml", toy.repository), ("bad.yaml", toy.repository / "plans")):
        toy.repository = folder
        assert check(toy, plan, "github", code=2).startswith(command)
        (result,) = results(check(toy, plan, "sarif", code=2))
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"] == {"uri": "plans/bad.yaml", "uriBaseId": "%SRCROOT%"}
        assert place["region"] == {"startLine": 2, "startColumn": column}


def test_a_plan_outside_of_the_repository_keeps_its_place(toy: Toy) -> None:
    (toy.root / "else.yaml").write_text(BAD)
    (result,) = results(check(toy, "../else.yaml", "sarif", code=2))
    where = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert where == {"uri": (toy.root / "else.yaml").resolve().as_uri()}


def test_markdown_has_columns_too(toy: Toy) -> None:
    commands = check(toy, "tasks.md", "github").splitlines()
    assert [line.partition("::[")[0] for line in commands if "unknown-status" in line] == [
        "::warning file=tasks.md,line=6,col=4,title=unknown-status"
    ]


@pytest.mark.parametrize(("plan", "code"), [("broken.json", "syntax"), ("nowhere.yaml", "unreadable")])
def test_r11_a_plan_that_cannot_be_read_is_a_result_as_well(toy: Toy, plan: str, code: str) -> None:
    assert check(toy, plan, "github", code=2).startswith(f"::error file={plan},")
    assert [each["ruleId"] for each in results(check(toy, plan, "sarif", code=2))] == [code]


def test_r11_the_least_severity_that_fails_counts_in_every_format(toy: Toy) -> None:
    for format in ("text", "json", "github", "sarif"):
        check(toy, "warns.yaml", format)
        check(toy, "warns.yaml", format, "--fail-on", "warning", code=2)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--format", "xml"), "there is no format 'xml'\nhint: there are text, json, github and sarif"),
        (("--format", "sarif", "--json"), "--json and --format sarif contradict each other\nhint: give one of them"),
    ],
)
def test_other_formats_are_refused(toy: Toy, flags: tuple[str, ...], said: str) -> None:
    assert toy.stretto("check", "good.yaml", *flags, code=2).stderr == f"error: {said}\n"


def test_several_plans_are_checked_in_one_go(toy: Toy) -> None:
    plans = ("good.yaml", "plans/bad.yaml", "nowhere.yaml")
    words = ("check", *plans, "--agent", "scripted")
    text = toy.stretto(*words, code=2).stdout
    assert [text.index(name) for name in ("good (stretto)", "plans/bad.yaml:", "nowhere.yaml: error")] == sorted(
        text.index(name) for name in ("good (stretto)", "plans/bad.yaml:", "nowhere.yaml: error")
    )
    told = json.loads(toy.stretto(*words, "--json", code=2).stdout)["plans"]
    assert [(each["file"], each["ok"], each["plan"]) for each in told] == [
        ("good.yaml", True, "good"), ("plans/bad.yaml", False, "good"), ("nowhere.yaml", False, None),
    ]  # fmt: skip
    runs = json.loads(toy.stretto(*words, "--format", "sarif", code=2).stdout)["runs"]
    assert [len(run["results"]) for run in runs] == [0, 1, 1]
    assert len({run["automationDetails"]["id"] for run in runs}) == 3
    commands = toy.stretto(*words, "--format", "github", code=2).stdout
    assert commands.count("::error file=") == 2
    assert set(json.loads(toy.stretto("check", "good.yaml", "--json").stdout)) == {"ok", "format", "plan", "findings"}
    toy.stretto("check", "good.yaml", "warns.yaml")
