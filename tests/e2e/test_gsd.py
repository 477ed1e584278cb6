"""A GSD phase as people have it: run by its roadmap, landed, and ticked in the roadmap."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.toy import Toy
from unit.formats.corpus import sample

AGENT = """
import os, pathlib, sys
said = pathlib.Path(os.environ["STRETTO_PROMPT_FILE"]).read_text()
assert "Small, plain Python" in said and "nobody types 400 bicycles" in said, said
names = ["hire/importer.py", "tests/test_importer.py", ".planning/ROADMAP.md", *sys.argv[1:]]
for name in names:
    path = pathlib.Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write("by " + os.environ["STRETTO_TASK"] + "\\n")
"""
ROADMAP = ".planning/ROADMAP.md"
SHOP = ".planning/phases/03-shop"
SUMMARY = ".planning/phases/01-bicycles/01-02-SUMMARY.md"


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    home = sample("gsd/.planning")
    files = {f".planning/{x.relative_to(home)}": x.read_text() for x in home.rglob("*.md")}
    toy = Toy(tmp_path, files | {"hire/bicycle.py": "bicycles = 400\n"})
    (tmp_path / "agent.py").write_text(AGENT)
    return toy


def ticked(text: str, *words: str) -> str:
    """The roadmap with the boxes before these words ticked, and nothing else changed."""
    for word in words:
        assert f"- [ ] {word}" in text
        text = text.replace(f"- [ ] {word}", f"- [x] {word}")
    return text


@pytest.mark.parametrize("summary", [[SUMMARY], []])
def test_r6_4_a_plan_that_has_landed_is_ticked_and_not_done_again(toy: Toy, summary: list[str]) -> None:
    agent = " ".join(["shell: python3", str(toy.root / "agent.py"), *summary])
    before = (toy.repository / ROADMAP).read_text()
    toy.stretto("run", ROADMAP, "--agent", agent, "--only", "01-02", "--land", "--yes")
    assert (toy.repository / "hire/importer.py").read_text() == "by 01-02\n"
    assert (toy.repository / SUMMARY).exists() == bool(summary)
    after = (toy.repository / ROADMAP).read_text()
    assert after == ticked(before, "01-02-PLAN.md", "**Phase 1: Bicycles**"), "not what the agent wrote into it"
    assert toy.git("status", "--porcelain") == ""
    again = toy.stretto("run", ROADMAP, "--agent", agent, "--only", "01-02", "--yes").stdout
    assert "nothing" in again


def test_r6_4_a_phase_is_run_and_ticked_and_the_same_again_does_only_what_is_left(toy: Toy) -> None:
    shop = {
        f"{SHOP}/03-0{i}-PLAN.md": f"---\nphase: 03-shop\nplan: 0{i}\nwave: 1\ndepends_on: []\nautonomous: true\n"
        f"files_modified: [shop/{i}.py]\n---\n\n<objective>\nPart {i}.\n</objective>\n"
        for i in (1, 2, 3)
    }
    lines = "".join(f"- [ ] 03-0{i}-PLAN.md — Part {i}\n" for i in (1, 2, 3))
    before = f"# Roadmap: Shop\n\n- [ ] **Phase 3: Shop**\n\n## Phase 3: Shop\n{lines}"
    toy.commit("a shop", {**shop, ROADMAP: before})
    agent = "shell: mkdir -p shop && echo $STRETTO_TASK >> shop/${STRETTO_TASK#03-0}.py"
    plan = f"{SHOP}/03-02-PLAN.md"
    toy.stretto("run", plan, "--agent", agent, "--only", "03-01", "--land", "--yes")
    assert (toy.repository / ROADMAP).read_text() == ticked(before, "03-01-PLAN.md")
    toy.stretto("run", plan, "--agent", agent, "--land", "--yes")
    assert (toy.repository / ROADMAP).read_text() == before.replace("[ ]", "[x]")
    assert {path.name: path.read_text() for path in (toy.repository / "shop").iterdir()} == {
        f"{i}.py": f"03-0{i}\n" for i in (1, 2, 3)
    }
    assert toy.git("status", "--porcelain") == ""
    assert "nothing" in toy.stretto("run", plan, "--agent", agent, "--yes").stdout


def test_a_plan_without_a_box_in_the_roadmap_is_known_by_what_has_landed(toy: Toy) -> None:
    before = (toy.repository / ROADMAP).read_text().replace("- [ ] 01-02-PLAN.md", "- 01-02-PLAN.md")
    toy.commit("one box less", {ROADMAP: before})
    agent = f"shell: python3 {toy.root}/agent.py"
    toy.stretto("run", ROADMAP, "--agent", agent, "--only", "01-02", "--land", "--yes")
    assert (toy.repository / ROADMAP).read_text() == before
    assert "nothing" in toy.stretto("run", ROADMAP, "--agent", agent, "--only", "01-02", "--yes").stdout


def test_a_folder_that_is_one_plan_is_opened(toy: Toy) -> None:
    whole = toy.stretto("check", ".planning").stdout
    assert whole == toy.stretto("check", ROADMAP).stdout
    one = toy.stretto("check", ".planning/phases/02-hire").stdout
    assert one == toy.stretto("check", ".planning/phases/02-hire/02-01-PLAN.md").stdout
    told = toy.stretto("check", ".planning/phases", code=2).stdout
    assert "01-bicycles/01-01-PLAN.md" in told
    assert "02-hire/02-01-PLAN.md" in told
    agent = f"shell: python3 {toy.root}/agent.py"
    toy.stretto("run", ".planning/", "--agent", agent, "--only", "01-02", "--land", "--yes")
    assert "- [x] 01-02-PLAN.md" in (toy.repository / ROADMAP).read_text()
