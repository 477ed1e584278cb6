"""Secrets in the commands of agents are in nothing that is meant for others."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

import pytest

from e2e.toy import Toy

PLAN = """name: p
tasks:
  - {id: a, prompt: x, writes: [a.txt]}
  - id: b
    prompt: x
    agent: "shell: API_TOKEN=hunter44 sh -c 'echo $STRETTO_TASK > b.txt'"
  - id: c
    prompt: x
    agent: ['shell: DB_PWD=''hunter55 x'' false']
"""
PLANTED = ("hunter22", "hunter44", "hunter55")


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    toy = Toy(tmp_path, {"README": "hi\n", "p.yaml": PLAN})
    words = ("--agent", "shell: SSHPASS=hunter22 sh -c 'echo hi > a.txt'", "--json")
    done = toy.stretto("run", "p.yaml", *words, code=None)
    assert "AttemptStarted" in done.stdout
    assert not [secret for secret in PLANTED if secret in done.stdout + done.stderr]
    return toy


def test_no_page_shows_a_planted_secret(toy: Toy) -> None:
    for words in (
        "inspect", "inspect --json", "inspect --events", "inspect --events --json", "inspect --at 3 --json",
        "report", "report --json", "status", "status --json", "explain c", "explain c --json",
    ):  # fmt: skip
        done = toy.stretto(*words.split(), code=None)
        assert done.returncode in (0, 1, 4) and len(done.stdout) > 20, done.stderr
        assert not [secret for secret in PLANTED if secret in done.stdout + done.stderr], words


def test_no_file_of_an_export_holds_a_planted_secret(toy: Toy) -> None:
    toy.stretto("export", "-o", str(toy.root / "x.tar.gz"))
    with tarfile.open(toy.root / "x.tar.gz") as tar:
        held = {name.name: tar.extractfile(name).read() for name in tar.getmembers()}  # type: ignore[union-attr]
    names = {name.partition("/")[2] for name in held}
    assert {"launch.json", "journal.sqlite3", "plan/p.yaml", "report.md"} <= names
    for secret in PLANTED:
        assert not [name for name, data in held.items() if secret.encode() in data]
    plan = next(data for name, data in held.items() if name.endswith("plan/p.yaml")).decode()
    assert "API_TOKEN=…" in plan and "writes: [a.txt]" in plan


def test_the_run_itself_keeps_its_commands(toy: Toy) -> None:
    found = subprocess.run(["grep", "-rlE", "hunter(22|44)", str(toy.state)], capture_output=True, text=True).stdout
    assert "launch.json" in found and "journal.sqlite3" in found
    assert toy.states()["b"] == "succeeded"
