"""Giving room back: what goes, what stays and why, and that a kill at any point harms nothing (R7.3)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from e2e.toy import Toy, until

LANDS = "name: lands\ntasks:\n  - {id: a, prompt: write a.txt hi, writes: [a.txt]}\n"
FAILS = (
    "name: fails\ntasks:\n  - {id: a, prompt: write b.txt hi, writes: [b.txt]}\n"
    "  - {id: bad, prompt: write bad.txt hi, writes: [bad.txt], attempts: 2, verify: 'false'}\n"
)
WAITS = 'name: waits\ntasks:\n  - {id: w, prompt: "write w.txt half\\nwait GO", writes: [w.txt]}\n'


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    waits = WAITS.replace("GO", str(tmp_path / "go"))
    return Toy(tmp_path, {"README": "hi\n", "lands.yaml": LANDS, "fails.yaml": FAILS, "waits.yaml": waits})


def run(toy: Toy, plan: str, *, code: int = 0, land: bool = True) -> str:
    toy.stretto("run", f"{plan}.yaml", "--agent", "scripted", *(["--land"] if land else []), code=code)
    return str(toy.status()["run"])


def refs(toy: Toy, run: str) -> list[str]:
    return toy.git("for-each-ref", "--format=%(refname)", f"refs/stretto/{run}/", f"refs/heads/stretto/{run}").split()


def looked(toy: Toy, *args: str) -> dict[str, dict[str, Any]]:
    """What `clean` says of everything, by its name."""
    return {one["name"]: one for one in json.loads(toy.stretto("clean", *args, "--json").stdout)["items"]}


def folders(toy: Toy) -> list[str]:
    """Folders of runs, with what remains of others."""
    return sorted(path.name for path in next(toy.state.glob("*/runs")).iterdir())


def worktrees(toy: Toy) -> list[Path]:
    return [path for path in toy.state.glob("*/worktrees/*-*/*") if path.is_dir()]


def test_r7_3_nothing_goes_without_apply_and_all_of_it_is_told(toy: Toy) -> None:
    name = run(toy, "lands")
    before = sorted(map(str, toy.root.rglob("*")))
    said = toy.stretto("clean").stdout
    assert said.startswith("would free:")
    assert f"branch stretto/{name}" in said
    assert "nothing has been removed" in said
    assert sorted(map(str, toy.root.rglob("*"))) == before
    told = looked(toy)
    assert told[name]["bytes"] > 0
    assert len(told[name]["refs"]) == len(refs(toy, name)) == 3
    assert sum(one["kind"] == "worktree" for one in told.values()) == len(worktrees(toy)) > 0
    assert "contradict" in toy.stretto("clean", "--apply", "--dry-run", code=2).stderr


def test_r7_3_where_nothing_ran_there_is_nothing_to_free(toy: Toy) -> None:
    for flags in ([], ["--apply"]):
        assert toy.stretto("clean", *flags).stdout == "there is nothing to free\n"
    assert not toy.state.exists()


def test_r7_3_what_a_killed_beginning_or_a_killed_clean_has_left_goes(toy: Toy) -> None:
    name = run(toy, "lands")
    (runs,) = toy.state.glob("*/runs")
    (runs / ".new-x").mkdir()
    (runs / ".new-x" / "launch.json").write_text("half")
    (runs / name).rename(runs / f".gone-{name}")
    owed = {ref: toy.git("rev-parse", ref).strip() for ref in refs(toy, name)}
    (runs / f".gone-{name}" / "refs.json").write_text(json.dumps(owed))
    assert {".new-x", f".gone-{name}"} <= looked(toy).keys()
    toy.stretto("clean", "--apply")
    assert (refs(toy, name), folders(toy)) == ([], [])


def test_r7_3_a_landed_run_goes_and_its_plan_is_still_known_to_be_done(toy: Toy) -> None:
    name = run(toy, "lands")
    toy.stretto("clean", "--apply")
    assert (refs(toy, name), worktrees(toy)) == ([], [])
    assert "worktrees" not in toy.git("worktree", "list").replace(str(toy.repository), "")
    assert (toy.repository / "a.txt").read_text() == "hi\n"
    assert "nothing is left to do" in toy.stretto("run", "lands.yaml", "--agent", "scripted").stdout
    assert "there is nothing to free" in toy.stretto("clean").stdout
    assert toy.stretto("report").stdout.startswith("# lands")
    toy.stretto("clean", "--apply", "--forget")
    assert folders(toy) == []
    assert "1 task to do" in toy.stretto("run", "lands.yaml", "--agent", "shell: echo 2 > a.txt").stdout


def test_r7_3_a_run_whose_plan_is_gone_goes_as_a_whole(toy: Toy) -> None:
    run(toy, "lands")
    toy.git("rm", "-q", "lands.yaml")
    toy.stretto("clean", "--apply")
    assert folders(toy) == []


def test_r7_3_landings_that_the_user_lacks_stay(toy: Toy) -> None:
    name = run(toy, "lands", land=False)
    before = refs(toy, name)
    said = toy.stretto("clean", "--apply", "--work", "--forget").stdout
    assert "1 task landed on" in said
    assert f"    stretto land {name}\n" in said and f": stretto abandon {name}\n" in said
    assert refs(toy, name) == before
    toy.stretto("clean", name, "--apply", code=3)
    toy.git("merge", "-q", "--no-edit", f"stretto/{name}")
    toy.stretto("clean", "--apply")
    assert refs(toy, name) == []


def test_r7_3_the_only_copy_of_work_stays_until_it_is_asked_for(toy: Toy) -> None:
    name = run(toy, "fails", code=1)
    before = refs(toy, name)
    assert "task/bad-" in toy.stretto("clean", "--apply").stdout
    assert refs(toy, name) == before
    assert "+hi" in toy.stretto("diff", "bad").stdout
    assert "2 of them the only copy of work" in toy.stretto("clean", "--work").stdout
    toy.stretto("clean", "--apply", "--work")
    assert refs(toy, name) == []
    again = toy.stretto("run", "fails.yaml", "--agent", "shell: echo 2 > bad.txt", code=1).stdout
    assert "1 task to do" in again, "what landed is known to be done"


def test_r7_3_an_abandoned_run_keeps_its_work_until_it_is_asked_for(toy: Toy) -> None:
    name = run(toy, "lands", land=False)
    toy.stretto("abandon", "--yes")
    assert f"heads/stretto/{name}" in toy.stretto("clean", "--apply").stdout
    toy.stretto("clean", name, "--apply", "--work", "--forget")
    assert (refs(toy, name), folders(toy)) == ([], [])
    assert toy.git("log", "--format=%s", "--all").splitlines() == ["first"]


def test_r7_3_unfinished_runs_stay_and_their_workspaces_too(toy: Toy) -> None:
    front = toy.front("run", "waits.yaml", "--agent", "scripted")
    until(lambda: list(toy.state.glob("*/worktrees/*/*/w.txt")), f"w is half done; said: {toy.said()}")
    name = toy.status()["run"]
    assert "it is running" in toy.stretto("clean", "--apply", "--work").stdout
    os.kill(toy.status()["engine"]["pid"], signal.SIGKILL)
    assert front.wait(timeout=60) == 3
    said = toy.stretto("clean", "--apply", "--work", "--forget").stdout
    assert "it was killed, and 1 task of it may still be done" in said
    assert f"it holds work of w#1 of {name}, in no ref yet" in said
    (toy.root / "go").touch()
    toy.stretto("resume")
    assert toy.git("show", f"stretto/{name}:w.txt") == "half\n"


def test_r8_2_strays_of_a_dead_run_are_ended_before_anything_else(toy: Toy) -> None:
    toy.write({"lands.yaml": LANDS.replace("write a.txt hi", '"x"')})
    toy.stretto("run", "lands.yaml", "--agent", "shell: echo hi > a.txt", "--land")
    name = toy.status()["run"]
    cookie = {"STRETTO_RUN": name, "STRETTO_TASK": "a", "STRETTO_ATTEMPT": "1"}
    stray = subprocess.Popen(["sleep", "600"], env={**toy.env, **cookie}, start_new_session=True)
    assert looked(toy)[name]["strays"] == 1
    assert stray.poll() is None, "who looks ends nothing"
    toy.stretto("clean", "--apply")
    assert stray.wait(timeout=60) == -signal.SIGKILL


def test_r7_1_work_in_no_ref_is_saved_before_its_worktree_goes(toy: Toy) -> None:
    """Of a run that somebody has removed by hand, so that nobody can resume it."""
    front = toy.front("run", "waits.yaml", "--agent", "scripted")
    until(lambda: list(toy.state.glob("*/worktrees/*/*/w.txt")), f"w is half done; said: {toy.said()}")
    name = toy.status()["run"]
    os.kill(toy.status()["engine"]["pid"], signal.SIGKILL)
    assert front.wait(timeout=60) == 3
    until(lambda: not toy.processes(), "all of it is gone")
    (folder,) = toy.state.glob("*/runs/*")
    shutil.rmtree(folder)
    toy.stretto("clean", "--apply")
    assert worktrees(toy) == []
    (ref,) = [ref for ref in refs(toy, name) if "/task/" in ref]
    assert toy.git("show", f"{ref}:w.txt") == "half\n"
    assert looked(toy) == {}
    assert "1 run that this state folder does not know" in toy.stretto("clean").stdout


def test_r7_3_what_somebody_is_in_or_has_checked_out_stays(toy: Toy) -> None:
    name = run(toy, "lands")
    inside = subprocess.Popen(["sleep", "600"], cwd=worktrees(toy)[0], start_new_session=True)
    toy.git("worktree", "add", "-q", str(toy.root / "other"), f"stretto/{name}")
    said = toy.stretto("clean", "--apply").stdout
    inside.kill()
    inside.wait(timeout=60)
    assert f"process {inside.pid} is in it" in said
    assert f"stretto/{name} is checked out" in said
    toy.git("worktree", "remove", str(toy.root / "other"))
    toy.stretto("clean", "--apply")
    assert (refs(toy, name), worktrees(toy)) == ([], [])


def test_r7_3_state_that_cannot_be_read_stays(toy: Toy) -> None:
    name, other = run(toy, "lands"), run(toy, "fails", code=1)
    (journal,) = toy.state.glob(f"*/runs/{name}/journal.sqlite3")
    journal.write_bytes(b"not a database, but long enough to be looked at" * 40)
    (tree, *_) = worktrees(toy)
    tree.with_suffix(".lease").write_text("{")
    said = toy.stretto("clean", "--apply", "--work").stdout
    assert f"{name}: its state cannot be read" in said
    assert "lease cannot be read" in said
    assert refs(toy, name)
    assert refs(toy, other) == []
    assert tree.is_dir()


def test_r7_3_only_what_is_named_and_old_enough(toy: Toy) -> None:
    name, other = run(toy, "lands"), run(toy, "fails", code=1)
    assert looked(toy, "--older-than", "1h") == {}
    assert list(looked(toy, name)) == [name]
    toy.stretto("clean", name, "--apply")
    assert refs(toy, name) == []
    assert refs(toy, other)
    assert worktrees(toy)
    assert "is no time" in toy.stretto("clean", "--older-than", "soon", code=2).stderr
    assert "there is no run" in toy.stretto("clean", "nobody", code=3).stderr


def test_r7_3_worktrees_that_a_running_engine_may_want_stay(toy: Toy) -> None:
    run(toy, "lands")
    front = toy.front("run", "waits.yaml", "--agent", "scripted")
    until(lambda: toy.states().get("w") == "running", f"w runs; said: {toy.said()}")
    before = worktrees(toy)
    toy.stretto("clean", "--apply")
    assert worktrees(toy) == before
    (toy.root / "go").touch()
    assert front.wait(timeout=60) == 0


@pytest.mark.parametrize("how", ["detached", "rebase"])
def test_r7_3_a_head_is_no_branch_of_the_users(toy: Toy, how: str) -> None:
    """Whoever looks at the landed work has not taken it: the next checkout would leave it in no ref."""
    name = run(toy, "lands", land=False)
    if how == "detached":
        toy.git("checkout", "-q", "--detach", f"stretto/{name}")
    else:
        toy.git("checkout", "-q", f"stretto/{name}")
        toy.git("-c", "sequence.editor=echo break >>", "rebase", "-q", "-i", "main")
    before = refs(toy, name)
    said = toy.stretto("clean", "--apply", "--work", "--forget").stdout
    assert "1 task landed on" in said
    assert refs(toy, name) == before


def test_r7_3_a_detached_head_on_an_attempt_is_no_second_copy_of_it(toy: Toy) -> None:
    name = run(toy, "fails", code=1)
    before = refs(toy, name)
    (attempt,) = [ref for ref in before if "/task/bad-" in ref and ref.endswith("/2")]
    toy.git("checkout", "-q", "--detach", attempt)
    assert attempt.partition("/task/")[2] in toy.stretto("clean", "--apply").stdout
    assert refs(toy, name) == before


@pytest.mark.parametrize("where", ["main", "linked"])
def test_r7_3_a_branch_that_is_being_rebased_stays(toy: Toy, where: str) -> None:
    """HEAD is detached meanwhile, and git puts it back on the branch at the end."""
    name = run(toy, "lands")
    folder = toy.repository if where == "main" else toy.root / "linked"
    if where == "main":
        toy.git("checkout", "-q", f"stretto/{name}")
    else:
        toy.git("worktree", "add", "-q", str(folder), f"stretto/{name}")
    toy.git("-C", str(folder), "-c", "sequence.editor=sed -i 1ibreak", "rebase", "-q", "-i", "main~1")
    assert f"stretto/{name} is checked out" in toy.stretto("clean", "--apply", "--work", "--forget").stdout
    assert f"refs/heads/stretto/{name}" in refs(toy, name)
    toy.git("-C", str(folder), "rebase", "--continue")


def test_r7_3_a_branch_of_the_users_below_the_runs_name_is_theirs(toy: Toy) -> None:
    toy.stretto("run", "lands.yaml", "--agent", "scripted", "--land", "--branch", "else")
    name = toy.status()["run"]
    toy.git("branch", f"stretto/{name}/mine", "main")
    toy.stretto("clean", "--apply", "--work", "--forget")
    assert refs(toy, name) == [f"refs/heads/stretto/{name}/mine"]


def test_r7_3_files_that_somebody_put_into_an_idle_worktree_stay(toy: Toy) -> None:
    run(toy, "fails", code=1)
    (agent, *_), (gate, *_) = ([path for path in worktrees(toy) if path.parent.name.startswith(role)]
                               for role in ("agent", "gate"))  # fmt: skip
    (agent / "mine.txt").write_text("precious")
    (gate / "README").write_text("precious")
    assert "mine.txt" in looked(toy)[f"{agent.parent.name}/{agent.name}"]["why"]
    said = toy.stretto("clean", "--apply", "--work").stdout
    assert "mine.txt" in said
    assert "README" in said
    assert (agent / "mine.txt").read_text() == (gate / "README").read_text() == "precious"
    (agent / "mine.txt").unlink()
    toy.git("-C", str(gate), "checkout", "-q", "--", "README")
    toy.stretto("clean", "--apply", "--work")
    assert worktrees(toy) == []


def test_r7_3_what_a_check_leaves_in_its_worktree_is_nobodys(toy: Toy) -> None:
    toy.write({"lands.yaml": LANDS.replace("writes:", "verify: 'echo x > left; echo y > README', writes:")})
    run(toy, "lands")
    toy.stretto("clean", "--apply")
    assert worktrees(toy) == []


def test_r7_3_a_worktree_or_a_folder_that_is_not_of_the_pool_stays(toy: Toy) -> None:
    run(toy, "lands")
    (agent, *_) = [path for path in worktrees(toy) if path.parent.name.startswith("agent")]
    handmade, plain = agent.with_name("7"), agent.with_name("9")
    toy.git("worktree", "add", "-q", "-b", "handmade", str(handmade), "main")
    plain.mkdir()
    for folder in (handmade, plain):
        (folder / "precious.txt").write_text("precious")
    toy.git("-C", str(agent), "checkout", "-q", "-b", "mine")
    said = toy.stretto("clean", "--apply").stdout
    assert said.count("not made by stretto") == 2, said
    assert "the branch mine is checked out in it" in said
    assert sorted(worktrees(toy)) == sorted([agent, handmade, plain])
    assert (handmade / "precious.txt").read_text() == (plain / "precious.txt").read_text() == "precious"


KILLED = """
import os, signal, sys
left = int(sys.argv[1])
def count(event, args):
    global left
    writes = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR)
    if writes or event in ("os.rename", "os.remove", "os.rmdir", "subprocess.Popen", "shutil.rmtree"):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
