"""The contract of the port Processes, for the real one and its fake. Every command here exists for both."""

from __future__ import annotations

import asyncio
import math
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from stretto.engine.portable import Portable
from stretto.engine.supervise import ProcessSupervisor
from stretto.errors import AdapterError
from stretto.ports import Processes, ProcessExit, ProcessSpec
from stretto.testing.processes import FakeProcesses, Played

COMMANDS = {
    "hello": ("echo hello", Played(output=b"hello\n")),
    "complain": ("echo oops >&2; exit 7", Played(errors=b"oops\n", code=7)),
    "repeat": ("exec cat", Played(output=b"typed\n")),
    "suicide": ("kill -9 $$", Played(signal=9)),
    "forever": ("echo here; exec sleep 1000", Played(output=b"here\n", lasts_s=math.inf)),
    "rather-long": ("exec sleep 0.7", Played(lasts_s=0.7)),
}

Spec = Callable[..., ProcessSpec]


@pytest.fixture(params=["real", "portable", "fake"])
def processes(request: pytest.FixtureRequest) -> Processes:
    if request.param == "real":
        return ProcessSupervisor()
    if request.param == "portable":
        return ProcessSupervisor(table=Portable())
    return FakeProcesses(lambda spec: COMMANDS.get(spec.argv[0], ("", None))[1])


@pytest.fixture
def spec(tmp_path: Path) -> Spec:
    commands = tmp_path / "bin"
    commands.mkdir()
    for name, (script, _) in COMMANDS.items():
        (commands / name).write_text(f"#!/bin/sh\n{script}\n")
        (commands / name).chmod(0o755)

    def make(name: str, *, timeout_s: float = 60.0, idle_s: float | None = None) -> ProcessSpec:
        return ProcessSpec(
            argv=(name,),
            cwd=tmp_path,
            env={"PATH": f"{commands}:/usr/bin:/bin"},
            log=tmp_path / "output.log",
            timeout_s=timeout_s,
            idle_s=idle_s,
            grace_s=2.0,
            cookie=(f"run-{os.getpid()}", name, "1"),
        )

    return make


def run(processes: Processes, spec: ProcessSpec) -> ProcessExit:
    return asyncio.run(processes.run(spec))


def test_a_command_that_ends_well(processes: Processes, spec: Spec) -> None:
    ended = run(processes, spec("hello"))
    assert (ended.ended, ended.code, ended.signal) == ("exit", 0, None)
    assert 0 <= ended.duration_s < 60
    assert ended.cpu_s >= 0


def test_the_exit_code_is_its_own(processes: Processes, spec: Spec) -> None:
    assert run(processes, spec("complain")).code == 7


def test_output_and_errors_are_appended_to_the_log(processes: Processes, spec: Spec) -> None:
    log = spec("hello").log
    log.write_bytes(b"before\n")
    run(processes, spec("hello"))
    run(processes, spec("complain"))
    assert log.read_bytes() == b"before\nhello\noops\n"


def test_errors_go_to_a_file_of_their_own_where_one_is_named(processes: Processes, spec: Spec) -> None:
    apart = replace(spec("complain"), errors=spec("complain").cwd / "errors.log")
    run(processes, apart)
    run(processes, apart)
    assert apart.log.read_bytes() == b""
    assert apart.errors is not None and apart.errors.read_bytes() == b"oops\noops\n"


def test_standard_input_is_a_file_or_nothing(processes: Processes, spec: Spec) -> None:
    typed = spec("repeat").cwd / "typed"
    typed.write_bytes(b"typed\n")
    told = replace(spec("repeat"), input=typed)
    assert run(processes, told).code == 0
    assert told.log.read_bytes() == b"typed\n"


def test_death_by_a_signal_has_no_code(processes: Processes, spec: Spec) -> None:
    ended = run(processes, spec("suicide"))
    assert (ended.ended, ended.code, ended.signal) == ("exit", None, signal.SIGKILL)


def test_it_is_ended_when_its_time_is_over(processes: Processes, spec: Spec) -> None:
    ended = run(processes, spec("forever", timeout_s=0.3))
    assert (ended.ended, ended.code) == ("timeout", None)
    assert ended.duration_s >= 0.3


def test_it_is_ended_when_it_is_idle(processes: Processes, spec: Spec) -> None:
    assert run(processes, spec("forever", idle_s=0.4)).ended == "idle"


def test_without_an_idle_time_silence_is_no_fault(processes: Processes, spec: Spec) -> None:
    assert run(processes, spec("rather-long")).ended == "exit"


def test_a_cancelled_one_is_cancelled(processes: Processes, spec: Spec) -> None:
    async def cancel() -> None:
        forever = spec("forever")
        task = asyncio.create_task(processes.run(forever))
        async with asyncio.timeout(10):
            while not (forever.log.exists() and forever.log.read_bytes()):  # noqa: ASYNC110 - a file tells nobody
                await asyncio.sleep(0.01)
        assert not task.done()
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancel())


def test_a_command_that_does_not_exist_is_an_error_that_names_it(processes: Processes, spec: Spec) -> None:
    with pytest.raises(AdapterError, match="no-such-thing"):
        run(processes, spec("no-such-thing"))


def test_many_at_once(processes: Processes, spec: Spec) -> None:
    async def all_of_them() -> list[ProcessExit]:
        return await asyncio.gather(*(processes.run(spec(name)) for name in ("hello", "complain", "rather-long") * 3))

    assert [ended.code for ended in asyncio.run(all_of_them())] == [0, 7, 0] * 3
