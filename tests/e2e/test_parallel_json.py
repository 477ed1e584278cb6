"""A `parallel.json` with its folder as people have it: run, landed, and run again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from e2e.toy import Toy
from unit.formats.corpus import sample

HOME = "work-space/plans/GARDEN-SHOP"
PLAN = f"{HOME}/parallel.json"
AGENT = "shell: cat $STRETTO_PROMPT_FILE > told-$STRETTO_TASK && echo $STRETTO_TASK >> log"


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    folder = sample("parallel-json/GARDEN-SHOP")
    files = {f"{HOME}/{path.relative_to(folder)}": path.read_text() for path in folder.rglob("*.*") if path.is_file()}
    return Toy(tmp_path, files)


def test_r6_4_what_has_landed_is_done_though_neither_the_file_nor_its_folder_says_so(toy: Toy) -> None:
    toy.stretto("run", PLAN, "--agent", AGENT, "--land", "--yes")
    assert (toy.repository / "log").read_text().split() == ["1.2", "2.1", "2.2"], "1.1 is approved, and 1.3 skipped"
    told = {id: (toy.repository / f"told-{id}").read_text() for id in ("1.2", "2.1", "2.2")}
    assert "Tools come in three sizes." in told["1.2"] and "Begin with the spades." in told["1.2"]
    assert "a rake is missing" in told["1.2"]
    assert "A basket holds seeds and tools." in told["2.1"] and "Of another plan" not in told["2.1"]
    assert toy.git("status", "--porcelain") == "", "nothing was written beside the plan"

    again = toy.stretto("run", PLAN, "--agent", AGENT, "--yes").stdout
    assert "3 tasks landed by an earlier run" in again and "nothing is left to do" in again


def test_r6_4_what_is_said_of_a_task_beside_the_plan_is_a_part_of_it(toy: Toy) -> None:
    toy.stretto("run", PLAN, "--agent", AGENT, "--land", "--yes")
    paper = f"{HOME}/PLAN_GARDEN-SHOP.md"
    words = (toy.repository / paper).read_text()
    toy.commit("another plan", {paper: words.replace("Cash only.", "Cash and cards.")})
    toy.stretto("run", PLAN, "--agent", AGENT, "--land", "--yes")
    assert (toy.repository / "log").read_text().split() == ["1.2", "2.1", "2.2", "2.2"]

    toy.commit("a paper more", {f"{HOME}/subplans/SUBPLAN_GARDEN-SHOP_21.md": "# SUBPLAN\n\nWith a handle.\n"})
    toy.stretto("run", PLAN, "--agent", AGENT, "--land", "--yes")
    assert (toy.repository / "log").read_text().split() == ["1.2", "2.1", "2.2", "2.2", "2.1"]


def test_priorities_run_one_after_another(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"parallel.json": sample("parallel-json/priorities.json").read_text(), "tests/catalogue/t": ""})
    plan = json.loads((toy.repository / "parallel.json").read_text())
    for each in plan["achievements"]:
        each.pop("validation_script")
    toy.commit("no checks", {"parallel.json": json.dumps(plan)})
    toy.stretto("run", "parallel.json", "-j", "4", "--agent", AGENT, "--land", "--yes")
    done = (toy.repository / "log").read_text().split()
    assert (set(done[:2]), done[2:]) == ({"1.1", "1.2"}, ["2.1", "3.1"])
