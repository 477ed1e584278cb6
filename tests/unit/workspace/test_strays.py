"""What a person has put where the pool keeps its worktrees is not wiped by the next one to take a place (R7.3)."""

from __future__ import annotations

from pathlib import Path

import pytest

from stretto.errors import WorkspaceError
from stretto.model.plan import Setup
from stretto.ports import Workspace
from stretto.workspace.cleaning import free, precious
from stretto.workspace.pool import Pool, Slot
from stretto.workspace.repository import Repository
from stretto.workspace.worktree import GitWorkspaces
from unit.workspace.kit import awaited, git, workspaces, write


async def agent(spaces: GitWorkspaces, root: Path, attempt: int) -> Workspace:
    return await spaces.open(task="t", attempt=attempt, base=git(root, "rev-parse", "HEAD"), role="agent")


@pytest.mark.parametrize("stray", ["folder", "file", "link", "clone", "worktree"])
@awaited
async def test_r7_3_a_place_that_the_pool_has_not_made_is_left_alone(root: Path, state: Path, stray: str) -> None:
    spaces = await workspaces(root, state)
    first = await agent(spaces, root, 1)
    place = first.path.with_name("2")
    if stray == "folder":
        write(place, {"mine": "precious\n"})
    elif stray == "file":
        place.write_text("precious\n")
    elif stray == "link":
        write(state / "mine", {"mine": "precious\n"})
        place.symlink_to(state / "mine")
    elif stray == "clone":
        git(root, "clone", "-q", str(root), str(place))
    else:
        git(root, "worktree", "add", "-q", "-b", "mine", str(place))
    before = sorted(place.rglob("*")) if place.is_dir() else place.read_text()
    second = await agent(spaces, root, 2)
    assert second.path == first.path.with_name("3")
    assert (sorted(place.rglob("*")) if place.is_dir() else place.read_text()) == before
    assert place.is_symlink() == (stray == "link")


@pytest.mark.parametrize("put", ["new", "changed", "staged", "broken index"])
@awaited
async def test_r7_3_a_place_with_files_of_a_persons_is_passed_over_until_they_are_gone(
    root: Path, state: Path, put: str
) -> None:
    spaces = await workspaces(root, state)
    space = await agent(spaces, root, 1)
    write(space.path, {"by the agent": "saved\n"})
    await spaces.save(space, task="t", attempt=1, message="work")
    await spaces.close(space)
    name = "new" if put == "new" else "README"
    write(space.path, {name: "precious\n"})
    if put == "staged":
        git(space.path, "add", "-A")
    if put == "broken index":
        space.path.with_suffix(".index").write_bytes(b"DIRC")
    other = await agent(spaces, root, 2)
    assert other.path != space.path
    assert (space.path / name).read_text() == "precious\n"
    await spaces.close(other)
    (space.path / name).unlink()
    if put not in ("new", "broken index"):
        git(root, "worktree", "remove", "--force", str(space.path))
    if put != "broken index":
        assert (await agent(spaces, root, 3)).path == space.path


@awaited
async def test_r7_3_what_comes_after_the_work_was_saved_is_in_no_ref_and_stays(root: Path, state: Path) -> None:
    spaces = await workspaces(root, state)
    space = await agent(spaces, root, 1)
    write(space.path, {"by the agent": "saved\n"})
    await spaces.save(space, task="t", attempt=1, message="work")
    write(space.path, {"late": "precious\n"})
    await spaces.close(space)
    other = await agent(spaces, root, 2)
    assert other.path != space.path
    assert (space.path / "late").read_text() == "precious\n"
    await spaces.close(other)
    (space.path / "late").unlink()
    assert (await agent(spaces, root, 3)).path == space.path


@awaited
async def test_r7_3_what_set_up_made_is_nobodys_nested_repositories_too(root: Path, state: Path) -> None:
    """None of it is ignored, so git tells of all of it."""
    write(root, {"vendored/file": "copied\n"})
    git(root / "vendored", "init", "-q")
    made = "mkdir -p made && git init -q made/nested && echo x > made/nested/file && echo x > plain"
    spaces = await workspaces(root, state, setup=Setup(copy=("vendored",), run=(made,)))
    space = await agent(spaces, root, 1)
    write(space.path, {"by the agent": "saved\n", "vendored/file": "changed\n", "made/nested/file": "changed\n"})
    await spaces.save(space, task="t", attempt=1, message="work")
    await spaces.close(space)
    assert (await agent(spaces, root, 2)).path == space.path


@awaited
async def test_r7_3_what_an_agent_leaves_is_nobodys_its_branches_too(root: Path, state: Path) -> None:
    spaces = await workspaces(root, state)
    space = await agent(spaces, root, 1)
    git(space.path, "switch", "-qc", "feature")
    write(space.path, {"new": "saved\n", "README": "changed\n", "x.log": "ignored\n"})
    git(space.path, "add", "README")
    git(space.path, "commit", "-qm", "done")
    await spaces.save(space, task="t", attempt=1, message="work")
    await spaces.close(space)
    again = await agent(spaces, root, 2)
    assert again.path == space.path
    assert git(again.path, "status", "--porcelain", "--ignored") == ""


@awaited
async def test_r7_3_a_place_that_was_half_made_when_its_engine_died_is_used_again(root: Path, state: Path) -> None:
    """Whatever set-up had written by then is nobody's."""
    setup = Setup(run=("echo made > half; mkdir -p deep; echo x > deep/y; exit 1",))
    spaces = await workspaces(root, state, setup=setup)
    with pytest.raises(WorkspaceError):
        await agent(spaces, root, 1)
    (place,) = (state / "worktrees").glob("agent-*/1")
    assert (place / "half").exists()
    repository = await Repository.find(root)
    pool = Pool(place.parent.parent, repository.store, repository.common)
    assert await precious(pool, place) == "", "what the failed set-up has left may go"
    with pytest.raises(WorkspaceError):
        await agent(spaces, root, 2)
    assert not place.with_name("2").exists()
    write(place, {"mine": "precious\n"})
    assert "mine" in await precious(pool, place)
    assert "mine" in await free(pool, place, occupant=lambda folder: None)


@awaited
async def test_r7_3_a_kill_in_the_middle_of_set_up_costs_no_place(
    root: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def killed(self: GitWorkspaces, slot: Slot, base: str, *, cookie: tuple[str, str, str]) -> None:
        write(slot.path, {"half": "made\n"})
        raise KeyboardInterrupt

    async def by_the_kernel(self: GitWorkspaces, slot: Slot) -> None:
        slot.release()

    spaces = await workspaces(root, state)
    with monkeypatch.context() as patch:
        patch.setattr(GitWorkspaces, "_fit", killed)
        patch.setattr(GitWorkspaces, "_take_back", by_the_kernel)
        with pytest.raises(KeyboardInterrupt):
            await agent(spaces, root, 1)
    again = await agent(spaces, root, 2)
    assert again.path.name == "1"
    assert not (again.path / "half").exists()
