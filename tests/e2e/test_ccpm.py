"""A ccpm epic as people have it: run by its folder's files, landed, its task files closed."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.toy import Toy
from unit.formats.corpus import sample

EPIC = ".claude/epics/gift-cards"
AGENT = """
import os, pathlib, re
said = pathlib.Path(os.environ["STRETTO_PROMPT_FILE"]).read_text()
assert "What customers want." in said and "Customers buy a gift card" in said, said
task = os.environ["STRETTO_TASK"]
for name in (f"done/{task}.txt", ".claude/epics/gift-cards/epic.md", f".claude/epics/gift-cards/{task}.md"):
    path = pathlib.Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write("by " + task + "\\n")
"""


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    texts = {path.name: path.read_text() for path in sample("ccpm/gift-cards").iterdir()}
    files = {f"{EPIC}/{name}": text for name, text in texts.items()}
    toy = Toy(tmp_path, files | {".claude/prds/gift-cards.md": "What customers want.\n", "README": "shop\n"})
    (tmp_path / "agent.py").write_text(AGENT)
    return toy


def papers(toy: Toy) -> dict[str, str]:
    return {path.name: path.read_text() for path in (toy.repository / EPIC).iterdir()}


def closed(before: dict[str, str], *ids: str) -> dict[str, str]:
    """The epic with these tasks closed, and nothing else changed."""
    after = dict(before)
    for id in ids:
        for word in ("open", "in-progress"):
            after[f"{id}.md"] = after[f"{id}.md"].replace(f"status: {word}\n", "status: closed\n")
        after["epic.md"] = after["epic.md"].replace(f"- [ ] {id}.md", f"- [x] {id}.md")
    after["epic.md"] = after["epic.md"].replace("progress: 0%", f"progress: {20 * len(ids)}%")
    return after


def test_r6_4_an_epic_runs_to_the_end_and_all_its_files_say_so(toy: Toy) -> None:
    agent = f"shell: python3 {toy.root}/agent.py"
    before = papers(toy)
    toy.stretto("run", f"{EPIC}/epic.md", "--agent", agent, "--only", "001", "--land", "--yes")
    assert papers(toy) == closed(before, "001"), "what the agent wrote into them is not taken along"
    assert toy.git("status", "--porcelain") == ""
    toy.stretto("run", f"{EPIC}/epic.md", "--agent", agent, "--land", "--yes")
    assert papers(toy) == closed(before, "001", "002", "003", "004", "005")
    assert sorted(path.stem for path in (toy.repository / "done").iterdir()) == ["001", "002", "003", "004", "005"]
    assert "nothing" in toy.stretto("run", f"{EPIC}/epic.md", "--agent", agent, "--yes").stdout


def test_r6_4_files_that_git_does_not_track_are_written_when_the_run_lands(toy: Toy) -> None:
    toy.git("rm", "-r", "-q", "--cached", EPIC)
    toy.commit("the epics are nobody else's business", {".gitignore": ".claude/epics\n"})
    before = papers(toy)
    agent = f"shell: python3 {toy.root}/agent.py"
    toy.stretto("run", f"{EPIC}/002.md", "--agent", agent, "--only", "001", "--only", "004", "--land", "--yes")
    assert papers(toy) == closed(before, "001", "004")


def test_r6_4_of_an_epic_that_git_tracks_in_part_each_file_is_written_where_it_is(toy: Toy) -> None:
    toy.git("rm", "-q", "--cached", f"{EPIC}/epic.md")
    toy.commit("the epic alone is nobody else's business", {".gitignore": "epic.md\n"})
    before = papers(toy)
    agent = f"shell: python3 {toy.root}/agent.py"
    toy.stretto("run", f"{EPIC}/epic.md", "--agent", agent, "--only", "001", "--land", "--yes")
    assert papers(toy) == closed(before, "001")
    assert "status: closed" in toy.git("show", f"HEAD:{EPIC}/001.md")
    assert toy.git("status", "--porcelain") == ""


def test_a_folder_that_is_one_epic_is_opened(toy: Toy) -> None:
    assert toy.stretto("check", EPIC).stdout == toy.stretto("check", f"{EPIC}/epic.md").stdout
    shown = [toy.stretto("show", plan, "--json").stdout for plan in (f"{EPIC}/", f"{EPIC}/epic.md")]
    assert shown[0] == shown[1]
    assert "name a file in it: gift-cards/001.md" in toy.stretto("check", ".claude/epics", code=2).stdout
    toy.commit("a plan beside it", {f"{EPIC}/plan.yaml": "name: n\ntasks: []\n"})
    assert "name a file in it: 001.md" in toy.stretto("check", EPIC, code=2).stdout


def test_a_warning_before_a_run_names_its_place_where_that_is_not_in_the_file_that_was_named(toy: Toy) -> None:
    text = (toy.repository / EPIC / "001.md").read_text()
    toy.write(
        {f"{EPIC}/099.md": "Nobody wrote keys.\n", f"{EPIC}/001.md": text.replace("\nstatus: open", "\nstatus: odd")}
    )
    told = {
        name: toy.stretto("run", f"{EPIC}/{name}", "--dry-run", "--agent", "shell: true")
        for name in ("epic.md", "001.md")
    }
    for name in told:
        assert f"warning: {EPIC}/099.md:1:1: this file is no task of the plan: " in told[name].stdout
    assert f"warning: {EPIC}/001.md:3:9: `status` of task '001' is 'odd'" in told["epic.md"].stdout
    assert "warning: `status` of task '001' is 'odd'" in told["001.md"].stdout
