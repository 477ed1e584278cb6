"""Landing without a work tree: chains, culprits, statuses, trailers (R6.1, R6.1a, R6.4)."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from stretto.errors import GitError, WorkspaceError
from stretto.formats.format import each_file
from stretto.model.run import TARGET, LandEntry
from stretto.ports import StatusWriter
from stretto.workspace.worktree import GitWorkspaces
from unit.workspace.kit import awaited, commit, files_in, git, workspaces, write

BRANCH = "stretto/run-1"


async def attempt(
    spaces: GitWorkspaces, base: str, task: str, files: Mapping[str, str | None], number: int = 1
) -> LandEntry:
    """A finished attempt that wrote these files on `base`."""
    space = await spaces.open(task=task, attempt=number, base=base, role="agent")
    write(space.path, files)
    saved = await spaces.save(space, task=task, attempt=number, message=f"{task}\n")
    await spaces.close(space)
    return LandEntry(task=task, attempt=number, commit=saved.commit)


def lines(source: bytes, statuses: Mapping[str, str]) -> bytes:
    """A plan format of lines `id: status`."""
    out = []
    for line in source.decode().splitlines():
        task = line.partition(":")[0]
        out.append(f"{task}: {statuses[task]}" if task in statuses else line)
    return ("\n".join(out) + "\n").encode()


WRITER: StatusWriter = lines


@awaited
async def test_r6_1_a_batch_lands_as_a_chain_of_merges(root: Path, state: Path) -> None:
    spaces = await workspaces(root, state, titles={"a": "The first\nthing", "b": ""})
    base = git(root, "rev-parse", "main")
    a = await attempt(spaces, base, "a", {"a": "a\n"})
    b = await attempt(spaces, base, "b", {"b": "b\n"})
    nothing = LandEntry(task="c", attempt=1, commit=None)
    merge = await spaces.merge(TARGET, 7, (a, b, nothing), known=base)
    assert await spaces.head(TARGET) == merge.tip == base
    assert merge.landed == (a, b, nothing)
    assert merge.fresh
    assert set(files_in(root, merge.commit)) == {".gitignore", "README", "src/a.py", "a", "b"}
    new = await spaces.advance(TARGET, 7, merge, {})
    assert new == await spaces.head(TARGET) == git(root, "rev-parse", BRANCH)
    assert git(root, "log", "--first-parent", "--format=%s", f"{base}..{BRANCH}").splitlines() == [
        "b",
        "The first thing",
    ]
    assert git(root, "rev-parse", f"{BRANCH}^2", f"{BRANCH}~1^2").splitlines() == [b.commit, a.commit]
    trailers = git(root, "log", "-1", "--format=%(trailers:only,unfold)", f"{BRANCH}~1").split("\n")
    assert [x for x in trailers if x] == ["Stretto-Run: run-1", "Stretto-Task: a", "Stretto-Batch: target/7"]
    assert git(root, "log", "-1", "--format=%an", BRANCH) == "stretto"
    assert git(root, "rev-parse", "main") == base
    assert git(root, "status", "--porcelain") == ""


@awaited
async def test_r5_2_fresh_says_whether_the_tip_moved(root: Path, state: Path) -> None:
    spaces = await workspaces(root, state)
    base = git(root, "rev-parse", "main")
    a, b = await attempt(spaces, base, "a", {"a": "a\n"}), await attempt(spaces, base, "b", {"b": "b\n"})
    first = await spaces.merge(TARGET, 1, (a,), known=base)
    assert not first.fresh
    assert git(root, "rev-parse", f"{first.commit}^{{tree}}") == git(root, "rev-parse", f"{a.commit}^{{tree}}")
    await spaces.advance(TARGET, 1, first, {})
    assert (await spaces.merge(TARGET, 2, (b,), known=base)).fresh


@awaited
async def test_r6_2_a_conflict_names_its_paths_and_the_rest_lands(root: Path, state: Path) -> None:
    spaces = await workspaces(root, state)
    base = git(root, "rev-parse", "main")
    a = await attempt(spaces, base, "a", {"README": "a\n"})
    b = await attempt(spaces, base, "b", {"README": "b\n", "b": "b\n"})
    c = await attempt(spaces, base, "c", {"c": "c\n"})
    merge = await spaces.merge(TARGET, 1, (a, b, c), known=base)
    assert merge.landed == (a, c)
    assert [(x.task, x.kind, x.paths) for x in merge.culprits] == [("b", "conflict", ("README",))]
    await spaces.advance(TARGET, 1, merge, {})
    assert files_in(root, BRANCH)["README"] == "a"
    only = await spaces.merge(TARGET, 2, (b,), known=base)
    assert only.commit == only.tip
    assert only.landed == ()


@awaited
async def test_r4_files_that_still_have_markers_never_land(root: Path, state: Path) -> None:
    spaces = await workspaces(root, state)
    base = git(root, "rev-parse", "main")
    a = await attempt(spaces, base, "a", {"README": "a\n"})
    b = await attempt(spaces, base, "b", {"README": "b\n"})
    tip = await spaces.advance(TARGET, 1, await spaces.merge(TARGET, 1, (a,), known=base), {})

    async def again(number: int, carry: str | None, text: str | None, *, conflict: bool) -> LandEntry:
        space = await spaces.open(task="b", attempt=number, base=tip, role="agent", carry=carry, conflict=conflict)
        if text is not None:
            write(space.path, {"README": text})
        write(space.path, {"more": f"{number}\n"})
        saved = await spaces.save(space, task="b", attempt=number, message="b")
        await spaces.close(space)
        return LandEntry(task="b", attempt=number, commit=saved.commit)

    lazy = await again(2, b.commit, None, conflict=True)
    refused = await spaces.merge(TARGET, 2, (lazy,), known=base)
    assert refused.landed == ()
    assert refused.culprits[0].paths == ("README",)
    carried = await again(3, lazy.commit, None, conflict=False)
    assert (await spaces.merge(TARGET, 3, (carried,), known=base)).landed == ()
    solved = await again(4, carried.commit, "a and b\n", conflict=False)
    assert (await spaces.merge(TARGET, 4, (solved,), known=base)).landed == (solved,)
    honest = await attempt(spaces, tip, "docs", {"docs.md": "<<<<<<< is how a conflict starts\n>>>>>>> ends\n"})
    assert (await spaces.merge(TARGET, 5, (honest,), known=base)).landed == (honest,)


@awaited
async def test_r2_5_hot_files_are_merged_by_rule(root: Path, state: Path) -> None:
    base = commit(root, {"CHANGES": "top\n", "docs/a b/[list]*.md": "top\n", "cold": "top\n"})
    spaces = await workspaces(root, state, hot_files=("CHANGES", "docs/"))
    a = await attempt(spaces, base, "a", {"CHANGES": "top\na\n", "docs/a b/[list]*.md": "top\na\n"})
    b = await attempt(spaces, base, "b", {"CHANGES": "top\nb\n", "docs/a b/[list]*.md": "top\nb\n"})
    merge = await spaces.merge(TARGET, 1, (a, b), known=base)
    assert merge.landed == (a, b)
    found = files_in(root, merge.commit)
    assert found["CHANGES"].split() == found["docs/a b/[list]*.md"].split() == ["top", "a", "b"]
    c = await attempt(spaces, base, "c", {"cold": "c\n", "CHANGES": "c\n"})
    d = await attempt(spaces, base, "d", {"cold": "d\n", "CHANGES": "d\n"})
    assert [x.paths for x in (await spaces.merge(TARGET, 2, (c, d), known=base)).culprits] == [("cold",)]


@pytest.mark.parametrize("name", ["package.json", "a.yaml", "Cargo.toml", "poetry.lock", "pom.xml", "x.py", "unknown"])
@awaited
async def test_r2_5_hot_files_that_have_a_structure_stay_conflicts(root: Path, state: Path, name: str) -> None:
    base = commit(root, {f"hot/{name}": "{\n}\n", "hot/notes.md": "top\n"})
    spaces = await workspaces(root, state, hot_files=("hot/",))
    a = await attempt(spaces, base, "a", {f"hot/{name}": '{\n"a": 1\n}\n', "hot/notes.md": "top\na\n"})
    b = await attempt(spaces, base, "b", {f"hot/{name}": '{\n"b": 1\n}\n', "hot/notes.md": "top\nb\n"})
    merge = await spaces.merge(TARGET, 1, (a, b), known=base)
    assert merge.landed == (a,)
    assert [x.paths for x in merge.culprits] == [(f"hot/{name}",)]


@awaited
async def test_r6_1_a_deleted_branch_is_told_with_the_command_that_brings_it_back(root: Path, state: Path) -> None:
    spaces = await workspaces(root, state)
    base = git(root, "rev-parse", "main")
    a, b = await attempt(spaces, base, "a", {"a": "a\n"}), await attempt(spaces, base, "b", {"b": "b\n"})
    head = await spaces.advance(TARGET, 1, await spaces.merge(TARGET, 1, (a,), known=base), {})
    git(root, "branch", "-f", BRANCH, base)
    for broken, hint in (((), f"git branch -f {BRANCH} {head}"), (("-D", BRANCH), f"git branch {BRANCH} {head}")):
        if broken:
            git(root, "branch", *broken)
        heir = await workspaces(root, state, fresh=False)
        assert await heir.landed(TARGET, 1) is None
        with pytest.raises(WorkspaceError) as caught:
            await heir.merge(TARGET, 2, (b,), known=head)
        assert caught.value.hint.partition(" && ")[0] == hint
        git(root, *hint.split(" ")[1:])
        assert await heir.landed(TARGET, 1) == head
        assert (await heir.merge(TARGET, 2, (b,), known=head)).landed == (b,)


@awaited
async def test_r6_4_statuses_land_in_the_same_commit(root: Path, state: Path) -> None:
    base = commit(root, {"plans/p.txt": "a: pending\nb: pending\n"})
    spaces = await workspaces(root, state, plan_files=("plans/p.txt",), keeper=partial(each_file, WRITER))
    a = await attempt(spaces, base, "a", {"a": "a\n", "plans/p.txt": "a: hacked\nb: hacked\n"})
    merge = await spaces.merge(TARGET, 1, (a,), known=base)
    assert files_in(root, merge.commit)["plans/p.txt"] == "a: pending\nb: pending"
    new = await spaces.advance(TARGET, 1, merge, {"a": "succeeded"})
    assert files_in(root, new)["plans/p.txt"] == "a: succeeded\nb: pending"
    assert git(root, "rev-parse", f"{new}^", f"{new}^2").splitlines() == [base, a.commit]
    empty = await spaces.merge(TARGET, 2, (LandEntry(task="b", attempt=1, commit=None),), known=base)
    assert empty.commit == empty.tip == new
    status_only = await spaces.advance(TARGET, 2, empty, {"b": "succeeded"})
    assert git(root, "diff", "--name-only", new, status_only) == "plans/p.txt"
    assert await spaces.landed(TARGET, 2) == status_only
    same = await spaces.merge(TARGET, 3, (LandEntry(task="b", attempt=1, commit=None),), known=base)
    assert await spaces.advance(TARGET, 3, same, {"b": "succeeded"}) == status_only
    assert await spaces.landed(TARGET, 3) is None
    closing = await spaces.write_statuses(TARGET, {"a": "failed"})
    assert closing == await spaces.head(TARGET)
    assert files_in(root, closing)["plans/p.txt"] == "a: failed\nb: succeeded"
    assert await spaces.write_statuses(TARGET, {"a": "failed"}) is None


@awaited
async def test_r6_4_statuses_of_several_files_land_in_one_commit_and_what_is_not_tracked_is_left_out(
    root: Path, state: Path
) -> None:
    base = commit(root, {"plans/a.txt": "a: pending\n", "plans/deep/b.txt": "b: pending\n", "c": "c\n"})
    (root / "plans/gone.txt").write_text("a: pending\n")
    names = ("plans/a.txt", "plans/deep/b.txt", "plans/gone.txt")
    spaces = await workspaces(root, state, plan_files=names, keeper=partial(each_file, WRITER))
    edits = {"a": "a\n", "plans/a.txt": "a: hacked\n", "plans/deep/b.txt": "b: hacked\n", "plans/gone.txt": "x\n"}
    a = await attempt(spaces, base, "a", edits)
    merge = await spaces.merge(TARGET, 1, (a,), known=base)
    new = await spaces.advance(TARGET, 1, merge, {"a": "succeeded", "b": "failed"})
    files = files_in(root, new)
    assert (files["plans/a.txt"], files["plans/deep/b.txt"]) == ("a: succeeded", "b: failed")
    assert (files["a"], files["c"]) == ("a", "c")
    assert "plans/gone.txt" not in files
    assert await spaces.write_statuses(TARGET, {"a": "succeeded", "b": "failed"}) is None
    closing = await spaces.write_statuses(TARGET, {"b": "succeeded"})
    assert closing is not None
    assert git(root, "diff", "--name-only", new, closing) == "plans/deep/b.txt"


@awaited
async def test_r6_1a_a_landed_batch_is_recognised(root: Path, state: Path) -> None:
    spaces = await workspaces(root, state)
    base = git(root, "rev-parse", "main")
    heads = {}
    for batch in (1, 11, 12):
        entry = await attempt(spaces, base, f"t{batch}", {f"f{batch}": "x\n"})
        heads[batch] = await spaces.advance(TARGET, batch, await spaces.merge(TARGET, batch, (entry,), known=base), {})
    assert {batch: await spaces.landed(TARGET, batch) for batch in (1, 2, 11, 12)} == {**heads, 2: None}
    later = await workspaces(root, state, run="run-2", fresh=False)
    await later.create_branch(heads[12])
    assert await later.landed(TARGET, 1) is None


@awaited
async def test_a_commit_that_landed_before_changes_nothing(root: Path, state: Path) -> None:
    spaces = await workspaces(root, state)
    base = git(root, "rev-parse", "main")
    a = await attempt(spaces, base, "a", {"a": "a\n"})
    head = await spaces.advance(TARGET, 1, await spaces.merge(TARGET, 1, (a,), known=base), {})
    again = await spaces.merge(TARGET, 1, (a,), known=base)
    assert (again.commit, again.landed) == (head, (a,))


@awaited
async def test_advance_refuses_a_branch_that_has_moved(root: Path, state: Path) -> None:
    spaces = await workspaces(root, state)
    base = git(root, "rev-parse", "main")
    a, b = await attempt(spaces, base, "a", {"a": "a\n"}), await attempt(spaces, base, "b", {"b": "b\n"})
    one, two = await spaces.merge(TARGET, 1, (a,), known=base), await spaces.merge(TARGET, 2, (b,), known=base)
    none = await spaces.merge(TARGET, 3, (), known=base)
    head = await spaces.advance(TARGET, 1, one, {})
    for batch, stale in ((2, two), (3, none)):
        with pytest.raises(GitError):
            await spaces.advance(TARGET, batch, stale, {})
    assert await spaces.head(TARGET) == head
    assert await spaces.landed(TARGET, 2) is None


@awaited
async def test_r6_1_landings_of_many_engines_are_one_at_a_time(root: Path, state: Path) -> None:
    first = await workspaces(root, state)
    engines = [first, *[await workspaces(root, state, fresh=False) for _ in range(3)]]
    base = git(root, "rev-parse", "main")
    entries = [await attempt(first, base, f"t{n}", {f"f{n}": "x\n"}) for n in range(8)]

    async def land(engine: GitWorkspaces, batch: int, entry: LandEntry) -> None:
        while True:
            try:
                await engine.advance(TARGET, batch, await engine.merge(TARGET, batch, (entry,), known=base), {})
            except GitError:
                continue
            return

    await asyncio.gather(*(land(engines[n % 4], n, entry) for n, entry in enumerate(entries)))
    assert {f"f{n}" for n in range(8)} <= set(files_in(root, BRANCH))
    assert len(git(root, "rev-list", "--first-parent", f"{base}..{BRANCH}").splitlines()) == 8


@awaited
async def test_r7_4_a_branch_that_the_user_checked_out_is_not_moved(root: Path, state: Path) -> None:
    spaces = await workspaces(root, state)
    base = git(root, "rev-parse", "main")
    a = await attempt(spaces, base, "a", {"a": "a\n"})
    merge = await spaces.merge(TARGET, 1, (a,), known=base)
    git(root, "switch", "-q", BRANCH)
    with pytest.raises(WorkspaceError, match="checked out") as caught:
        await spaces.advance(TARGET, 1, merge, {})
    assert "switch" in caught.value.hint
    git(root, "switch", "-q", "main")
    await spaces.advance(TARGET, 1, merge, {})
    git(root, "update-ref", "-d", f"refs/heads/{BRANCH}")
    with pytest.raises(GitError):
        await spaces.head(TARGET)
    with pytest.raises(GitError):
        await spaces.merge(TARGET, 2, (a,), known=base)


@awaited
async def test_r6_1_an_agent_on_the_runs_branch_holds_nobody_up(root: Path, state: Path) -> None:
    """Its worktree is let go of the branch, and it goes on with the files that it has."""
    spaces = await workspaces(root, state)
    base = git(root, "rev-parse", "main")
    a = await attempt(spaces, base, "a", {"a": "a\n"})
    beside = await spaces.open(task="b", attempt=1, base=base, role="agent")
    git(beside.path, "switch", "-q", BRANCH)
    write(beside.path, {"b": "b\n"})
    head = await spaces.advance(TARGET, 1, await spaces.merge(TARGET, 1, (a,), known=base), {})
    assert git(root, "rev-parse", BRANCH) == head
    assert git(beside.path, "status", "--porcelain", "--branch").splitlines() == ["## HEAD (no branch)", "?? b"]
    git(beside.path, "add", "b")
    git(beside.path, "commit", "-qm", "by the agent")
    assert git(root, "rev-parse", BRANCH) == head
    saved = await spaces.save(beside, task="b", attempt=1, message="b")
    assert saved.paths == ("b",)


@awaited
async def test_an_agent_leaves_the_runs_branch_to_others_when_it_has_ended(root: Path, state: Path) -> None:
    """A person may switch to it, and `clean` may remove it; also when the engine was killed."""
    spaces = await workspaces(root, state)
    space = await spaces.open(task="a", attempt=1, base=git(root, "rev-parse", "main"), role="agent")
    git(space.path, "switch", "-q", BRANCH)
    await spaces.close(space)
    git(root, "switch", "-q", BRANCH)
    git(root, "switch", "-q", "main")
    git(space.path, "switch", "-q", BRANCH)
    await (await workspaces(root, state)).rescue()
    git(root, "switch", "-q", BRANCH)


@awaited
async def test_a_work_tree_that_was_thrown_away_is_in_nobodys_way(root: Path, state: Path) -> None:
    spaces = await workspaces(root, state)
    base = git(root, "rev-parse", "main")
    a = await attempt(spaces, base, "a", {"a": "a\n"})
    merge = await spaces.merge(TARGET, 1, (a,), known=base)
    away = root.parent / "away"
    git(root, "worktree", "add", "-q", str(away), BRANCH)
    git(root, "worktree", "lock", str(away))
    shutil.rmtree(away)
    with pytest.raises(WorkspaceError, match="checked out"):  # on a disk that is not plugged in, for all we know
        await spaces.advance(TARGET, 1, merge, {})
    git(root, "worktree", "unlock", str(away))
    head = await spaces.advance(TARGET, 1, merge, {})
    assert git(root, "rev-parse", BRANCH) == head


@awaited
async def test_ids_that_look_like_something_else(root: Path, state: Path) -> None:
    task = "--exec=$(touch pwned)\nStretto-Batch: target/99 ../../ünï"
    spaces = await workspaces(root, state)
    base = git(root, "rev-parse", "main")
    entry = await attempt(spaces, base, task, {"a": "a\n"})
    await spaces.advance(TARGET, 1, await spaces.merge(TARGET, 1, (entry,), known=base), {})
    assert await spaces.landed(TARGET, 99) is None
    assert await spaces.landed(TARGET, 1)
    refs = git(root, "for-each-ref", "--format=%(refname)", "refs/stretto").splitlines()
    assert all(ref.isascii() and ref.count("/") in (3, 5) for ref in refs)
    assert not (root / "pwned").exists()


@awaited
async def test_r8_1_locks_of_a_killed_git_do_not_stop_the_run(root: Path, state: Path) -> None:
    spaces = await workspaces(root, state)
    base = git(root, "rev-parse", "main")
    entry = await attempt(spaces, base, "a", {"a": "a\n"})
    lock = root / ".git" / "refs" / "heads" / f"{BRANCH}.lock"
    lock.touch()
    heir = await workspaces(root, state)
    await heir.rescue()
    merge = await heir.merge(TARGET, 1, (entry,), known=base)
    assert await heir.advance(TARGET, 1, merge, {}) == git(root, "rev-parse", BRANCH)
    assert not lock.exists()


@awaited
async def test_r1_1_an_agent_on_an_older_commit_undoes_nobody(root: Path, state: Path) -> None:
    spaces = await workspaces(root, state)
    old = git(root, "rev-parse", "main")
    first = await attempt(spaces, old, "a", {"a": "a\n"})
    merge = await spaces.merge(TARGET, 1, (first,), known=old)
    base = await spaces.advance(TARGET, 1, merge, {})
    space = await spaces.open(task="b", attempt=1, base=base, role="agent")
    git(space.path, "checkout", "-q", "-b", "feature", old)
    write(space.path, {"b": "b\n"})
    saved = await spaces.save(space, task="b", attempt=1, message="b\n")
    await spaces.close(space)
    assert saved.paths == ("b",)
    merge = await spaces.merge(TARGET, 2, (LandEntry(task="b", attempt=1, commit=saved.commit),), known=base)
    assert {"a", "b"} <= set(files_in(root, merge.commit))
