"""What a recipe is to the rest of stretto: a row in the table of `load.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from stretto.model.plan import NO_PLACES, Finding, Location, Plan, Value
from stretto.ports import StatusKeeper


class Made(Value, frozen=True, kw_only=True):
    """The plan that a folder stands for, and what reading the folder found."""

    plan: Plan
    places: Mapping[str, Location] = NO_PLACES
    """Where its parts come from, by the names that readers of plan files use, too."""
    findings: tuple[Finding, ...] = ()
    """Errors among them forbid a run, not a look."""


class Recipe(Value, frozen=True, kw_only=True):
    """Makes a plan of a folder."""

    name: str
    about: str
    recognises: Callable[[Path], bool]
    """By what lies in the folder; never raises for what cannot be read."""
    read: Callable[[Path], Made]
    """Raises PlanError with every finding where there is no plan to be made of it."""
    keeper: StatusKeeper | None = None
    """What writes statuses into the files that `Plan.status_files` names; None where the folder keeps none."""
