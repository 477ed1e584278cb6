"""A change of a plan that somebody may want to make: the same in every format, before it is put in a file's words."""

from __future__ import annotations

from stretto.model.plan import Value


class DropNeed(Value, frozen=True, kw_only=True):
    """The phase does not wait for that phase any more."""

    phase: str
    on: str


class AddNeeds(Value, frozen=True, kw_only=True):
    """The task waits for these tasks or phases, too."""

    task: str
    needs: tuple[str, ...]


class MakeParallel(Value, frozen=True, kw_only=True):
    """The tasks of the phase may run side by side."""

    phase: str


class AddWrites(Value, frozen=True, kw_only=True):
    """The task, which named none, claims these paths."""

    task: str
    writes: tuple[str, ...]


class AddHotFile(Value, frozen=True, kw_only=True):
    """The path keeps nobody waiting."""

    path: str


class SplitTask(Value, frozen=True, kw_only=True):
    """A second task right behind it takes over `gives` of its claims, and half of its time; the first keeps the rest.

    Who waited for the task waits for both."""

    task: str
    id: str
    """Of the second one."""
    keeps: tuple[str, ...]
    gives: tuple[str, ...]
    estimate_s: float
    """Of each of the two."""
    waiting: tuple[str, ...]
    """Tasks that name it as what they wait for."""


class UseContract(Value, frozen=True, kw_only=True):
    """The task works against an interface that another one provides, and does not wait for it any more."""

    task: str
    provider: str
    contract: str


Change = DropNeed | AddNeeds | MakeParallel | AddWrites | AddHotFile | SplitTask | UseContract
