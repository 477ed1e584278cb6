"""A state folder that cannot be made or written is said, with the path, the system's words and what to do."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stretto.core.events import RunResumed, TimerFired
from stretto.engine import journal, launch
from stretto.engine.disk import is_full
from stretto.engine.home import Launch, RepositoryHome, RunHome, write_whole
from stretto.engine.journal import SqliteInbox, SqliteJournal
from stretto.engine.lock import RunLock
from stretto.engine.reader import SqliteReader
from stretto.errors import AgentError, GitError, StateError, WorkspaceError
from stretto.model.names import task_dir

LAUNCH = Launch(
    repository="/shop", common_dir="/shop/.git", plan_path="/shop/plan.yaml", plan_format="stretto", branch="b", base=""
)
PAGE = 4096

DEEDS: dict[str, Callable[[RunHome], object]] = {
    "make a run": lambda home: home.repository.create("other", LAUNCH, b"plan"),
    "make an attempt": lambda home: home.attempt("t", 1).make(),
    "write a file": lambda home: write_whole(home.path / "file", b"x" * 2 * PAGE),
    "make a journal": lambda home: journal.create(home.path / "new.sqlite3", [RunResumed(at=1.0)]),
    "own the run": lambda home: RunLock(home.lock).acquire(),
    "start the engine": lambda home: launch.start(home, argv=["true"]).communicate(),
}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own, mounted."""
    path = tmp_path / "disk"
    path.mkdir()
    if sys.platform != "linux" or os.getuid() != 0:
        pytest.skip("only root may mount a small disk")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", path], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted: {mounted.stderr.decode()}")
    yield path
    subprocess.run(["umount", "--lazy", path], check=True)


def make(path: Path) -> RunHome:
    return RepositoryHome(path=path / "shop-1").create("run", LAUNCH, b"plan", events=[RunResumed(at=1.0)])


def fill(disk: Path, *, pages: int) -> None:
    """Leave so many free."""
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_bsize
    (disk / "ballast").write_bytes(b"x" * (free - pages * PAGE))


@pytest.mark.parametrize("below", ["", "state"])
def test_a_state_folder_that_is_a_file_is_said(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("mine")
    home = RepositoryHome(path=tmp_path / "file" / below / "shop-1")
    for deed in (home.make, lambda: make(home.path.parent)):
        with pytest.raises(StateError, match=f"{tmp_path}.*Not a directory") as caught:
            deed()
        assert "STRETTO_STATE_DIR" in caught.value.hint
    assert home.runs() == []
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("deed", DEEDS)
def test_a_file_in_the_place_of_a_folder_is_said(tmp_path: Path, deed: str) -> None:
    home = make(tmp_path)
    for path in (home.path / "attempts", home.path / "blobs", home.path.parent / "other", home.path / "new.sqlite3"):
        shutil.rmtree(path, ignore_errors=True)
        path.write_text("mine")
    for path in (home.path / "file", home.lock, home.engine_log):
        path.mkdir()
    with pytest.raises(StateError, match=str(home.path.parent)):
        DEEDS[deed](home)


@pytest.mark.parametrize("deed", DEEDS)
def test_a_read_only_disk_is_said(disk: Path, deed: str) -> None:
    home = make(disk)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with pytest.raises(StateError, match=f"{home.path.parent}.*([Rr]ead-only|unable to open)") as caught:
        DEEDS[deed](home)
    assert "folder" in caught.value.hint
    assert [recorded.event for recorded in SqliteReader(home).events()] == [RunResumed(at=1.0)]


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("deed", DEEDS)
def test_a_folder_of_somebody_else_is_said(tmp_path: Path, deed: str) -> None:
    home = make(tmp_path)
    for folder in (home.path / "attempts", home.path, home.path.parent):
        folder.chmod(0o500)
    try:
        with pytest.raises(StateError, match=str(home.path.parent)):
            DEEDS[deed](home)
    finally:
        for folder in (home.path.parent, home.path, home.path / "attempts"):
            folder.chmod(0o700)


@pytest.mark.parametrize("deed", [deed for deed in DEEDS if deed not in ("make an attempt", "start the engine")])
def test_a_full_disk_is_said(disk: Path, deed: str) -> None:
    """Those that are left out make nothing but names, for which there is always room here."""
    home = make(disk)
    fill(disk, pages=0)
    with pytest.raises(StateError, match=f"{home.path.parent}.*(No space|full|disk I/O error)") as caught:
        DEEDS[deed](home)
    assert "disk" in caught.value.hint


def test_a_disk_without_room_for_another_name_is_said(disk: Path) -> None:
    home = make(disk)
    taken = os.statvfs(disk).f_files - os.statvfs(disk).f_ffree
    subprocess.run(["mount", "-o", f"remount,nr_inodes={taken}", disk], check=True)
    for deed in DEEDS.values():
        with pytest.raises(StateError, match=str(home.path.parent)):
            deed(home)


def test_wherever_the_disk_becomes_full_a_run_is_there_whole_or_not_at_all(disk: Path) -> None:
    made = []
    for pages in range(0, 60, 2):
        fill(disk, pages=pages)
        try:
            home = make(disk)
        except StateError as error:
            assert error.hint
            made.append(False)
        else:
            assert [recorded.event for recorded in SqliteReader(home).events()] == [RunResumed(at=1.0)]
            made.append(True)
        assert [path.name for path in disk.glob("*/runs/*")] == ["run"] * made[-1]
        shutil.rmtree(disk / "shop-1", ignore_errors=True)
        (disk / "ballast").unlink()
    assert made == sorted(made)
    assert set(made) == {False, True}


def test_a_journal_on_a_full_disk_refuses_and_keeps_what_it_has(disk: Path) -> None:
    home = make(disk)
    kept = SqliteJournal(home.journal)
    fill(disk, pages=0)
    with pytest.raises(StateError, match=r"full|disk I/O error"):
        asyncio.run(kept.append([TimerFired(at=1.0, timer="x" * 50_000)]))
    kept.close()
    (disk / "ballast").unlink()
    assert [recorded.event for recorded in SqliteReader(home).events()] == [RunResumed(at=1.0)]


def test_an_output_that_cannot_be_read_is_said_and_one_that_is_not_there_is_empty(tmp_path: Path) -> None:
    home = make(tmp_path)
    reader = SqliteReader(home)
    assert reader.log("t", 1) == b""
    (home.path / "attempts" / task_dir("t")).write_text("a file in the place of a folder")
    with pytest.raises(StateError, match="cannot read the output"):
        reader.log("t", 1)


def test_an_inbox_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "none", tmp_path / "file" / "below"):
        with pytest.raises(StateError, match=str(path)):
            SqliteInbox(path)


def test_a_full_disk_is_known_behind_whatever_was_made_of_it() -> None:
    full = WorkspaceError("x")
    full.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    started = AgentError("cannot start the agent")
    started.__cause__ = full
    assert is_full(started)
    assert is_full(OSError(errno.EDQUOT, "Disk quota exceeded"))
    assert is_full(GitError("git", stderr="fatal: unable to write loose object file: No space left on device"))
    assert not is_full(OSError(errno.EACCES, "Permission denied"))
    assert not is_full(GitError("git", stderr="fatal: bad object"))
    assert not is_full(AgentError("the agent says: No space left on device"))
