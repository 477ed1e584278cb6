"""Settings: where each comes from, and how mistakes in them are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from stretto.config import Chosen, check_environment, duration_s, load, parse, resolve
from stretto.errors import ConfigError
from stretto.model.agent import AgentSpec
from stretto.model.plan import Defaults, Plan, Task

FULL = """
parallel = 3
agent = "mine"
attempts = 2
timeout = "1h30m"

[env]
pass = ["NODE_*"]

[agents.mine]
command = "my-agent"
"""
SOME = Plan(name="x", format="stretto", tasks=(Task(id="a", phase="p"),))


def test_a_whole_file() -> None:
    assert parse(FULL) == Chosen(
        parallel=3,
        agent="mine",
        attempts=2,
        timeout_s=5400.0,
        env_pass=("NODE_*",),
        agents={"mine": AgentSpec(command="my-agent")},
    )


def test_no_file_says_nothing(tmp_path: Path) -> None:
    assert load(tmp_path, {}) == Chosen()


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("paralel = 3", "stretto.toml:1: unknown key paralel", "did you mean parallel?"),
        ("\n[agents.mine]\ncomand = 'x'", "stretto.toml:3: unknown key agents.mine.comand", "agents.mine.command"),
        ("parallel = 0", "stretto.toml:1: parallel must be", ""),
        ("parallel = true", "stretto.toml:1: parallel must be", ""),
        ("x = [", "stretto.toml: ", ""),
        ("agents = 3", "stretto.toml:1: agents must be a table", ""),
        ("timeout = 'soon'", "stretto.toml:1: 'soon' is not a duration", "15m"),
        ("[env]\npass = 'X'", "stretto.toml:2: env.pass", ""),
    ],
)
def test_mistakes_name_the_place(text: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert str(caught.value).startswith(message)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("STRETTO_PARALLEL", "stretto.toml"),
        ("STRETTO_STATEDIR", "STRETTO_STATE_DIR"),
        ("STRETTO_XYZZY", "unset"),
    ],
)
def test_variables_that_nothing_reads_are_errors(name: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_environment({name: "1"})
    assert hint in caught.value.hint
    check_environment({"STRETTO_STATE_DIR": "x", "OTHER": "y"})


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("15m", 900), ("1h30m", 5400), ("0.5 s", 0.5)])
def test_durations(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-3", "0", "3 weeks", "1h30", "1e3", "m"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ConfigError):
        duration_s(text)


def test_flags_beat_the_file_and_the_file_the_plan() -> None:
    plan = Plan(name="x", format="stretto", defaults=Defaults(attempts=9, timeout_s=7.0, agent=("scripted",)))
    run = resolve(plan, Chosen(attempts=1), Chosen(attempts=2, parallel=4), interactive=False).run
    assert (run.attempts, run.parallel, run.timeout_s, run.agent) == (1, 4, 7.0, "scripted")
    assert resolve(plan, Chosen(), Chosen(), interactive=True).run.on_approval == "wait"


def test_agents_on_the_spot_and_by_name() -> None:
    spot = resolve(SOME, Chosen(agent="shell: do it"), Chosen(), interactive=False)
    assert spot.agents[spot.run.agent] == AgentSpec(command="do it")
    named = resolve(SOME, Chosen(), Chosen(agent="mine", agents={"mine": AgentSpec(command="x")}), interactive=False)
    assert named.agents[named.run.agent] == AgentSpec(command="x")


@pytest.mark.parametrize(
    ("agent", "message", "hint"),
    [
        (None, "no agent does task 'a'", "--agent"),
        ("scriptd", "no agent 'scriptd'", "scripted"),
        ("codex", "no agent 'codex'", "[agents.codex]"),
        ("shell:", "needs a command", "shell"),
    ],
)
def test_agents_that_are_not_there(agent: str | None, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve(SOME, Chosen(agent=agent), Chosen(), interactive=False)
    assert message in str(caught.value)
    assert hint in caught.value.hint


def test_a_task_may_name_a_command_itself() -> None:
    plan = Plan(name="x", format="stretto", tasks=(Task(id="a", phase="p", agent=("shell: do it",)),))
    assert resolve(plan, Chosen(), Chosen(), interactive=False).agents["shell: do it"] == AgentSpec(command="do it")
