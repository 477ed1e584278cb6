"""A TODO.md as people have it: run, landed, its boxes ticked, and run again for what is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.toy import Toy
from unit.formats.corpus import sample

AGENT = """
import os, pathlib, re
said = pathlib.Path(os.environ["STRETTO_PROMPT_FILE"]).read_text()
assert "drive a small kiln" in said and "reads the probe once a second" in said, said
own = said.partition("## Your task: " + os.environ["STRETTO_TASK"] + "\\n")[2].partition("This is one task")[0]
for name in re.findall(r"[\\w./]+\\.(?:py|toml|md|html)", own) or ["notes.txt"]:
    path = pathlib.Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(os.environ["STRETTO_TASK"] + "\\n")
"""


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    toy = Toy(tmp_path, {"PLAN.md": sample("checklist/phases.md").read_text(), "CHANGELOG.md": "# Changes\n"})
    (tmp_path / "agent.py").write_text(AGENT)
    return toy


def test_r6_4_a_checklist_runs_to_the_end_and_its_boxes_are_ticked(toy: Toy) -> None:
    agent = f"shell: python3 {toy.root}/agent.py"
    before = (toy.repository / "PLAN.md").read_text()
    toy.stretto("run", "PLAN.md", "--agent", agent, "--only", "1.2", "--land", "--yes")
    one = (toy.repository / "PLAN.md").read_text()
    assert one == before.replace("- [ ] **1.2**", "- [x] **1.2**")
    toy.stretto("run", "PLAN.md", "--agent", agent, "--land", "--yes")
    after = (toy.repository / "PLAN.md").read_text()
    done, rest = before.split("#### Done when")
    criteria, later = rest.split("## Phase 3")
    work, out = later.split("## Out of scope")
    assert after == (
        done.replace("[ ]", "[x]") + "#### Done when" + criteria + "## Phase 3"
        + work.replace("[ ]", "[x]") + "## Out of scope" + out
    )  # fmt: skip
    assert (toy.repository / "kiln/limits.py").read_text() == "cut-off-at-1300-c-in-kiln-limits-py\n"
    assert (toy.repository / "CHANGELOG.md").read_text() == "# Changes\nREL-2\n"
    assert not (toy.repository / "kiln/__init__.py").exists(), "it was done before"
    assert "nothing" in toy.stretto("run", "PLAN.md", "--agent", agent, "--yes").stdout


def test_r6_4_a_list_with_edits_that_nobody_has_committed_is_ticked_where_it_stands(toy: Toy) -> None:
    toy.commit("list", {"TODO.md": "- [x] Write docs/a.md\n\nLater:\n\n"})
    with (toy.repository / "TODO.md").open("a") as file:
        file.write("- [ ] Write docs/d.md\n")
    agent = "shell: mkdir -p docs && echo d > docs/d.md"
    toy.stretto("run", "TODO.md", "--agent", agent, "--land", "--yes")
    assert (toy.repository / "TODO.md").read_text() == "- [x] Write docs/a.md\n\nLater:\n\n- [x] Write docs/d.md\n"
    assert toy.git("show", "HEAD:TODO.md") == "- [x] Write docs/a.md\n\nLater:\n\n", (
        "what they wrote is theirs to commit"
    )
    assert toy.git("status", "--porcelain") == " M TODO.md\n"
    assert "nothing" in toy.stretto("run", "TODO.md", "--agent", agent, "--yes").stdout


def test_r6_4_edits_right_beside_a_box_that_the_run_ticks_are_kept_with_the_tick(toy: Toy) -> None:
    toy.commit("list", {"TODO.md": "- [ ] Write docs/a.md\n- [ ] Write docs/b.md\n"})
    agent = "shell: mkdir -p docs && echo x > docs/$STRETTO_TASK.md"
    toy.stretto("run", "TODO.md", "--agent", agent, "--yes")
    mine = "- [ ] Write docs/a.md\n- mine\n- [ ] Write docs/b.md\n- [ ] Write docs/c.md\n"
    toy.write({"TODO.md": mine})
    toy.stretto("land")
    ticked = mine.replace("[ ] Write docs/a", "[x] Write docs/a").replace("[ ] Write docs/b", "[x] Write docs/b")
    assert (toy.repository / "TODO.md").read_text() == ticked
    assert toy.git("show", "HEAD:TODO.md") == "- [x] Write docs/a.md\n- [x] Write docs/b.md\n"
    assert toy.git("status", "--porcelain") == " M TODO.md\n"
