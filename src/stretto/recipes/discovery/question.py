"""What is asked about a document, and the prompt that asks it."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING, Final, Literal

from stretto.model.plan import Value
from stretto.recipes.discovery.checklist import POINTS

if TYPE_CHECKING:
    from jinja2 import Template

Breadth = Literal[1, 2, 3]
"""How far apart the tasks may stand: 1, parts of one achievement; 2, achievements of one priority; 3, all of them."""
Shape = Literal["stretto", "parallel.json"]

ANSWER: Final = "answer.md"
"""The file that holds the answer."""
FEWEST_TASKS: Final = 3
FEWEST_HOURS: Final = 10.0
"""With fewer tasks, or fewer hours of work, finding out what could run at the same time costs more than it brings."""
_FENCES: Final = re.compile(r"^[ \t]*(`{3,})", re.MULTILINE)


class Question(Value, frozen=True, kw_only=True):
    """One document, and what is to be found in it."""

    name: str
    """Of the document's file."""
    text: str
    breadth: Breadth = 3
    about: str = ""
    """The achievement (breadth 1) or the priority (breadth 2) that it is about."""
    shape: Shape = "stretto"
    tasks: tuple[tuple[str, str], ...] = ()
    """Where the document is a plan already: (id, title) of what the answer has to order, no more and no fewer."""
    outside: tuple[str, ...] = ()
    """Ids that the document names, and that are not asked about: those of other priorities."""
    force: bool = False
    """Ask for a plan, however small the document."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Of the tasks."""
        return tuple(id for id, _ in self.tasks)


class Earlier(Value, frozen=True, kw_only=True):
    """An answer that was not sound."""

    text: str
    faults: tuple[str, ...]


def prompt(question: Question, *, copy: str = "", earlier: Earlier | None = None) -> str:
    """What an agent is told. `copy`: the folder in which it finds the files of the repository; empty: nowhere.

    The document and the earlier answer are put in place as they are, between lines that neither of them has."""
    return _template().render(
        question=question,
        groups=[(group, tuple(points)) for group, points in groupby(POINTS, key=lambda point: point.group)],
        points=POINTS,
        sample=f"{question.about}.1" if question.breadth == 1 else (*question.ids, "1.1")[0],
        copy=copy,
        answer=ANSWER,
        fewest_tasks=FEWEST_TASKS,
        fewest_hours=f"{FEWEST_HOURS:g}",
        fence=_fence(question.text),
        earlier=earlier,
        earlier_fence=_fence(earlier.text) if earlier else "",
    )


def _fence(text: str) -> str:
    """A line of backticks that is longer than any in the text."""
    return "`" * max((4, *(len(found) + 1 for found in _FENCES.findall(text))))


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    source = (files("stretto.recipes.discovery") / "prompt.md.j2").read_text(encoding="utf-8")
    place = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, autoescape=False
    )
    return place.from_string(source)
