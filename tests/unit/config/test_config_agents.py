"""Agents by name: what settings say of them, what is built in, and what is refused."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from stretto.agents import profiles
from stretto.config.agents import PROFILES, specs, words
from stretto.config.files import parse
from stretto.config.layers import Settings, flags
from stretto.config.resolve import Resolved, resolve
from stretto.errors import ConfigError
from stretto.model.agent import AgentSpec
from stretto.model.plan import Defaults, Plan, Task


def plan(*agents: str) -> Plan:
    tasks = (Task(id="a", phase="p"), *(Task(id=f"t{n}", phase="p", agent=(name,)) for n, name in enumerate(agents)))
    return Plan(name="x", format="stretto", tasks=tasks)


def resolved(text: str = "", *agents: str, agent: str | None = None, args: str = "") -> Resolved:
    settings = Settings(flags({"agent": agent}), parse(text).layer)
    return resolve(plan(*agents), settings, interactive=False, agent_args=words(args))


@pytest.mark.parametrize(
    ("text", "name", "spec"),
    [
        ("", "scripted", AgentSpec(kind="scripted")),
        ("", "claude", AgentSpec(kind="claude")),
        ("[agents.mine]\ncommand = 'x'", "mine", AgentSpec(command="x")),
        ("[agents.claude]\nmodel = 'opus'", "claude", AgentSpec(kind="claude", model="opus")),
        ("[agents.claude]\ncommand = '/opt/claude'", "claude", AgentSpec(kind="claude", command="/opt/claude")),
        ("[agents.claude]\nallowed_tools = []", "claude", AgentSpec(kind="claude", allowed_tools=())),
        (
            "[agents.careful]\nkind = 'claude'\npermission_mode = 'plan'\nallowed_tools = ['Read', 'Bash(git *)']\n"
            "args = ['--max-turns', '9', '']\nenv = {A = '1', B = ''}",
            "careful",
            AgentSpec(
                kind="claude",
                permission_mode="plan",
                allowed_tools=("Read", "Bash(git *)"),
                args=("--max-turns", "9", ""),
                env={"A": "1", "B": ""},
            ),
        ),
        ("[agents.claude]\nkind = 'shell'\ncommand = 'mine'", "claude", AgentSpec(command="mine")),
        ("[agents.'a b.c']\ncommand = 'x'", "a b.c", AgentSpec(command="x")),
    ],
)
def test_what_settings_make_of_an_agent(text: str, name: str, spec: AgentSpec) -> None:
    assert specs(Settings(parse(text).layer))[name] == spec


def test_layers_refine_an_agent_key_by_key() -> None:
    repository = parse("[agents.claude]\nmodel = 'opus'\nenv = {A = '1', B = '1'}").layer
    user = parse("[agents.claude]\nmodel = 'haiku'\npermission_mode = 'plan'\nenv = {B = '2', C = '2'}", rank="user")
    assert specs(Settings(user.layer, repository))["claude"] == AgentSpec(
        kind="claude", model="opus", permission_mode="plan", env={"A": "1", "B": "1", "C": "2"}
    )


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[agents.mine]\nmodel = 'x'\ncommand = 'y'", "stretto.toml:2: agents.mine.model: a shell agent has no", ""),
        ("[agents.mine]\ncommand = 'y'\nargs = ['x']", "stretto.toml:3: agents.mine.args", "into the command"),
        ("[agents.mine]\nenv = {A = '1'}", "agents.mine has no command", "command ="),
        ("[agents.mine]\nkind = 'cluade'", "stretto.toml:2: agents.mine.kind: there is no kind", "`claude`"),
        ("[agents.scripted]\nmodel = 'x'", "stretto.toml:2: agents.scripted.model: a scripted agent", "remove"),
        ("[agents.mine]\ncommand = ' '", "stretto.toml:2: agents.mine.command must be a shell command", ""),
        ("[agents.claude]\nallowed_tools = 'Read'", "agents.claude.allowed_tools must be a list of tools", ""),
    ],
)
def test_agents_that_cannot_be(text: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        specs(Settings(parse(text).layer))
    assert message in str(caught.value)
    assert hint in caught.value.hint


def test_agents_on_the_spot_and_by_name() -> None:
    spot = resolved(agent="shell: do it")
    assert spot.agents == {spot.run.agent: AgentSpec(command="do it")}
    named = resolved("agent = 'mine'\n[agents.mine]\ncommand = 'x'\n[agents.other]\ncommand = 'y'")
    assert named.agents == {"mine": AgentSpec(command="x")}


def test_a_task_may_name_a_command_itself() -> None:
    agents = resolved("", "shell: do it", agent="scripted").agents
    assert agents == {"scripted": AgentSpec(kind="scripted"), "shell: do it": AgentSpec(command="do it")}


@pytest.mark.parametrize(
    ("agent", "message", "hint"),
    [
        (None, "no agent does task 'a'", "--agent"),
        ("scriptd", "no agent 'scriptd'", "scripted"),
        ("nobody", "no agent 'nobody'", "[agents.nobody]"),
        ("shell:", "needs a command", "shell"),
        ("do it", "no agent 'do it'", "--agent 'shell: do it'"),
        ("shel: true", "no agent 'shel: true'", "--agent 'shell: true'"),
        ("Shell:./x y", "no agent", "--agent 'shell: ./x y'"),
        ("other: true", "no agent", "--agent 'shell: other: true'"),
    ],
)
def test_agents_that_are_not_there(agent: str | None, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolved(agent=agent)
    assert message in str(caught.value)
    assert hint in caught.value.hint


def test_further_words_go_to_the_default_agent_alone() -> None:
    text = "[agents.claude]\nargs = ['--a']\n[agents.other]\nkind = 'claude'"
    agents = resolved(text, "other", agent="claude", args="--max-turns 9 'two words'").agents
    assert agents["claude"].args == ("--a", "--max-turns", "9", "two words")
    assert agents["other"].args == ()


@pytest.mark.parametrize(
    ("agent", "args", "message"),
    [
        ("scripted", "--x", "scripted is a scripted agent, which takes no further words"),
        ("shell: do it", "--x", "shell is a shell agent, which takes no further words"),
        ("claude", "'", "a quote that nothing closes"),
    ],
)
def test_further_words_that_nobody_takes(agent: str, args: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        resolved(agent=agent, args=args)


def test_the_kinds_that_settings_know_are_those_that_can_be_built() -> None:
    assert set(PROFILES) == set(profiles.PROFILES)


def test_r4_the_second_choice_of_a_plans_defaults_steps_in_too() -> None:
    several = replace(plan(), defaults=Defaults(agent=("claude", "scripted")))
    own = resolve(several, Settings(), interactive=False)
    assert (own.run.agent, own.run.fallbacks, set(own.agents)) == ("claude", ("scripted",), {"claude", "scripted"})
    chosen = resolve(several, Settings(flags({"agent": "scripted"})), interactive=False)
    assert (chosen.run.agent, chosen.run.fallbacks) == ("scripted", ())
    with pytest.raises(ConfigError, match="no agent 'clau'"):
        resolve(replace(several, defaults=Defaults(agent=("scripted", "clau"))), Settings(), interactive=False)


def test_a_default_agent_that_no_task_uses_is_not_asked_for() -> None:
    tasks = (Task(id="a", phase="p", agent=("scripted",)),)
    named = replace(plan(), tasks=tasks, defaults=Defaults(agent=("claude", "mine")))
    assert set(resolve(named, Settings(), interactive=False).agents) == {"scripted"}
    both = replace(named, tasks=(*tasks, Task(id="b", phase="p")), defaults=Defaults(agent=("claude",)))
    assert set(resolve(both, Settings(), interactive=False).agents) == {"scripted", "claude"}