from stretto.cli.main import main
sys.addaudithook(count)
main(["clean", "--apply", "--work", "--forget"])
"""
STEP = 29
"""It is killed before every so manieth deed; a prime, so that loops are hit at different places."""


def test_r7_3_a_clean_that_is_killed_at_any_point_is_finished_by_the_next(toy: Toy) -> None:
    toy.git("config", "gc.auto", "0")
    done, left = run(toy, "lands"), run(toy, "fails", code=1)
    (toy.root / "go").touch()
    kept = run(toy, "waits", land=False)
    work = toy.git("rev-parse", f"stretto/{kept}").strip()
    shutil.copytree(toy.root, toy.root.parent / "before", symlinks=True)
    deeds = STEP
    while True:
        killed = subprocess.run(
            [sys.executable, "-c", KILLED, str(deeds)], cwd=toy.repository, env=toy.env, capture_output=True, text=True
        )
        if killed.returncode == 0:
            break
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        again = toy.stretto("run", "lands.yaml", "--agent", "shell: date +%N > a.txt", "--ignore-status", "--land")
        assert "landed" in again.stdout, "what is left of worktrees harms no new run"
        toy.stretto("clean", "--apply", "--work", "--forget")
        assert [refs(toy, name) for name in (done, left)] == [[], []]
        assert folders(toy) == [kept]
        assert worktrees(toy) == []
        assert toy.git("rev-parse", f"stretto/{kept}").strip() == work
        assert "prunable" not in toy.git("worktree", "list", "--porcelain")
        for path in (toy.repository, toy.state):
            shutil.rmtree(path)
            shutil.copytree(toy.root.parent / "before" / path.name, path, symlinks=True)
        deeds += STEP
    assert deeds > 4 * STEP, "it was killed at several places"


def test_r7_3_nothing_leads_on_into_a_run_whose_branch_and_work_are_gone(toy: Toy) -> None:
    name = run(toy, "fails", code=1)
    assert "whole output:" in toy.stretto("explain", "bad").stdout
    toy.stretto("clean", name, "--apply", "--work")
    why = toy.stretto("explain", "bad", "--run", name).stdout
    assert "git show" not in why and "whole output:" not in why and "cleaned up" in why, why
    status = toy.stretto("status").stdout
    assert "cleaned up" in status
    assert [text for text in status.splitlines() if text.startswith("next:")] == ["next: stretto run fails.yaml"]
    assert "stretto retry" not in toy.stretto("report").stdout
    for verb in (["resume"], ["retry"]):
        said = toy.stretto(*verb, code=3).stderr
        assert "`stretto clean` has removed" in said and "stretto run fails.yaml" in said, said
    again = toy.stretto("run", "fails.yaml", "--agent", "scripted", code=1).stdout
    assert "1 task to do" in again and toy.status()["run"] != name, "it leads on"
