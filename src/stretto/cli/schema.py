"""`stretto schema`: what plans, settings and events look like, as JSON Schema."""

from __future__ import annotations

from typing import Annotated, Any

import typer

KINDS = ("plan", "settings", "events")


def schema(
    kind: Annotated[str, typer.Argument(metavar="|".join(KINDS), help="Of what; default: of plans.")] = "plan",
) -> None:
    """Print the JSON Schema of stretto's own plans, of its settings, or of the lines of `run --json`."""
    import msgspec

    from stretto.config.schema import settings
    from stretto.errors import ConfigError
    from stretto.formats.native_schema import PLAN
    from stretto.formats.reading import meant

    match kind:
        case "plan":
            found = PLAN
        case "settings":
            found = settings()
        case "events":
            found = events()
        case _:
            raise ConfigError(
                f"there is no schema of {kind!r}", hint=meant(kind, KINDS) or f"there is {', '.join(KINDS)}"
            )
    print(msgspec.json.format(msgspec.json.encode(found)).decode())


def events() -> dict[str, Any]:
    """Of one line: an event as the journal has it, with its number in front."""
    import msgspec

    from stretto.core.events import Event

    (either,), parts = msgspec.json.schema_components((Event,), ref_template="#/$defs/{name}")
    kinds = {reference["$ref"].rpartition("/")[2] for reference in either["anyOf"]}
    for name in kinds:
        parts[name]["properties"] = {"seq": {"type": "integer", "minimum": 1}, **parts[name]["properties"]}
        parts[name]["required"] = ["seq", *parts[name].get("required", [])]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An event of a run of stretto",
        "anyOf": either["anyOf"],
        "$defs": parts,
    }
