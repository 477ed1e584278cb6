"""Kill -9 at random moments, resume, and compare with a run that nobody disturbed (R8.2).

    python -m e2e.storm --rounds 50 --seed 1        (from the folder tests/)

Thirty tasks with overlapping claims, half of them checked and one that always fails, edit a repository in ways that do
not depend on order. Each round kills the engine alone, its warden alone, or engine, warden and front together, or stops
the run at once, at random moments, and resumes; then the results are landed, and that is killed once, too. In the end
the tree must be the one of the undisturbed run, on the run's branch and on the user's; nothing that had landed or ended
may have run again, no process with the run's cookie may be left, and the journal may have no gap. The folder of a round
that breaks a promise is kept.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from itertools import permutations
from pathlib import Path
from typing import Any

from e2e.toy import Toy
from stretto.core.events import encode
from stretto.engine.home import RunHome
from stretto.engine.reader import SqliteReader

TASKS = 30
FAILS = 13
"""The task whose check is red: it has no dependents."""
AGENT = (
    "shell: echo $STRETTO_TASK $STRETTO_ATTEMPT >> $STORM_LOG; i=${STRETTO_TASK#t}; sleep 0.2; "
    "if [ $((i % 3)) = 0 ]; then (cat list.txt; echo $STRETTO_TASK) | sort -u > list.new; mv list.new list.txt; "
    "else mkdir -p shared/$((i % 5)); echo $STRETTO_TASK > shared/$((i % 5))/$STRETTO_TASK.txt; fi; sleep 0.2"
)
ENDED = {"AttemptFinished", "AttemptFailed", "AttemptCancelled"}


def storm_toy(root: Path) -> Toy:
    log = root / "executions.log"
    root.mkdir()
    log.touch()
    toy = Toy(
        root,
        {
            "list.txt": "",
            "plan.json": json.dumps(plan(), indent=2),
            "stretto.toml": '[env]\npass = ["STORM_LOG"]\n',
        },
    )
    toy.env["STORM_LOG"] = str(log)
    return toy


def plan() -> dict[str, object]:
    subtasks = [
        {
            "id": f"t{i}",
            "description": f"add line {i}",
            "status": "pending",
            "files_to_modify": ["list.txt"] if i % 3 == 0 else [f"shared/{i % 5}/"],
            "dependencies": [f"t{i - 7}"] if i >= 7 and i % 2 else [],
            **({"verification": {"type": "command", "command": f"test {i} != {FAILS}"}} if i % 2 else {}),
        }
        for i in range(TASKS)
    ]
    return {
        "feature": "storm",
        "workflow_type": "feature",
        "phases": [{"id": "p", "name": "all", "depends_on": [], "parallel_safe": True, "subtasks": subtasks}],
    }


def start(toy: Toy) -> subprocess.Popen[bytes]:
    return toy.front("run", "plan.json", "--agent", AGENT, "-j", "4", "--yes")


def tree(toy: Toy) -> str:
    """Every file on the run's branch with its blob."""
    branch = toy.git("for-each-ref", "--format=%(refname)", "refs/heads/stretto").split()[-1]
    return toy.git("ls-tree", "-r", branch)


def undisturbed(root: Path) -> str:
    toy = storm_toy(root)
    code = start(toy).wait(timeout=300)
    assert code == 1, f"the undisturbed run ended with {code}: {toy.said()[-2000:]}"
    return tree(toy)


