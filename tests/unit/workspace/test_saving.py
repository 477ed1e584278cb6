"""What an agent leaves is saved whole, whatever it did to its files and to git (R7.1)."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from stretto.model.names import task_dir
from stretto.model.plan import Setup
from unit.workspace.kit import agent, awaited, commit, files_in, git, make_repository, workspaces, write


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@awaited
async def test_r7_1_everything_that_is_not_ignored_is_saved(root: Path, state: Path) -> None:
    spaces = await workspaces(root, state)
    space = await agent(spaces, root)
    assert not space.path.is_relative_to(root)
    write(space.path, {"new/file.txt": "new\n", "src/a.py": None, "README": "changed\n", "noise.log": "x"})
    (space.path / "tool").write_text("#!/bin/sh\n")
    (space.path / "tool").chmod(0o755)
    (space.path / "link").symlink_to("README")
    saved = await spaces.save(space, task="t", attempt=1, message="work")
    await spaces.close(space)
    assert saved.commit
    assert files_in(root, saved.commit) == {
        ".gitignore": "*.log\nbuild/\n.env*", "README": "changed", "new/file.txt": "new", "tool": "#!/bin/sh",
        "link": "-> README",
    }  # fmt: skip
    assert set(saved.paths) == {"new/file.txt", "src/a.py", "README", "tool", "link"}
    assert saved.dropped == ()
    assert git(root, "ls-tree", saved.commit, "tool").startswith("100755")
    assert git(root, "rev-parse", f"{saved.commit}^") == space.base
    assert git(root, "rev-parse", f"refs/stretto/run-1/task/{task_dir('t')}/1") == saved.commit


@awaited
async def test_nothing_done_is_no_commit(root: Path, state: Path) -> None:
    spaces = await workspaces(root, state)
    space = await agent(spaces, root)
    os.utime(space.path / "README", (1, 1))
    write(space.path, {"noise.log": "ignored"})
    saved = await spaces.save(space, task="t", attempt=1, message="work")
    assert (saved.commit, saved.paths) == (None, ())


@awaited
async def test_an_edit_in_the_same_second_and_of_the_same_size_is_seen(root: Path, state: Path) -> None:
    spaces = await workspaces(root, state)
    for attempt in range(1, 4):
        space = await agent(spaces, root, attempt=attempt)
        write(space.path, {"src/a.py": f"a = {attempt + 1}\n"})
        saved = await spaces.save(space, task="t", attempt=attempt, message="work")
        assert saved.paths == ("src/a.py",)
        await spaces.close(space)


@awaited
async def test_strange_names(root: Path, state: Path) -> None:
    names = [
        "-rf",
        "--help",
        "new\nline",
        'quo"te',
        "tab\there",
        "ünï",
        ":(glob)x",
        "a b",
        "*",
        "back\\slash",
        "sub/-x",
    ]
    spaces = await workspaces(root, state)
    space = await agent(spaces, root)
    write(space.path, {name: f"{name}\n" for name in names})
    with open(os.fsencode(space.path) + b"/\xff\xfe", "w") as file:
        file.write("bytes")
    saved = await spaces.save(space, task="t", attempt=1, message="-m")
    assert set(saved.paths) == {*names, "\\xff\\xfe"}
    await spaces.close(space)
    again = await agent(spaces, root, attempt=2)
    assert names_in(again.path) == [".git", ".gitignore", "README", "src"]
    found = await spaces.open(task="g", attempt=1, base=str(saved.commit), role="gate")
    assert all((found.path / name).read_text() == f"{name}\n" for name in names)


@awaited
async def test_kinds_that_change(root: Path, state: Path) -> None:
    base = commit(root, {"dir/x": "x", "dir/y": "y", "file": "f", "gone/z": "z"})
    spaces = await workspaces(root, state)
    space = await agent(spaces, root, base=base)
    shutil.rmtree(space.path / "dir")
    (space.path / "dir").write_text("now a file")
    (space.path / "file").unlink()
    write(space.path, {"file/inside": "now a folder"})
    (space.path / "gone").rename(space.path / "moved")
    (space.path / "gone").symlink_to("moved")
    (space.path / "README").unlink()
    os.mkfifo(space.path / "README")
    saved = await spaces.save(space, task="t", attempt=1, message="work")
    assert saved.commit
    found = files_in(root, saved.commit)
    del found[".gitignore"]
    expected = {
        "dir": "now a file",
        "file/inside": "now a folder",
        "gone": "-> moved",
        "moved/z": "z",
        "src/a.py": "a = 1",
    }
    found.pop("README", None)
    assert found == expected
    await spaces.close(space)
    again = await agent(spaces, root, base=base, attempt=2)
    assert (again.path / "gone" / "z").read_text() == "z"
    assert (again.path / "README").read_text() == "hi\n"
    assert names_in(again.path) == [".git", ".gitignore", "README", "dir", "file", "gone", "src"]


@awaited
async def test_whatever_the_agent_did_to_git_the_files_are_saved(root: Path, state: Path) -> None:
    spaces = await workspaces(root, state)
    main = git(root, "rev-parse", "main")
    for attempt, mess in enumerate(
        ("commit", "branch", "stage", "merge", "flags", "no .git", "own .git", "bad index"), 1
    ):
        space = await agent(spaces, root, attempt=attempt)
        assert git(space.path, "status", "--porcelain") == ""
        assert git(space.path, "rev-parse", "HEAD") == main
        write(space.path, {"work": f"{mess}\n"})
        match mess:
            case "commit":
                commit(space.path, {})
            case "branch":
                git(space.path, "switch", "-qc", "mine")
                commit(space.path, {})
            case "stage":
                git(space.path, "add", "work")
                git(space.path, "rm", "-q", "--cached", "README")
            case "merge":
                other = commit(space.path, {"README": "other\n"})
                git(space.path, "checkout", "-q", "--detach", main)
                commit(space.path, {"README": "mine\n", "work": f"{mess}\n"})
                with pytest.raises(Exception, match="merge"):
                    git(space.path, "merge", other)
            case "flags":
                git(space.path, "update-index", "--assume-unchanged", "README")
                git(space.path, "update-index", "--skip-worktree", "src/a.py")
                write(space.path, {"README": "hidden\n", "src/a.py": "hidden\n"})
            case "no .git":
                (space.path / ".git").unlink()
            case "own .git":
                (space.path / ".git").unlink()
                git(space.path, "init", "-q")
                commit(space.path, {})
            case "bad index":
                Path(git(space.path, "rev-parse", "--absolute-git-dir"), "index").write_text("garbage")
        saved = await spaces.save(space, task="t", attempt=attempt, message="work")
        assert saved.commit, mess
        assert files_in(root, saved.commit)["work"] == mess
        assert git(root, "rev-parse", f"{saved.commit}^") == main
        assert set(saved.paths) == {"work"} | (
            {"README"} if mess == "merge" else {"README", "src/a.py"} if mess == "flags" else set()
        )
        await spaces.close(space)
    assert git(root, "rev-parse", "main") == main
    last = await agent(spaces, root, attempt=99)
    assert git(last.path, "status", "--porcelain") == ""
    assert git(last.path, "rev-parse", "--abbrev-ref", "HEAD") == "HEAD"


@awaited
async def test_r7_1_nested_repositories_are_saved_as_files(root: Path, state: Path) -> None:
    spaces = await workspaces(root, state)
    space = await agent(spaces, root)
    make_repository(space.path / "vendor", {"lib.c": "int x;\n", ".gitignore": "*.o\n"})
    write(space.path, {"vendor/uncommitted": "u\n", "vendor/lib.o": "ignored"})
    make_repository(space.path / "vendor" / "deep", {"er": "deeper\n"})
    empty = space.path / "empty"
    empty.mkdir()
    git(empty, "init", "-q")
    write(empty, {"only": "no commit yet\n"})
    saved = await spaces.save(space, task="t", attempt=1, message="work")
    assert saved.commit
    found = files_in(root, saved.commit)
    assert found["vendor/lib.c"] == "int x;"
    assert found["vendor/uncommitted"] == "u"
    assert found["vendor/deep/er"] == "deeper"
    assert found["empty/only"] == "no commit yet"
    assert "vendor/lib.o" not in found
    await spaces.close(space)
    again = await agent(spaces, root, attempt=2)
    assert names_in(again.path) == [".git", ".gitignore", "README", "src"]


@awaited
async def test_r7_1_work_in_a_submodule_is_kept_apart(root: Path, state: Path, tmp_path: Path) -> None:
    library = make_repository(tmp_path / "library", {"lib": "1\n"})
    git(root, "submodule", "add", "-q", str(library), "library")
    base = commit(root, {})
    fill = "git -c protocol.file.allow=always submodule update --init -q"
    spaces = await workspaces(root, state, setup=Setup(run=(fill,)))
    space = await agent(spaces, root, base=base)
    assert (await spaces.save(space, task="t", attempt=1, message="work")).dropped == ()
    write(space.path, {"library/lib": "2\n", "library/new": "n\n"})
    saved = await spaces.save(space, task="t", attempt=1, message="work")
    assert saved.commit is None
    assert set(saved.dropped) == {"library/lib", "library/new"}
    assert files_in(root, f"refs/stretto/run-1/task/{task_dir('t')}/1-copied") == {
        "library/lib": "2",
        "library/new": "n",
    }
    await spaces.close(space)
    again = await agent(spaces, root, base=base, attempt=2)
    assert (again.path / "library/lib").read_text() == "1\n"
    assert not (again.path / "library/new").exists()


@awaited
async def test_r6_4_edits_of_the_plan_file_are_dropped(root: Path, state: Path) -> None:
    base = commit(root, {"plans/plan.yaml": "a: pending\n"})
    spaces = await workspaces(root, state, plan_files=("plans/plan.yaml",))
    space = await agent(spaces, root, base=base)
    write(space.path, {"plans/plan.yaml": "a: succeeded\n", "work": "w\n"})
    saved = await spaces.save(space, task="t", attempt=1, message="work")
    assert saved.commit
    assert (saved.paths, saved.dropped) == (("work",), ("plans/plan.yaml",))
    assert files_in(root, saved.commit)["plans/plan.yaml"] == "a: pending"


@awaited
async def test_r7_1_keep_lists_ignored_paths_to_save(root: Path, state: Path) -> None:
    spaces = await workspaces(root, state, keep=("build/report", "**/*.log"))
    space = await agent(spaces, root)
    write(space.path, {"build/report/r.html": "r\n", "build/out": "o\n", "deep/x.log": "l\n"})
    saved = await spaces.save(space, task="t", attempt=1, message="work")
    assert set(saved.paths) == {"build/report/r.html", "deep/x.log"}


@awaited
async def test_saving_again_is_the_same_commit_and_more_work_gets_a_ref_of_its_own(root: Path, state: Path) -> None:
    spaces = await workspaces(root, state)
    space = await agent(spaces, root)
    write(space.path, {"work": "1\n"})
    first = await spaces.save(space, task="t", attempt=1, message="work")
    assert (await spaces.save(space, task="t", attempt=1, message="other words")).commit == first.commit
    write(space.path, {"work": "2\n"})
    second = await spaces.save(space, task="t", attempt=1, message="work")
    ref = f"refs/stretto/run-1/task/{task_dir('t')}/1"
    assert git(root, "rev-parse", ref) == first.commit
    assert git(root, "rev-parse", f"{ref}+2") == second.commit != first.commit
