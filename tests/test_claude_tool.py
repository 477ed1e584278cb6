"""`make claude` says what it did; its standard output is the path, for scripts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import claude

TOOL = Path(claude.__file__)


def made(tmp_path: Path, script: str) -> tuple[subprocess.CompletedProcess[str], Path]:
    """Say it where this script is what has been fetched before."""
    env = {"PATH": os.defpath, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    program = claude.place(env)
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    env["ANTHROPIC_API_KEY"] = "secret"
    return subprocess.run([sys.executable, TOOL], env=env, capture_output=True, text=True, timeout=60), program


def test_what_is_there_already_is_told_with_its_version_and_what_can_run(tmp_path: Path) -> None:
    done, program = made(
        tmp_path, 'test "$HOME" != ' + str(tmp_path) + ' && test -z "$ANTHROPIC_API_KEY" && echo 7.8.9'
    )
    assert (done.returncode, done.stdout) == (0, f"{program}\n"), done.stderr
    assert "Claude Code 7.8.9 is there already; nothing was fetched." in done.stderr
    for name in ("make test", "tests/e2e/test_claude.py"):
        assert name in done.stderr
    assert (TOOL.parent.parent / "tests/e2e/test_claude.py").exists()


def test_one_that_does_not_work_is_refused(tmp_path: Path) -> None:
    done, program = made(tmp_path, "exit 7")
    assert (done.returncode, done.stdout) == (1, "")
    assert "does not tell its version: it ended with 7" in done.stderr
    assert f"hint: rm {program}, and once more" in done.stderr