def strike(toy: Toy, front: subprocess.Popen[bytes], what: str) -> None:
    """The engine alone, its warden alone, or everything of stretto's own at the same moment; or a stop at once."""
    if what == "stop":
        toy.stretto("stop", "--now", code=None)
        return
    running = toy.processes()
    mine = [(pid, text) for pid, text in running if b"stretto" in text and b"python" in text]
    victims = {
        "all": [front.pid, *(pid for pid, _ in mine)],
        "warden": [pid for pid, text in mine if b"stretto.engine.warden" in text],
        "engine": [pid for pid, text in mine if b"stretto.cli.engine" in text and b"warden" not in text],
    }
    for pid in victims[what]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def one_round(root: Path, rng: random.Random, wanted: str) -> str:
    """A storm; raises AssertionError where a promise is broken. What happened, in one line."""
    toy = storm_toy(root)
    front = start(toy)
    kills = Counter[str]()
    for _ in range(rng.randint(1, 4)):
        deadline = time.monotonic() + rng.uniform(0.4, 3.0)
        while time.monotonic() < deadline and front.poll() is None:
            time.sleep(0.01)
        if front.poll() is not None:
            break
        begun = any(toy.state.glob("*/runs/*/journal.sqlite3"))
        what = rng.choice(("engine", "warden", "all", "all", "stop", "stop") if begun else ("engine", "warden", "all"))
        kills[what] += 1
        strike(toy, front, what)
        code = front.wait(timeout=60)
        assert code in (4, 3, 1, -9), f"after {what} the front said {code}: {toy.said()[-2000:]}"
        begun = any(toy.state.glob("*/runs/*/launch.json"))
        front = toy.front("resume") if begun else start(toy)
    code = front.wait(timeout=300)
    assert code == 1, f"it ended with {code}: {toy.said()[-3000:]}"
    landing = toy.front("land")
    with contextlib.suppress(subprocess.TimeoutExpired):
        landing.wait(timeout=rng.uniform(0.2, 1.0))
    landing.kill()
    landing.wait()
    toy.stretto("land")
    for whose, got in (("the run's branch", tree(toy)), ("main", toy.git("ls-tree", "-r", "main"))):
        lacks, has = (sorted(a - b) for a, b in permutations((set(wanted.splitlines()), set(got.splitlines()))))
        assert not (lacks or has), f"{whose} is not the undisturbed run's; it lacks {lacks}, it has {has}"
    assert not toy.git("status", "--porcelain"), "the user's tree is not clean"
    left = [text for _, text in toy.processes()]
    assert not left, f"processes are left: {left}"
    executions = (root / "executions.log").read_text().splitlines()
    check_journal(toy, executions)
    return f"{dict(kills)} struck, {len(executions)} executions"


def check_journal(toy: Toy, executions: list[str]) -> None:
    """R8.2: nothing whose landing or end was durable runs again; no attempt runs twice; no gap."""
    (journal,) = toy.state.glob("*/runs/*/journal.sqlite3")
    landed: set[str] = set()
    ended: set[tuple[str, int]] = set()
    for recorded in SqliteReader(RunHome(path=journal.parent)).events():
        event: dict[str, Any] = json.loads(encode(recorded.event))
        key = (event.get("task", ""), event.get("attempt", 0))
        if event["kind"] == "AttemptStarted":
            assert key[0] not in landed, f"{key} started although its task had landed"
            assert key not in ended, f"{key} started although it had ended"
        elif event["kind"] in ENDED:
            ended.add(key)
        elif event["kind"] == "BatchLanded":
            landed |= {entry["task"] for entry in event["landed"]}
    twice = [line for line, count in Counter(executions).items() if count > 1]
    assert not twice, f"attempts that ran twice: {twice}"
    assert len(landed) == TASKS - 1, f"{len(landed)} landed"


def weather(rounds: int, seed: int, base: Path) -> None:
    rng = random.Random(seed)
    wanted = undisturbed(base / "calm")
    for number in range(1, rounds + 1):
        root = base / f"round-{number}"
        print(f"{number}/{rounds}: {one_round(root, rng, wanted)}", flush=True)
        shutil.rmtree(root)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    base = Path(tempfile.mkdtemp(prefix="stretto-storm-"))
    weather(options.rounds, options.seed, base)
    shutil.rmtree(base)
    print(f"{options.rounds} storms weathered")
    return 0


if __name__ == "__main__":
    sys.exit(main())
