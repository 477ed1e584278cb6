"""Who has said what, and who of them counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args

from stretto.config.table import SETTINGS, Key
from stretto.errors import ConfigError
from stretto.formats.reading import kind as what_it_is
from stretto.formats.reading import meant
from stretto.model.plan import Value

Rank = Literal["flag", "variable", "profile", "repository", "user", "plan", "default"]
"""Where a value may come from; what comes first counts."""
_RANKS = {rank: n for n, rank in enumerate(get_args(Rank))}


class Origin(Value, frozen=True, kw_only=True):
    """Where a value was said: the layer, and the place in it, such as `stretto.toml:3` or `STRETTO_PARALLEL`."""

    layer: Rank
    place: str


class Said(Value, frozen=True, kw_only=True):
    """One value that somebody has set. Durations are in seconds."""

    key: Key
    value: Any
    origin: Origin


Layer = Mapping[Key, Said]
NOTHING: Layer = {}
BUILT_IN: Layer = {
    key: Said(key=key, value=setting.built_in, origin=Origin(layer="default", place="default"))
    for key, setting in SETTINGS.items()
}


class Settings:
    """All layers, laid over each other."""

    def __init__(self, *layers: Layer, profile: str = "", profiles: tuple[str, ...] = ()) -> None:
        self._layers = layers
        self.profile = profile
        """The one that was chosen, or nothing."""
        self.profiles = profiles
        """Those there are."""

    def add(self, *layers: Layer) -> Settings:
        """With more layers. Of two of one rank, the one that came first counts."""
        return Settings(*self._layers, *layers, profile=self.profile, profiles=self.profiles)

    def said(self, key: Key) -> tuple[Said, ...]:
        """Everything that was said of it: the first one counts, the others are overridden."""
        found = [layer[key] for layer in (*self._layers, BUILT_IN) if key in layer]
        return tuple(sorted(found, key=lambda said: _RANKS[said.origin.layer]))

    def value(self, key: Key) -> Any:
        """What counts; None where nobody says anything."""
        return next((said.value for said in self.said(key)), None)

    def __iter__(self) -> Iterator[Key]:
        """Every setting in the order of the table, then what is said of agents."""
        yield from SETTINGS
        yield from dict.fromkeys(key for layer in self._layers for key in sorted(layer) if key not in SETTINGS)


def flags(values: Mapping[str, object]) -> Layer:
    """The command line's own layer: settings by name; None is nothing said. Raises ConfigError."""
    layer = {}
    for name, said in values.items():
        setting = SETTINGS[(name,)]
        if said is not None:
            value = setting.kind.parse(said) if isinstance(said, str) else setting.kind.read(said)
            if value is None:
                raise wrong(setting.flag, setting.kind, said)
            origin = Origin(layer="flag", place=setting.flag)
            layer[setting.key] = Said(key=setting.key, value=value, origin=origin)
    return layer


def wrong(what: str, kind: Any, said: object) -> ConfigError:
    """The error that says what a value has to be."""
    return ConfigError(
        f"{what} must be {kind.means}, not {what_it_is(said)}",
        hint=kind.hint(said) or "change it, or leave it out",
    )


def unfit(what: str) -> ConfigError:
    """The error for text that cannot be a word of a command, nor the value of a variable."""
    return ConfigError(f"{what} holds a NUL character, which no program can be given", hint="remove \\u0000")


def did_you_mean(word: str, options: Mapping[str, object] | tuple[str, ...], otherwise: str = "") -> str:
    """A hint: the nearest of the options, else all of them."""
    all_of_them = f"there {'is' if len(options) == 1 else 'are'} {', '.join(options)}" if options else ""
    return meant(word, tuple(options)) or otherwise or all_of_them
