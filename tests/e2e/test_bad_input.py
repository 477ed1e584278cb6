"""Everything a stranger may throw at it: a finding with place and hint and exit 2, or it simply works."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.toy import Toy

AGENT = "shell: echo done > done-$STRETTO_ATTEMPT.txt"
GOOD = "name: p\nphases: [{id: p, tasks: [{id: a, prompt: x}]}]\n"
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(8)
)


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    return Toy(tmp_path, {"README": "hi\n"})


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b'{"name": "')
        file.truncate(100 * 1024 * 1024)


BAD = {
    "empty": b"",
    "binary": bytes(range(256)) * 40,
    "bomb": BOMB.encode(),
    "no plan": b"[1, 2]",
    "wrong types": b"name: [1]\nphases: {p: 3}\ntasks: no\nsetup: 7\n",
    "task is a number": b"name: p\nphases: [{id: p, tasks: [3, {id: a, prompt: 5, writes: 7, verify: {x: 1}}]}]\n",
    "duplicate ids": b"name: p\nphases: [{id: p, tasks: [{id: a, prompt: x}, {id: a, prompt: y}]}]\n",
    "empty id": b"name: p\nphases: [{id: p, tasks: [{id: '', prompt: x}]}]\n",
    "blank id": b"name: p\nphases: [{id: p, tasks: [{id: '  ', prompt: x}]}]\n",
    "control characters in an id": b'{"name": "p", "tasks": [{"id": "a\\u0007b", "prompt": "x"}]}',
    "cycle": b"name: p\ntasks: [{id: a, prompt: x, depends_on: [b]}, {id: b, prompt: x, depends_on: [a]}]\n",
    "unknown id": b"name: p\nphases: [{id: p, tasks: [{id: alpha, prompt: x, depends_on: [alpa]}]}]\n",
    "unknown key": b"name: p\nphases: [{id: p, tasks: [{id: a, promt: x}]}]\n",
    "outside": b"name: p\nphases: [{id: p, tasks: [{id: a, prompt: x, writes: [../etc/passwd]}]}]\n",
    "broken json": b'{"name": "p", "phases": [}',
    "json with comments": b'{"name": "p", // really\n "phases": []}',
    "not supported yet": b"name: p\nphases: [{id: p, on_failure: rollback, tasks: [{id: a, prompt: x}]}]\n",
    "no prompt": b"name: p\nphases: [{id: p, tasks: [{id: a}]}]\n",
    "missing prompt file": b"name: p\nphases: [{id: p, tasks: [{id: a, prompt_file: nowhere.md}]}]\n",
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_plan_is_findings_with_place_and_hint(toy: Toy, name: str) -> None:
    (toy.root / "plan").write_bytes(BAD[name])
    for verb in (["check", "plan", "--json"], ["run", "plan", "--agent", AGENT, "--yes"], ["show", "plan"]):
        done = toy.stretto(*[str(toy.root / "plan") if word == "plan" else word for word in verb], code=None)
        assert done.returncode == (2 if verb[0] != "show" else done.returncode), (verb, done.stdout, done.stderr)
        assert done.returncode in (0, 2)
    findings = json.loads(toy.stretto("check", str(toy.root / "plan"), "--json", code=2).stdout)["findings"]
    errors = [finding for finding in findings if finding["severity"] == "error"]
    assert errors and all(finding["hint"] and finding["location"]["line"] >= 1 for finding in errors), findings
    assert not toy.git("for-each-ref", "refs/heads/stretto", "refs/stretto")


def test_100_mb_are_refused(toy: Toy) -> None:
    huge(toy.root / "huge.json")
    assert "MB" in toy.stretto("check", str(toy.root / "huge.json"), code=2).stdout


def test_no_such_plan_and_a_folder(toy: Toy) -> None:
    (toy.root / "plan.yaml").write_text(GOOD)
    assert "plan.yaml" in toy.stretto("check", str(toy.root / "plam.yaml"), code=2).stdout
    toy.stretto("check", str(toy.root), code=2)


@pytest.mark.parametrize(
    "task",
    ["a/b", "..", "../../x", "with space", "ünï/çødé 漢字", "x" * 500, "$(touch pwned)", "-rf", "a'b\"c;`id`", "CON"],
)
def test_odd_ids_work(toy: Toy, task: str) -> None:
    plan = {
        "name": "odd; $(touch pwned)",
        "phases": [{"id": "p", "tasks": [{"id": task, "prompt": "x", "title": "`touch pwned`"}]}],
    }
    (toy.root / "plan.json").write_text(json.dumps(plan))
    toy.stretto("run", str(toy.root / "plan.json"), "--agent", AGENT, "--yes")
    assert toy.states() == {task: "succeeded"}
    toy.stretto("explain", "--", task)
    toy.stretto("logs", "--", task)
    assert toy.git("ls-tree", "--name-only", toy.branch()).split() == ["README", "done-1.txt"]
    assert not list(toy.root.rglob("pwned"))


def run_in(folder: Path, toy: Toy, **env: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "stretto", "run", str(toy.root / "plan.yaml"), "--agent", AGENT, "--yes"],
        cwd=folder, env={**toy.env, **env}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_repositories_that_cannot_carry_a_run(toy: Toy) -> None:
    (toy.root / "plan.yaml").write_text(GOOD)
    for name, init in (("nothing", None), ("no commits", ["init", "-q"]), ("bare", ["init", "-q", "--bare"])):
        folder = toy.root / name
        folder.mkdir()
        if init:
            subprocess.run(["git", *init], cwd=folder, check=True, env=toy.env)
        before = sorted(str(path) for path in folder.rglob("*"))
        done = run_in(folder, toy)
        assert done.returncode == 2 and "error:" in done.stderr and "hint:" in done.stderr, done.stderr
        assert sorted(str(path) for path in folder.rglob("*")) == before


def test_git_missing_or_too_old(toy: Toy) -> None:
    (toy.root / "plan.yaml").write_text(GOOD)
    bare, old = toy.root / "bin", toy.root / "old"
    bare.mkdir()
    old.mkdir()
    for tool in ("sh", "bash", "echo"):
        (bare / tool).symlink_to(str(shutil.which(tool)))
    (old / "git").write_text("#!/bin/sh\necho git version 2.30.2\n")
    (old / "git").chmod(0o755)
    missing = run_in(toy.repository, toy, PATH=str(bare))
    assert missing.returncode == 2 and "git" in missing.stderr and "hint:" in missing.stderr
    too_old = run_in(toy.repository, toy, PATH=f"{old}{os.pathsep}{toy.env['PATH']}")
    assert too_old.returncode == 2 and "2.30" in too_old.stderr and "2.38" in too_old.stderr


def test_detached_and_shallow_work(toy: Toy) -> None:
    (toy.root / "plan.yaml").write_text(GOOD)
    toy.commit("second", {"more": "x\n"})
    toy.git("switch", "-q", "--detach")
    assert run_in(toy.repository, toy).returncode == 0
    toy.stretto("land")
    assert (toy.repository / "done-1.txt").exists()
    toy.git("switch", "-q", "main")
    shallow = toy.root / "shallow clone"
    toy.git("clone", "-q", "--depth", "1", f"file://{toy.repository}", str(shallow))
    assert run_in(shallow, toy).returncode == 0
    assert (shallow / ".git" / "shallow").exists()
