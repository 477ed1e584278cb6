"""An export of beads: run, landed, its issues closed, and run again for what is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.toy import Toy
from unit.formats.corpus import sample

LIST = ".beads/issues.jsonl"
AGENT = """
import os, pathlib
said = pathlib.Path(os.environ["STRETTO_PROMPT_FILE"]).read_text()
task = os.environ["STRETTO_TASK"]
assert f"({task})" in said, said
names = {"loom-e1.2": "loom/repeat.py", "loom-7f": "loom/shafts.py"}
path = pathlib.Path(names.get(task, f"notes/{task}.txt"))
path.parent.mkdir(parents=True, exist_ok=True)
path.write_text(task)
"""


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    toy = Toy(tmp_path, {LIST: sample("beads/issues.jsonl").read_text()})
    (tmp_path / "agent.py").write_text(AGENT)
    return toy


def test_r6_4_issues_are_done_and_closed(toy: Toy) -> None:
    agent = f"shell: python3 {toy.root}/agent.py"
    before = (toy.repository / LIST).read_text().splitlines()
    toy.stretto("run", LIST, "--agent", agent, "--land", "--yes")
    after = (toy.repository / LIST).read_text().splitlines()
    done = ("loom-e1.2", "loom-7f", "loom-9x", "loom-ad")
    for old, new in zip(before, after, strict=True):
        is_done = any(f'"id":"{id}"' in old for id in done)
        words = ("open", "in_progress", "review")
        closed = [old.replace(f'"status":"{word}"', '"status":"closed"') for word in words if f'"{word}"' in old]
        assert new == (closed[0] if is_done else old)
    assert (toy.repository / "loom/shafts.py").read_text() == "loom-7f"
    assert "nothing" in toy.stretto("run", LIST, "--agent", agent, "--yes").stdout
