"""A workspace is as sparse as the user's work tree, and nothing that it hides is overwritten unseen (R7.1)."""

from __future__ import annotations

from pathlib import Path

import pytest

from unit.workspace.kit import awaited, commit, files_in, git, workspaces, write

CONE = ("--cone", "small")
RULES = ("--no-cone", "/*", "!/big/")


@pytest.fixture(params=["main", "linked"])
def tree(root: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """The user's work tree, once the repository's own and once a linked one beside a whole one."""
    commit(root, {"small/y": "y\n", "big/x": "x\n", "big/deep/z": "z\n", "top": "t\n"})
    if request.param == "main":
        return root
    git(root, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    return tmp_path / "side"


@pytest.mark.parametrize("patterns", [CONE, RULES], ids=["cone", "rules"])
@awaited
async def test_r7_1_what_a_sparse_checkout_hides_is_not_overwritten_unseen(
    tree: Path, state: Path, patterns: tuple[str, ...]
) -> None:
    git(tree, "sparse-checkout", "set", *patterns)
    base = git(tree, "rev-parse", "HEAD")
    spaces = await workspaces(tree, state)
    space = await spaces.open(task="t", attempt=1, base=base, role="agent")
    assert {path.name for path in space.path.iterdir()} == {path.name for path in tree.iterdir()}
    assert git(space.path, "status", "--porcelain") == "", "the agent's own git sees it so, too"
    write(space.path, {"big/x": "mine\n", "big/deep": "no folder\n", "big/new": "new\n", "small/y": "edited\n"})
    saved = await spaces.save(space, task="t", attempt=1, message="work")
    assert saved.commit is not None
    found = files_in(tree, saved.commit)
    assert (found["big/x"], found["big/deep/z"]) == ("x", "z"), "nobody there has seen them"
    assert (found["big/new"], found["small/y"]) == ("new", "edited")
    assert [path.partition(" ")[0] for path in saved.dropped] == ["big/deep", "big/x"]
    beside = git(tree, "for-each-ref", "--format=%(refname)", "refs/stretto/run-1/task/**/1-copied")
    assert files_in(tree, beside) == {"big/x": "mine", "big/deep": "no folder"}
    await spaces.close(space)
    again = await spaces.open(task="t", attempt=2, base=base, role="agent")
    assert not (again.path / "big").exists()


@awaited
async def test_an_agent_that_widens_its_view_may_change_what_it_sees(tree: Path, state: Path) -> None:
    git(tree, "sparse-checkout", "set", *CONE)
    base = git(tree, "rev-parse", "HEAD")
    spaces = await workspaces(tree, state)
    space = await spaces.open(task="t", attempt=1, base=base, role="agent")
    git(space.path, "sparse-checkout", "add", "big")
    write(space.path, {"big/x": "mine\n"})
    saved = await spaces.save(space, task="t", attempt=1, message="work")
    assert (saved.paths, saved.dropped) == (("big/x",), ())
    await spaces.close(space)
    again = await spaces.open(task="u", attempt=1, base=base, role="agent")
    assert again.path == space.path and not (again.path / "big").exists(), "the next one starts as everybody does"
    git(again.path, "sparse-checkout", "disable")
    assert (again.path / "big/x").read_text() == "x\n"
    assert (await spaces.save(again, task="u", attempt=1, message="work")).commit is None
    assert not (tree / "big").exists()


@awaited
async def test_the_view_is_that_of_the_users_tree_at_the_time(tree: Path, state: Path) -> None:
    base = git(tree, "rev-parse", "HEAD")
    seen = []
    for number, words in enumerate((("set", *CONE), ("add", "big/deep"), ("disable",)), start=1):
        git(tree, "sparse-checkout", *words)
        spaces = await workspaces(tree, state, fresh=number == 1)
        space = await spaces.open(task="t", attempt=number, base=base, role="agent")
        seen.append({path for path in ("big/x", "big/deep/z", "top") if (space.path / path).exists()})
        await spaces.close(space)
    assert seen[0] == {"top"}
    assert "big/deep/z" in seen[1]
    assert seen[2] == {"big/x", "big/deep/z", "top"}


@awaited
async def test_settings_of_the_users_worktree_go_with_it(root: Path, state: Path) -> None:
    git(root, "config", "extensions.worktreeConfig", "true")
    odd = 'a "quoted" \\ one'
    for key, value in {"user.name": odd, "url.x y.insteadOf": "z\nw", "core.worktree": str(root)}.items():
        git(root, "config", "--worktree", key, value)
    spaces = await workspaces(root, state)
    space = await spaces.open(task="t", attempt=1, base=git(root, "rev-parse", "HEAD"), role="agent")
    assert git(space.path, "config", "--worktree", "user.name") == odd
    assert git(space.path, "config", "--worktree", "url.x y.insteadOf") == "z\nw"
    assert git(space.path, "rev-parse", "--show-toplevel") == str(space.path)


@awaited
async def test_r6_1a_how_much_is_to_be_seen_is_part_of_the_contents(tree: Path, state: Path) -> None:
    base = git(tree, "rev-parse", "HEAD")
    seen = [await (await workspaces(tree, state)).contents(base)]
    git(tree, "sparse-checkout", "set", *CONE)
    seen.append(await (await workspaces(tree, state, fresh=False)).contents(base))
    assert await (await workspaces(tree, state, fresh=False)).contents(base) == seen[1]
    git(tree, "sparse-checkout", "disable")
    seen.append(await (await workspaces(tree, state, fresh=False)).contents(base))
    assert (seen[0] == seen[2], seen[0] == seen[1]) == (True, False)
