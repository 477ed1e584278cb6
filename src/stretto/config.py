"""Settings in layers: flags, then `stretto.toml` of the repository, then the plan's defaults, then what is built in."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from stretto.errors import ConfigError
from stretto.model.agent import AgentSpec
from stretto.model.plan import Plan, Value
from stretto.model.run import ConflictPolicy, RunSettings

FILE = "stretto.toml"
SCRIPTED = "scripted"
BUILT_IN = {name: AgentSpec(kind=name) for name in (SCRIPTED, "claude")}
"""The agents that need no settings."""
SHELL = "shell:"
RESERVED = (
    "STRETTO_RUN", "STRETTO_TASK", "STRETTO_ATTEMPT", "STRETTO_PROMPT_FILE", "STRETTO_RESULT_FILE", "STRETTO_SLOT",
    "STRETTO_PORT_BASE", "STRETTO_STATE_DIR", "STRETTO_REQUIRE",
)  # fmt: skip
"""The variables that mean something; any other STRETTO_* is a mistake, and no setting."""
_KEYS = ("parallel", "agent", "attempts", "timeout", "env", "agents")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


class Chosen(Value, frozen=True, kw_only=True):
    """One layer: what somebody has set; None is nothing said. Durations are in seconds."""

    parallel: int | None = None
    agent: str | None = None
    attempts: int | None = None
    timeout_s: float | None = None
    on_failure: Literal["continue", "stop"] | None = None
    conflicts: ConflictPolicy | None = None
    env_pass: tuple[str, ...] = ()
    agents: Mapping[str, AgentSpec] = {}


class Resolved(Value, frozen=True, kw_only=True):
    """What a run starts with."""

    run: RunSettings
    agents: Mapping[str, AgentSpec]
    """Those that do the plan's tasks, and the default one."""
    env_pass: tuple[str, ...]


def load(root: Path, environ: Mapping[str, str]) -> Chosen:
    """The repository's own layer. Raises ConfigError, naming the place."""
    check_environment(environ)
    path = root / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Chosen()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error
    return parse(text, str(path))


def check_environment(environ: Mapping[str, str]) -> None:
    """Raises ConfigError for a STRETTO_* variable that nothing reads: it would be believed to do something."""
    for name in sorted(environ):
        if name.startswith("STRETTO_") and name not in RESERVED:
            setting = name.removeprefix("STRETTO_").lower()
            close = difflib.get_close_matches(name, RESERVED, n=1, cutoff=0.8)
            near = f"did you mean {close[0]}?" if close else ""
            known = f"`{setting}` is set in {FILE}, or by a flag" if setting in _KEYS else ""
            raise ConfigError(f"unknown environment variable {name}", hint=near or known or f"unset {name}")


def parse(text: str, file: str = FILE) -> Chosen:
    """Read the text of a settings file. Raises ConfigError."""
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: {error}") from error
    return _Reader(text, file).read(tree)


class _Reader:
    """Reads the tree of a settings file; knows where its keys stand."""

    def __init__(self, text: str, file: str) -> None:
        self._lines = text.splitlines()
        self._file = file

    def read(self, tree: dict[str, Any]) -> Chosen:
        self._known(tree, _KEYS, "")
        env = self._table(tree, "env")
        self._known(env, ("pass",), "env.")
        agents = {}
        for name, table in self._table(tree, "agents").items():
            if not isinstance(table, dict):
                raise self._wrong(name, f"agents.{name} must be a table", 'for example: command = "my-agent"')
            self._known(table, ("command",), f"agents.{name}.")
            command = table.get("command")
            if not isinstance(command, str) or not command.strip():
                raise self._wrong(name, f"agents.{name}.command must be a shell command")
            agents[name] = AgentSpec(command=command)
        agent = tree.get("agent")
        if agent is not None and not isinstance(agent, str):
            raise self._wrong("agent", "agent must be the name of an agent, or 'shell: COMMAND'")
        passed = env.get("pass", [])
        if not isinstance(passed, list) or not all(isinstance(name, str) for name in passed):
            raise self._wrong("pass", "env.pass must be a list of names of environment variables")
        timeout = tree.get("timeout")
        return Chosen(
            parallel=self._count(tree, "parallel"),
            agent=agent,
            attempts=self._count(tree, "attempts"),
            timeout_s=None if timeout is None else self._duration(timeout),
            env_pass=tuple(passed),
            agents=agents,
        )

    def _known(self, table: Mapping[str, object], keys: Iterable[str], prefix: str) -> None:
        for key in table:
            if key not in keys:
                close = difflib.get_close_matches(key, list(keys), n=1)
                hint = f"did you mean {prefix}{close[0]}?" if close else f"known here: {', '.join(keys)}"
                raise self._wrong(key, f"unknown key {prefix}{key}", hint)

    def _table(self, tree: Mapping[str, Any], key: str) -> dict[str, Any]:
        table = tree.get(key, {})
        if not isinstance(table, dict):
            raise self._wrong(key, f"{key} must be a table", f"[{key}]")
        return table

    def _count(self, tree: Mapping[str, object], key: str) -> int | None:
        value = tree.get(key)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise self._wrong(key, f"{key} must be a whole number of at least 1, not {value!r}")
        return value if isinstance(value, int) else None

    def _duration(self, value: object) -> float:
        try:
            return duration_s(value if isinstance(value, str) else repr(value))
        except ConfigError as error:
            raise self._wrong("timeout", str(error), error.hint) from error

    def _wrong(self, key: str, message: str, hint: str = "") -> ConfigError:
        word = re.compile(rf"(?<![\w-])[\"']?{re.escape(key)}[\"']?\s*[=.\]]")
        line = next((n for n, text in enumerate(self._lines, 1) if word.search(text)), 1)
        return ConfigError(f"{self._file}:{line}: {message}", hint=hint)


