"""The settings file as a JSON Schema, made from the one table of settings."""

from __future__ import annotations

from typing import Any

from stretto.config.table import AGENT_KEYS, FILE, SETTINGS

Schema = dict[str, Any]


def settings() -> Schema:
    """Of `stretto.toml` and the user's own file; profiles have the same keys, but for profiles."""
    layer: Schema = {}
    for setting in SETTINGS.values():
        about = {"description": setting.help, **setting.kind.schema()}
        if len(setting.key) == 1:
            layer[setting.key[0]] = about
        else:
            table, name = setting.key
            layer.setdefault(table, _table({}))["properties"][name] = about
    agent: Schema = {}
    for name, key in AGENT_KEYS.items():
        agent[name] = {"description": key.help, **key.kind.schema()}
    agent["env"] = {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "description": agent["env"]["description"],
    }
    layer["agents"] = {"type": "object", "additionalProperties": _table(agent)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Settings of stretto ({FILE})",
        **_table({**layer, "profiles": {"type": "object", "additionalProperties": {"$ref": "#/$defs/profile"}}}),
        "$defs": {"profile": _table(layer)},
    }


def _table(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}
