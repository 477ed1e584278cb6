"""Earlier work of a task in its next workspace, also where it conflicts."""

from __future__ import annotations

from pathlib import Path

from unit.workspace.kit import agent, awaited, commit, git, workspaces, write


@awaited
async def test_carry_brings_earlier_work_uncommitted(root: Path, state: Path) -> None:
    base = git(root, "rev-parse", "HEAD")
    spaces = await workspaces(root, state)
    space = await agent(spaces, root)
    write(space.path, {"work": "half\n", "README": "half\n"})
    half = await spaces.save(space, task="t", attempt=1, message="work")
    await spaces.close(space)
    newer = commit(root, {"other": "landed meanwhile\n"})
    space = await agent(spaces, root, attempt=2, base=newer, carry=str(half.commit))
    assert (space.path / "work").read_text() == "half\n"
    assert (space.path / "other").exists()
    assert git(space.path, "rev-parse", "HEAD") == newer
    assert set(git(space.path, "status", "--porcelain", "--no-renames").splitlines()) == {" M README", "?? work"}
    saved = await spaces.save(space, task="t", attempt=2, message="work")
    assert set(saved.paths) == {"work", "README"}
    assert git(root, "rev-parse", f"{saved.commit}^") == newer
    assert base != newer


@awaited
async def test_carry_that_conflicts_is_left_out_or_comes_with_markers(root: Path, state: Path) -> None:
    spaces = await workspaces(root, state)
    space = await agent(spaces, root)
    write(space.path, {"README": "mine\n", "work": "w\n"})
    mine = str((await spaces.save(space, task="t", attempt=1, message="work")).commit)
    await spaces.close(space)
    newer = commit(root, {"README": "theirs\n"})
    space = await agent(spaces, root, attempt=2, base=newer, carry=mine)
    assert (space.path / "README").read_text() == "theirs\n"
    await spaces.close(space)
    space = await agent(spaces, root, attempt=3, base=newer, carry=mine, conflict=True)
    text = (space.path / "README").read_text()
    assert "<<<<<<<" in text
    assert "mine" in text
    assert "theirs" in text
    assert (space.path / "work").read_text() == "w\n"
