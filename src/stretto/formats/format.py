"""What a plan format is to the rest of stretto: a row in the table of `load.py`."""

from __future__ import annotations

from collections.abc import Callable

from stretto.formats.reading import Read
from stretto.formats.syntax.source import Source
from stretto.model.plan import Value
from stretto.ports import StatusWriter


class Format(Value, frozen=True, kw_only=True):
    """A plan format that stretto reads."""

    name: str
    about: str
    recognises: Callable[[Source], bool]
    read: Callable[[Source], Read]
    write_statuses: StatusWriter | None = None
    """None where the format has no statuses."""
