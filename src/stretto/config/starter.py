"""A settings file to begin with: what was found is set, everything else stands there as a comment."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from stretto.config.agents import PROFILES
from stretto.config.installed import KNOWN, Known
from stretto.config.table import SETTINGS

_HEAD = """\
# Settings of stretto for this repository, made by `stretto init`. All of it can be left out, and a line that begins
# with # is only there to be changed. `stretto config --origin` says what counts, and where it was said.
"""
_PROFILE = """
# Settings that count when they are chosen: `stretto run PLAN --profile ci`.
# [profiles.ci]
# parallel = 2
"""


def settings_text(installed: Sequence[Known], variables: Collection[str] = ()) -> str:
    """The file as TOML; the first of the agents that are installed does the tasks. `variables` are the names of those
    that are set now."""
    parts = [_HEAD, _agent(installed)]
    for setting in SETTINGS.values():
        if setting.field:
            parts.append(f"\n# {_sentence(setting.help)}\n# {setting.name} = {setting.kind.write(setting.built_in)}\n")
    parts.append(_passed(installed, variables))
    parts += [_table(agent) for agent in installed[:1]]
    return "".join((*parts, _PROFILE))


def _agent(installed: Sequence[Known]) -> str:
    help = _sentence(SETTINGS[("agent",)].help)
    if not installed:
        names = ", ".join(agent.name for agent in KNOWN)
        foreign = ", ".join(agent.title for agent in KNOWN if agent.name not in PROFILES)
        return (
            f"\n# {help}\n# None was found: {names} are not on the PATH.\n"
            f"# Claude Code is built in; {foreign} would be run as a shell command.\n"
            '# agent = "claude"\n'
        )
    first, *others = installed
    also = f" Also there: {', '.join(agent.title for agent in others)}." if others else ""
    return f'\n# {help} Found on the PATH: {first.title}.{also}\nagent = "{first.name}"\n'


def _passed(installed: Sequence[Known], variables: Collection[str]) -> str:
    """Set where a variable that the agent may need is there now."""
    setting = SETTINGS[("env", "pass")]
    needed = [] if not installed or installed[0].name in PROFILES else list(installed[0].sees)
    there = [name for name in needed if name in variables]
    off = "" if there else "# "
    names = setting.kind.write(there or needed or ["NODE_*"])
    return f"\n# {_sentence(setting.help)}\n{off}[env]\n{off}pass = {names}\n"


def _table(agent: Known) -> str:
    if agent.name in PROFILES:
        return f'\n# [agents.{agent.name}]\n# model = "opus"\n# permission_mode = "acceptEdits"\n'
    return f"\n# stretto runs {agent.title} as a command.\n[agents.{agent.name}]\ncommand = '''{agent.command}'''\n"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."
