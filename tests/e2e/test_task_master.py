"""A Task Master project as people have it: run, landed, its statuses written."""

from __future__ import annotations

import json
from pathlib import Path

from e2e.toy import Toy
from unit.formats.corpus import sample

FILE = ".taskmaster/tasks/tasks.json"
AGENT = "shell: mkdir -p done shop && echo x > done/$STRETTO_TASK && echo $STRETTO_TASK >> shop/log.py"


def test_r6_4_what_is_left_runs_in_order_and_is_done_in_the_file(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {FILE: sample("task-master/tagged.json").read_text()})
    before = json.loads((toy.repository / FILE).read_text())
    toy.stretto("run", FILE, "--agent", AGENT, "--land", "--yes")
    after = json.loads((toy.repository / FILE).read_text())
    states = {task["id"]: task["status"] for task in after["master"]["tasks"]}
    assert states == {
        1: "done", 2: "done", 3: "done", 4: "cancelled", 5: "deferred", 6: "pending", 7: "done",
    }  # fmt: skip
    assert (toy.repository / "shop/log.py").read_text().split() == ["2.2", "2.3", "3", "7"]
    assert after["master"]["metadata"] == before["master"]["metadata"]
