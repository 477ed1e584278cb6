"""Whoever is killed, and however an agent hides, nothing of a run is left (R8.2). Real processes, real kill -9."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stretto.engine import launch, proctable
from stretto.engine.home import RunHome
from stretto.engine.strays import Started, sweep
from unit.engine.living import a_number, sleepers, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="nobody adopts orphans elsewhere")

ENGINE = """
import asyncio, os, sys
from pathlib import Path
from stretto.engine.supervise import ProcessSupervisor
from stretto.ports import ProcessSpec

number, run = sys.argv[1:]
agent = (
    f"setsid sh -c 'sleep {number} & sleep {number}' & nohup sleep {number} & setsid env -i sleep {number} & "
    f"sleep {number}"
)
spec = ProcessSpec(argv=("sh", "-c", agent), cwd=Path.cwd(), env=dict(os.environ), log=Path("agent.log"),
                   timeout_s=600, cookie=(run, "t", "1"))
started = lambda started: print("engine", os.getpid(), flush=True)
asyncio.run(ProcessSupervisor(started).run(spec))
"""


class Running:
    """A warden, its engine, and an agent with five processes, three of which left its group."""

    def __init__(self, home: RunHome, number: str) -> None:
        self.number = number
        self.run = f"run-{number}"
        self.warden = launch.start(home, argv=[sys.executable, "-c", ENGINE, number, self.run])
        assert until(lambda: len(sleepers(number)) == 5 and home.engine_log.stat().st_size > 0)
        self.engine = int(home.engine_log.read_text().split()[1])

    def gone(self) -> bool:
        return proctable.HERE.examine(self.engine) is None

    def leftovers(self) -> int:
        return len(sleepers(self.number))


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    number = a_number()
    running = Running(RunHome(path=tmp_path), number)
    yield running
    running.warden.kill()
    running.warden.communicate()
    for pid in sleepers(number):
        os.kill(pid, signal.SIGKILL)


def test_r8_2_engine_killed_nothing_is_left(running: Running) -> None:
    os.kill(running.engine, signal.SIGKILL)
    assert running.warden.wait(timeout=3) == 3
    assert running.leftovers() == 0


def test_r8_2_warden_killed_the_engine_and_its_direct_children_die_and_a_sweep_finds_the_strays(
    running: Running,
) -> None:
    running.warden.kill()
    assert until(running.gone, within_s=3)
    assert until(lambda: running.leftovers() <= 3, within_s=3)
    assert sweep(running.run) >= 2
    assert running.leftovers() == 1  # has left its session and wiped its environment: only a warden finds that


def test_r8_2_both_killed_direct_children_die_and_a_sweep_finds_the_strays(running: Running) -> None:
    os.kill(running.warden.pid, signal.SIGSTOP)
    os.kill(running.engine, signal.SIGKILL)
    running.warden.kill()
    assert until(lambda: running.leftovers() <= 3, within_s=3)
    sweep(running.run)
    assert running.leftovers() == 1


def test_term_reaches_the_engine_and_interrupts_do_not(running: Running) -> None:
    for ignored in (signal.SIGINT, signal.SIGHUP):
        os.kill(running.warden.pid, ignored)
    os.kill(running.warden.pid, signal.SIGTERM)
    assert running.warden.wait(timeout=3) == 3
    assert running.leftovers() == 0


def start(tmp_path: Path, script: str, *, attached: bool = True) -> subprocess.Popen[bytes]:
    return launch.start(RunHome(path=tmp_path), argv=[sys.executable, "-c", script], attached=attached)


@pytest.mark.parametrize("code", [0, 1, 4, 70, 130])
def test_the_exit_code_is_the_engines(tmp_path: Path, code: int) -> None:
    with start(tmp_path, f"raise SystemExit({code})") as warden:
        assert warden.wait(timeout=10) == code


def test_r8_2_an_engine_that_ends_by_itself_leaves_nothing_either(tmp_path: Path) -> None:
    number = a_number()
    script = f"import os; os.system('setsid sleep {number} & setsid sh -c \"sleep {number} & sleep {number}\" &')"
    with start(tmp_path, script) as warden:
        assert warden.wait(timeout=10) == 0
    assert sleepers(number) == []


def test_an_engine_that_cannot_be_started_is_said(tmp_path: Path) -> None:
    home = RunHome(path=tmp_path)
    with launch.start(home, argv=["/no/such/engine"]) as warden:
        assert warden.wait(timeout=10) == 127
    assert "cannot start /no/such/engine" in home.engine_log.read_text()


def test_the_engine_handles_signals_as_if_nobody_stood_above_it(tmp_path: Path) -> None:
    script = "import signal as s; print([s.getsignal(x) == s.SIG_DFL for x in (s.SIGHUP, s.SIGTERM)], s.getsignal(2))"
    with start(tmp_path, script) as warden:
        warden.wait(timeout=10)
    assert (tmp_path / "engine.log").read_text().startswith("[True, True] <built-in function default_int_handler>")


STRAGGLERS = """
import asyncio, os, sys
from pathlib import Path
from stretto.engine.supervise import ProcessSupervisor
from stretto.ports import ProcessSpec
sys.path.insert(0, sys.argv[2])
from unit.engine.living import sleepers, until

number = sys.argv[1]

