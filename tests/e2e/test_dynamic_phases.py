"""A dynamic phase plan as an app builder leaves it: run, landed, its states and lists written."""

from __future__ import annotations

import json
from pathlib import Path

from e2e.toy import Toy
from unit.formats.corpus import sample

FILE = "docs/phase-plan.json"
AGENT = "shell: mkdir -p done src/lib && echo x > done/$STRETTO_TASK && echo $STRETTO_TASK >> src/lib/export.ts"


def test_r6_4_what_is_left_runs_in_order_and_is_done_in_the_file(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {FILE: sample("dynamic-phases/bakery.json").read_text()})
    before = json.loads((toy.repository / FILE).read_text())
    # Only phases 7 and 8 say that they write that file; they take turns, and polish comes last.
    toy.stretto("run", FILE, "--only", "7,8", "--agent", AGENT, "--land", "--yes", code=0)
    assert sorted((toy.repository / "src/lib/export.ts").read_text().split()) == ["7", "8"]
    rest = "shell: mkdir -p done && cp -r done before-$STRETTO_TASK && echo x > done/$STRETTO_TASK"
    toy.stretto("run", FILE, "--agent", rest, "--land", "--yes", code=0)
    after = json.loads((toy.repository / FILE).read_text())
    states = {phase["number"]: phase["status"] for phase in after["phases"]}
    assert states == dict.fromkeys((1, 2, 3, 4, 5, 7, 8, 9), "completed") | {6: "skipped"}
    assert sorted(after["completedPhaseNumbers"]) == [1, 2, 3, 4, 5, 7, 8, 9]
    assert (after["failedPhaseNumbers"], after["currentPhaseNumber"]) == ([], 10)
    assert sorted(x.name for x in (toy.repository / "before-9").iterdir()) == ["3", "4", "5", "7", "8"]
    assert after["concept"] == before["concept"]
    again = toy.stretto("run", FILE, "--agent", rest, "--yes", code=0)
    assert not (toy.repository / "done" / "6").exists()
    assert "done" in again.stdout + again.stderr
