"""What a run of a part of a plan says of it: of the tasks that it is about to do, and of no others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from e2e.toy import Toy

PLAN = """\
name: p
defaults: {agent: scripted}
phases:
  - id: p
    tasks:
      - {id: a, prompt: write one.txt a, writes: [one.txt]}
      - {id: b, prompt: write one.txt b, writes: [one.txt, two.txt]}
      - {id: c, prompt: write two.txt c, writes: [two.txt]}
      - {id: d, prompt: write d.txt d, writes: [d.txt]}
"""


def warned(toy: Toy, *words: str, code: int = 0) -> list[str]:
    said = toy.stretto("run", "p.yaml", *words, "--dry-run", code=code)
    return [text for text in (said.stdout + said.stderr).splitlines() if "no dependency orders" in text]


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    return Toy(tmp_path, {"README": "hi\n", "p.yaml": PLAN})


def test_r2_5_overlaps_are_told_of_tasks_that_are_selected(toy: Toy) -> None:
    assert len(warned(toy)) == 2
    assert warned(toy, "--only", "a,c,d") == []
    (one,) = warned(toy, "--only", "a,b,d")
    assert "`one.txt` is touched by `a` and `b`" in one


def test_r2_5_overlaps_are_told_of_tasks_that_are_left(toy: Toy) -> None:
    toy.stretto("run", "p.yaml", "--only", "b", "--land", "--yes")
    assert warned(toy) == []
    assert len(warned(toy, "--ignore-status")) == 2


def test_r2_5_overlaps_are_refused_where_tasks_that_are_selected_overlap(toy: Toy) -> None:
    refuse = ("--conflicts", "refuse")
    assert "p.yaml:6:" in warned(toy, *refuse, code=2)[0]
    toy.stretto("run", "p.yaml", "--only", "a,c", *refuse, "--dry-run")
    (one,) = warned(toy, "--only", "b,c", *refuse, code=2)
    assert "`two.txt` is touched by `b` and `c`" in one and "and overlaps are refused" in one


def test_what_a_plan_says_is_done_is_warned_of_where_it_is_done_again(toy: Toy) -> None:
    steps = [
        {"id": name, "description": f"write x.txt {name}", "files_to_modify": ["x.txt"], "status": status}
        for name, status in (("a", "completed"), ("b", "pending"))
    ]
    plan = {
        "feature": "f",
        "workflow_type": "feature",
        "phases": [{"id": "p", "name": "P", "parallel_safe": True, "subtasks": steps}],
    }
    toy.write({"p.yaml": json.dumps(plan)})
    assert warned(toy, "--agent", "scripted") == []
    assert len(warned(toy, "--agent", "scripted", "--ignore-status")) == 1


def test_a_task_that_is_set_aside_is_told_so_by_every_verb(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"TODO.md": "## 2. Work\n- [ ] 2.1 write it\n- [-] 2.3 dropped\n- [ ] 2.6 test it\n"})
    run = ("run", "TODO.md", "--agent", "shell: echo x > $STRETTO_TASK", "--yes")
    why = toy.stretto(*run, "--only", "2.3", code=2).stderr
    assert "task '2.3' is set aside: " in why and "hint: " in why
    assert toy.stretto("show", "TODO.md", "--prompt", "2.3", code=2).stderr == why
    toy.stretto(*run)
    for verb in ("explain", "cancel", "logs"):
        assert toy.stretto(verb, "2.3", code=2).stderr == why
    assert "did you mean 2." in toy.stretto("explain", "2.4", code=2).stderr
