"""The walk of docs/walk.md, step by step, as a newcomer would do it: in a terminal, with an empty home."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from conftest import needed
from e2e.terminals import Terminal
from e2e.toy import Toy
from e2e.walks import Walker, steps

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "walk.md"
TOOLS = (
    "bash", "cat", "cp", "git", "grep", "less", "make", "mkdir", "mv", "pager", "rm", "sed", "setpriv", "sh", "sleep",
    "test",
)  # fmt: skip


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    """A newcomer: an empty home, git that knows who they are, and no coding agent."""
    (tmp_path / "bin").mkdir()
    for name in TOOLS:
        if program := shutil.which(name):
            (tmp_path / "bin" / name).symlink_to(program)
    for name in ("python3", "stretto"):
        (tmp_path / "bin" / name).write_text(f'#!/bin/sh\nexec "{Path(sys.executable).parent / name}" "$@"\n')
        (tmp_path / "bin" / name).chmod(0o755)
    toy = Toy(tmp_path / "home", {"README": "hi\n"}, folder="elsewhere")
    who = {f"GIT_{role}_{key}": "newcomer" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
    toy.env |= {**who, "HOME": str(toy.root), "PATH": str(tmp_path / "bin")}
    toy.repository = ROOT
    return toy


def test_the_walk_of_a_newcomer(toy: Toy) -> None:
    tmux = needed("tmux", shutil.which("tmux"), "apt-get install tmux")
    with Terminal(tmux, toy) as terminal:
        terminal.type(f"export PATH='{toy.env['PATH']}' PS1='[$?]$ '")
        terminal.until("[0]$")
        walker = Walker(terminal, toy.env)
        for step in steps(PAGE.read_text()):
            walker.walk(step)
