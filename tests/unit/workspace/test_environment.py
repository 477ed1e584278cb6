"""Set-up: what is put into a workspace stays out of commits, and what the agent made of it is not lost (R7.1)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Literal

import pytest

from stretto.errors import WorkspaceError
from stretto.model.names import task_dir
from stretto.model.plan import Setup
from stretto.workspace.spare import Spare
from unit.workspace.kit import awaited, commit, files_in, git, make_repository, workspaces, write


@pytest.fixture
def head(root: Path) -> str:
    return git(root, "rev-parse", "HEAD")


@awaited
async def test_r7_1_copied_and_linked_paths_are_in_no_commit(root: Path, state: Path, head: str) -> None:
    write(root, {".env.test": "KEY=1\n", "local/deep/x": "x\n", "local/y": "y\n", "modules/m": "m\n"})
    setup = Setup(copy=(".env.test", "local/"), link=("modules",))
    spaces = await workspaces(root, state, setup=setup)
    space = await spaces.open(task="t", attempt=1, base=head, role="agent")
    assert (space.path / ".env.test").read_text() == "KEY=1\n"
    assert (space.path / "local/deep/x").read_text() == "x\n"
    assert (space.path / "modules").is_symlink()
    assert (space.path / "modules/m").read_text() == "m\n"
    write(space.path, {"work": "w\n"})
    saved = await spaces.save(space, task="t", attempt=1, message="work")
    assert (saved.paths, saved.dropped) == (("work",), ())


@awaited
async def test_r7_1_copied_files_that_the_agent_changed_are_saved_apart(root: Path, state: Path, head: str) -> None:
    write(root, {".env.test": "KEY=1\n", "local/x": "x\n", "modules/m": "m\n"})
    spaces = await workspaces(root, state, setup=Setup(copy=(".env.test", "local"), link=("modules",)))
    space = await spaces.open(task="t", attempt=1, base=head, role="agent")
    (space.path / "modules").unlink()
    write(space.path, {".env.test": "KEY=2\n", "local/new": "n\n", "modules/own": "o\n", "local/x": None})
    saved = await spaces.save(space, task="t", attempt=1, message="work")
    await spaces.close(space)
    assert saved.commit is None
    assert set(saved.dropped) == {".env.test", "local/new", "modules/own"}
    apart = files_in(root, f"refs/stretto/run-1/task/{task_dir('t')}/1-copied")
    assert apart == {".env.test": "KEY=2", "local/new": "n", "modules/own": "o"}
    again = await spaces.open(task="t", attempt=2, base=head, role="agent")
    assert again.path == space.path
    assert (again.path / ".env.test").read_text() == "KEY=1\n"
    assert (again.path / "local/x").read_text() == "x\n"
    assert not (again.path / "local/new").exists()
    assert (again.path / "modules").is_symlink()
    assert (root / "modules/m").read_text() == "m\n"


@awaited
async def test_commands_run_once_and_what_they_made_stays(root: Path, state: Path, head: str) -> None:
    setup = Setup(run=("mkdir -p build && echo run >>build/made && echo gen >generated", "echo tracked >README"))
    spaces = await workspaces(root, state, setup=setup)
    for attempt in (1, 2):
        space = await spaces.open(task="t", attempt=attempt, base=head, role="agent")
        assert (space.path / "build/made").read_text() == "run\n"
        assert (space.path / "generated").read_text() == "gen\n"
        assert (space.path / "README").read_text() == "hi\n"
        assert not (space.path / "build/agent.o").exists() or attempt == 2
        write(space.path, {"work": "w\n", "x.log": "ignored\n"})
        saved = await spaces.save(space, task="t", attempt=attempt, message="work")
        assert saved.paths == ("work",)
        await spaces.close(space)
    space = await spaces.open(task="t", attempt=3, base=head, role="agent")
    assert not (space.path / "x.log").exists()
    write(space.path, {"generated": "changed by the agent\n"})
    saved = await spaces.save(space, task="t", attempt=3, message="work")
    assert (saved.commit, saved.dropped) == (None, ("generated",))
    await spaces.close(space)
    space = await spaces.open(task="t", attempt=4, base=head, role="agent")
    assert (space.path / "generated").read_text() == "gen\n"


@awaited
async def test_set_up_runs_again_when_a_lock_file_differs(root: Path, state: Path) -> None:
    first = commit(root, {"web/package-lock.json": "{}\n"})
    setup = Setup(run=("mkdir build; cat web/package-lock.json >build/installed; date +%N >build/when",))
    spaces = await workspaces(root, state, setup=setup)

    async def installed(base: str, attempt: int, edit: str | None = None) -> tuple[str, str]:
        space = await spaces.open(task="t", attempt=attempt, base=base, role="agent")
        found = (space.path / "build/installed").read_text(), (space.path / "build/when").read_text()
        if edit is not None:
            write(space.path, {"web/package-lock.json": edit})
            await spaces.save(space, task="t", attempt=attempt, message="work")
        await spaces.close(space)
        return found

    one = await installed(first, 1)
    other = commit(root, {"unrelated": "x"})
    assert await installed(other, 2) == one
    newer = commit(root, {"web/package-lock.json": "{1}\n"})
    two = await installed(newer, 3)
    assert two[0] == "{1}\n"
    await installed(newer, 4, edit="{2}\n")
    three = await installed(newer, 5)
    assert three[0] == "{1}\n"
    assert three[1] != two[1]


@awaited
async def test_set_up_that_fails_is_told_and_tried_again(root: Path, state: Path, head: str, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    spaces = await workspaces(root, state, setup=Setup(run=(f"echo oh no; test -e '{flag}'", "mkdir build")))
    for attempt in (1, 2):
        with pytest.raises(WorkspaceError, match="status 1\noh no"):
            await spaces.open(task="t", attempt=attempt, base=head, role="agent")
    flag.touch()
    space = await spaces.open(task="t", attempt=3, base=head, role="agent")
    assert (space.path / "build").is_dir()
    slow = await workspaces(root, state, run="run-2", setup=Setup(run=("sleep 60",)), setup_timeout_s=0.1)
    with pytest.raises(WorkspaceError, match=r"longer than 0\.1 s"):
        await slow.open(task="t", attempt=1, base=head, role="agent")
    assert await spaces.rescue() == {}


@pytest.mark.parametrize("word", ["copy", "link"])
@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("../x", "inside the repository"), ("/etc/passwd", "inside the repository"), (".git/config", "inside"),
        ("missing", "is not in"), ("way-out", "leads out of"), ("", "inside the repository"),
    ],
)  # fmt: skip
@awaited
async def test_paths_that_lead_outside_are_refused(
    root: Path, state: Path, head: str, tmp_path: Path, word: str, path: str, said: str
) -> None:
    (tmp_path / "x").write_text("secret")
    (root / "way-out").symlink_to(tmp_path / "x")
    spaces = await workspaces(root, state, setup=Setup(**{word: (path,)}))
    with pytest.raises(WorkspaceError, match=said):
        await spaces.open(task="t", attempt=1, base=head, role="agent")


@awaited
async def test_nothing_is_copied_through_a_tracked_link(root: Path, state: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (root / "out").symlink_to(outside)
    base = commit(root, {})
    (root / "out").unlink()
    write(root, {"out/f": "f\n"})
    spaces = await workspaces(root, state, setup=Setup(copy=("out/f",)))
    with pytest.raises(WorkspaceError, match="through the link out"):
        await spaces.open(task="t", attempt=1, base=base, role="agent")
    assert list(outside.iterdir()) == []


@awaited
async def test_roles_and_set_ups_have_pools_of_their_own(root: Path, state: Path, head: str) -> None:
    plain = await workspaces(root, state)
    keys = set()
    for spaces in (plain, await workspaces(root, state, run="run-2", setup=Setup(run=("true",)))):
        for role in ("agent", "gate"):
            space = await spaces.open(task="t", attempt=1, base=head, role=role)
            keys.add(space.key)
            await spaces.close(space)
    assert len(keys) == 4


@awaited
async def test_folders_without_write_permission_are_cleaned(root: Path, state: Path, head: str) -> None:
    spaces = await workspaces(root, state)
    space = await spaces.open(task="t", attempt=1, base=head, role="agent")
    write(space.path, {"build/cache/x": "x\n"})
    (space.path / "build/cache").chmod(0o500)
    await spaces.close(space)
    again = await spaces.open(task="t", attempt=2, base=head, role="agent")
    assert not (again.path / "build").exists()
    shutil.rmtree(again.path / "src")


@awaited
async def test_set_up_is_made_whole_again_after_somebody_took_parts_of_it(root: Path, state: Path, head: str) -> None:
    spaces = await workspaces(root, state, setup=Setup(run=("mkdir -p build; echo gen >generated",)))
    for attempt in range(1, 4):
        space = await spaces.open(task="t", attempt=attempt, base=head, role="gate")
        assert (space.path / "generated").read_text() == "gen\n"
        assert (space.path / "build").is_dir()
        match attempt:
            case 1:
                (space.path / "generated").unlink()
            case 2:
                shutil.rmtree(space.path / "build")
        await spaces.close(space)


def shell(folder: Path, command: str) -> None:
    subprocess.run(("sh", "-ec", command), cwd=folder, check=True)


LEFTOVERS = (
    "touch build/compiled",
    "mkdir build/compiled",
    "echo other >build/made",
    "printf 'RUN\\n' >build/x && touch -r build/made build/x && cat build/x >build/made && touch -r build/x build/made",
    "rm build/made",
    "rm build/made && ln -s /etc/hostname build/made",
    "rm build/made && mkdir build/made",
    "chmod 000 build/deep && chmod 700 build && chmod +x build/made",
    "rm -r build/deep && echo x >build/deep",
    "rm -r build && mkdir elsewhere && ln -s elsewhere build",
    "rm -r build",
    "rm -r empty; echo changed >generated",
    "touch empty/left web/build/left",
    "rm -r web && ln -s . web",
)


@pytest.mark.parametrize("role", ["agent", "gate"])
@pytest.mark.parametrize("large", [False, True])
@awaited
async def test_r5_2_nobody_finds_what_another_left_in_the_output_of_set_up(
    root: Path, state: Path, tmp_path: Path, role: Literal["agent", "gate"], large: bool
) -> None:
    """`large`: there is no second copy, as if there had been too much to copy."""
    runs = tmp_path / "runs"
    head = commit(root, {"web/index": "i\n"})
    make = "mkdir -p build/deep empty web/build; echo run >build/made; ln -s made build/link; echo d >build/deep/d"
    setup = Setup(run=(f"{make}; echo gen >generated; echo once >>'{runs}'",))
    spaces = await workspaces(root, state, setup=setup)

    def seen(folder: Path) -> dict[str, str]:
        paths = [path for path in folder.rglob("*") if path.name != ".git"]
        return {
            str(path.relative_to(folder)): str(path.readlink()) if path.is_symlink()
            else path.read_text() if path.is_file() else f"{path.stat().st_mode:o}"
            for path in paths
        }  # fmt: skip

    space = await spaces.open(task="t", attempt=1, base=head, role=role)
    clean = seen(space.path)
    assert {"build/deep/d", "empty", "generated", "build/link", "web/build"} <= set(clean)
    for attempt, mess in enumerate(LEFTOVERS, 2):
        if large:
            shutil.rmtree(space.path.with_suffix(".spare"), ignore_errors=True)
        shell(space.path, mess)
        assert seen(space.path) != clean, mess
        await spaces.close(space)
        space = await spaces.open(task="t", attempt=attempt, base=head, role=role)
        assert seen(space.path) == clean, mess
    once = len(runs.read_text().splitlines())
    assert once > 5 if large else once == 1


@awaited
async def test_r5_2_a_large_output_is_not_copied_but_still_watched(tmp_path: Path) -> None:
    slot = tmp_path / "1"
    write(slot, {"build/a": "aaaa\n", "build/b": "b\n"})
    for large, whole in ((3, False), (1000, True)):
        spare = Spare(slot, large=large)
        spare.take(["build"])
        write(slot, {"build/new": "n\n"})
        assert spare.restore()
        assert not (slot / "build/new").exists()
        write(slot, {"build/a": "AAAA\n"})
        assert spare.restore() is whole
        write(slot, {"build/a": "aaaa\n"})


@awaited
async def test_r5_2_what_a_submodule_ignores_is_no_hiding_place(root: Path, state: Path, tmp_path: Path) -> None:
    library = make_repository(tmp_path / "library", {"lib": "1\n", ".gitignore": "out/\n"})
    git(root, "submodule", "add", "-q", str(library), "library")
    base = commit(root, {})
    fill = "git -c protocol.file.allow=always submodule update --init -q"
    plain = await workspaces(root, state)
    for attempt in (1, 2):
        space = await plain.open(task="t", attempt=attempt, base=base, role="gate")
        assert list((space.path / "library").iterdir()) == []
        shell(space.path, fill)
        await plain.close(space)
    setup = Setup(run=(f"{fill}; mkdir library/out; date +%N >library/out/made",))
    filled = await workspaces(root, state, run="run-2", setup=setup)
    made = set()
    for attempt in (1, 2):
        space = await filled.open(task="t", attempt=attempt, base=base, role="gate")
        made.add((space.path / "library/out/made").read_text())
        assert not (space.path / "library/out/left").exists()
        write(space.path, {"library/out/left": "l\n"})
        await filled.close(space)
    assert len(made) == 1


@awaited
async def test_r6_1a_what_set_up_brings_along_is_part_of_the_contents(root: Path, state: Path, head: str) -> None:
    write(root, {".env.test": "KEY=1\n", "local/x": "x\n", "real/m": "m\n"})
    (root / "modules").symlink_to("real")
    setup = Setup(copy=(".env.test", "local"), link=("modules",), run=("true",))
    spaces = await workspaces(root, state, setup=setup)
    seen = [await spaces.contents(head)]
    assert await spaces.contents(head) == seen[0]
    for file in (".env.test", "local/x", "real/m"):
        write(root, {file: "something else\n"})
        seen.append(await spaces.contents(head))
    write(root, {"local/new": "n\n"})
    seen.append(await spaces.contents(head))
    for other in (Setup(), Setup(run=("true",)), Setup(copy=(".env.test",))):
        seen.append(await (await workspaces(root, state, setup=other, fresh=False)).contents(head))
    assert len(set(seen)) == len(seen)


@awaited
async def test_r6_1a_what_links_in_it_lead_to_is_part_of_the_contents(
    root: Path, state: Path, head: str, tmp_path: Path
) -> None:
    write(tmp_path, {"outside/f": "ok\n", "outside/g": "g\n"})
    write(root, {"data/here/x": "x\n", "more/y": "y\n"})
    (root / "data" / "cur").symlink_to(tmp_path / "outside" / "f")
    (root / "data" / "near").symlink_to("here")
    spaces = await workspaces(root, state, setup=Setup(link=("data",)))
    seen = [await spaces.contents(head)]
    assert await spaces.contents(head) == seen[0]
    write(tmp_path, {"outside/f": "something else\n"})
    seen.append(await spaces.contents(head))
    (root / "data" / "cur").unlink()
    (root / "data" / "cur").symlink_to(tmp_path / "outside" / "g")
    seen.append(await spaces.contents(head))
    (root / "more" / "far").symlink_to(tmp_path / "outside")
    unknown = await workspaces(root, state, setup=Setup(link=("more",)), fresh=False)
    seen += [await unknown.contents(head), await unknown.contents(head)]
    assert len(set(seen)) == len(seen)
