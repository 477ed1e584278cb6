"""What of an agent's set-up may be shown to others: never the value of a variable, nor what looks like a secret."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from stretto.model.agent import AgentSpec
from stretto.model.masking import masked, masked_words
from stretto.model.secrets import HIDDEN

SHORT = 3
"""A secret of fewer characters is not looked for where nothing says that it is one."""


def aliases(names: Iterable[str]) -> dict[str, str]:
    """For each name that is a command with a secret in it, one to show: different ones for different names."""
    found: dict[str, str] = {}
    names = tuple(dict.fromkeys(names))
    taken = {name for name in names if masked(name) == name}
    for name in names:
        if name not in taken:
            shown, number = masked(name), 1
            while (alias := shown if number == 1 else f"{shown} ({number})") in taken:
                number += 1
            taken.add(alias)
            found[name] = alias
    return found


def redacted(agents: Mapping[str, AgentSpec]) -> dict[str, AgentSpec]:
    """Agents as others may see them."""
    shown = aliases(agents)
    return {
        shown.get(name, name): replace(
            spec,
            command=masked(spec.command),
            args=masked_words(spec.args, after=spec.command),
            env=dict.fromkeys(spec.env, HIDDEN),
        )
        for name, spec in agents.items()
    }


def disguised(value: Any, shown: Mapping[str, str]) -> Any:
    """Data with every name of `shown` (by `aliases`) replaced, also where one is a key or is cited in a text."""
    match value:
        case str():
            if value in shown:
                return shown[value]
            for name, alias in shown.items():
                value = value.replace(name, alias).replace(repr(name)[1:-1], repr(alias)[1:-1])
            return value
        case dict():
            return {disguised(key, shown): disguised(inner, shown) for key, inner in value.items()}
        case list() | tuple():
            return [disguised(inner, shown) for inner in value]
        case _:
            return value


def without(text: bytes, commands: Iterable[str]) -> bytes:
    """A file that says these commands, such as a plan, without what is a secret in them, however it is quoted."""
    for command in sorted(set(commands), key=len, reverse=True):
        for spelled, shown in zip(_spelled(command), _spelled(masked(command)), strict=True):
            text = text.replace(spelled, shown)
        for secret in _hidden(command):
            for spelled in _spelled(secret):
                text = re.sub(rb"(?<!\w)" + re.escape(spelled) + rb"(?!\w)", HIDDEN.encode(), text)
    return text


def _hidden(command: str) -> set[str]:
    """What `masked` takes out of it."""
    found: set[str] = set()
    first, *others = masked(command).split(HIDDEN)
    at = len(first)
    for i, piece in enumerate(others):
        end = command.find(piece, at) if piece else len(command) if i == len(others) - 1 else at
        if end < at:
            break
        found |= {secret for secret in (command[at:end], command[at:end].strip("\"'`")) if len(secret) >= SHORT}
        at = end + len(piece)
    return found


def _spelled(text: str) -> tuple[bytes, ...]:
    """As it stands in a file: as it is, and between quotes of either kind."""
    quoted = (text, json.dumps(text, ensure_ascii=False)[1:-1], text.replace("'", "''"))
    return tuple(one.encode("utf-8", "surrogateescape") for one in quoted)
