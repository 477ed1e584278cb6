"""Steering a real run from outside: signals, two runs at once, a user at work meanwhile, landing with obstacles."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.held import WAIT_FOR_GO, Held
from e2e.toy import until


@pytest.fixture
def toy(tmp_path: Path) -> Held:
    """Four tasks of which the last needs the first; agents that wait until the test says go."""
    plan = "name: four\nphases:\n  - id: p\n    tasks:\n" + "".join(
        f"      - {{id: t{i}, prompt: x, writes: [t{i}.txt]{', depends_on: [t0]' if i == 3 else ''}}}\n"
        for i in range(4)
    )
    toy = Held(tmp_path, {"README": "hi\n"}, folder="re po")
    (tmp_path / "plan.yaml").write_text(plan)
    return toy


def begin(toy: Held, *flags: str, began: int = 2) -> subprocess.Popen[bytes]:
    front = toy.front("run", str(toy.root / "plan.yaml"), "--agent", WAIT_FOR_GO, "-j", "2", "--yes", *flags)
    toy.began(began)
    return front


def test_r8_6_interrupt_drains_and_resume_does_the_rest(toy: Held) -> None:
    front = begin(toy)
    front.send_signal(signal.SIGINT)
    until(lambda: toy.status().get("state") == "draining", "the run drains")
    toy.go()
    assert toy.end(front) == 130
    assert toy.states() == {"t0": "succeeded", "t1": "succeeded", "t2": "ready", "t3": "ready"}
    assert toy.status()["state"] == "stopped"
    toy.stretto("resume")
    assert set(toy.states().values()) == {"succeeded"}


def test_r8_6_second_interrupt_cancels_and_keeps_the_work(toy: Held) -> None:
    front = begin(toy)
    front.send_signal(signal.SIGINT)
    until(lambda: toy.status().get("state") == "draining", "the run drains")
    front.send_signal(signal.SIGINT)
    assert toy.end(front) == 130
    assert toy.states() == {"t0": "ready", "t1": "ready", "t2": "ready", "t3": "pending"}
    toy.go()
    toy.stretto("resume")
    assert set(toy.states().values()) == {"succeeded"}


def test_r8_2_hangup_and_the_death_of_the_front_drain(toy: Held) -> None:
    front = begin(toy)
    front.send_signal(signal.SIGHUP)
    until(lambda: toy.status().get("state") == "draining", "the run drains")
    front.kill()
    toy.go()
    front.wait(timeout=60)
    until(lambda: toy.status().get("state") == "stopped", "the engine finishes what runs, without its front")
    until(lambda: not toy.processes(), "nothing is left")
    assert toy.states()["t0"] == "succeeded"
    toy.stretto("resume")
    assert set(toy.states().values()) == {"succeeded"}


def test_r8_2_engine_killed_is_exit_3_with_the_way_on(toy: Held) -> None:
    front = begin(toy)
    os.kill(toy.status()["engine"]["pid"], signal.SIGKILL)
    assert toy.end(front) == 3
    assert "stretto resume" in toy.said()
    assert toy.status()["engine"] is None
    toy.go()
    again = toy.stretto("run", str(toy.root / "plan.yaml"), "--agent", "shell: true", "--yes", code=3)
    assert "stretto resume" in again.stderr
    toy.stretto("resume")
    assert set(toy.states().values()) == {"succeeded"}


def test_r8_3_stop_by_verb_is_exit_4_and_refuses_when_over(toy: Held) -> None:
    front = begin(toy)
    toy.stretto("stop", "--now")
    assert toy.end(front) == 4
    assert toy.status()["state"] == "stopped"
    assert not toy.agents()
    toy.stretto("stop")


def test_r8_6_pause_file_drains(toy: Held) -> None:
    front = begin(toy)
    (run,) = toy.state.glob("*/runs/*")
    (run / "PAUSE").touch()
    until(lambda: toy.status().get("state") == "draining", "the run drains")
    toy.go()
    assert toy.end(front) == 4


def test_r8_4_cancel_and_retry_while_it_runs(toy: Held) -> None:
    front = begin(toy)
    toy.stretto("cancel", "t0")
    until(lambda: toy.states()["t0"] == "cancelled", "t0 is cancelled")
    assert toy.states()["t3"] == "skipped"
    toy.stretto("cancel", "t0", code=3)
    toy.stretto("cancel", "nobody", code=2)
    toy.stretto("retry", "t0", "t3")
    toy.go()
    assert toy.end(front) == 0
    assert set(toy.states().values()) == {"succeeded"}


def test_r8_5_two_runs_of_one_repository(toy: Held) -> None:
    front = begin(toy)
    refused = toy.stretto("run", str(toy.root / "plan.yaml"), "--agent", "shell: true", "--yes", code=3)
    assert "--new" in refused.stderr
    other = (toy.root / "plan.yaml").read_text().replace("four", "other").replace(".txt", ".md")
    (toy.root / "other.yaml").write_text(other)
    second = toy.front(
        "run", str(toy.root / "other.yaml"), "--agent", "shell: echo y > $STRETTO_TASK.md", "-j", "2", "--yes"
    )
    assert second.wait(timeout=120) == 0
    toy.go()
    assert toy.end(front) == 0
    branches = toy.git("for-each-ref", "--format=%(refname:short)", "refs/heads/stretto").split()
    trees = {branch: toy.git("ls-tree", "--name-only", branch).split() for branch in branches}
    assert sorted(len([n for n in names if n.startswith("t")]) for names in trees.values()) == [4, 4]


def test_r7_4_user_edits_and_commits_meanwhile_are_untouched(toy: Held) -> None:
    front = begin(toy)
    toy.write({"README": "edited, not committed\n", "draft.md": "mine\n"})
    toy.commit("user's own", {"own.txt": "own\n"})
    toy.git("add", "draft.md")
    before = (toy.git("status", "--porcelain"), toy.git("rev-parse", "HEAD"), toy.git("stash", "list"))
    toy.go()
    assert toy.end(front) == 0
    assert (toy.git("status", "--porcelain"), toy.git("rev-parse", "HEAD"), toy.git("stash", "list")) == before
    landed = toy.stretto("land")
    assert "main" in landed.stdout
    assert (toy.repository / "own.txt").read_text() == "own\n"
    assert (toy.repository / "README").read_text() == "edited, not committed\n"
    assert all((toy.repository / f"t{i}.txt").exists() for i in range(4))


def test_r6_3_land_with_obstacles_moves_nothing(toy: Held) -> None:
    front = begin(toy)
    toy.go()
    assert toy.end(front) == 0
    head = toy.git("rev-parse", "HEAD")

    toy.write({"t1.txt": "an untracked file of mine\n"})
    refused = toy.stretto("land", code=4)
    assert "t1.txt" in refused.stderr and "hint:" in refused.stderr
    assert toy.git("rev-parse", "HEAD") == head
    (toy.repository / "t1.txt").unlink()

    toy.git("switch", "-q", "-c", "elsewhere")
    refused = toy.stretto("land", code=4)
    assert "git switch main" in refused.stderr
    toy.git("switch", "-q", "main")

    toy.commit("conflicting", {"t2.txt": "something else\n"})
    moved = toy.git("rev-parse", "HEAD")
    refused = toy.stretto("land", code=4)
    assert "t2.txt" in refused.stderr
    assert toy.git("rev-parse", "HEAD") == moved
    assert (toy.repository / "t2.txt").read_text() == "something else\n"

    toy.git("reset", "-q", "--hard", head.strip())
    toy.stretto("land")
    assert toy.git("rev-parse", "HEAD") == toy.git("rev-parse", toy.branch())
    assert "already" in toy.stretto("land").stdout


def test_r6_3_land_gates_again_when_the_branch_moved(toy: Held) -> None:
    plan = (toy.root / "plan.yaml").read_text() + "gates: {verify: [test ! -e broken.txt]}\n"
    (toy.root / "plan.yaml").write_text(plan)
    front = begin(toy)
    toy.go()
    assert toy.end(front) == 0
    toy.commit("this breaks it", {"broken.txt": "x\n"})
    head = toy.git("rev-parse", "HEAD")
    red = toy.stretto("land", code=1)
    assert "broken.txt" in red.stdout + red.stderr
    assert toy.git("rev-parse", "HEAD") == head
    toy.git("rm", "-q", "broken.txt")
    toy.git("-c", "user.name=u", "-c", "user.email=u@localhost", "commit", "-qm", "mended")
    toy.stretto("land")
    assert all((toy.repository / f"t{i}.txt").exists() for i in range(4))


def test_r6_3_what_others_put_on_the_runs_branch_is_judged_before_it_lands(toy: Held) -> None:
    """An agent may commit there in passing; no check of anybody's has seen that."""
    plan = (toy.root / "plan.yaml").read_text() + "gates: {verify: [test ! -e broken.txt]}\n"
    (toy.root / "plan.yaml").write_text(plan)
    front = begin(toy)
    toy.go()
    assert toy.end(front) == 0
    head = toy.git("rev-parse", "HEAD")
    toy.git("switch", "-q", toy.branch())
    toy.commit("nobody has judged this", {"broken.txt": "x\n"})
    toy.git("switch", "-q", "main")
    red = toy.stretto("land", code=1)
    assert "which has commits that the run did not land" in red.stderr
    assert f"git log --oneline main..{toy.branch()}" in red.stderr
    assert toy.git("rev-parse", "HEAD") == head
    toy.git("branch", "-qf", toy.branch(), f"{toy.branch()}~1")
    toy.stretto("land")
    assert (toy.repository / "t0.txt").exists()
    assert not (toy.repository / "broken.txt").exists()


