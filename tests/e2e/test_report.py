"""The report of a real run, in every form, to the screen and to files."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from e2e.toy import Toy

PLAN = r"""
name: shop
phases:
  - id: one
    tasks:
      - {id: a, title: The first, prompt: "write a.txt hi\nwrite b.txt too", writes: [a.txt], verify: [test -s a.txt]}
      - id: bad
        prompt: write bad.txt hi
        writes: [bad.txt]
        attempts: 2
        verify: ["printf 'no\\033[31m\\001|'; false"]
  - id: two
    tasks:
      - {id: c, prompt: write c.txt hi, depends_on: [bad]}
"""


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    toy = Toy(tmp_path, {"README": "hi\n", "p.yaml": PLAN})
    toy.stretto("run", "p.yaml", "--agent", "scripted", code=1)
    return toy


def test_r5_5_a_report_says_what_landed_what_did_not_and_how_to_go_on(toy: Toy) -> None:
    page = toy.stretto("report").stdout
    run, landed = toy.status()["run"], toy.git("rev-parse", toy.branch())[:10]
    assert "**ESCALATE**: 1 succeeded, 1 failed, 1 skipped." in page
    assert "| `a` | The first | 1 | " in page
    assert f"| `{landed}` |" in page
    assert "| `bad` |  | failed | 2 | unknown | check red:" in page
    assert "| `c` |  | skipped | 0 | – | needs 'bad', which failed |" in page
    assert "outside its claim: b.txt" in page
    assert f"stretto retry --run {run}" in page


def test_reports_are_written_to_files_whole(toy: Toy) -> None:
    toy.stretto("report", "--junit", "out.xml", "--html", "out.html")
    root = ET.parse(toy.repository / "out.xml").getroot()
    assert [(suite.get("name"), suite.get("tests"), suite.get("failures")) for suite in root] == [
        ("one", "2", "1"), ("two", "1", "0"),
    ]  # fmt: skip
    assert '<strong class="ESCALATE">' in (toy.repository / "out.html").read_text()
    assert sorted(path.name for path in toy.repository.glob(".out*")) == []
    told = json.loads(toy.stretto("report", "--json", "--junit", "/dev/null").stdout)
    assert (told["verdict"], [task["id"] for task in told["tasks"]]) == ("ESCALATE", ["a", "bad", "c"])


def test_a_report_that_cannot_be_written_says_why(toy: Toy) -> None:
    assert "No such file or directory" in toy.stretto("report", "--junit", "no/such/folder.xml", code=2).stderr
    assert "cannot write" in toy.stretto("report", "--html", ".", code=2).stderr
    assert "there is no run" in toy.stretto("report", "nobody", code=3).stderr
