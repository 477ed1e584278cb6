"""A run in one file: whole, checkable, without secrets, and consistent while the run is at work."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from e2e.held import Held
from e2e.toy import until
from stretto.core.recovery import replay
from stretto.engine.journal import events_after, reading

SETTINGS = """
[agents.worker]
command = '''
echo $STRETTO_TASK --token s3cret > $STRETTO_TASK.txt; echo printed
until [ -e "$MARK/go" ]; do sleep 0.02; done
'''
env = {API = "s3cret"}
[env]
pass = ["MARK"]
"""
PLAN = "name: p\ntasks:\n  - {id: a, prompt: the prompt, writes: [a.txt]}\n  - {id: b, prompt: x, depends_on: [a]}\n"


@pytest.fixture
def toy(tmp_path: Path) -> Held:
    return Held(tmp_path, {"README": "hi\n", "stretto.toml": SETTINGS, "p.yaml": PLAN})


def finished(toy: Held) -> str:
    toy.go()
    toy.stretto("run", "p.yaml", "--agent", "worker")
    return str(toy.status()["run"])


def unpacked(toy: Held, path: Path) -> tuple[Path, dict[str, Any]]:
    """(folder of the run, manifest); every file is what the manifest says."""
    where = toy.root / "unpacked"
    with tarfile.open(path) as tar:
        tar.extractall(where, filter="data")
    (folder,) = where.iterdir()
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    there = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()} - {"manifest.json"}
    assert {file["path"] for file in manifest["files"]} == there
    for file in manifest["files"]:
        data = (folder / file["path"]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (file["size"], file["sha256"])
    return folder, manifest


def test_an_export_holds_everything_but_secrets(toy: Held) -> None:
    run = finished(toy)
    said = toy.stretto("export").stdout
    folder, manifest = unpacked(toy, toy.repository / f"{run}.tar.gz")
    assert (folder.name, manifest["run"], manifest["at_work"]) == (run, run, False)
    assert "values of environment variables" in said
    assert "s3cret" not in (folder / "launch.json").read_text()
    assert '"API": "…"' in (folder / "launch.json").read_text()
    assert (folder / "plan" / "p.yaml").read_text() == PLAN
    assert "**PROCEED**" in (folder / "report.md").read_text()
    (prompt, log) = (next(folder.glob(f"attempts/a-*/1/{name}")) for name in ("prompt.md", "output.log"))
    assert "the prompt" in prompt.read_text()
    assert log.read_text() == "printed\n"
    with reading(folder / "journal.sqlite3") as connection:
        state = replay(one.event for one in events_after(connection, 0)).state
    assert {record.id: record.state for record in state.tasks} == toy.states()


def test_its_commits_can_be_fetched_by_whoever_has_the_base(toy: Held) -> None:
    run = finished(toy)
    toy.stretto("export", "-o", str(toy.root / "x.tgz"))
    folder, manifest = unpacked(toy, toy.root / "x.tgz")
    clone = toy.root / "clone"
    toy.git("clone", "-q", "--single-branch", "-b", "main", str(toy.repository), str(clone))
    assert manifest["base"] == toy.git("rev-parse", "main").strip()
    for words in (("bundle", "verify", "-q"), ("fetch", "-q")):
        refs = ["refs/*:refs/remotes/sent/*"] if words[0] == "fetch" else []
        done = subprocess.run(["git", *words, str(folder / "refs.bundle"), *refs], cwd=clone, env=toy.env)
        assert done.returncode == 0
    shown = subprocess.run(
        ["git", "show", f"refs/remotes/sent/heads/stretto/{run}:b.txt"], cwd=clone, env=toy.env, capture_output=True
    )
    assert shown.stdout.startswith(b"b ")


def test_a_run_at_work_is_exported_as_of_one_moment(toy: Held) -> None:
    front = toy.front("run", "p.yaml", "--agent", "worker")
    until(lambda: toy.states().get("a") == "running", f"a runs; said: {toy.said()}")
    told = json.loads(toy.stretto("export", "-o", str(toy.root / "x.tar.gz"), "--json").stdout)["manifest"]
    assert told["at_work"]
    toy.go()
    assert front.wait(timeout=60) == 0
    folder, manifest = unpacked(toy, toy.root / "x.tar.gz")
    with reading(folder / "journal.sqlite3") as connection:
        recorded = list(events_after(connection, 0))
    assert len(recorded) == manifest["events"] == told["events"]
    assert replay(one.event for one in recorded).state.by_id["a"].state == "running"
    assert "the run has no commits beyond its base" in str(manifest["left_out"])


def test_what_an_agent_may_have_put_there_is_not_followed(toy: Held) -> None:
    run = finished(toy)
    secret = toy.root / "secret"
    secret.write_text("s3cret")
    (attempt,) = toy.state.glob(f"*/runs/{run}/attempts/a-*/1")
    (attempt / "link.txt").symlink_to(secret)
    (attempt / "folder").symlink_to(toy.root)
    os.mkfifo(attempt / "pipe")
    toy.stretto("export", "--no-logs")
    folder, manifest = unpacked(toy, toy.repository / f"{run}.tar.gz")
    left = {one["what"].rpartition("/")[2] for one in manifest["left_out"]}
    assert {"link.txt", "folder", "pipe", "*.log"} <= left
    assert not list(folder.rglob("*.log"))
    assert list(folder.rglob("prompt.md"))


def test_nothing_is_overwritten_and_nothing_half_written_stays(toy: Held) -> None:
    run = finished(toy)
    path = toy.repository / "x.tar.gz"
    path.write_text("mine")
    assert "--force" in toy.stretto("export", "-o", "x.tar.gz", code=2).stderr
    assert path.read_text() == "mine"
    toy.stretto("export", "-o", "x.tar.gz", "--force")
    assert tarfile.is_tarfile(path)
    assert "compressed tar file" in toy.stretto("export", "-o", "x.zip", code=2).stderr
    assert "cannot write" in toy.stretto("export", "-o", "no/where.tar.gz", code=2).stderr
    (journal,) = toy.state.glob(f"*/runs/{run}/journal.sqlite3")
    toy.stretto("export", "-o", str(toy.root))
    assert (toy.root / f"{run}.tar.gz").exists()
    journal.write_bytes(b"x" * 4096)
    toy.stretto("export", "-o", "y.tar.gz", code=3)
    assert sorted(file.name for file in toy.repository.iterdir()) == [
        ".git",
        "README",
        "p.yaml",
        "stretto.toml",
        "x.tar.gz",
    ]


def test_what_clean_has_removed_is_said(toy: Held) -> None:
    toy.go()
    toy.stretto("run", "p.yaml", "--agent", "worker", "--land")
    assert "logs and prompts" in toy.stretto("clean").stdout
    toy.stretto("clean", "--apply")
    for words in (["logs", "a"], ["logs", "a", "--prompt"]):
        assert "`stretto clean` has removed it" in toy.stretto(*words, code=3).stderr
    assert "left out: refs.bundle: `stretto clean` has removed its refs" in toy.stretto("export").stdout


def test_the_output_of_a_set_up_that_failed_is_shown_where_no_agent_has_any(toy: Held) -> None:
    toy.write({"s.yaml": "name: s\nsetup: {run: ['echo broken tool; exit 3']}\ntasks: [{id: t, prompt: x}]\n"})
    toy.stretto("run", "s.yaml", "--agent", "worker", code=None)
    done = toy.stretto("logs", "t")
    assert "broken tool" in done.stdout and "its output: " in done.stdout
    assert "of 't' ended before its agent started" in done.stderr
