"""`stretto config`: which settings count here, and where each of them was said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from stretto.cli.options import Json, Profile

if TYPE_CHECKING:
    from stretto.config.layers import Said, Settings
    from stretto.config.table import Key


def config(
    key: Annotated[
        str | None, typer.Argument(metavar="[KEY]", help="One setting, such as timeout, or a table such as agents.")
    ] = None,
    origin: Annotated[
        bool, typer.Option("--origin", help="Say where each value was said, and what it overrides.")
    ] = False,
    plan: Annotated[
        str | None, typer.Option("--plan", metavar="PLAN", help="With the defaults of this plan, too.")
    ] = None,
    profile: Profile = None,
    json: Json = False,
) -> None:
    """Show the settings that count in this folder."""
    import sys

    import msgspec

    from stretto.cli import terminal
    from stretto.cli.opening import file_of, open_plan
    from stretto.cli.place import settings_here
    from stretto.config.resolve import plan_layer
    from stretto.observe.layout import column

    settings = settings_here(profile=profile)
    if plan is not None:
        loaded = open_plan(file_of(plan))
        settings = settings.add(plan_layer(loaded.plan, loaded.places))
    rows = [settings.said(one) for one in _asked(settings, key)]
    if json:
        told = {"profile": settings.profile or None, "profiles": settings.profiles, "settings": [*map(_json, rows)]}
        print(msgspec.json.format(msgspec.json.encode(told)).decode())
        return
    if key is not None and not origin and len(rows) == 1 and key == _name(rows[0][0].key):
        for line in _bare(rows[0][0]):
            print(line)
        return
    if settings.profile:
        print(f"# profile {settings.profile}")
    paint = terminal.paint(sys.stdout)
    lines = [f"{_name(said[0].key)} = {_text(said[0])}" if said[0].value != "" else _nobody(said[0]) for said in rows]
    width = column(lines, 3 * 60)
    for line, (first, *others) in zip(lines, rows, strict=True):
        over = [f"{_text(said)} of {said.origin.place}" for said in others if said.origin.layer != "default"]
        where = first.origin.place + (f"; not {', '.join(over)}" if over else "")
        print(f"{line:<{width}}  {paint(f'# {where}', 'dim')}" if origin else line)


def _asked(settings: Settings, key: str | None) -> list[Key]:
    """The settings that `key` names, or begins; all of them without one. Raises ConfigError."""
    from stretto.config.layers import did_you_mean
    from stretto.errors import ConfigError

    every = list(settings)
    if key is None:
        return every
    found = [one for one in every if _name(one) == key or _name(one).startswith(f"{key}.")]
    if not found:
        names = tuple(map(_name, every))
        raise ConfigError(
            f"there is no setting {key!r}", hint=did_you_mean(key, names, otherwise="`stretto config` lists them all")
        )
    return found


def _name(key: Key) -> str:
    from stretto.config.table import dotted

    return dotted(key)


def _shown(said: Said) -> Any:
    """The value as others may see it: of an agent's variable nothing, of a command what is no secret."""
    from stretto.model.masking import masked, masked_words
    from stretto.model.secrets import HIDDEN

    if len(said.key) == 4 and said.key[2] == "env":
        return HIDDEN
    if isinstance(said.value, tuple):
        return masked_words(said.value) if said.key[0] == "agents" else tuple(map(masked, said.value))
    return masked(said.value) if isinstance(said.value, str) else said.value


def _text(said: Said) -> str:
    """As a settings file would say it."""
    from stretto.config.table import kind_of

    return kind_of(said.key).write(_shown(said))


def _nobody(said: Said) -> str:
    """A setting that nobody has set, and that has no value of its own."""
    return f"# {_name(said.key)}: none"


def _bare(said: Said) -> list[str]:
    """For a script to read: without quotes, one line for each word of a list."""
    from stretto.config.values import spelled

    value = _shown(said)
    if isinstance(value, float):
        return [spelled(value)]
    return list(value) if isinstance(value, tuple) else [str(value)] if value != "" else []


def _json(said: tuple[Said, ...]) -> dict[str, Any]:
    first, *others = said
    return {
        "key": _name(first.key),
        **_source(first),
        "overrides": [_source(other) for other in others],
    }


def _source(said: Said) -> dict[str, Any]:
    return {"value": _shown(said), "origin": {"layer": said.origin.layer, "place": said.origin.place}}
