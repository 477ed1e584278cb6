"""Flags that are agreed and have no code yet: refused, never ignored (R8.7)."""

from __future__ import annotations

from collections.abc import Mapping

from stretto.errors import NotSupportedYet


def refuse(flags: Mapping[str, object]) -> None:
    """Raises NotSupportedYet for the first flag that was given."""
    for flag, value in flags.items():
        if value is not None and value is not False:
            raise NotSupportedYet(f"{flag} is not supported yet", hint="leave it out")
