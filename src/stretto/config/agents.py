"""Agents by name: those that need no settings, those that settings describe, and commands given on the spot."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

import msgspec

from stretto.config.layers import Said, Settings, did_you_mean, unfit
from stretto.config.table import AGENT_KEYS, FILE, dotted
from stretto.errors import ConfigError
from stretto.model.agent import AgentSpec
from stretto.model.names import meant

SHELL, SCRIPTED, TEXT = "shell", "scripted", "text"
PROFILES = ("claude",)
"""Kinds of agents that are a program with a profile of its own; each is an agent of that name, too."""
BUILT_IN: Mapping[str, AgentSpec] = {name: AgentSpec(kind=name) for name in (SCRIPTED, TEXT, *PROFILES)}
"""The agents that need no settings."""
ON_THE_SPOT = f"{SHELL}:"
_MAY_HAVE = {
    SHELL: ("kind", "command", "env"),
    SCRIPTED: ("kind",),
    TEXT: ("kind", "model", "args", "env"),
}
_ELSEWHERE = {SHELL: "write it into the command", SCRIPTED: "remove it; a scripted agent only plays its script"}
_NO_PROGRAM = "remove it; a text agent is no program: it asks a model over HTTP"


def specs(settings: Settings) -> Mapping[str, AgentSpec]:
    """Every agent by its name; what is said of one is laid over what is built in, key by key. Raises ConfigError."""
    told: dict[str, list[Said]] = {}
    for key in settings:
        if key[0] == "agents":
            told.setdefault(key[1], []).append(settings.said(key)[0])
    return {**BUILT_IN, **{name: _spec(name, said) for name, said in told.items()}}


def _spec(name: str, told: list[Said]) -> AgentSpec:
    said = {one.key[2]: one for one in told if len(one.key) == 3}
    kinds = (SHELL, *BUILT_IN)
    kind = said["kind"].value if "kind" in said else name if name in BUILT_IN else SHELL
    if kind not in kinds:
        place = f"{said['kind'].origin.place}: {dotted(said['kind'].key)}"
        raise ConfigError(f"{place}: there is no kind of agent {kind!r}", hint=did_you_mean(kind, kinds))
    for key, one in said.items():
        if key not in _MAY_HAVE.get(kind, AGENT_KEYS):
            place = f"{one.origin.place}: {dotted(one.key)}"
            raise ConfigError(f"{place}: a {kind} agent has no such setting", hint=_ELSEWHERE.get(kind, _NO_PROGRAM))
    if kind == SHELL and "command" not in said:
        place = f"{told[0].origin.place}: agents.{name}" if told else f"agents.{name}"
        raise ConfigError(f"{place} has no command", hint='command = "my-agent", or kind = "claude"')
    env = {one.key[3]: one.value for one in told if len(one.key) == 4}
    return AgentSpec(kind=kind, env=env, **{key: one.value for key, one in said.items() if key != "kind"})


def named(said: str) -> tuple[str, AgentSpec | None]:
    """(name, how it is run) of what a flag, a setting or a task says; None for a mere name. Raises ConfigError."""
    if not said.startswith(ON_THE_SPOT):
        return said, None
    if not (command := said.removeprefix(ON_THE_SPOT).strip()):
        raise ConfigError("a shell agent needs a command", hint="--agent 'shell: my-agent < \"$STRETTO_PROMPT_FILE\"'")
    if "\0" in command:
        raise unfit("the command of a shell agent")
    return SHELL, AgentSpec(command=command)


def words(text: str | None) -> tuple[str, ...]:
    """The words of `--agent-args`, split as a shell would. Raises ConfigError."""
    try:
        return tuple(shlex.split(text or ""))
    except ValueError as error:
        raise ConfigError(f"--agent-args: {text!r} has a quote that nothing closes") from error


def with_words(name: str, spec: AgentSpec, more: tuple[str, ...]) -> AgentSpec:
    """The agent with further words for its command line. Raises ConfigError where it has none."""
    if more and spec.kind in _ELSEWHERE:
        raise ConfigError(
            f"--agent-args: {name} is a {spec.kind} agent, which takes no further words", hint=_ELSEWHERE[spec.kind]
        )
    return msgspec.structs.replace(spec, args=(*spec.args, *more))


def nobody(what: str) -> ConfigError:
    """The error for work that names no agent, where none is set."""
    hint = f"--agent scripted, --agent 'shell: COMMAND', or `agent` in {FILE}"
    return ConfigError(f"no agent does {what}", hint=hint)


def unknown(name: str, agents: Mapping[str, AgentSpec]) -> ConfigError:
    """The error for an agent that is not there."""
    otherwise = f'define it in {FILE}: [agents.{dotted((name,))}] command = "…"'
    kind, colon, command = name.partition(":")
    if colon and command.strip() and meant(kind.strip().lower(), (SHELL,)):
        otherwise = f"a command is given as --agent {shlex.quote(f'{ON_THE_SPOT} {command.strip()}')}"
    elif "/" in name or " " in name:
        otherwise = f"a command is given as --agent {shlex.quote(f'{ON_THE_SPOT} {name}')}"
    hint = did_you_mean(name, tuple(agents), otherwise=otherwise)
    return ConfigError(f"there is no agent {name!r}", hint=hint)
