"""A spec-kit feature as people have it: run beside its papers, landed, its boxes ticked."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.toy import Toy
from unit.formats.corpus import sample

LIST = "specs/004-orders/tasks.md"
AGENT = """
import os, pathlib, re
said = pathlib.Path(os.environ["STRETTO_PROMPT_FILE"]).read_text()
assert "Small steps." in said and "Orders have lines." in said, said
task = os.environ["STRETTO_TASK"]
line = next(x for x in open(os.environ["LIST"]) if task in x)
for name in re.findall(r"[\\w./]+\\.(?:py|toml|md)", line) or ["notes.txt"]:
    path = pathlib.Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(task + "\\n")
"""


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    text = sample("spec-kit/stories.md").read_text()
    files = {
        LIST: text, "specs/004-orders/spec.md": "Orders have lines.\n", "specs/004-orders/plan.md": "Plain Python.\n",
        ".specify/memory/constitution.md": "Small steps.\n", "stretto.toml": '[env]\npass = ["LIST"]\n',
    }  # fmt: skip
    toy = Toy(tmp_path, files)
    (tmp_path / "agent.py").write_text(AGENT)
    (tmp_path / "list.md").write_text(text)
    toy.env["LIST"] = str(tmp_path / "list.md")
    return toy


def test_r6_4_a_feature_runs_to_the_end_and_its_boxes_are_ticked(toy: Toy) -> None:
    agent = f"shell: python3 {toy.root}/agent.py"
    before = (toy.repository / LIST).read_text()
    toy.stretto("run", LIST, "--agent", agent, "--only", "T002", "--land", "--yes")
    assert (toy.repository / LIST).read_text() == before.replace("- [ ] T002", "- [X] T002")
    toy.stretto("run", LIST, "--agent", agent, "--land", "--yes")
    after = (toy.repository / LIST).read_text()
    assert after == before.replace("- [ ] T0", "- [X] T0"), "the samples in comments and fences stay as they were"
    assert (toy.repository / "shop/orders.py").read_text() == "T010\n"
    assert not (toy.repository / "shop/never.py").exists()
    assert "nothing" in toy.stretto("run", LIST, "--agent", agent, "--yes").stdout