def test_a_run_whose_work_tree_is_gone_says_how_to_get_it_back(toy: Held) -> None:
    there = toy.root / "a side branch's tree"
    toy.git("worktree", "add", "-q", "-b", "side", str(there))
    main, toy.repository = toy.repository, there
    front = begin(toy)
    toy.go()
    assert toy.end(front) == 0
    toy.repository = main
    shutil.rmtree(there)
    refused = toy.stretto("land", code=3)
    assert f"{there}, in which the run was started, is gone" in refused.stderr
    back = refused.stderr.partition("hint: ")[2]
    subprocess.run(["sh", "-c", back], cwd=main, env=toy.env, check=True)
    toy.stretto("land")
    assert toy.git("rev-parse", "side") == toy.git("rev-parse", toy.branch())
    toy.git("worktree", "move", str(there), str(toy.root / "moved"))
    moved = toy.stretto("land", code=3)
    subprocess.run(["sh", "-c", moved.stderr.partition("hint: ")[2]], cwd=main, env=toy.env, check=True)
    toy.stretto("land")


def test_r6_3_land_pushes_where_it_is_told(toy: Held) -> None:
    remote = toy.root / "remote.git"
    toy.git("init", "-q", "--bare", str(remote))
    toy.git("remote", "add", "far", str(remote))
    front = begin(toy)
    toy.go()
    assert toy.end(front) == 0
    refused = toy.stretto("land", "--push", "nowhere", code=4)
    assert "hint: git remote -v" in refused.stderr
    toy.stretto("land", "--push", "far")
    assert toy.git("--git-dir", str(remote), "rev-parse", "main") == toy.git("rev-parse", "HEAD")


