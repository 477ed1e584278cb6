"""What a run starts with: the settings, with the plan's own defaults below them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from stretto.config import agents
from stretto.config.layers import Layer, Origin, Said, Settings
from stretto.config.table import FILE, SETTINGS, Key
from stretto.errors import ConfigError
from stretto.model.agent import AgentSpec
from stretto.model.plan import Isolation, Location, Plan, Task, Value
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


def isolation(plan: Plan, settings: Settings) -> Isolation:
    """Where attempts work: what a flag says, then the plan, for it is written for one of the two, then the settings."""
    first = settings.said(("isolation",))[0]
    chosen: Isolation = first.value
    return chosen if first.origin.layer == "flag" else plan.isolation or chosen


class Doers(Value, frozen=True, kw_only=True):
    """Who may do the tasks of a plan."""

    default: tuple[str, ...]
    """Who does a task that names nobody, first choice first; empty: nobody."""
    known: Mapping[str, AgentSpec]

    def of(self, task: Task) -> tuple[str, ...]:
        return task.agent or self.default

    def spec(self, name: str) -> AgentSpec:
        """How it is run. Raises ConfigError for an agent that nobody defines."""
        found = self.known.get(name) or agents.named(name)[1]
        if found is None:
            raise agents.unknown(name, self.known)
        return found


def doers(plan: Plan, settings: Settings) -> Doers:
    """Of the plan with its defaults below these settings. Raises ConfigError for agents that cannot be."""
    settings = settings.add(plan_layer(plan))
    name, spec = agents.named(settings.value(("agent",)))
    known = dict(agents.specs(settings))
    if spec is not None:
        known[name] = spec
    # Only the plan can name several: a setting is one agent.
    from_plan = [said.origin.layer == "plan" for said in settings.said(("agent",))]
    fallbacks = plan.defaults.agent[1:] if from_plan and from_plan[0] else ()
    return Doers(default=(name, *fallbacks) if name else (), known=known)


def resolve(
    plan: Plan, settings: Settings, *, interactive: bool, agent_args: tuple[str, ...] = (), staffed: bool = True
) -> Resolved:
    """Lay the layers over each other. Raises ConfigError for a task that no agent does, if it is to be `staffed`, for
    an agent that nobody defines, and for `agent_args` that nobody would get."""
    who = doers(plan, settings)
    settings = settings.add(plan_layer(plan))
    name, *fallbacks = who.default or ("",)
    used: dict[str, AgentSpec] = {}
    for task in plan.tasks:
        if staffed and not who.of(task):
            raise agents.nobody(f"task {task.id!r}")
        used |= {other: who.spec(other) for other in who.of(task) if other not in used}
    if agent_args and plan.tasks:
        if not name:
            raise ConfigError("--agent-args is for the default agent, and there is none", hint="--agent NAME")
        if name not in used:
            does = f"the tasks to do name {', '.join(map(repr, used))}"
            raise ConfigError(
                f"--agent-args is for {name!r}, which does no task: {does}",
                hint="leave it out; words for an agent that tasks name are its `args` in " + FILE,
            )
        used[name] = agents.with_words(name, used[name], agent_args)
    run = msgspec.structs.replace(
        run_settings(settings),
        agent=name,
        fallbacks=tuple(fallbacks),
        isolation=isolation(plan, settings),
        on_approval="wait" if interactive else "exit",
    )
    return Resolved(run=run, agents=used, env_pass=settings.value(("env", "pass")))
