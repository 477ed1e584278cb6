"""How often a check really runs: each leaves a line in a file that no workspace holds (R6.1a)."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from e2e.toy import Toy, until
from stretto.engine.home import repository_home
from stretto.workspace.landing import landing_lock

PLAN = """\
name: counted
phases:
  - id: p
    tasks:
      - {{id: a, prompt: x, writes: [a.txt], verify: ["echo a >> {seen}", "test -s a.txt"]}}
      - {{id: b, prompt: x, writes: [b.txt], depends_on: [a]}}
gates: {{verify: ["echo plan >> {seen}; test ! -e {red}"]}}
"""
AGENT = ("--agent", "shell: echo $STRETTO_TASK > $STRETTO_TASK.txt", "--branch", "out", "--yes")


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    toy = Toy(tmp_path, {"README": "hi\n"})
    (tmp_path / "plan.yaml").write_text(PLAN.format(seen=tmp_path / "seen", red=tmp_path / "red"))
    return toy


def ran(toy: Toy) -> list[str]:
    seen = toy.root / "seen"
    return seen.read_text().split() if seen.exists() else []


@contextmanager
def nothing_lands(toy: Toy) -> Iterator[None]:
    """Whoever wants to move the branch waits, as for another engine."""
    folder = repository_home(toy.state, toy.repository / ".git").worktrees
    folder.mkdir(parents=True)
    with landing_lock(folder.resolve(), "refs/heads/out").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def killed(toy: Toy, when: Callable[[], object], what: str) -> None:
    """Start the run, kill its engine with -9 once that is so, and wait until nothing of it is left."""
    front = toy.front("run", "../plan.yaml", *AGENT)
    until(when, f"{what}; said: {toy.said()}")
    os.kill(toy.status()["engine"]["pid"], signal.SIGKILL)
    assert front.wait(timeout=60) == 3
    until(lambda: not toy.processes(), f"nothing is left: {toy.processes()}")


def verdicts(toy: Toy) -> list[Path]:
    return list(toy.state.glob("*/runs/*/verdicts/*.json"))


def test_r6_1a_a_landing_killed_after_its_verdict_is_not_judged_again(toy: Toy) -> None:
    with nothing_lands(toy):
        killed(toy, lambda: len(verdicts(toy)) == 2, "the attempt's checks and the landing's are green")
        assert ran(toy) == ["a", "plan"]
        assert toy.git("ls-tree", "--name-only", "out").split() == ["README"]
    toy.stretto("resume")
    assert toy.states() == {"a": "succeeded", "b": "succeeded"}
    assert ran(toy) == ["a", "plan", "plan"], "b gives another tree, which is judged"
    logs = [log.read_text() for log in toy.state.glob("*/runs/*/attempts/*/0/gates/*.log")]
    assert sum("not run again: green on the same files" in log for log in logs) == 1


def test_r6_1a_a_red_landing_is_judged_again(toy: Toy) -> None:
    (toy.root / "red").touch()
    toy.stretto("run", "../plan.yaml", *AGENT, "--attempts", "1", code=1)
    assert ran(toy) == ["a", "plan"]
    (toy.root / "red").unlink()
    toy.stretto("retry", "a")
    toy.stretto("resume")
    assert toy.states() == {"a": "succeeded", "b": "succeeded"}
    assert ran(toy) == ["a", "plan", "plan", "plan"], "the attempt's own checks were green on the same files"


def test_r6_1a_landing_what_was_judged_on_the_users_branch(toy: Toy) -> None:
    """The user's branch had moved to what the run has, by another way: there is nothing new to judge."""
    toy.stretto("run", "../plan.yaml", *AGENT)
    judged = ran(toy)
    toy.commit("the same by hand", {"a.txt": "a\n", "b.txt": "b\n"})
    assert "merged with what main had got" in toy.stretto("land").stdout
    assert ran(toy) == [*judged, "a"], "the plan's checks knew this tree, and a's did not"
