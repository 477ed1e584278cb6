"""How an agent is set up: what settings and the command line say of it, recorded with the run."""

from __future__ import annotations

from collections.abc import Mapping

from stretto.model.plan import Value


class AgentSpec(Value, frozen=True, kw_only=True):
    """One agent by its name in the settings. Empty fields leave the choice to the kind's own defaults."""

    kind: str = "shell"
    """`shell`, `scripted`, or the name of a headless profile such as `claude`."""
    command: str = ""
    """Shell text of a `shell` agent; of a profile: its executable, when it is not the one on the PATH."""
    model: str = ""
    permission_mode: str = ""
    allowed_tools: tuple[str, ...] | None = None
    """What it may do without asking; None: the profile's default, () nothing more than its permission mode allows."""
    args: tuple[str, ...] = ()
    """Further words for its command line."""
    env: Mapping[str, str] = {}
    """Variables that are set for it, beside what it may see of the user's."""
