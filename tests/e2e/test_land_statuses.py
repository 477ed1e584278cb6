"""`land` and the plan's statuses: what lands tells the truth, and what a person makes of a status is theirs (R6.4)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from e2e.toy import Toy
from unit.formats.corpus import sample

AGENT = ("--agent", "shell: mkdir -p done && echo $STRETTO_TASK > done/$STRETTO_TASK.txt", "--yes")
SPEC = ".auto-claude/specs/001-shed/implementation_plan.json"
EPIC = ".claude/epics/gift-cards"


def phase(number: int, *ids: str) -> dict[str, Any]:
    tasks = [{"id": id, "description": f"Write done/{id}.txt", "status": "pending"} for id in ids]
    return {"phase": number, "name": f"Part {number}", "parallel_safe": True, "subtasks": tasks}


def spec(*phases: dict[str, Any]) -> str:
    return json.dumps({"feature": "Shed", "workflow_type": "feature", "phases": phases}, indent=2) + "\n"


def commit(toy: Toy, message: str) -> None:
    toy.git("-c", "user.name=user", "-c", "user.email=user@localhost", "commit", "-qam", message)


def committed(toy: Toy) -> dict[str, str]:
    """What the plan says on the user's branch."""
    phases = json.loads(toy.git("show", f"main:{SPEC}"))["phases"]
    return {task["id"]: task["status"] for each in phases for task in each["subtasks"]}


@pytest.fixture
def replanned(tmp_path: Path) -> Toy:
    """A run of `a` and `b` that goes on with `c`, which is in a plan that was committed meanwhile."""
    toy = Toy(tmp_path, {SPEC: spec(phase(1, "a", "b"))})
    toy.stretto("run", SPEC, *AGENT)
    toy.commit("more to do", {SPEC: spec(phase(1, "a", "b"), phase(2, "c"))})
    toy.stretto("resume", "--replan")
    assert toy.states() == dict.fromkeys("abc", "succeeded")
    return toy


def test_r6_4_a_merge_has_the_statuses_that_the_runs_branch_had_no_place_for(replanned: Toy) -> None:
    toy = replanned
    assert "merged with what main had got" in toy.stretto("land").stdout
    assert committed(toy) == dict.fromkeys("abc", "completed")
    assert toy.git("status", "--porcelain") == ""
    assert (toy.repository / "done/c.txt").exists()
    expected = spec(phase(1, "a", "b"), phase(2, "c")).replace('"pending"', '"completed"')
    assert (toy.repository / SPEC).read_text() == expected, "every other byte is as it was"
    assert "nothing" in toy.stretto("run", SPEC, *AGENT).stdout


def test_r6_4_a_merge_keeps_what_a_person_has_opened_again(replanned: Toy) -> None:
    toy = replanned
    toy.stretto("land")
    plan = json.loads((toy.repository / SPEC).read_text())
    for task in (plan["phases"][0]["subtasks"][0], plan["phases"][1]["subtasks"][0]):
        task["status"] = "pending"
    plan["phases"].append(phase(3, "d"))
    toy.write({SPEC: json.dumps(plan, indent=2) + "\n"})
    commit(toy, "a and c again, and d")
    toy.stretto("resume", "--replan")
    toy.stretto("land")
    assert committed(toy) == {"a": "pending", "b": "completed", "c": "pending", "d": "completed"}


def test_r6_4_a_merge_ticks_a_plan_that_was_committed_after_the_run(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"README": "hi\n"})
    toy.write({SPEC: spec(phase(1, "a", "b"))})
    toy.stretto("run", SPEC, *AGENT)
    toy.commit("the plan", {SPEC: spec(phase(1, "a", "b"))})
    toy.stretto("land")
    assert committed(toy) == {"a": "completed", "b": "completed"}
    assert toy.git("status", "--porcelain") == ""


def test_r6_4_a_merge_writes_all_files_of_a_plan_that_has_several(tmp_path: Path) -> None:
    texts = {path.name: path.read_text() for path in sample("ccpm/gift-cards").iterdir()}
    files = {f"{EPIC}/{name}": text for name, text in texts.items()}
    early = {name: text for name, text in files.items() if not name.endswith("005.md")}
    toy = Toy(tmp_path, {**early, ".claude/prds/gift-cards.md": "What customers want.\n"})
    toy.stretto("run", f"{EPIC}/epic.md", *AGENT)
    toy.commit("one more", {f"{EPIC}/005.md": files[f"{EPIC}/005.md"]})
    toy.stretto("resume", "--replan")
    assert toy.states()["005"] == "succeeded"
    toy.stretto("land")
    assert "\nstatus: closed\n" in toy.git("show", f"main:{EPIC}/005.md")
    assert "- [x] 005.md" in toy.git("show", f"main:{EPIC}/epic.md")
    assert "\nprogress: 100%\n" in toy.git("show", f"main:{EPIC}/epic.md")
    assert toy.git("status", "--porcelain") == ""
