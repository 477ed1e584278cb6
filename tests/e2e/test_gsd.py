"""A GSD phase as people have it: run by its roadmap, landed, done by its summary or by the run's journal."""

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
SUMMARY = ".planning/phases/01-bicycles/01-02-SUMMARY.md"


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    home = sample("gsd/.planning")
    files = {f".planning/{x.relative_to(home)}": x.read_text() for x in home.rglob("*.md")}
    toy = Toy(tmp_path, files | {"hire/bicycle.py": "bicycles = 400\n"})
    (tmp_path / "agent.py").write_text(AGENT)
    return toy


@pytest.mark.parametrize("summary", [[SUMMARY], []])
def test_a_plan_that_has_landed_is_not_done_again(toy: Toy, summary: list[str]) -> None:
    agent = " ".join(["shell: python3", str(toy.root / "agent.py"), *summary])
    before = (toy.repository / ROADMAP).read_text()
    toy.stretto("run", ROADMAP, "--agent", agent, "--only", "01-02", "--land", "--yes")
    assert (toy.repository / "hire/importer.py").read_text() == "by 01-02\n"
    assert (toy.repository / SUMMARY).exists() == bool(summary)
    assert (toy.repository / ROADMAP).read_text() == before, "the plan's own file is not an agent's to change"
    again = toy.stretto("run", ROADMAP, "--agent", agent, "--only", "01-02", "--yes").stdout
    assert "nothing" in again


def test_the_folder_is_told_by_which_file_it_goes(toy: Toy) -> None:
    assert "name .planning/ROADMAP.md" in toy.stretto("check", ".planning", code=2).stdout
