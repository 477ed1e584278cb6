"""The one table of settings: files, variables, `stretto config`, the page and every "did you mean" come from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from stretto.config.values import Choice, Count, Duration, Kind, Names, Text
from stretto.model.plan import Isolation, Value
from stretto.model.run import ConflictPolicy, GrowthScope, RunSettings

FILE = "stretto.toml"
Key = tuple[str, ...]
"""The way to a value in a file: `("env", "pass")`."""


def dotted(key: Key) -> str:
    """A key as people write it."""
    return ".".join(part if part.replace("-", "").replace("_", "").isalnum() else f'"{part}"' for part in key)


class Setting(Value, frozen=True, kw_only=True):
    """One value that people may set."""

    key: Key
    kind: Kind
    help: str
    field: str = ""
    """The field of RunSettings that it becomes; its default is that one's."""
    default: Any = None
    flag: str = ""
    """How `stretto run` spells it."""

    @property
    def name(self) -> str:
        return dotted(self.key)

    @property
    def variable(self) -> str:
        return "STRETTO_" + "_".join(self.key).upper()

    @property
    def built_in(self) -> Any:
        return getattr(RunSettings(), self.field) if self.field else self.default


_AGENT = Text(means="the name of an agent, or `shell: COMMAND`")
_VARIABLES = Names(means="a list of names of variables", pattern=r"\*|[A-Za-z_][A-Za-z0-9_]*\*?")

_ALL = (
    Setting(key=("parallel",), kind=Count(), field="parallel", flag="-j", help="tasks at once"),
    Setting(key=("agent",), kind=_AGENT, default="", flag="--agent", help="who does a task that names nobody"),
    Setting(
        key=("attempts",), kind=Count(), field="attempts", flag="--attempts", help="tries of a task that cost something"
    ),
    Setting(key=("timeout",), kind=Duration(), field="timeout_s", flag="--timeout", help="longest time of an attempt"),
    Setting(
        key=("on_failure",),
        kind=Choice(options=("continue", "stop")),
        field="on_failure",
        flag="--on-failure",
        help="what a failed task means for the rest of the run",
    ),
    Setting(
        key=("conflicts",),
        kind=Choice(options=get_args(ConflictPolicy)),
        field="conflicts",
        flag="--conflicts",
        help="what to do with tasks whose claims overlap",
    ),
    Setting(
        key=("isolation",),
        kind=Choice(options=get_args(Isolation)),
        field="isolation",
        flag="--isolation",
        help="where tasks work: each in a `worktree` of its own, or (`none`) all in the folder itself",
    ),
    Setting(
        key=("breaker",),
        kind=Count(least=0),
        field="breaker",
        help="an agent that fails on so many tasks in a row gets no more of them; 0: never",
    ),
    Setting(
        key=("idle",),
        kind=Duration(),
        field="idle_s",
        help="an attempt that prints nothing and computes nothing for so long is ended",
    ),
    Setting(key=("gate_timeout",), kind=Duration(), field="gate_timeout_s", help="longest time of a check"),
    Setting(
        key=("setup_timeout",), kind=Duration(), field="setup_timeout_s", help="longest time of one set-up command"
    ),
    Setting(key=("grace",), kind=Duration(), field="grace_s", help="how long a command has to end once it is asked to"),
    Setting(
        key=("drain_timeout",),
        kind=Duration(),
        field="drain_timeout_s",
        help="how long `stop` lets finish what is under way",
    ),
    Setting(
        key=("estimate",),
        kind=Duration(),
        field="estimate_s",
        help="expected duration of a task that nothing is known about",
    ),
    Setting(
        key=("growth", "most"),
        kind=Count(least=0),
        field="growth_most",
        help="tasks that attempts may add to their run",
    ),
    Setting(
        key=("growth", "depth"),
        kind=Count(least=0),
        field="growth_depth",
        help="how far down tasks that were added may add further ones",
    ),
    Setting(
        key=("growth", "scope"),
        kind=Choice(options=get_args(GrowthScope)),
        field="growth_scope",
        help="where an attempt may add tasks: in its phase and its task's `claims`, anywhere in its `phase`, or in the"
        " whole `plan`",
    ),
    Setting(
        key=("env", "pass"),
        kind=_VARIABLES,
        default=(),
        help="variables, or beginnings that end in `*`, that agents, set-up and checks see besides the usual ones",
    ),
)
SETTINGS: Mapping[Key, Setting] = {setting.key: setting for setting in _ALL}

_OF_AGENTS = (
    Setting(key=("kind",), kind=Text(means="a kind of agent"), help="what runs it"),
    Setting(
        key=("command",),
        kind=Text(means="a shell command"),
        help="of a `shell` agent: the command; else the program, where it is not the one on the PATH",
    ),
    Setting(key=("model",), kind=Text(means="the name of a model"), help="the model, as that program names it"),
    Setting(
        key=("permission_mode",),
        kind=Text(means="the name of a mode"),
        help="what it may do without asking, as that program names it",
    ),
    Setting(
        key=("allowed_tools",),
        kind=Names(means="a list of tools"),
        help="tools that it may use without asking; `[]`: none beyond its mode",
    ),
    Setting(
        key=("args",),
        kind=Names(means="a list of words", pattern=r"[\s\S]*"),
        help="further words for its command line",
    ),
    Setting(
        key=("env",),
        kind=Text(means="a table of text"),
        help="variables that are set for it; not for secrets, which `env.pass` hands on",
    ),
)
AGENT_KEYS: Mapping[str, Setting] = {setting.name: setting for setting in _OF_AGENTS}
"""What a table `[agents.NAME]` may hold; `env` is a table again."""


def kind_of(key: Key) -> Kind:
    """What values a key has, also one of an agent."""
    return AGENT_KEYS[key[2]].kind if key[0] == "agents" else SETTINGS[key].kind
