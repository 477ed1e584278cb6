"""What an attempt changed: of one that landed, that failed, that runs, and that conflicted."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.toy import Toy, until

SETTINGS = '[env]\npass = ["MARK", "PYTHONPATH"]\n'


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    toy = Toy(tmp_path, {"README": "hi\n", "stretto.toml": SETTINGS, "old name.txt": "1\n2\n3\n4\n5\n"})
    toy.env["MARK"] = str(tmp_path)
    return toy


def run(toy: Toy, tasks: str, agent: str, *, code: int = 0) -> None:
    toy.write({"p.yaml": f"name: p\ntasks:\n{tasks}"})
    toy.stretto("run", "p.yaml", "--agent", agent, code=code)


def test_what_landed_is_a_patch_that_git_applies(toy: Toy) -> None:
    work = r"mv 'old name.txt' n\"ew.txt; printf 'a\0b' > bin; printf 'no newline' > 'ü x.txt'; chmod +x README"
    run(toy, "  - {id: t, prompt: x}\n", f"shell: {work}")
    toy.git("config", "diff.noprefix", "true")
    toy.git("config", "color.ui", "always")
    toy.git("config", "diff.external", "false")
    patch = toy.stretto("diff", "t").stdout
    (toy.root / "patch").write_text(patch)
    toy.git("apply", "--index", str(toy.root / "patch"))
    assert toy.git("write-tree") == toy.git("rev-parse", f"{toy.branch()}^{{tree}}")


def test_names_numbers_and_json(toy: Toy) -> None:
    run(toy, "  - {id: t, prompt: x}\n", "shell: mv 'old name.txt' new.txt; echo 6 >> new.txt; printf 'a\\0b' > bin")
    assert toy.stretto("diff", "t", "--name-only").stdout.split() == ["bin", "new.txt"]
    stat = toy.stretto("diff", "t", "--stat").stdout
    assert stat.splitlines()[-1].strip().startswith("2 files changed") and "diff --git" not in stat, stat
    told = json.loads(toy.stretto("diff", "t", "--json").stdout)
    assert (told["task"], told["attempt"], told["running"]) == ("t", 1, False)
    assert told["base"] == toy.git("rev-parse", "main").strip()
    assert told["files"] == [
        {"path": "bin", "status": "added", "before": None, "added": None, "removed": None},
        {"path": "new.txt", "status": "renamed", "before": "old name.txt", "added": 1, "removed": 0},
    ]


def test_r6_2_of_a_task_whose_conflict_was_solved_it_is_the_last_attempt_unless_another_is_named(toy: Toy) -> None:
    """Both write one file and do not say so; the one that comes second gets the conflict, and solves it."""
    agent = (
        "shell: if [ $STRETTO_ATTEMPT = 1 ]; then until [ -e $MARK/$STRETTO_TASK ]; do sleep 0.02; done; fi; "
        "cat $STRETTO_PROMPT_FILE > /dev/null; echo $STRETTO_TASK $STRETTO_ATTEMPT > README"
    )
    toy.write({"p.yaml": "name: p\ntasks:\n  - {id: a, prompt: x}\n  - {id: b, prompt: x}\n"})
    front = toy.front("run", "p.yaml", "--agent", agent, "--conflicts", "allow")
    until(lambda: list(toy.states().values()) == ["running", "running"], f"both run; said: {toy.said()}")
    (toy.root / "a").touch()
    until(lambda: toy.states()["a"] == "succeeded", "a lands")
    (toy.root / "b").touch()
    assert front.wait(timeout=60) == 0
    assert "-a 1\n+b 2\n" in toy.stretto("diff", "b").stdout
    assert "-hi\n+b 1\n" in toy.stretto("diff", "b", "--attempt", "1").stdout


def test_of_a_running_attempt_it_is_what_its_workspace_holds_and_nothing_is_touched(toy: Toy) -> None:
    toy.write({".env": "secret\n", ".gitignore": "ignored\n.env2\n"})
    toy.commit("rules", {".gitignore": "ignored\n"})
    plan = "setup: {copy: [.env]}\ntasks:\n  - {id: t, prompt: x}\n"
    toy.write({"p.yaml": f"name: p\n{plan}"})
    agent = (
        "shell: echo more >> README; echo new > new.txt; echo x > ignored; rm 'old name.txt'; git add new.txt; "
        "touch $MARK/began; until [ -e $MARK/go ]; do sleep 0.02; done; echo done > done.txt"
    )
    front = toy.front("run", "p.yaml", "--agent", agent)
    until(lambda: (toy.root / "began").exists(), f"the agent is at work; said: {toy.said()}")
    objects = toy.git("count-objects", "-v")
    (tree,) = toy.state.glob("*/worktrees/agent-*/1")
    before = {path: path.stat().st_mtime_ns for path in (tree.with_suffix(".index"), tree / "README")}
    staged = subprocess.run(
        ["git", "--no-optional-locks", "status", "--porcelain"], cwd=tree, env=toy.env, capture_output=True, text=True
    ).stdout
    told = json.loads(toy.stretto("diff", "t", "--json").stdout)
    assert told["running"]
    assert told["commit"] is None
    assert {file["path"]: file["status"] for file in told["files"]} == {
        "README": "modified", "new.txt": "added", "old name.txt": "deleted",
    }  # fmt: skip
    assert "+more" in toy.stretto("diff", "t").stdout
    assert toy.git("count-objects", "-v") == objects
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert "A  new.txt" in staged
    (toy.root / "go").touch()
    assert front.wait(timeout=60) == 0
    assert "done.txt" in toy.stretto("diff", "t", "--name-only").stdout


def test_of_a_killed_attempt_it_is_what_its_workspace_still_holds(toy: Toy) -> None:
    toy.write({"p.yaml": "name: p\ntasks:\n  - {id: t, prompt: x}\n"})
    front = toy.front("run", "p.yaml", "--agent", "shell: echo half > half.txt; touch $MARK/began; sleep 600")
    until(lambda: (toy.root / "began").exists(), f"the agent is at work; said: {toy.said()}")
    os.kill(toy.status()["engine"]["pid"], 9)
    assert front.wait(timeout=60) == 3
    assert "+half" in toy.stretto("diff", "t").stdout
    toy.stretto("abandon")
    assert "+half" in toy.stretto("diff", "t").stdout


def test_an_attempt_that_changed_nothing_says_so(toy: Toy) -> None:
    run(toy, "  - {id: t, prompt: x}\n", "shell: true")
    done = toy.stretto("diff", "t")
    assert (done.stdout, done.stderr) == ("", "attempt 1 of 't' changed nothing\n")
    assert json.loads(toy.stretto("diff", "t", "--json").stdout)["files"] == []


def test_bad_arguments_say_what_there_is(toy: Toy) -> None:
    run(toy, "  - {id: tidy, prompt: x}\n  - {id: rest, prompt: x, depends_on: [tidy]}\n", "shell: exit 65", code=1)
    assert "did you mean tidy?" in toy.stretto("diff", "tidi", code=2).stderr
    assert "attempts 1 to 1" in toy.stretto("diff", "tidy", "--attempt", "2", code=3).stderr
    assert "not been started" in toy.stretto("diff", "rest", code=3).stderr
    assert "contradict" in toy.stretto("diff", "tidy", "--stat", "--json", code=2).stderr


def test_r8_3_an_agent_may_ask_what_others_changed(toy: Toy) -> None:
    ask = f"{sys.executable} -m stretto diff a > seen.txt"
    agent = f"shell: if [ $STRETTO_TASK = a ]; then echo x > a.txt; else {ask}; fi"
    run(toy, "  - {id: a, prompt: x}\n  - {id: b, prompt: x, depends_on: [a]}\n", agent)
    assert "+x" in toy.git("show", f"{toy.branch()}:seen.txt")


@pytest.mark.parametrize(("variable", "coloured"), [("", True), ("NO_COLOR", False)])
def test_in_a_terminal_colours_and_pager_are_the_users(toy: Toy, variable: str, coloured: bool) -> None:
    run(toy, "  - {id: t, prompt: x}\n", "shell: echo more >> README")
    toy.git("config", "core.pager", f"tee {toy.root / 'paged'}")
    env = {**toy.env, "TERM": "xterm", **({variable: "1"} if variable else {})}
    master, slave = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "stretto", "diff", "t"], cwd=toy.repository, env=env, stdin=slave, stdout=slave,
        stderr=slave,
    )  # fmt: skip
    os.close(slave)
    assert child.wait(timeout=60) == 0
    os.close(master)
    paged = (toy.root / "paged").read_text()
    assert "more" in paged
    assert ("\x1b[" in paged) == coloured