def duration_s(text: str) -> float:
    """`90`, `90s`, `15m`, `1h30m` in seconds. Raises ConfigError for anything else, and for nothing at all."""
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip().lower())
    whole = re.fullmatch(r"(?:\d+(?:\.\d+)?\s*[a-z]*\s*)+", text.strip().lower())
    if whole is None or any(unit not in _UNITS and (unit or len(parts) > 1) for _, unit in parts):
        raise ConfigError(f"{text!r} is not a duration", hint="write 90s, 15m or 1h30m")
    total = sum(float(number) * _UNITS[unit or "s"] for number, unit in parts)
    if total <= 0:
        raise ConfigError(f"{text!r}: a duration must be more than nothing", hint="write 90s, 15m or 1h30m")
    return total


def resolve(plan: Plan, flags: Chosen, repository: Chosen, *, interactive: bool) -> Resolved:
    """Lay the layers over each other. Raises ConfigError for an agent that nobody defines."""
    agents = {**BUILT_IN, **repository.agents, **flags.agents}
    planned = plan.defaults
    default = flags.agent or repository.agent or (planned.agent[0] if planned.agent else "")
    name, spec = _agent(default)
    if spec is not None:
        agents[name] = spec
    for task in plan.tasks:
        for other in task.agent or (name,):
            if not other:
                raise ConfigError(
                    f"no agent does task {task.id!r}",
                    hint=f"--agent scripted, --agent 'shell: COMMAND', or `agent` in {FILE}",
                )
            if other not in agents and (spec := _agent(other)[1]) is not None:
                agents[other] = spec
            if other not in agents:
                raise _unknown_agent(other, agents)
    used = {name, *(other for task in plan.tasks for other in task.agent)}
    on_failure = flags.on_failure or planned.on_failure
    defaults = RunSettings()
    return Resolved(
        run=RunSettings(
            parallel=flags.parallel or repository.parallel or defaults.parallel,
            attempts=flags.attempts or repository.attempts or planned.attempts or defaults.attempts,
            timeout_s=flags.timeout_s or repository.timeout_s or planned.timeout_s or defaults.timeout_s,
            agent=name,
            on_failure="stop" if on_failure == "stop" else "continue",
            run_stops=on_failure == "stop",
            conflicts=flags.conflicts or defaults.conflicts,
            on_approval="wait" if interactive else "exit",
        ),
        agents={name: spec for name, spec in agents.items() if name in used},
        env_pass=repository.env_pass,
    )


def _agent(said: str) -> tuple[str, AgentSpec | None]:
    """(name, how it is run) of what `--agent` or a setting says; None for a mere name."""
    if not said.startswith(SHELL):
        return said, None
    if not (command := said.removeprefix(SHELL).strip()):
        raise ConfigError("a shell agent needs a command", hint="--agent 'shell: my-agent < \"$STRETTO_PROMPT_FILE\"'")
    return "shell", AgentSpec(command=command)


def _unknown_agent(name: str, agents: Mapping[str, AgentSpec]) -> ConfigError:
    close = difflib.get_close_matches(name, list(agents), n=1)
    hint = f"did you mean {close[0]}?" if close else f'define it in {FILE}: [agents.{name}] command = "…"'
    return ConfigError(f"there is no agent {name!r}", hint=hint)
