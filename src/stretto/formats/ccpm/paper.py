"""The two kinds of files of an epic, told apart by the keys before them, and what they say."""

from __future__ import annotations

import re

from stretto.formats.set_aside import Aside
from stretto.formats.syntax import markdown_text
from stretto.formats.syntax.front_matter import Field, Front, front_matter
from stretto.formats.syntax.markdown_text import Outline
from stretto.formats.syntax.source import Node, Source, Text
from stretto.model.plan import TaskStatus

EPIC = "epic.md"
_ORDER = ("depends_on", "parallel", "conflicts_with")
KEYS = frozenset({"name", "status", "created", "updated", "github", *_ORDER})
_NUMBER = re.compile(r"\d+\.md")
_TASK_WORD = re.compile(r"(?:task|issue)s?\b[ \t]*(?:#?\d+)?[ \t]*[:.–—-]?[ \t]*", re.IGNORECASE)
_EPIC_WORD = re.compile(r"epic\b[ \t]*[:–—-][ \t]*", re.IGNORECASE)

STATES: dict[str, TaskStatus] = {
    **dict.fromkeys(("open", "", "todo", "pending", "new", "ready", "backlog", "planned", "draft"), "pending"),
    **dict.fromkeys(("not-started", "blocked", "reopened", "failed"), "pending"),
    **dict.fromkeys(("in-progress", "in-review", "started", "doing", "active", "wip", "review"), "running"),
    **dict.fromkeys(("closed", "completed", "complete", "done", "finished", "merged", "resolved"), "succeeded"),
}
"""`blocked` says that something is to be done first, which the dependencies say, too."""
ASIDE: dict[str, Aside] = {
    **dict.fromkeys(("cancelled", "canceled", "wont-fix", "wontfix", "superseded", "obsolete"), "dropped"),
    **dict.fromkeys(("duplicate", "rejected"), "dropped"),
    **dict.fromkeys(("deferred", "on-hold", "paused", "postponed", "later", "icebox", "parked"), "later"),
}


def is_task(front: Front | None) -> bool:
    """A status, and a word on how it stands to the others."""
    if front is None or "status" not in front.fields:
        return False
    said = sum(key in front.fields for key in _ORDER)
    return said > 1 or (said == 1 and "name" in front.fields)


def is_numbered(name: str) -> bool:
    """Whether a file is named as ccpm names those of tasks: `001.md`, or by the number of an issue."""
    return _NUMBER.fullmatch(name) is not None


def is_task_file(name: str, front: Front | None) -> bool:
    """The same for a file of which the name is known. Of one with a number a single key says enough; without a status
    it is open, as for ccpm."""
    keys = front.fields.keys() if front else ()
    return is_task(front) or (is_numbered(name) and any(key in keys for key in ("status", "name", *_ORDER)))


def is_epic(front: Front | None) -> bool:
    """A name and a status, and how far it is or what it was made from."""
    keys = front.fields.keys() if front else ()
    return "name" in keys and "status" in keys and ("progress" in keys or "prd" in keys)


class Paper:
    """One file, read."""

    def __init__(self, text: Text, data: bytes) -> None:
        front = front_matter(text.text)
        self.front = front or Front(fields={}, end=0)
        outline = markdown_text.parse(text, data).tree
        assert isinstance(outline, Outline)
        self.outline = outline
        self.text = text.text
        self.body = text.text[self.front.end :].replace("\r\n", "\n").replace("\r", "\n").strip()
        children = {key: field.node for key, field in self.front.fields.items()}
        self.source = Source(text, data, "markdown", outline, Node(0, len(text.text), children=children))

    def field(self, key: str) -> Field | None:
        return self.front.fields.get(key)

    @property
    def title(self) -> str:
        """The name, else the first heading without the word that says what it is a heading of."""
        name = self.front.text("name") or self.front.text("title")
        if not name:
            heading = next((x.title for x in self.outline.sections if x.level == 1), "")
            name = _TASK_WORD.sub("", heading, count=1) if _TASK_WORD.match(heading) else heading
        return " ".join(_EPIC_WORD.sub("", name, count=1).split())

    @property
    def status(self) -> str:
        """Its word, in one spelling."""
        return re.sub(r"[\s_]+", "-", self.front.text("status").casefold().strip("[]"))
