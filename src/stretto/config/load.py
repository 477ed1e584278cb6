"""From the user's files and variables to the settings that count here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from stretto.config import agents, environment, files
from stretto.config.layers import NOTHING, Layer, Settings, did_you_mean
from stretto.config.table import FILE
from stretto.errors import ConfigError


def load(
    root: Path | None, environ: Mapping[str, str], *, flags: Layer = NOTHING, profile: str | None = None
) -> Settings:
    """All layers but the plan's own. `root` is the top of the repository's work tree; None: outside of one.

    A chosen profile counts more than what stands at the top of either file: who chooses it means it.
    Raises ConfigError, naming the place.
    """
    variables = environment.read(environ)
    user_path = files.user_path(environ)
    repository = files.read(root / FILE, "repository") if root else files.File()
    user = files.read(user_path, "user") if user_path else files.File()
    there = tuple(dict.fromkeys((*repository.profiles, *user.profiles)))
    chosen = profile or environ.get(environment.PROFILE, "").strip()
    if chosen and chosen not in there:
        raise ConfigError(
            f"there is no profile {chosen!r}",
            hint=did_you_mean(chosen, there, otherwise="" if there else f"define it in {FILE}: [profiles.{chosen}]"),
        )
    settings = Settings(
        flags,
        variables,
        repository.profiles.get(chosen, {}),
        user.profiles.get(chosen, {}),
        repository.layer,
        user.layer,
        profile=chosen,
        profiles=there,
    )
    agents.specs(settings)
    return settings
