"""What a look at the machine and the repository shows: one thing a line, and what follows from it."""

from __future__ import annotations

from typing import Literal

from stretto.model.plan import Value

Verdict = Literal["ok", "warning", "problem"]
"""`problem`: a run cannot start, or is not safe; `warning`: it can, and a person should know."""
Area = Literal["machine", "repository", "settings", "state", "agents"]


class Observation(Value, frozen=True, kw_only=True):
    """One thing that was looked at."""

    area: Area
    about: str
    """What it is, in a word or two: `git`, `hooks`, `free space`."""
    told: str
    """What there is."""
    verdict: Verdict = "ok"
    follows: str = ""
    """What that means for runs; empty where it means nothing."""
    mend: str = ""
    """What a person may do about it."""
