"""What is found of many achievements alike, told once for all of them."""

from __future__ import annotations

from typing import Literal

from stretto.analysis.wording import listed
from stretto.formats.reading import Reading
from stretto.formats.syntax.source import Steps
from stretto.model.plan import Value

_MOST = 3
"""So many ids are named; the others are counted."""


class _Kind(Value, frozen=True, kw_only=True):
    severity: Literal["warning", "info"]
    message: str
    hint: str


_KINDS = {
    "achievement-id": _Kind(
        severity="warning",
        message="not of the form X.Y, which this format has for ids; read as they are",
        hint="call an achievement by its priority and its number, such as 1.2",
    ),
    "bare-title": _Kind(
        severity="warning",
        message="a title is all that is known of what is to be done",
        hint="tell more of it in a PLAN_NAME.md beside the file, in a SUBPLAN, or as `description`",
    ),
    "guessed-check": _Kind(
        severity="info",
        message="`validation_script` is a script without a command; it is run by what its name ends in",
        hint="write the whole command, such as `python3 checks/all.py`",
    ),
    "shared-file-name": _Kind(
        severity="warning",
        message="the names of papers leave out the dots, and are the same for these; "
        "a paper counts for the one that its text names first, else for none",
        hint='say "Achievement X.Y" at the top of each paper, or call them by X-Y, such as SUBPLAN_NAME_1-12.md',
    ),
    "status-differs": _Kind(
        severity="info",
        message="`status` says otherwise than the papers in the folder, which count",
        hint="leave `status` out; APPROVED, FIX and SKIPPED files say how far an achievement is",
    ),
    "unread-estimate": _Kind(
        severity="info",
        message="`estimated_hours` is no number of hours that can be read, and is left out",
        hint='write 4, "4-6" or "~3"',
    ),
}


class Remarks:
    """Collects ids by code; `tell` makes a finding of each code, at the place of its first id."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, Steps]] = {}

    def note(self, code: str, id: str, steps: Steps) -> None:
        self._found.setdefault(code, {}).setdefault(id, steps)

    def tell(self, reading: Reading) -> None:
        for code, found in self._found.items():
            kind = _KINDS[code]
            ids = tuple(found)
            message = f"{listed(ids, _MOST)}: {kind.message}"
            reading.report(code, message, found[ids[0]], kind.hint, severity=kind.severity, tasks=ids)
