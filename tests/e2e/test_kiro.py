"""A Kiro feature as people have it: run beside its papers, landed, its boxes ticked."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.toy import Toy
from unit.formats.corpus import sample

LIST = ".kiro/specs/lending/tasks.md"
AGENT = """
import os, pathlib, re
said = pathlib.Path(os.environ["STRETTO_PROMPT_FILE"]).read_text()
assert "Small steps." in said and "A desk is made of wood." in said, said
task = os.environ["STRETTO_TASK"]
own = said.split(f"## Your task: {task}")[1].split("## The requirements")[0]
if task == "2.1":
    assert "1.2. WHEN a book is out THE desk SHALL refuse" in said, said
for name in re.findall(r"`([\\w./]+)`", own) or ["notes.txt"]:
    path = pathlib.Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(task + "\\n")
"""
REQUIREMENTS = """### Requirement 1: Loans

1. WHEN a book is lent THE desk SHALL note it
2. WHEN a book is out THE desk SHALL refuse

### Requirement 2: Reminders

1. WHEN a loan is late THE desk SHALL write
2. IF there is no address THEN THE desk SHALL call

### Requirement 3: Command line
"""


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    files = {
        LIST: sample("kiro/waves.md").read_text(),
        ".kiro/specs/lending/requirements.md": REQUIREMENTS,
        ".kiro/specs/lending/design.md": "A desk is made of wood.\n",
        ".kiro/steering/product.md": "---\ninclusion: always\n---\nSmall steps.\n",
    }
    toy = Toy(tmp_path, files)
    (tmp_path / "agent.py").write_text(AGENT)
    return toy


def test_r6_4_a_feature_runs_to_the_end_and_its_boxes_are_ticked(toy: Toy) -> None:
    agent = f"shell: python3 {toy.root}/agent.py"
    before = (toy.repository / LIST).read_text()
    toy.stretto("run", LIST, "--agent", agent, "--only", "2.1", "--land", "--yes")
    once = (toy.repository / LIST).read_text()
    assert once == before.replace("- [ ] 2.1", "- [x] 2.1")
    toy.stretto("run", LIST, "--agent", agent, "--land", "--yes")
    after = (toy.repository / LIST).read_text()
    expected = once.replace("- [-] 2.3", "- [x] 2.3").replace("- [~] 4.2", "- [x] 4.2").replace("- [ ] ", "- [x] ")
    assert after == expected, "all but the optional task, which nobody has done"
    assert "- [ ]* 2.2" in after
    assert (toy.repository / "desk/loans.py").read_text() == "2.1\n2.3\n"
    assert (toy.repository / "desk/cli.py").read_text() == "4.1\n"
    assert "nothing" in toy.stretto("run", LIST, "--agent", agent, "--yes").stdout
