"""A CFN epic as people have it: run, landed, its statuses written, and what is left of it run again."""

from __future__ import annotations

import json
from pathlib import Path

from e2e.toy import Toy
from unit.formats.corpus import sample

FILE = "planning/reading-room.json"
LEAVES = 'echo x > "room/$(echo "$STRETTO_TASK" | tr / -)"'
AGENT = f'shell: mkdir -p room && echo "$STRETTO_TASK" >> room/order.txt && {LEAVES}'
FAILS = f'shell: test "$STRETTO_TASK" != sprint-9 && mkdir -p room && {LEAVES}'


def words(path: Path) -> dict[str, list[str]]:
    after = json.loads(path.read_text())
    return {
        phase["phaseId"]: [phase["status"], *(sprint["status"] for sprint in phase["sprints"])]
        for phase in after["phases"]
    }


def test_r6_4_sprints_run_in_order_and_are_done_in_the_file(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {FILE: sample("cfn-epic/nested.json").read_text()})
    toy.stretto("run", FILE, "--agent", AGENT, "-j", "1", "--land", "--yes")
    assert (toy.repository / "room/order.txt").read_text().split()[:2] == [
        "phase-1-seats/sprint-2", "phase-2-booking/sprint-1",
    ]  # fmt: skip
    assert words(toy.repository / FILE) == {
        "phase-1-seats": ["completed", "completed", "completed"],
        "phase-2-booking": ["in_progress", "completed", "completed", "deferred"],
        "phase-3-reports": ["completed", "completed"],
    }


def test_r6_4_the_same_epic_again_does_only_what_is_left(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {FILE: sample("cfn-epic/nested.json").read_text()})
    toy.stretto("run", FILE, "--agent", FAILS, "--attempts", "1", "--land", "--yes", code=1)
    assert words(toy.repository / FILE)["phase-3-reports"] == ["not_started", "not_started"]
    toy.stretto("run", FILE, "--agent", AGENT, "--land", "--yes")
    assert (toy.repository / "room/order.txt").read_text().split() == ["sprint-9"]
    assert words(toy.repository / FILE)["phase-3-reports"] == ["completed", "completed"]
