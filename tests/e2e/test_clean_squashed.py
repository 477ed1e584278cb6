"""What was squashed on its way to the user's branch is not seen there; what to do is told, step by step (R7.3)."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.toy import Toy

PLAN = "name: lands\ntasks:\n  - {id: a, prompt: write a.txt hi, writes: [a.txt]}\n"


@pytest.mark.parametrize("way", ["squash", "cherry-pick"])
def test_r7_3_a_squashed_run_stays_until_it_is_given_up_and_each_step_names_the_next(tmp_path: Path, way: str) -> None:
    toy = Toy(tmp_path, {"README": "hi\n", "lands.yaml": PLAN})
    for key in ("user.name", "user.email"):
        toy.git("config", key, "me")
    toy.stretto("run", "lands.yaml", "--agent", "scripted")
    run = toy.status()["run"]
    toy.commit("mine", {"other": "x\n"})
    if way == "squash":
        toy.git("merge", "--squash", "-q", f"stretto/{run}")
        toy.git("commit", "-qm", "squashed")
    else:
        toy.git("cherry-pick", "-m", "1", f"stretto/{run}")
    told = toy.stretto("clean", run, "--apply", "--work", code=3).stdout
    assert f"stretto/{run}, which is in no branch of yours (a squash of it is not seen)" in told
    assert f"if you have squashed it, or do not want it: stretto abandon {run}" in told
    toy.stretto("abandon", run, "--yes")
    told = toy.stretto("clean", run, "--apply", code=3).stdout
    assert "work that is in no branch of yours: " in told
    assert "did not land" not in told
    assert f"stretto clean {run} --work" in told
    toy.stretto("clean", run, "--work", "--apply")
    assert toy.git("for-each-ref", "refs/stretto", "refs/heads/stretto") == ""
