"""`stretto init`: from nothing to a run, and never over what somebody has written."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from e2e.toy import Toy
from unit.recipes.zoo import ZOO


def bare(toy: Toy, *commands: str) -> None:
    """A PATH with git, a shell and these commands, and nothing of the machine's."""
    folder = toy.root / "bin"
    folder.mkdir()
    for name in commands:
        (folder / name).write_text("#!/bin/sh\necho 1.2.3\n")
        (folder / name).chmod(0o755)
    for name in ("git", "sh", "make", "test"):
        (folder / name).symlink_to(shutil.which(name) or "")
    toy.env["PATH"] = str(folder)


def test_from_init_to_a_run_without_any_agent(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"README.md": "hi", "Makefile": "test:\n\ttest -f README.md\n"})
    bare(toy)
    said = toy.stretto("init").stdout
    assert "make test  (Makefile)" in said
    assert "no coding agent on the PATH" in said
    toy.stretto("config")
    assert "nothing to complain about" in toy.stretto("check", "plan.yaml", "--fail-on", "warning").stdout
    toy.stretto("run", "plan.yaml", "--land")
    assert (toy.repository / "notes" / "next.md").read_text() == "What should come next\n"


@pytest.mark.parametrize("name", ["npm", "monorepo", "several lock files"])
def test_agents_that_are_installed_are_named(tmp_path: Path, name: str) -> None:
    toy = Toy(tmp_path, dict(ZOO[name][0]))
    bare(toy, "claude", "codex")
    said = toy.stretto("init", "--yes").stdout
    assert f"agent      Claude Code  ({tmp_path / 'bin' / 'claude'})" in said
    assert toy.stretto("config", "agent").stdout == "claude\n"
    toy.stretto("check", "plan.yaml", "--fail-on", "warning")
    toy.stretto("run", "plan.yaml", "--dry-run")


def test_twice_is_the_same_and_nothing_is_overwritten(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"go.mod": "module x"})
    bare(toy)
    toy.stretto("init")
    files = {name: (toy.repository / name).read_text() for name in ("stretto.toml", "plan.yaml")}
    assert "stretto.toml is there already" in toy.stretto("init", code=2).stderr
    toy.write({"stretto.toml": "parallel = 0\n", "plan.yaml": "mine"})
    toy.stretto("init", code=2)
    assert (toy.repository / "stretto.toml").read_text() == "parallel = 0\n"
    said = toy.stretto("init", "--force").stdout
    assert "plan.yaml was there already, and is left as it is" in said
    assert "gates.verify: go vet ./..." in said
    assert (toy.repository / "plan.yaml").read_text() == "mine"
    assert (toy.repository / "stretto.toml").read_text() == files["stretto.toml"]
    (toy.repository / "plan.yaml").unlink()
    toy.stretto("init", "--force")
    assert (toy.repository / "plan.yaml").read_text() == files["plan.yaml"]
    assert sorted(path.name for path in toy.repository.iterdir()) == [".git", "go.mod", "plan.yaml", "stretto.toml"]


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"a": ""})
    toy.repository = tmp_path / "fresh"
    toy.repository.mkdir()
    toy.git("init", "-q", "-b", "main")
    toy.write({"package.json": ZOO["npm"][0]["package.json"], ".gitignore": "node_modules\n", "node_modules/x": ""})
    bare(toy)
    said = toy.stretto("init").stdout
    assert "package.json is not in git yet, and a task sees only what is committed" in said
    assert 'git add -A && git commit -m "start"' in said
    toy.git("add", "-A")
    toy.git("-c", "user.name=u", "-c", "user.email=u@localhost", "commit", "-qm", "start")
    toy.stretto("check", "plan.yaml")


def test_from_a_folder_below(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"src/a.py": "", "Cargo.toml": "[package]"})
    bare(toy)
    toy.repository /= "src"
    said = toy.stretto("init").stdout
    assert f"wrote {tmp_path / 'repo' / 'stretto.toml'}" in said
    assert (tmp_path / "repo" / "plan.yaml").exists()


def test_where_there_is_no_repository(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"a": ""})
    toy.repository = tmp_path
    toy.env["GIT_CEILING_DIRECTORIES"] = str(tmp_path.parent)
    refused = toy.stretto("init", code=2).stderr
    assert "is not in a git repository" in refused
    assert "git init" in refused


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"a": ""})
    bare(toy)
    (toy.repository / "plan.yaml").symlink_to("nowhere")
    said = toy.stretto("init").stdout
    assert "plan.yaml was there already" in said
    assert (toy.repository / "plan.yaml").is_symlink()
    (toy.repository / "stretto.toml").unlink()
    (toy.repository / "stretto.toml").mkdir()
    refused = toy.stretto("init", "--force", code=2).stderr
    assert "cannot write stretto.toml" in refused
    assert [path.name for path in toy.repository.iterdir() if path.name.startswith(".s")] == []


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_not_ours(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"a": ""})
    toy.repository.chmod(0o555)
    try:
        assert "make that folder writable" in toy.stretto("init", code=2).stderr
    finally:
        toy.repository.chmod(0o755)


def test_settings_that_no_run_would_get_past_are_told_first(tmp_path: Path) -> None:
    toy = Toy(tmp_path, {"a": ""})
    done: subprocess.CompletedProcess[str] = toy.stretto("init", code=2, STRETTO_PARALEL="1")
    assert "did you mean STRETTO_PARALLEL?" in done.stderr
    assert not (toy.repository / "stretto.toml").exists()
