"""`stretto doctor`: says what is in the way of a run, says how it counts, and changes nothing."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from e2e.toy import Toy, until
from stretto.cli.checkup import terminal, version

PLAN = "name: p\ntasks: [{id: a, prompt: write a.txt hi, writes: [a.txt], verify: {approval: ok?}}]\n"


def program(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def looked(toy: Toy, *args: str, code: int = 0, **env: str) -> dict[str, list[dict[str, Any]]]:
    """What it says, by what it is about."""
    told = json.loads(toy.stretto("doctor", "--json", *args, code=code, **env).stdout)
    assert told["ok"] == (code == 0)
    found: dict[str, list[dict[str, Any]]] = {}
    for seen in told["observations"]:
        found.setdefault(seen["about"], []).append(seen)
    return found


def inventory(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file below, with its size and its last change; in a journal's `-shm` every reader leaves a mark."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in folder.rglob("*")
        if "__pycache__" not in path.parts and not path.name.endswith("-shm")
    }


def test_it_says_what_is_there_and_changes_nothing(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"a": "1", "p.yaml": PLAN})
    toy.env["HOME"] = str(tmp_path / "home")
    (tmp_path / "home").mkdir()
    toy.stretto("run", "p.yaml", "--agent", "scripted", code=4)
    before = inventory(tmp_path)
    found = looked(toy, "--no-agents")
    assert inventory(tmp_path) == before
    assert found["git"][0]["verdict"] == "ok"
    (runs,) = found["runs"]
    assert runs["verdict"] == "warning"
    assert "(paused)" in runs["told"]
    assert "stretto resume p-" in runs["mend"]
    said = toy.stretto("doctor", "--no-agents").stdout
    assert [line for line in said.splitlines() if line and not line.startswith(" ")][:5] == [
        "machine", "repository", "settings", "state", "agents",
    ]  # fmt: skip
    assert "nothing is in the way of a run" in said
    toy.stretto("abandon")
    assert looked(toy, "--no-agents")["runs"][0]["verdict"] == "ok"


def test_processes_that_outlived_their_run_are_told_and_left_alone(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"a": "1", "p.yaml": PLAN})
    toy.stretto("run", "p.yaml", "--agent", "scripted", code=4)
    cookie = {"STRETTO_RUN": toy.status()["run"], "STRETTO_TASK": "a", "STRETTO_ATTEMPT": "1"}
    stray = subprocess.Popen(["sleep", "600"], env={**toy.env, **cookie}, start_new_session=True)
    try:
        until(lambda: "sleep" in Path(f"/proc/{stray.pid}/cmdline").read_text(), "the stray runs")
        strays = [seen for seen in looked(toy, "--no-agents", code=3)["runs"] if seen["verdict"] == "problem"]
        assert len(strays) == 1
        assert str(stray.pid) in strays[0]["told"]
        assert stray.poll() is None
        toy.stretto(*strays[0]["mend"].split()[1:], code=None)
        assert stray.wait(timeout=30) != 0
    finally:
        stray.kill()


@pytest.mark.parametrize(
    ("about", "env", "code"),
    [
        ("settings", {"STRETTO_PARALEL": "1"}, 2),
        ("settings", {"STRETTO_PARALLEL": "x"}, 2),
        ("folder", {"STRETTO_STATE_DIR": "/dev/null/state"}, 3),
        ("default agent", {"STRETTO_AGENT": "nobody"}, 2),
        ("default agent", {"STRETTO_AGENT": "shell:"}, 2),
        ("default agent", {"STRETTO_AGENT": "claude", "PATH": "bin"}, 2),
    ],
)
def test_problems_and_their_exit_codes(tmp_path: Path, about: str, env: dict[str, str], code: int) -> None:
    toy = Toy(tmp_path, {"a": "1"})
    if "PATH" in env:
        git = subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout.strip()
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "git").symlink_to(git)
        env = {**env, "PATH": str(tmp_path / "bin")}
    found = looked(toy, "--no-agents", code=code, **env)
    problems = [seen for seen in found[about] if seen["verdict"] == "problem"]
    assert len(problems) == 1
    assert problems[0]["mend"]


def test_where_nothing_is_as_it_should_be(tmp_path: Path) -> None:
    """No repository, an old git, no home: every area still has its say."""
    toy = Toy(tmp_path, {"a": "1"})
    program(tmp_path / "bin", "git", "echo git version 2.20.1")
    toy.repository = tmp_path
    env = {"PATH": str(tmp_path / "bin"), "TERM": "dumb", "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(
        [sys.executable, "-m", "stretto", "doctor"], cwd=tmp_path, env=env, capture_output=True, timeout=60, check=False
    )
    said = done.stdout.decode("latin-1")
    assert done.stderr == b""
    assert done.returncode == 2
    assert "git version 2.20.1 is too old" in said
    assert "HOME is not set" in said
    assert "TERM is dumb" in said
    assert "text is written as iso8859-1" in said.lower()


def test_secrets_in_a_file_that_others_will_see(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"stretto.toml": '[agents.a]\ncommand = "x"\nenv = {API_KEY = "hunter2", MODE = "fast"}\n'})
    (told,) = looked(toy, "--no-agents")["secrets"]
    assert "agents.a.env.API_KEY" in told["told"]
    assert "hunter2" not in json.dumps(told)


def test_agents_are_asked_for_their_version_and_see_nothing_of_the_users(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"a": "1"})
    seen = tmp_path / "seen"
    toy.env["PATH"] = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    toy.env |= {"ANTHROPIC_API_KEY": "hunter2", "CLAUDE_CONFIG_DIR": "/mine"}
    program(tmp_path / "bin", "claude", f'env > {seen}; echo "9.8.7 (Claude Code)"')
    program(tmp_path / "bin", "codex", "exit 1")
    found = looked(toy)
    assert found["Claude Code"][0]["told"] == f"9.8.7 at {tmp_path / 'bin' / 'claude'}"
    assert found["Codex"][0]["verdict"] == "warning"
    told = dict(line.partition("=")[::2] for line in seen.read_text().splitlines())
    assert "ANTHROPIC_API_KEY" not in told
    assert told["HOME"] == told["CLAUDE_CONFIG_DIR"] != os.environ["HOME"]
    assert not Path(told["HOME"]).exists()
    seen.unlink()
    assert looked(toy, "--no-agents")["Claude Code"][0]["told"] == f"at {tmp_path / 'bin' / 'claude'}"
    assert not seen.exists()


def test_an_agent_that_never_answers_is_ended(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    hanging = program(tmp_path / "bin", "agent", f"sleep 600 & echo $! > {pid}; echo 1.2.3; wait")
    began = time.monotonic()
    assert asyncio.run(version(hanging, os.environ, bound_s=1.0)) is None
    assert time.monotonic() - began < 30
    child = int(pid.read_text())
    until(lambda: not Path(f"/proc/{child}").exists() or " Z " in Path(f"/proc/{child}/stat").read_text(), "it is gone")


def test_what_a_terminal_shows(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w", encoding="utf-8") as stream:
        assert [seen.verdict for seen in terminal(stream, {})] == ["ok"]
        assert [seen.told for seen in terminal(stream, {"TERM": "dumb"})] == ["TERM is dumb"]
    with (tmp_path / "out").open("w", encoding="ascii") as stream:
        assert [seen.verdict for seen in terminal(stream, {})] == ["warning", "ok"]


def test_a_settings_file_that_sets_nothing_is_told_from_none(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"a": "1"})
    assert looked(toy, "--no-agents")["settings"][0]["told"] == "none; nothing needs to be set"
    toy.write({"stretto.toml": "# parallel = 3\n"})
    told = looked(toy, "--no-agents")["settings"][0]["told"]
    assert told == "stretto.toml sets nothing; nothing needs to be set"
