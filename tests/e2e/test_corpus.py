"""Real plans, run to the end by agents that really edit (proof of R6.4: statuses back, every other byte as it was)."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from e2e.toy import Toy
from unit.formats.corpus import real as real_plans

PLAN = ".auto-claude/specs/001/implementation_plan.json"
AGENT = """
import json, os, pathlib
task = os.environ["STRETTO_TASK"]
plan = json.load(open(os.environ["PLAN"]))
for phase in plan["phases"]:
    for sub in phase.get("subtasks", []):
        if sub["id"] != task:
            continue
        for name in [*sub.get("files_to_modify", []), *sub.get("files_to_create", [])]:
            path = pathlib.Path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a") as file:
                file.write(f"{task}: {sub['description']}\\n")
                file.write("runs-on: ubuntu-latest\\ncargo test && cargo clippy\\n")
                file.write("!C(https://github.com/ryanmaclean/bop/actions/workflows/ci.yml/badge.svg)\\n")
        for name in sub.get("files_to_delete", []):
            pathlib.Path(name).unlink()
"""
STATUS = re.compile(rb'("(?:status|planStatus)": )"[^"]*"')


def real(tmp_path: Path, name: str, files: dict[str, str]) -> Toy:
    source = next((place for place in real_plans() if place.name == name), None)
    if source is None:
        pytest.skip("the corpus of real plans is not here")
    toy = Toy(tmp_path, {"stretto.toml": '[env]\npass = ["PLAN"]\n', **files})
    place = toy.repository / PLAN
    place.parent.mkdir(parents=True)
    shutil.copyfile(source, place)
    toy.commit("the plan", {PLAN: source.read_text()})
    copy = tmp_path / "as-it-was.json"
    shutil.copyfile(source, copy)
    (tmp_path / "agent.py").write_text(AGENT)
    toy.env["PLAN"] = str(copy)
    return toy


def statuses(plan: bytes) -> dict[str, str]:
    return {sub["id"]: sub["status"] for phase in json.loads(plan)["phases"] for sub in phase["subtasks"]}


def run(toy: Toy, *flags: str, code: int | None = 0) -> str:
    return toy.stretto("run", PLAN, "--agent", f"shell: python3 {toy.root}/agent.py", "--yes", *flags, code=code).stdout


def test_acgs2_001_runs_its_thirty_open_tasks_and_is_written_back(tmp_path: Path) -> None:
    toy = real(tmp_path, "acgs2-001.json", {})
    before = (toy.repository / PLAN).read_bytes()
    open_ones = [task for task, status in statuses(before).items() if status == "pending"]
    assert len(open_ones) == 30
    run(toy)
    assert set(toy.states().values()) == {"succeeded"}
    assert (toy.repository / PLAN).read_bytes() == before, "the user's copy changes only when their branch moves"
    toy.stretto("land")
    after = (toy.repository / PLAN).read_bytes()
    assert set(statuses(after).values()) == {"completed"}
    assert STATUS.sub(rb"\1", after) == STATUS.sub(rb"\1", before), "nothing but statuses differs"
    landed = {
        line.partition(": ")[2]
        for line in toy.git("log", "--format=%b").splitlines()
        if line.startswith("Stretto-Task: ")
    }
    assert landed == set(open_ones)
    assert "nothing is left" in run(toy)


def test_the_same_plan_again_does_only_what_is_left(tmp_path: Path) -> None:
    toy = real(tmp_path, "acgs2-001.json", {})
    run(toy, "--phase", "phase_2", "--with-deps")
    toy.stretto("land")
    done = {task for task, status in statuses((toy.repository / PLAN).read_bytes()).items() if status == "completed"}
    assert 3 < len(done) < 33
    run(toy)
    again = {task["id"] for task in toy.status()["tasks"] if task["attempts"]}
    assert again and not again & done


def test_a_finished_plan_runs_again_when_its_status_is_ignored(tmp_path: Path) -> None:
    workflows = {f".github/workflows/{name}.yml": "on: push\n" for name in ("ai-coding-job", "repo-health", "release")}
    toy = real(tmp_path, "bop-011.json", {**workflows, "README.md": "bop\n", "Makefile": "check:\n\ttrue\n"})
    assert "nothing is left" in run(toy)
    run(toy, "--ignore-status", code=4)
    assert toy.states()["subtask-2-1"] == "waiting"
    toy.stretto("approve", "subtask-2-1", "--note", "looked at both")
    toy.stretto("resume")
    assert set(toy.states().values()) == {"succeeded"}
    toy.stretto("land")
    assert not (toy.repository / ".github/workflows/ai-coding-job.yml").exists()
    assert (toy.repository / ".github/workflows/ci.yml").exists()


@pytest.mark.parametrize("place", real_plans(), ids=lambda place: place.stem)
def test_every_real_plan_is_checked_and_shown(tmp_path: Path, place: Path) -> None:
    toy = Toy(tmp_path, {"README": "hi\n"})
    checked = json.loads(toy.stretto("check", str(place), "--json").stdout)
    assert checked["ok"] and checked["format"] == "auto-claude"
    shown = json.loads(toy.stretto("show", str(place), "--format", "json").stdout)
    plan = json.loads(place.read_text())
    assert len(shown["tasks"]) == sum(len(phase.get("subtasks", ())) for phase in plan.get("phases", ()))
    assert sorted(task for level in shown["levels"] for task in level) == sorted(task["id"] for task in shown["tasks"])
