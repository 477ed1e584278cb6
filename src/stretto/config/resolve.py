"""What a run starts with: the settings, with the plan's own defaults below them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from stretto.config import agents
from stretto.config.layers import Layer, Origin, Said, Settings
from stretto.config.table import FILE, SETTINGS, Key
from stretto.errors import ConfigError
from stretto.model.agent import AgentSpec
from stretto.model.plan import Location, Plan, Value
from stretto.model.run import RunSettings


class Resolved(Value, frozen=True, kw_only=True):
    """What a run starts with."""

    run: RunSettings
    agents: Mapping[str, AgentSpec]
    """Those that do the plan's tasks; of the default one and its fallbacks only where a task names nobody."""
    env_pass: tuple[str, ...]


def plan_layer(plan: Plan, places: Mapping[str, Location] = {}) -> Layer:
    """What the plan's `defaults` say; `places` is where they stand in its file."""
    said = plan.defaults
    values = {
        "agent": next(iter(said.agent), None),
        "timeout": said.timeout_s,
        "attempts": said.attempts,
        "on_failure": said.on_failure,
    }
    layer: dict[Key, Said] = {}
    for name, value in values.items():
        if value is not None:
            at = places.get(f"defaults:{name}")
            origin = Origin(layer="plan", place=f"{at.file}:{at.line}" if at else "plan")
            layer[(name,)] = Said(key=(name,), value=value, origin=origin)
    return layer


def run_settings(settings: Settings) -> RunSettings:
    """What the core reads, but for what only a plan and a terminal decide."""
    fields = {setting.field: settings.value(key) for key, setting in SETTINGS.items() if setting.field}
    stops = settings.value(("on_failure",)) == "stop"
    fields |= {"on_failure": "stop" if stops else "continue", "run_stops": stops}
    return msgspec.convert(fields, RunSettings)


def resolve(plan: Plan, settings: Settings, *, interactive: bool, agent_args: tuple[str, ...] = ()) -> Resolved:
    """Lay the layers over each other. Raises ConfigError for an agent that nobody defines."""
    settings = settings.add(plan_layer(plan))
    known = dict(agents.specs(settings))
    name, spec = agents.named(settings.value(("agent",)))
    if spec is not None:
        known[name] = spec
    # Only the plan can name several: a setting is one agent.
    from_plan = [said.origin.layer == "plan" for said in settings.said(("agent",))]
    fallbacks = plan.defaults.agent[1:] if from_plan and from_plan[0] else ()
    for task in plan.tasks:
        for other in task.agent or (name, *fallbacks):
            if not other:
                raise ConfigError(
                    f"no agent does task {task.id!r}",
                    hint=f"--agent scripted, --agent 'shell: COMMAND', or `agent` in {FILE}",
                )
            if other not in known and (spec := agents.named(other)[1]) is not None:
                known[other] = spec
            if other not in known:
                raise agents.unknown(other, known)
    if agent_args:
        if name not in known:
            raise ConfigError("--agent-args is for the default agent, and there is none", hint="--agent NAME")
        known[name] = agents.with_words(name, known[name], agent_args)
    used = {other for task in plan.tasks for other in task.agent or (name, *fallbacks)}
    run = msgspec.structs.replace(
        run_settings(settings), agent=name, fallbacks=fallbacks, on_approval="wait" if interactive else "exit"
    )
    return Resolved(
        run=run,
        agents={name: spec for name, spec in known.items() if name in used},
        env_pass=settings.value(("env", "pass")),
    )
