"""One owner a run, as long as it lives and no longer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stretto.engine.lock import RunLock
from stretto.errors import RunLeased, StateError
from stretto.ports import Engine

OWNER = """
import subprocess, sys
from pathlib import Path
from stretto.engine.lock import RunLock
RunLock(Path(sys.argv[1])).acquire()
child = subprocess.Popen(["sleep", "1000"], close_fds=False)
print(child.pid, flush=True)
sys.stdin.read()
"""


def test_r8_5_a_second_owner_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    with RunLock(tmp_path / "lock"):
        with pytest.raises(RunLeased, match=str(os.getpid())) as caught:
            RunLock(tmp_path / "lock").acquire()
        assert str(os.getpid()) in caught.value.holder
        assert caught.value.exit_code == 3
    RunLock(tmp_path / "lock").acquire()


def test_an_owner_killed_with_9_owns_nothing_although_its_command_lives_on(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert owner.stdout is not None
    command = int(owner.stdout.readline())
    try:
        lock = RunLock(tmp_path / "lock")
        holder = lock.holder()
        assert holder is not None
        assert holder.pid == owner.pid
        owner.kill()
        owner.wait()
        os.kill(command, 0)
        assert lock.holder() is None
        lock.acquire()
        lock.release()
    finally:
        os.kill(command, 9)
        owner.communicate()


def test_looking_disturbs_nobody(tmp_path: Path) -> None:
    """Readers that look all the time never make an owner-to-be believe that there is another owner."""
    lock = RunLock(tmp_path / "lock")
    lock.acquire()
    lock.release()
    looking = "import sys; from pathlib import Path; from stretto.engine.lock import RunLock\nprint(flush=True)\n"
    looking += "lock = RunLock(Path(sys.argv[1]))\nwhile True: lock.holder()"
    readers = [
        subprocess.Popen([sys.executable, "-c", looking, str(tmp_path / "lock")], stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    try:
        for reader in readers:
            assert reader.stdout is not None
            reader.stdout.readline()
        for _ in range(50):
            lock.acquire()
            assert lock.holder() is not None
            lock.release()
    finally:
        for reader in readers:
            reader.kill()
            reader.communicate()


def test_a_lock_that_was_never_taken_has_no_holder(tmp_path: Path) -> None:
    assert RunLock(tmp_path / "lock").holder() is None
    assert list(tmp_path.iterdir()) == []


def test_a_lock_without_a_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="cannot lock"):
        RunLock(tmp_path / "gone" / "lock").acquire()


def test_an_owner_that_has_not_written_its_name_yet_is_an_owner(tmp_path: Path) -> None:
    import fcntl

    with (tmp_path / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert RunLock(tmp_path / "lock").holder() == Engine(pid=0, host="")