def test_explain_knows_every_state(toy: Held) -> None:
    front = begin(toy)
    assert "t0" in toy.stretto("explain", "t3").stdout
    assert "running" in toy.stretto("explain", "t0").stdout
    assert "places" in toy.stretto("explain", "t2").stdout
    toy.stretto("explain", "nobody", code=2)
    toy.go()
    assert toy.end(front) == 0
    assert "landed" in toy.stretto("explain", "t0").stdout


def test_r8_2_warden_killed_alone_is_exit_3(toy: Held) -> None:
    front = begin(toy)
    (warden,) = [pid for pid, text in toy.processes() if b"stretto.engine.warden" in text]
    os.kill(warden, signal.SIGKILL)
    assert toy.end(front) == 3
    assert "stretto resume" in toy.said()
    toy.go()
    toy.stretto("resume")
    assert set(toy.states().values()) == {"succeeded"}


def test_r8_2_a_front_started_with_hangup_ignored_goes_on(toy: Held) -> None:
    command = ["run", str(toy.root / "plan.yaml"), "--agent", WAIT_FOR_GO, "-j", "2", "--yes"]
    nohup = subprocess.Popen(
        ["nohup", sys.executable, "-m", "stretto", *command],
        cwd=toy.repository, env=toy.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    toy.began(2)
    nohup.send_signal(signal.SIGHUP)
    toy.go()
    assert nohup.wait(timeout=60) == 0


def test_r6_1_a_branch_moved_back_pauses_and_loses_nothing(toy: Held) -> None:
    agent = "shell: while [ $STRETTO_TASK = t3 ] && [ ! -e $MARK/go ]; do sleep 0.05; done; echo x > $STRETTO_TASK.txt"
    front = toy.front("run", str(toy.root / "plan.yaml"), "--agent", agent, "-j", "2", "--yes")
    until(lambda: list(toy.states().values())[:3] == ["succeeded"] * 3, "all but the last have landed")
    run, first = toy.branch(), toy.git("rev-parse", "HEAD").strip()
    toy.git("branch", "-f", run, first)
    toy.go()
    assert toy.end(front) == 4
    hint = next(line for line in toy.said().splitlines() if f"git branch -f {run}" in line)
    back = hint.partition("git branch -f ")[2].split()[1].strip("`.,)")
    toy.git("branch", "-f", run, back)
    toy.stretto("resume")
    assert set(toy.states().values()) == {"succeeded"}
    files = toy.git("ls-tree", "--name-only", run).split()
    assert {name for name in files if name.startswith("t")} == {"t0.txt", "t1.txt", "t2.txt", "t3.txt"}
    toy.git("branch", "-f", run, first)
    assert f"git branch -f {run}" in toy.stretto("land", code=4).stderr


def test_r6_4_what_a_part_of_the_plan_landed_is_not_done_again(toy: Held) -> None:
    agent = "shell: echo $STRETTO_TASK >> $STRETTO_TASK.txt"
    for only in ("t0", "t1"):
        toy.stretto("run", str(toy.root / "plan.yaml"), "--agent", agent, "--only", only, "--yes")
    toy.stretto("run", str(toy.root / "plan.yaml"), "--agent", agent, "--yes")
    assert {toy.git("show", f"{toy.branch()}:t{i}.txt") for i in range(4)} == {f"t{i}\n" for i in range(4)}
    toy.stretto("land")
    assert "nothing is left" in toy.stretto("run", str(toy.root / "plan.yaml"), "--agent", agent, "--yes").stdout


def test_r8_3_a_landing_gate_may_not_steer_the_run(toy: Held) -> None:
    gate = f"{sys.executable} -m stretto stop; test $? = 2"
    (toy.root / "gated.yaml").write_text(
        f"name: gated\ngates: {{verify: ['STRETTO_STATE_DIR={toy.state} {gate}']}}\n"
        "tasks: [{id: a, prompt: x, writes: [a.txt]}]\n"
    )
    toy.stretto("run", str(toy.root / "gated.yaml"), "--agent", "shell: echo a > a.txt", "--yes")
    assert toy.states() == {"a": "succeeded"}


def test_r8_2_interrupt_is_heard_by_a_job_of_a_script(toy: Held) -> None:
    """A shell starts background jobs deaf to interrupts."""
    run = f"{sys.executable} -m stretto run ../plan.yaml --agent '{WAIT_FOR_GO}' -j 2 --yes"
    command = f"{run} >/dev/null 2>&1 & echo $!; wait $!"
    shell = subprocess.Popen(["sh", "-c", command], cwd=toy.repository, env=toy.env, stdout=subprocess.PIPE, text=True)
    assert shell.stdout is not None
    pid = int(shell.stdout.readline())
    toy.began(2)
    os.kill(pid, signal.SIGINT)
    until(lambda: toy.status().get("state") == "draining", "the run drains")
    toy.go()
    assert shell.wait(timeout=60) == 130


def test_a_caller_that_ignores_the_death_of_children_hides_no_exit_status(toy: Held) -> None:
    toy.go()
    deaf = f"import os, signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv({sys.executable!r}, {{}})"
    words = [sys.executable, "-m", "stretto", "run", str(toy.root / "plan.yaml"), "--agent", WAIT_FOR_GO]
    done = subprocess.run(
        [sys.executable, "-c", deaf.format(words)], cwd=toy.repository, env=toy.env, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert set(toy.states().values()) == {"succeeded"}


def test_run_lands_at_its_end_what_has_landed(toy: Held) -> None:
    agent = "shell: test $STRETTO_TASK != t1 && echo x > $STRETTO_TASK.txt"
    done = toy.stretto("run", "../plan.yaml", "--agent", agent, "--attempts", "1", "--land", "--yes", code=1)
    assert "next: stretto explain t1" in done.stdout
    assert "stretto land" not in done.stdout, "that is done at once"
    assert {f"t{i}.txt" for i in (0, 2, 3)} == {path.name for path in toy.repository.glob("t*.txt")}
    failing = [
        "run",
        "../plan.yaml",
        "--new",
        "--ignore-status",
        "--agent",
        "shell: false",
        "--attempts",
        "1",
        "--land",
    ]
    toy.stretto(*failing, code=1)
