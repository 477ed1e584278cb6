"""What a `parallel.json` and its plan in words say of each achievement, for whoever writes papers about them."""

from __future__ import annotations

from stretto.model.papers import Step
from stretto.model.plan import Value


class Part(Value, frozen=True, kw_only=True):
    """A sub-execution: one of the pieces that an achievement is split into."""

    id: str
    title: str = ""
    told: str = ""
    estimate_s: float | None = None
    said: Step | None = None
    """As that of its achievement."""


class Achievement(Value, frozen=True, kw_only=True):
    id: str
    title: str = ""
    priority: int | None = None
    depends_on: tuple[str, ...] = ()
    """Ids of achievements, also of some that are not in the plan."""
    behind: tuple[str, ...] = ()
    """Ids of the priority before its own, where the plan runs priorities one after another."""
    section: str = ""
    """What the plan in words says of it, as Markdown."""
    more: str = ""
    """What else the file says of it."""
    check: str = ""
    """How one would know that it is done, where the file says that."""
    hours: str = ""
    """The estimate as it is written."""
    estimate_s: float | None = None
    parts: tuple[Part, ...] = ()
    said: Step | None = None
    """Its `status` in the file, which counts where no paper tells of it."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Everything that comes before it."""
        return (*self.depends_on, *self.behind)


class Achievements(Value, frozen=True, kw_only=True):
    """A whole plan of them, in file order; the ids are unique."""

    name: str
    file: str
    """Name of the plan file in its folder."""
    paper: str = ""
    """Name of the plan in words, in the same folder; empty where there is none."""
    goal: str = ""
    notes: str = ""
    achievements: tuple[Achievement, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """Of achievements and of their parts."""
        return tuple(id for one in self.achievements for id in (one.id, *(part.id for part in one.parts)))
