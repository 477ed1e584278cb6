"""What stands in for /proc and the kernel's leash on a Mac, run here: whoever is killed, commands end (R8.2)."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stretto.engine.portable import Portable
from stretto.engine.proctable import HERE, Proc, Seen, below, occupants, table_of
from stretto.engine.strays import Started, living, sweep
from stretto.engine.supervise import ProcessSupervisor
from stretto.ports import ProcessSpec
from unit.engine.living import open_files, sleepers, until

TABLE = Portable()
ENGINE = """
import asyncio, os, sys
from pathlib import Path
from stretto.engine.portable import Portable
from stretto.engine.supervise import ProcessSupervisor
from stretto.ports import ProcessSpec

number, run = sys.argv[1:]
agent = f"sleep {number} & nohup sleep {number} & setsid sh -c 'sleep {number} & sleep {number}' & sleep {number}"
spec = ProcessSpec(argv=("sh", "-c", agent), cwd=Path.cwd(), env=dict(os.environ), log=Path("agent.log"),
                   timeout_s=600, cookie=(run, "t", "1"))
started = lambda one: print(one.pid, one.start, one.boot_id, flush=True)
asyncio.run(ProcessSupervisor(started, table=Portable()).run(spec))
"""


def spec(folder: Path, script: str) -> ProcessSpec:
    return ProcessSpec(
        argv=("sh", "-c", script), cwd=folder, env={"PATH": os.environ["PATH"]}, log=folder / "output.log",
        timeout_s=60.0, grace_s=2.0, cookie=(f"run-{folder.name}-{os.getpid()}", "t", "1"),
    )  # fmt: skip


def test_each_platform_has_its_own() -> None:
    assert isinstance(table_of("linux"), Proc) and isinstance(table_of("darwin"), Portable)
    assert TABLE.boot_id() == Portable().boot_id() != ""


def test_it_sees_what_the_other_sees(tmp_path: Path, number: str) -> None:
    process = subprocess.Popen(["sleep", number], cwd=tmp_path, env={"ODD": "a=b"}, start_new_session=True)
    assert until(lambda: bool(sleepers(number)))
    mine, theirs = TABLE.examine(process.pid), HERE.examine(process.pid)
    assert mine is not None and theirs is not None
    assert (mine.pid, mine.parent, mine.session) == (theirs.pid, os.getpid(), process.pid)
    assert mine == TABLE.look()[process.pid]
    assert TABLE.start_of(process.pid) == mine.start
    assert TABLE.command_line(process.pid) == ["sleep", number]
    assert list(TABLE.environment(process.pid)) == [b"ODD=a=b"]
    assert next(TABLE.places(process.pid)) == str(tmp_path)
    assert TABLE.is_own(process.pid)
    assert occupants(TABLE)[str(tmp_path)] == process.pid
    assert process.pid in below(TABLE.look(), [os.getpid()])
    other = Seen(pid=mine.pid, start=mine.start - 1, parent=1, session=1, cpu_s=0.0)
    assert not TABLE.send(other, signal.SIGKILL), "that one is long gone"
    assert TABLE.send(mine, signal.SIGKILL)
    assert until(lambda: TABLE.examine(process.pid) is None), "a zombie is nobody"
    process.wait()
    gone = process.pid
    assert (TABLE.start_of(gone), TABLE.command_line(gone), TABLE.environment(gone)) == (None, [], [])
    assert (list(TABLE.places(gone)), TABLE.is_own(gone), TABLE.opened(gone, 1)) == ([], False, "")


def test_r8_2_stragglers_end_with_their_command(tmp_path: Path, number: str) -> None:
    daemons = (
        f"setsid sleep {number} & nohup sleep {number} & setsid env -i sleep {number} & sleep {number} & sleep 0.2"
    )
    end = asyncio.run(ProcessSupervisor(table=TABLE).run(spec(tmp_path, daemons)))
    assert (end.ended, end.code) == ("exit", 0)
    assert until(lambda: not sleepers(number))


def test_many_starts_leak_nothing(tmp_path: Path) -> None:
    supervisor = ProcessSupervisor(table=TABLE)

    async def many(count: int) -> None:
        await asyncio.gather(*(supervisor.run(spec(tmp_path, "true")) for _ in range(count)))

    asyncio.run(many(2))
    before = open_files()
    asyncio.run(many(8))
    assert open_files() == before
    assert not [seen for seen in HERE.look().values() if seen.parent == os.getpid() and seen.session == seen.pid]


def test_r8_2_without_its_engine_a_group_dies_at_once_and_a_sweep_finds_the_rest(tmp_path: Path, number: str) -> None:
    run = f"run-{number}"
    engine = subprocess.Popen(
        [sys.executable, "-c", ENGINE, number, run], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    assert engine.stdout is not None
    pid, start, boot = engine.stdout.readline().split()
    assert until(lambda: len(sleepers(number)) == 5)
    engine.kill()
    engine.wait()
    engine.stdout.close()
    assert until(lambda: len(sleepers(number)) == 2), "those that left the group"
    recorded = [Started(cookie=(run, "t", "1"), pid=int(pid), start=int(start), boot_id=boot)]
    assert len(living(run, recorded, table=TABLE)) == 3
    assert sweep(run, recorded, table=TABLE) in (2, 3), "the shell may end by itself once what it waits for has ended"
    assert until(lambda: not sleepers(number) and not living(run, recorded, table=TABLE))


@pytest.mark.parametrize("table", [HERE, TABLE], ids=["here", "portable"])
def test_r8_2_a_session_is_known_after_its_leader_has_gone(tmp_path: Path, number: str, table: Proc | Portable) -> None:
    """On a Mac the environment of the system's own programs cannot be read; nor, here, of one that wiped it."""
    leader = subprocess.Popen(
        ["sh", "-c", f"env -i sleep {number} & read -r _"], stdin=subprocess.PIPE, start_new_session=True
    )
    assert until(lambda: bool(sleepers(number)))
    start = table.start_of(leader.pid)
    assert start is not None
    started = Started(cookie=("r", "t", "1"), pid=leader.pid, start=start, boot_id=table.boot_id())
    leader.communicate(b"\n")
    assert sleepers(number)
    later = started.__class__(cookie=started.cookie, pid=started.pid, start=start + 10**9, boot_id=started.boot_id)
    assert sweep("r", [later], table=table) == 0, "that session is younger than what was recorded"
    assert sweep("r", [started], table=table) == 1
    assert until(lambda: not sleepers(number))
