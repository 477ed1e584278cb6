"""A document that is looked through for work that can be done at the same time: prose, or a plan already."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from shlex import quote

from stretto.analysis.wording import counted, quoted, shown
from stretto.cli.convert import without_done
from stretto.cli.linting import refusal
from stretto.cli.named import is_folder
from stretto.errors import ConfigError, PlanError
from stretto.formats.load import load, read_bytes
from stretto.model.names import meant
from stretto.model.plan import Plan, Value
from stretto.recipes.discovery.question import FEWEST_HOURS, FEWEST_TASKS, Breadth
from stretto.recipes.discovery.sketch import Piece, priorities, sketch

LONGEST = 400_000
"""Characters of a document. No agent that is known reads many more at once."""
_DATA = frozenset({".json", ".jsonl", ".yaml", ".yml", ".toml"})
_WORDS = frozenset({".md", ".markdown", ".txt", ".rst"})
_NAMED = 5
"""So many documents of a folder are named."""
_PROSE = frozenset({"checklist"})
"""Formats of documents whose tasks are better told by their words than by what the reader makes of them."""


class Document(Value, frozen=True, kw_only=True):
    """What is to be looked through."""

    path: Path
    text: str
    pieces: tuple[Piece, ...]
    """What it names as pieces of work; empty where nobody can tell without understanding it."""
    hours: float | None
    """Of work, at most; None where it does not say."""
    plan: Plan | None = None
    """What is left to do of it, where it is a plan."""

    @property
    def name(self) -> str:
        """Of its file, fit to be shown."""
        return shown(self.path.name, 100)

    @property
    def is_done(self) -> bool:
        """Whether it is a plan of which nothing is left."""
        return self.plan is not None and not self.plan.tasks

    def too_small(self) -> str:
        """Why it is not worth while to look for parallel work in it; empty where it may be."""
        if self.pieces and len(self.pieces) < FEWEST_TASKS:
            number = counted(len(self.pieces), "task")
            return f"it has {number}, and below {FEWEST_TASKS} nothing is won by finding out what could run at once"
        if self.hours is not None and self.hours < FEWEST_HOURS:
            told = f"it has {self.hours:.3g} h of work, and below {FEWEST_HOURS:g} h"
            return f"{told} finding out what could run at once costs more than it brings"
        return "nothing of it is left to do" if self.is_done else ""

    def tasks(self, breadth: Breadth, about: str) -> tuple[tuple[str, str], ...]:
        """(id, title) of what an answer has to order; empty where the document is no plan, or one task is to be
        split."""
        if self.plan is None or breadth == 1:
            return ()
        asked = (task for task in self.plan.tasks if breadth == 3 or str(task.priority) == about)
        return tuple((task.id, "" if task.title == task.id else shown(task.title, 120)) for task in asked)

    def outside(self, breadth: Breadth, about: str) -> tuple[str, ...]:
        """What it names and what is not asked about, for it has another priority."""
        if breadth != 2 or all(one.priority != about for one in self.pieces):  # it tells priorities in other words
            return ()
        return tuple(one.id for one in self.pieces if one.priority not in ("", about))

    def left_out(self, breadth: Breadth, about: str, ids: Collection[str]) -> tuple[str, ...]:
        """What it names as pieces of work, and what is not among these ids. Nothing where they are ids of their own, or
        parts of one piece."""
        asked = [one.id for one in self.pieces if breadth == 3 or (breadth == 2 and one.priority == about)]
        return tuple(id for id in asked if id not in ids) if not set(asked).isdisjoint(ids) else ()

    def must_have(self, breadth: Breadth, about: str) -> None:
        """Raises ConfigError for an achievement or a priority that it does not seem to have, and for a priority with
        one piece of work: nothing could run beside it."""
        if breadth == 3:
            return
        known = dict.fromkeys(one.id if breadth == 1 else one.priority for one in self.pieces)
        if breadth == 2 and self.plan is None:
            known |= dict.fromkeys(priorities(self.text))
        known.pop("", None)
        if about not in known and (known or breadth == 2):
            what = "achievement" if breadth == 1 else "priority"
            raise ConfigError(f"{self.name} seems to have no {what} {about!r}", hint=_otherwise(about, list(known)))
        alone = [one.id for one in self.pieces if one.priority == about] if breadth == 2 else []
        if len(alone) == 1 and (self.plan is not None or about not in priorities(self.text)):
            raise ConfigError(
                f"of priority {about} {self.name} has only {quoted(alone[0])}, and nothing could run beside it",
                hint="--breadth 3 looks at all priorities; "
                f"--achievement {quote(alone[0])} looks for parts of that one (--force asks all the same)",
            )


def _otherwise(about: str, known: Sequence[str]) -> str:
    close = meant(about, known)
    named = f"it has {', '.join(known[:12])}" if known else "it names none: --breadth 3 looks at all of it"
    return f"{f'did you mean {close}?' if close else named} (--force asks all the same)"


def read_document(path: Path) -> Document:
    """Read it, or the one PLAN_….md of a folder. Raises PlanError for what cannot be read, and for a plan with errors;
    ConfigError for no text."""
    path = _in_words(path) if is_folder(path) else path
    data = read_bytes(path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is no text in UTF-8", hint="save it as UTF-8, or name another file") from error
    if not text.strip():
        raise ConfigError(f"{path} is empty", hint="name a document that says what is to be done")
    if len(text) > LONGEST:
        raise ConfigError(
            f"{path} has {len(text):,} characters; {LONGEST:,} are the most that an agent can be asked about",
            hint="save the part that lists the work as a file of its own",
        )
    plan = _plan(path, data)
    if plan is None:
        found = sketch(text)
        return Document(path=path, text=text, pieces=found.pieces, hours=found.hours)
    pieces = tuple(Piece(kind="task", id=task.id, priority=str(task.priority)) for task in plan.tasks)
    times = [task.estimate_s for task in plan.tasks if task.estimate_s is not None]
    hours = sum(times) / 3600 if times and len(times) == len(plan.tasks) else None
    return Document(path=path, text=text, pieces=pieces, hours=hours, plan=plan)


def _in_words(folder: Path) -> Path:
    """The one PLAN_….md of a folder. Raises PlanError for none, and for several."""
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix.casefold() in _WORDS and path.is_file())
    except OSError:
        return folder  # whoever reads it says why
    plans = [path for path in files if path.match("PLAN_*.md")]
    if len(plans) == 1:
        return plans[0]
    some = ", ".join(shown(str(path), 100) for path in (plans or files)[:_NAMED])
    raise PlanError(
        f"{folder} is a folder with {counted(len(plans), 'file') if plans else 'no file'} PLAN_….md",
        hint=f"name one of them: {some}"
        if plans
        else f"name a document that says what is to be done{f', such as {some}' if some else ''}",
    )


def _plan(path: Path, data: bytes) -> Plan | None:
    """What is left to do of the plan that the file is; None for prose. Raises PlanError for a plan with errors."""
    try:
        loaded = load(str(path), data)
    except PlanError as error:
        unknown = any(finding.code == "unknown-format" for finding in error.findings)
        if unknown or path.suffix.casefold() not in _DATA:
            return None
        raise
    if loaded.plan.format in _PROSE:
        return None
    if any(finding.severity == "error" for finding in loaded.findings):
        raise refusal(str(path), loaded.findings)
    return without_done(loaded.plan)
