"""Reads settings files: every value with its line, every unknown key an error."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stretto.config.layers import NOTHING, Layer, Origin, Rank, Said, did_you_mean, unfit, wrong
from stretto.config.table import AGENT_KEYS, FILE, SETTINGS, Key, dotted
from stretto.config.values import Kind
from stretto.errors import ConfigError, PlanError
from stretto.formats.syntax import toml_text
from stretto.formats.syntax.source import Text as Lines
from stretto.model.plan import Value
from stretto.model.surroundings import is_withheld

_OF_PLANS = ("name", "tasks", "phases", "defaults", "setup", "gates", "keep", "hot_files", "contracts", "context")


class File(Value, frozen=True, kw_only=True):
    """What a settings file says: at its top, and in its profiles."""

    layer: Layer = NOTHING
    profiles: Mapping[str, Layer] = {}


def user_path(environ: Mapping[str, str]) -> Path | None:
    """The user's own file; None where no variable says where home is."""
    if (folder := environ.get("XDG_CONFIG_HOME")) and Path(folder).is_absolute():  # the standard says: else ignore it
        return Path(folder) / "stretto" / "config.toml"
    return Path(home) / ".config" / "stretto" / "config.toml" if (home := environ.get("HOME")) else None


def read(path: Path, rank: Rank) -> File:
    """A file that need not be there. Raises ConfigError, naming the place."""
    try:
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # to open a pipe waits for whoever writes to it
            raise ConfigError(f"cannot read {shown(path)}: it is no regular file", hint="put a file of text there")
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return File()
    except UnicodeDecodeError as error:
        raise ConfigError(f"cannot read {shown(path)}: it is no UTF-8 text", hint="save it as UTF-8") from error
    except OSError as error:
        raise ConfigError(f"cannot read {shown(path)}: {error.strerror or error}") from error
    return parse(text, shown(path), rank)


def parse(text: str, file: str = FILE, rank: Rank = "repository") -> File:
    """The text of a settings file. Raises ConfigError, naming the line."""
    try:
        source = toml_text.parse(Lines(file, text), text.encode())
    except PlanError as error:
        raise ConfigError(str(error), hint=error.hint) from error
    assert isinstance(source.tree, dict)
    return _Reader(lambda key: f"{file}:{source.location(key, key=True).line}").file(source.tree, rank)


def shown(path: Path) -> str:
    """A path as a person here would write it."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


class _Reader:
    """Turns the tree of a file into what it says; `place` tells where a key stands."""

    def __init__(self, place: Any) -> None:
        self._place = place

    def file(self, tree: dict[str, Any], rank: Rank) -> File:
        profiles = self._table(tree.pop("profiles", {}), ("profiles",))
        return File(
            layer=dict(self._layer(tree, (), rank)),
            profiles={
                name: dict(self._layer(self._table(table, ("profiles", name)), ("profiles", name), "profile"))
                for name, table in profiles.items()
            },
        )

    def _layer(self, tree: dict[str, Any], at: Key, rank: Rank) -> Iterator[tuple[Key, Said]]:
        """Keys are those of the settings; `at` is where in the file their table stands."""

        def said(key: Key, value: Any) -> tuple[Key, Said]:
            return key, Said(key=key, value=value, origin=Origin(layer=rank, place=self._place((*at, *key))))

        for name, value in tree.items():
            if setting := SETTINGS.get((name,)):
                yield said(setting.key, self._read(setting.kind, value, at, setting.key))
            elif options := tuple(key[1] for key in SETTINGS if len(key) > 1 and key[0] == name):
                for inner, told in self._table(value, (*at, name)).items():
                    if (setting := SETTINGS.get((name, inner))) is None:
                        raise self._unknown((*at, name, inner), options)
                    yield said(setting.key, self._read(setting.kind, told, at, setting.key))
            elif name == "agents":
                for agent, table in self._table(value, (*at, "agents")).items():
                    for key, inner in self._agent(self._table(table, (*at, "agents", agent)), at, agent):
                        yield said(key, inner)
            else:
                raise self._unknown((*at, name), (*(key[0] for key in SETTINGS), "agents", "profiles"))

    def _agent(self, table: dict[str, Any], at: Key, agent: str) -> Iterator[tuple[Key, Any]]:
        for name, value in table.items():
            key = ("agents", agent, name)
            if name not in AGENT_KEYS:
                raise self._unknown((*at, *key), tuple(AGENT_KEYS))
            if name != "env":
                yield key, self._read(AGENT_KEYS[name].kind, value, at, key)
                continue
            for variable, text in self._table(value, (*at, *key)).items():
                place, what = self._place((*at, *key, variable)), dotted((*key, variable))
                if not isinstance(text, str):
                    raise ConfigError(f"{place}: {what} must be text", hint='in quotes: "1"')
                if "\0" in text:
                    raise unfit(f"{place}: {what}")
                if is_withheld(variable) or not variable.replace("_", "a").isalnum():
                    raise ConfigError(f"{place}: {what}: nobody may set this variable for an agent", hint="remove it")
                yield (*key, variable), text

    def _read(self, kind: Kind, value: object, at: Key, key: Key) -> Any:
        if (read := kind.read(value)) is None:
            raise wrong(f"{self._place((*at, *key))}: {dotted((*at, *key))}", kind, value)
        if any("\0" in text for text in ([read] if isinstance(read, str) else read if isinstance(read, tuple) else ())):
            raise unfit(f"{self._place((*at, *key))}: {dotted((*at, *key))}")
        return read

    def _table(self, value: object, key: Key) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ConfigError(f"{self._place(key)}: {dotted(key)} must be a table", hint=f"[{dotted(key)}]")
        return value

    def _unknown(self, key: Key, options: tuple[str, ...]) -> ConfigError:
        hint = did_you_mean(key[-1], options)
        if len(key) == 1 and key[0] in _OF_PLANS:
            hint = "that belongs into a plan: docs/plan.md"
        elif key[-1] == "pass":
            hint = "did you mean `env.pass`?"
        return ConfigError(f"{self._place(key)}: unknown key {dotted(key)}", hint=hint)
