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
LIST = "- [ ] one\n- [ ] two\n"


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


@pytest.mark.parametrize("tracked", [True, False])
def test_r6_4_what_a_person_has_opened_again_is_not_closed_by_landing_twice(tmp_path: Path, tracked: bool) -> None:
    toy = Toy(tmp_path, {"README": "hi\n", **({"TODO.md": LIST} if tracked else {})})
    toy.write({"TODO.md": LIST})
    toy.stretto("run", "TODO.md", *AGENT, "--land")
    assert (toy.repository / "TODO.md").read_text() == LIST.replace("[ ]", "[x]")
    mine = "- [ ] one\n- [x] two\n"
    toy.write({"TODO.md": mine})
    assert "has everything" in toy.stretto("land").stdout
    assert (toy.repository / "TODO.md").read_text() == mine


def test_r6_4_the_word_of_a_file_beside_the_plan_is_kept_by_landing_twice(tmp_path: Path) -> None:
    files = {f"{EPIC}/{path.name}": path.read_text() for path in sample("ccpm/gift-cards").iterdir()}
    toy = Toy(tmp_path, {**files, ".claude/prds/gift-cards.md": "What customers want.\n"})
    toy.stretto("run", f"{EPIC}/epic.md", *AGENT, "--land")
    paper = toy.repository / EPIC / "001.md"
    mine = paper.read_text().replace("status: closed", "status: open")
    paper.write_text(mine)
    toy.stretto("land")
    assert paper.read_text() == mine


def test_r6_4_only_news_is_written_into_a_plan_that_has_landed_before(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"README": "hi\n"})
    toy.write({"TODO.md": LIST})
    toy.stretto("run", "TODO.md", *AGENT, "--land")
    toy.write({"TODO.md": "- [ ] one\n- [x] two\n- [ ] three\n"})
    toy.stretto("resume", "--replan")
    assert toy.states()["three"] == "succeeded"
    toy.stretto("land")
    assert (toy.repository / "TODO.md").read_text() == "- [ ] one\n- [x] two\n- [x] three\n"


def test_r6_4_a_failure_that_a_person_has_taken_back_is_not_written_by_landing_twice(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {SPEC: spec(phase(1, "a", "b"))})
    agent = "shell: test $STRETTO_TASK = a && echo x > a.txt"
    toy.stretto("run", SPEC, "--agent", agent, "--attempts", "1", "--yes", "--land", code=1)
    assert committed(toy) == {"a": "completed", "b": "failed"}
    mine = (toy.repository / SPEC).read_text().replace('"failed"', '"pending"')
    toy.write({SPEC: mine})
    toy.stretto("land")
    assert (toy.repository / SPEC).read_text() == mine


def test_r6_4_what_came_by_hand_is_ticked_by_the_first_landing(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"README": "hi\n"})
    toy.write({"TODO.md": LIST})
    toy.stretto("run", "TODO.md", *AGENT)
    toy.git("merge", "-q", "--ff-only", toy.branch())
    assert (toy.repository / "TODO.md").read_text() == LIST
    assert "has everything" in toy.stretto("land").stdout
    assert (toy.repository / "TODO.md").read_text() == LIST.replace("[ ]", "[x]")


def test_r6_4_a_landing_that_was_taken_back_is_ticked_again(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"README": "hi\n"})
    toy.write({"TODO.md": LIST})
    toy.stretto("run", "TODO.md", *AGENT, "--land")
    toy.git("reset", "-q", "--hard", "HEAD~2")
    toy.write({"TODO.md": LIST})
    toy.stretto("land")
    assert (toy.repository / "TODO.md").read_text() == LIST.replace("[ ]", "[x]")
