"""Settings from `STRETTO_*` variables; any other variable of that name is an error, for it would be believed."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from stretto.config.layers import Layer, Origin, Said, wrong
from stretto.config.table import SETTINGS
from stretto.errors import ConfigError
from stretto.model.excerpt import is_text

PROFILE = "STRETTO_PROFILE"
RESERVED = (
    "STRETTO_RUN", "STRETTO_TASK", "STRETTO_ATTEMPT", "STRETTO_PROMPT_FILE", "STRETTO_RESULT_FILE", "STRETTO_SLOT",
    "STRETTO_PORT_BASE", "STRETTO_STATE_DIR", "STRETTO_REQUIRE",
)  # fmt: skip
"""Variables that mean something else than a setting."""
_BY_NAME = {setting.variable: setting for setting in SETTINGS.values()}


def read(environ: Mapping[str, str]) -> Layer:
    """What the variables say; an empty one says nothing. Raises ConfigError for one that nothing reads."""
    layer = {}
    for name in sorted(name for name in environ if name.startswith("STRETTO_")):
        if (setting := _BY_NAME.get(name)) is None:
            if name not in (PROFILE, *RESERVED):
                raise _unknown(name)
        elif not is_text(environ[name]):
            raise ConfigError(f"the value of {name} is not UTF-8", hint="if it is: export LC_ALL=C.UTF-8")
        elif environ[name].strip():
            if (value := setting.kind.parse(environ[name])) is None:
                raise wrong(name, setting.kind, environ[name])
            origin = Origin(layer="variable", place=name)
            layer[setting.key] = Said(key=setting.key, value=value, origin=origin)
    return layer


def _unknown(name: str) -> ConfigError:
    known = {one.removeprefix("STRETTO_"): one for one in (*_BY_NAME, PROFILE, *RESERVED)}
    near = difflib.get_close_matches(name.removeprefix("STRETTO_"), known, n=1, cutoff=0.75)
    hint = f"did you mean {known[near[0]]}?" if near else f"unset {name}"
    return ConfigError(f"unknown environment variable {name}", hint=hint)