async def main():
    supervisor = ProcessSupervisor()
    def command(script, task):
        return ProcessSpec(argv=("sh", "-c", script), cwd=Path.cwd(), env=dict(os.environ), log=Path("agent.log"),
                           timeout_s=600, cookie=(f"run-{number}", task, "1"))
    ended = await supervisor.run(command(f"setsid sleep {number} & nohup sleep {number} & exit 4", "a"))
    print(ended.code, len(sleepers(number)), until(supervisor._nothing_left))
    other = asyncio.create_task(supervisor.run(command(f"(setsid sleep {number} &) ; echo up; sleep {number}", "b")))
    while len(sleepers(number)) < 2:
        await asyncio.sleep(0.01)
    await supervisor.run(command("exit 0", "c"))
    print(len(sleepers(number)), supervisor._nothing_left())
    other.cancel()
    await asyncio.wait({other})
    print(len(sleepers(number)), until(supervisor._nothing_left))

asyncio.run(main())
"""


def test_below_a_warden_stragglers_of_a_command_end_with_it_and_only_its_own(tmp_path: Path) -> None:
    tests = str(Path(__file__).parents[2])
    argv = [sys.executable, "-c", STRAGGLERS, a_number(), tests]
    with launch.start(RunHome(path=tmp_path), argv=argv) as warden:
        warden.wait(timeout=20)
    assert (tmp_path / "engine.log").read_text() == "4 0 True\n2 False\n0 True\n"


CONTROLLED = "import sys; from stretto.engine.launch import is_attached; print(is_attached(), sys.stdin.read())"


def test_the_control_pipe_reaches_the_engine_and_ends_with_the_front(tmp_path: Path) -> None:
    with start(tmp_path, CONTROLLED) as warden:
        assert warden.stdin is not None
        warden.stdin.write(b"drain\n")
        warden.stdin.close()
        assert warden.wait(timeout=10) == 0
    assert (tmp_path / "engine.log").read_text() == "True drain\n\n"


def test_a_detached_engine_has_no_control_pipe(tmp_path: Path) -> None:
    with start(tmp_path, CONTROLLED, attached=False) as warden:
        assert warden.wait(timeout=10) == 0
    assert (tmp_path / "engine.log").read_text() == "False \n"


def test_the_engine_is_away_from_the_terminal_and_from_the_users_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "user").mkdir()
    (tmp_path / "user" / "json.py").write_text("raise SystemExit('the wrong json')")
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path / "user")
    with start(tmp_path / "run", "import json, os; print(os.getcwd(), os.getsid(0) == os.getppid())") as warden:
        assert warden.wait(timeout=10) == 0
    assert (tmp_path / "run" / "engine.log").read_text() == f"{tmp_path / 'run'} True\n"


@pytest.mark.parametrize("argv", [[], ["--"], ["sleep", "1"]])
def test_usage(argv: list[str]) -> None:
    ended = subprocess.run([sys.executable, "-m", "stretto.engine.warden", *argv], capture_output=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith(b"usage:")


# --- the sweep ---------------------------------------------------------------------------------------------------

Spawn = Callable[..., str]


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    numbers = []
    processes = []

    def start(command: str = "sleep {n}", **env: str) -> str:
        number = a_number()
        numbers.append(number)
        processes.append(
            subprocess.Popen(
                ["sh", "-c", command.format(n=number)], env={"PATH": os.environ["PATH"], **env}, start_new_session=True
            )
        )
        assert until(lambda: len(sleepers(number)) >= 1)
        return number

    yield start
    for process in processes:
        process.kill()
        process.wait()
    for number in numbers:
        for pid in sleepers(number):
            os.kill(pid, signal.SIGKILL)


def test_a_sweep_ends_agents_and_gates_of_that_run_alone(spawn: Spawn) -> None:
    run = f"run-{os.getpid()}"
    agent = spawn("sleep {n} & setsid sleep {n} & exec sleep {n}", STRETTO_RUN=run, STRETTO_TASK="t")
    gate = spawn(STRETTO_RUN=run, STRETTO_TASK="")
    reader = spawn(STRETTO_RUN=run)
    other = spawn(STRETTO_RUN=run + "0", STRETTO_TASK="t")
    assert until(lambda: len(sleepers(agent)) == 3)
    assert sweep(run) >= 4
    assert sleepers(agent) == sleepers(gate) == []
    assert len(sleepers(reader)) == len(sleepers(other)) == 1
    assert sweep(run) == 0


def test_a_sweep_ends_what_descends_from_an_agent_without_its_cookie(spawn: Spawn) -> None:
    run = f"run-{os.getpid()}"
    hidden = spawn("env -i sleep {n} & wait", STRETTO_RUN=run, STRETTO_TASK="t")
    sweep(run)
    assert sleepers(hidden) == []


def test_a_sweep_never_ends_its_caller_or_what_is_above_it(tmp_path: Path) -> None:
    script = "from stretto.engine.strays import sweep; print(sweep('run-x'))"
    env = {**os.environ, "STRETTO_RUN": "run-x", "STRETTO_TASK": "t"}
    ended = subprocess.run(
        ["sh", "-c", f'{sys.executable} -c "{script}"; echo alive'],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stdout == "0\nalive\n"


def test_a_recorded_command_is_ended_only_if_it_is_still_the_same(spawn: Spawn) -> None:
    number = spawn("exec sleep {n}")
    (pid,) = sleepers(number)
    seen = proctable.HERE.examine(pid)
    assert seen is not None
    boot = proctable.HERE.boot_id()

    def recorded(start: int, boot_id: str) -> list[Started]:
        return [Started(cookie=("r", "t", "1"), pid=pid, start=start, boot_id=boot_id)]

    assert sweep("none", recorded(seen.start + 1, boot)) == 0
    assert sweep("none", recorded(seen.start, "another boot")) == 0
    assert len(sleepers(number)) == 1
    assert sweep("none", recorded(seen.start, boot)) == 1
    assert sleepers(number) == []
