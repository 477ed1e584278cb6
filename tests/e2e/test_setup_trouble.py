"""Set-up that fails is one problem of the run, not one of each task: R4, kind `setup`."""

from __future__ import annotations

from pathlib import Path

from e2e.toy import Toy

PLAN = """\
name: p
setup: {run: [sh %s]}
defaults: {agent: scripted, attempts: 1}
phases:
  - id: p
    tasks:
      - {id: a, prompt: write a.txt a, writes: [a.txt]}
      - {id: b, prompt: write b.txt b, writes: [b.txt]}
      - {id: c, prompt: write c.txt c, writes: [c.txt]}
      - {id: d, prompt: write d.txt d, writes: [d.txt]}
"""


def toy_with(tmp_path: Path, script: str) -> Toy:
    """The set-up is a file outside of the repository, so that a person can mend it."""
    (tmp_path / "setup.sh").write_text(script)
    return Toy(tmp_path, {"README": "hi\n", "p.yaml": PLAN % (tmp_path / "setup.sh")})


def test_r4_set_up_that_fails_pauses_the_run_and_costs_no_attempt(tmp_path: Path) -> None:
    toy = toy_with(tmp_path, "echo npm: no such registry; exit 7\n")
    said = toy.stretto("run", "p.yaml", "-j", "3", code=4).stdout
    told = [text for text in said.splitlines() if "status 7" in text]
    assert len([text for text in told if "attempt 1 failed" in text]) == 1, said
    assert "paused" in said and "stretto resume" in said
    status = toy.status()
    assert status["state"] == "paused"
    assert {task["state"] for task in status["tasks"]} == {"ready"}
    assert [task["attempts"] for task in status["tasks"]][3] == 0, "nothing was started after it was known"
    (tmp_path / "setup.sh").write_text("true\n")
    toy.stretto("resume")
    assert set(toy.states().values()) == {"succeeded"}, "with one attempt each"


def test_r4_set_up_that_fails_once_is_done_again_in_the_same_attempt(tmp_path: Path) -> None:
    toy = toy_with(tmp_path, f"mkdir {tmp_path}/once 2> /dev/null && exit 7; true\n")
    toy.stretto("run", "p.yaml", "-j", "1")
    assert [task["attempts"] for task in toy.status()["tasks"]] == [1, 1, 1, 1]
