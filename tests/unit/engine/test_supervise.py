"""What the real supervisor promises beyond its port: whole trees end, whoever tries to get away."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from stretto.engine import proctable
from stretto.engine.strays import Started
from stretto.engine.supervise import ProcessSupervisor
from stretto.errors import AdapterError
from stretto.ports import ProcessExit, ProcessSpec
from unit.engine.living import open_files, sleepers, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

Sh = Callable[..., ProcessSpec]
DAEMONS = "setsid sh -c 'sleep {n} & sleep {n}' & nohup sleep {n} & env -i sleep {n} & sleep {n} & "


@pytest.fixture
def sh(tmp_path: Path) -> Sh:
    """A shell command as a spec."""

    def make(script: str, *, task: str = "t", idle_s: float | None = None, **more: float) -> ProcessSpec:
        return ProcessSpec(
            argv=("sh", "-c", script),
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"]},
            log=tmp_path / f"{task}.log",
            timeout_s=more.get("timeout_s", 60.0),
            idle_s=idle_s,
            grace_s=more.get("grace_s", 5.0),
            cookie=(f"run-{tmp_path.name}-{os.getpid()}", task, "1"),
        )

    return make


def run(spec: ProcessSpec, supervisor: ProcessSupervisor | None = None) -> ProcessExit:
    async def go() -> ProcessExit:
        return await (supervisor or ProcessSupervisor()).run(spec)

    return asyncio.run(go())


def run_and_cancel(spec: ProcessSpec, when: Callable[[], bool]) -> None:
    async def go() -> None:
        task = asyncio.create_task(ProcessSupervisor().run(spec))
        await asyncio.sleep(0)
        assert await asyncio.to_thread(until, when)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(go())


def test_the_environment_is_given_and_nothing_is_inherited(sh: Sh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "s3cr3t")
    spec = sh("env; tty; pwd; ls -l /proc/self/fd")
    run(spec)
    out = spec.log.read_text()
    assert "s3cr3t" not in out
    for name, value in zip(("RUN", "TASK", "ATTEMPT"), spec.cookie, strict=True):
        assert f"STRETTO_{name}={value}\n" in out
    assert "not a tty" in out
    assert f"\n{spec.cwd}\n" in out
    open_files = [line.split(" -> ")[1] for line in out.splitlines() if " -> " in line]
    strange = {name for name in open_files if not name.startswith(("/dev/null", "/proc/", str(spec.log), "pipe:"))}
    assert strange == set()


def test_it_is_a_session_of_its_own(sh: Sh) -> None:
    spec = sh("cut -d' ' -f1,5,6 /proc/self/stat; echo $$")
    run(spec)
    (_, group, session), (shell,) = (line.split() for line in spec.log.read_text().splitlines())
    assert group == session == shell


def test_stragglers_of_a_normal_end_are_ended(sh: Sh, number: str) -> None:
    ended = run(sh(DAEMONS.format(n=number) + "exit 4"))
    assert (ended.ended, ended.code) == ("exit", 4)
    assert sleepers(number) == []


def test_a_cancelled_tree_is_ended_with_its_daemons(sh: Sh, number: str) -> None:
    run_and_cancel(sh(DAEMONS.format(n=number) + "wait"), lambda: len(sleepers(number)) == 5)
    assert sleepers(number) == []


def test_a_tree_whose_time_is_over_is_ended_with_its_daemons(sh: Sh, number: str) -> None:
    ended = run(sh(DAEMONS.format(n=number) + "wait", timeout_s=0.5))
    assert ended.ended == "timeout"
    assert sleepers(number) == []


def test_term_comes_first_and_may_be_answered(sh: Sh, number: str) -> None:
    spec = sh(f"trap 'echo bye; exit 3' TERM; sleep {number} & wait")
    run_and_cancel(spec, lambda: len(sleepers(number)) == 1)
    assert spec.log.read_text() == "bye\n"


def test_kill_comes_after_the_grace(sh: Sh, number: str) -> None:
    spec = sh(f"trap '' TERM; (setsid sleep {number}) & sleep {number}", grace_s=0.3, timeout_s=0.5)
    ended = run(spec)
    assert (ended.ended, ended.signal) == ("timeout", signal.SIGKILL)
    assert 0.8 <= ended.duration_s < 5
    assert sleepers(number) == []


def test_being_cancelled_twice_leaves_nothing_either(sh: Sh, number: str) -> None:
    async def go() -> None:
        spec = sh(f"trap 'echo asked' TERM; sleep {number} & while :; do wait; done", grace_s=0.5)
        task = asyncio.create_task(ProcessSupervisor().run(spec))
        assert await asyncio.to_thread(until, lambda: len(sleepers(number)) == 1)
        task.cancel()
        assert await asyncio.to_thread(until, lambda: "asked" in spec.log.read_text())
        assert not task.done()
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(go())
    assert sleepers(number) == []


def test_a_tree_leaves_others_alone(sh: Sh, number: str) -> None:
    """Not even one with the same cookie: two gates of one attempt may run side by side."""

    async def go() -> None:
        supervisor = ProcessSupervisor()
        long = asyncio.create_task(supervisor.run(sh(f"sleep {number}")))
        other = asyncio.create_task(supervisor.run(sh(f"sleep {number}", task="other")))
        assert await asyncio.to_thread(until, lambda: len(sleepers(number)) == 2)
        await supervisor.run(sh("sleep 0.01 & exit 0"))
        assert len(sleepers(number)) == 2
        long.cancel()
        await asyncio.wait({long})
        assert len(sleepers(number)) == 1
        other.cancel()
        await asyncio.wait({other})

    asyncio.run(go())
    assert sleepers(number) == []


def test_busy_silence_is_not_idle_at_first(sh: Sh) -> None:
    ended = run(sh("while :; do :; done", idle_s=1.5))
    assert ended.ended == "idle"
    assert ended.duration_s > 3 * 1.5
    assert ended.cpu_s > 0.1


def test_output_is_a_sign_of_life(sh: Sh) -> None:
    ended = run(sh("for i in 1 2 3 4 5 6 7 8; do sleep 0.15; echo $i; done", idle_s=0.6))
    assert (ended.ended, ended.code) == ("exit", 0)


@pytest.mark.parametrize("argv", [("./not-there",), ("./not-executable",), ("",), ("nul\0l",)])
def test_what_cannot_be_started_is_said(sh: Sh, tmp_path: Path, argv: tuple[str, ...]) -> None:
    (tmp_path / "not-executable").write_text("#!/bin/sh\n")
    spec = msgspec.structs.replace(sh(""), argv=argv)
    before = open_files()
    with pytest.raises(AdapterError, match="cannot start"):
        run(spec)
    assert open_files() <= before


def test_a_folder_that_is_not_there_is_said(sh: Sh, tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match="nowhere"):
        run(msgspec.structs.replace(sh("true"), cwd=tmp_path / "nowhere"))


def test_every_start_is_recorded(sh: Sh) -> None:
    heard: list[Started] = []
    spec = sh("echo $$; cut -d' ' -f22 /proc/$$/stat")
    run(spec, ProcessSupervisor(heard.append))
    pid, start = map(int, spec.log.read_text().split())
    assert heard == [Started(cookie=spec.cookie, pid=pid, start=start, boot_id=proctable.HERE.boot_id())]


def test_many_starts_leak_nothing(sh: Sh) -> None:
    async def go() -> int:
        supervisor = ProcessSupervisor()
        await supervisor.run(sh("exit 0"))
        before = open_files()
        for _ in range(10):
            await asyncio.gather(*(supervisor.run(sh("exit 0", task=f"t{n}")) for n in range(10)))
        return open_files() - before

    assert asyncio.run(go()) == 0
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_r8_2_without_its_supervisor_a_group_dies_at_once(tmp_path: Path, number: str) -> None:
    """No warden here: it is the leash that ends what stayed in the command's group, `nohup` or not."""
    script = f"""
import asyncio, os, sys
from pathlib import Path
from stretto.engine.supervise import ProcessSupervisor
from stretto.ports import ProcessSpec

command = "nohup sleep {number} & sleep {number} & env -i sleep {number}"
spec = ProcessSpec(argv=("sh", "-c", command), cwd=Path.cwd(), env=dict(os.environ), log=Path("x.log"),
                   timeout_s=60, cookie=("none", "t", "1"))
asyncio.run(ProcessSupervisor(lambda started: print("leashed", flush=True)).run(spec))
"""
    process = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"leashed\n"
    assert until(lambda: len(sleepers(number)) == 3)
    process.kill()
    process.communicate()
    assert until(lambda: sleepers(number) == [], within_s=3)
