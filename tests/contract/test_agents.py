"""What every agent keeps, whatever does its work (the port Agent)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from stretto.agents.headless import HeadlessAgent
from stretto.agents.profiles import PROFILES
from stretto.agents.scripted import ScriptedAgent
from stretto.agents.shell import ShellAgent
from stretto.engine.supervise import ProcessSupervisor
from stretto.errors import AgentError
from stretto.model.agent import AgentSpec
from stretto.model.plan import Value
from stretto.model.run import Failure
from stretto.ports import Agent, Assignment, Report
from stretto.testing.agents import FakeAgent, assignment, until_said


class Kind(Value, frozen=True, kw_only=True):
    """One implementation, and how it is told to do what the suite needs: (agent, prompt) each."""

    name: str
    write: Callable[[], tuple[Agent, str]]
    """Write `made.txt` into the workspace and claim to be done."""
    fail: Callable[[], tuple[Agent, str]]
    """Write `made.txt` too, then fail as `permanent`."""
    hang: Callable[[], tuple[Agent, str]]
    """Say `hanging` in the log and never end."""
    has_processes: bool = True


def _write(a: Assignment) -> Report:
    (a.workspace / "made.txt").write_text("x")
    return Report()


def _fail(a: Assignment) -> Report:
    _write(a)
    return Report(failure=Failure(kind="permanent", message="why"))


async def _hang(a: Assignment) -> Report:
    a.log.write_text("hanging")
    await asyncio.Event().wait()
    raise AssertionError("nobody sets it")


CLAUDE = Path(__file__).parent.parent / "samples" / "agents" / "claude"
"""A script in its place: the real one has tests of its own."""


def _claude(prompt: str) -> tuple[Agent, str]:
    return HeadlessAgent(PROFILES["claude"], AgentSpec(kind="claude", command=str(CLAUDE)), os.environ), prompt


KINDS = (
    Kind(
        name="shell",
        write=lambda: (ShellAgent("echo x > made.txt"), ""),
        fail=lambda: (ShellAgent("echo x > made.txt; echo why; exit 65"), ""),
        hang=lambda: (ShellAgent("setsid sleep 600 & sleep 600 & echo hanging; wait"), ""),
    ),
    Kind(
        name="scripted",
        write=lambda: (ScriptedAgent(), "write made.txt x"),
        fail=lambda: (ScriptedAgent(), "write made.txt x\nfail permanent why"),
        hang=lambda: (ScriptedAgent(), "fork 600\nhang deaf"),
    ),
    Kind(
        name="claude",
        write=lambda: _claude("write"),
        fail=lambda: _claude("fail"),
        hang=lambda: _claude("hang"),
    ),
    Kind(
        name="fake",
        write=lambda: (FakeAgent(_write), ""),
        fail=lambda: (FakeAgent(_fail), ""),
        hang=lambda: (FakeAgent(_hang), ""),
        has_processes=False,
    ),
)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


def alive_in(folder: Path) -> list[int]:
    """Processes whose attempt keeps its files in `folder`."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("STRETTO_STATE_DIR") == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def test_it_works_in_its_workspace_and_claims_to_be_done(tmp_path: Path, kind: Kind) -> None:
    agent, prompt = kind.write()
    attempt = assignment(tmp_path, prompt=prompt)
    report = asyncio.run(agent.run(attempt, ProcessSupervisor()))
    assert report.failure is None
    assert [file.name for file in attempt.workspace.iterdir()] == ["made.txt"]


def test_a_failure_is_data_with_a_kind_and_a_reason_and_leaves_the_work(tmp_path: Path, kind: Kind) -> None:
    agent, prompt = kind.fail()
    attempt = assignment(tmp_path, prompt=prompt)
    report = asyncio.run(agent.run(attempt, ProcessSupervisor()))
    assert report.failure is not None
    assert report.failure.kind == "permanent"
    assert "why" in report.failure.message
    assert (attempt.workspace / "made.txt").exists()


def test_r4_an_attempt_that_takes_too_long_is_a_timeout(tmp_path: Path, kind: Kind) -> None:
    agent, prompt = kind.hang()
    report = asyncio.run(agent.run(assignment(tmp_path, prompt=prompt, timeout_s=0.5), ProcessSupervisor()))
    assert report.failure is not None
    assert report.failure.kind == "timeout"
    assert alive_in(tmp_path) == []


def test_a_cancelled_attempt_leaves_nothing_running(tmp_path: Path, kind: Kind) -> None:
    agent, prompt = kind.hang()
    attempt = assignment(tmp_path, prompt=prompt)

    async def scenario() -> None:
        running = asyncio.create_task(agent.run(attempt, ProcessSupervisor()))
        await until_said(attempt, "hanging")
        assert bool(alive_in(tmp_path)) == kind.has_processes
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(scenario())
    assert alive_in(tmp_path) == []


def test_attempts_at_once_do_not_meet(tmp_path: Path, kind: Kind) -> None:
    async def scenario() -> list[Report]:
        supervisor = ProcessSupervisor()
        runs = []
        for n in range(4):
            agent, prompt = kind.write()
            runs.append(agent.run(assignment(tmp_path / str(n), prompt=prompt, attempt=n + 1), supervisor))
        return await asyncio.gather(*runs)

    assert [report.failure for report in asyncio.run(scenario())] == [None] * 4
    assert len(list(tmp_path.glob("*/workspace/made.txt"))) == 4


def test_r4_only_who_reads_the_prompt_can_go_on_with_half_done_work() -> None:
    assert (ShellAgent("").reads_story, ScriptedAgent().reads_story) == (False, True)
    assert _claude("")[0].reads_story


def test_r5_1_only_coding_agents_have_to_change_something_by_default() -> None:
    assert not ShellAgent("").codes and not ScriptedAgent().codes
    assert _claude("")[0].codes


def test_the_fake_keeps_its_assignments_and_raises_what_it_is_told(tmp_path: Path) -> None:
    def refuse(assignment: Assignment) -> Report:
        raise AgentError("no")

    fake = FakeAgent(refuse, reads_story=False)
    attempt = assignment(tmp_path)
    with pytest.raises(AgentError):
        asyncio.run(fake.run(attempt, ProcessSupervisor()))
    assert fake.assignments == [attempt] and not fake.reads_story
