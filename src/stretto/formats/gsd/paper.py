"""One plan of a phase: its keys, its tasks, and the parts of its text."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

from stretto.formats.auto_claude.reader import claimed
from stretto.formats.syntax.front_matter import Front, Span, front_matter
from stretto.formats.syntax.source import Text
from stretto.model.plan import Location, Value

_ONLY_A_PLAN = ("wave", "autonomous", "files_modified", "must_haves", "depends_on")
KEYS = frozenset({"phase", "plan", "type", *_ONLY_A_PLAN})
_ONLY_A_SUMMARY = ("subsystem", "completed", "duration", "key-files", "tech-stack")
_FILE = re.compile(r"(?:(?P<id>.+)-)?PLAN\.md", re.IGNORECASE)
_TASK = re.compile(r"^[ \t]*<task\b(?P<attributes>[^>\n]*)>", re.MULTILINE)
_TASK_END = re.compile(r"^[ \t]*</task>", re.MULTILINE)
_TYPE = re.compile(r"\btype=[\"']([^\"']*)[\"']")
_NOTE = re.compile(r"(?<!\s)\s++(?:[(—–].*|-\s.*)$")
_ARTIFACTS = re.compile(
    r"^(?P<indent>[ \t]+)artifacts:[ \t]*\r?\n"
    r"(?P<body>(?:(?P=indent)[ \t]*(?:-|[ \t]).*(?:\r?\n|\Z)|[ \t]*\r?\n)*)",
    re.MULTILINE,
)
_PATH = re.compile(r"^[ \t]*+(?:-[ \t]*+)?path:[ \t]*+[\"']?([^\"'\r\n#]+)", re.MULTILINE)
_BARE = re.compile(r"^[ \t]*-[ \t]+[\"']?([^\s\"':#]+)[\"']?(?=[ \t]*(?:\r?\n|\Z|\())", re.MULTILINE)


class Step(Value, frozen=True, kw_only=True):
    """One `<task>` of a plan."""

    type: str
    start: int
    body: str
    at: int
    """Where the body begins."""

    @property
    def name(self) -> str:
        return " ".join(self.part("name").split())

    @property
    def asks(self) -> str:
        """What a person has to do at a checkpoint: `human-verify`, `decision` or `human-action`; empty for work."""
        return self.type.removeprefix("checkpoint:") if self.type.startswith("checkpoint") else ""

    def part(self, tag: str) -> str:
        return next((span.text for span in self.parts(tag)), "")

    def parts(self, tag: str) -> Iterator[Span]:
        """What stands in tags of this name, as a person reads it."""
        for _, start, end in _between(self.body, re.compile(rf"<{tag}\b[^<>]*+>"), re.compile(rf"</{tag}>")):
            text = _unescaped(self.body[start:end]).strip()
            yield Span(text=text, start=self.at + start, end=self.at + end)


def _between(text: str, opens: re.Pattern[str], closes: re.Pattern[str]) -> Iterator[tuple[re.Match[str], int, int]]:
    """What stands between two tags, one behind the other: the first tag, and where its content begins and ends."""
    at = 0
    while (opened := opens.search(text, at)) is not None:
        closed = closes.search(text, opened.end())
        if closed is None:
            return
        yield opened, opened.end(), closed.start()
        at = closed.end()


def _unescaped(text: str) -> str:
    try:
        return html.unescape(text)
    except ValueError:  # a sign by a number of thousands of digits
        return text


def is_plan(front: Front | None) -> bool:
    """What only plans say, and a phase and a plan; summaries have these two as well, and some plans have neither."""
    keys = front.fields.keys() if front else ()
    said = sum(key in keys for key in _ONLY_A_PLAN)
    named = "phase" in keys and "plan" in keys
    return (said > 2 or (said > 0 and named)) and not any(key in keys for key in _ONLY_A_SUMMARY)


def is_plan_file(text: str) -> bool:
    """The same for a file that has the name of a plan: less has to be said in it."""
    front = front_matter(text)
    keys = front.fields.keys() if front else ()
    named = "phase" in keys and "plan" in keys
    return named or any(key in keys for key in _ONLY_A_PLAN) or _TASK.search(text) is not None


def id_of(path: Path) -> str:
    """The name of a plan file without what all have; that of its folder where nothing is left."""
    found = _FILE.fullmatch(path.name)
    return (found["id"] if found else path.stem) or path.absolute().parent.name


def is_plan_name(name: str) -> bool:
    return _FILE.fullmatch(name) is not None


class Paper:
    """A plan file, read."""

    def __init__(self, path: Path, text: Text) -> None:
        self.path = path
        self.id = id_of(path)
        self._text = text
        self.text = text.text
        self.front = front_matter(text.text) or Front(fields={}, end=0)
        self.body = self.text[self.front.end :]
        self.steps = tuple(
            Step(
                type=kind[1] if (kind := _TYPE.search(opened["attributes"])) else "auto",
                start=self.front.end + opened.start(),
                body=self.body[start:end],
                at=self.front.end + start,
            )
            for opened, start, end in _between(self.body, _TASK, _TASK_END)
        )

    def place(self, offset: int) -> Location:
        return self._text.place(offset)

    def at(self, key: str) -> Location:
        """Where a key stands, else the plan."""
        return self.place(self.front.fields[key].at if key in self.front.fields else 0)

    @property
    def phase(self) -> str:
        return self.front.text("phase")

    @property
    def number(self) -> str:
        return self.front.text("plan")

    @property
    def wave(self) -> int | None:
        word = self.front.text("wave")
        return int(word) if word.isascii() and word.isdecimal() and len(word) < 6 else None

    def section(self, tag: str) -> str:
        """What stands in a part of the text such as `<objective>`."""
        opens, closes = (re.compile(rf"^[ \t]*<{slash}{tag}>", re.MULTILINE) for slash in ("", "/"))
        return next((self.body[start:end].strip() for _, start, end in _between(self.body, opens, closes)), "")

    @property
    def title(self) -> str:
        """The first line of the objective, else the name of the first task."""
        lines = self.section("objective").splitlines() or [step.name for step in self.steps]
        return " ".join(next((line for line in lines if line.strip()), "").strip("*_# ").split())

    def files(self) -> Iterator[Span]:
        """`files_modified`; where that says nothing, the `<files>` of the tasks."""
        for item in self.front.items("files_modified"):
            if (claim := claimed(_NOTE.sub("", item.text).strip("`"))) is not None:
                yield Span(text=claim, start=item.start, end=item.end)
        if not self.front.items("files_modified"):
            for step in self.steps:
                for part in step.parts("files"):
                    for word in re.split(r"[,\n]+", part.text):
                        if re.search(r"[./]", word) and (claim := claimed(_NOTE.sub("", word.strip()).strip("`"))):
                            yield Span(text=claim, start=part.start, end=part.end)

    def artifacts(self) -> tuple[str, ...]:
        """Paths that `must_haves` says will be there."""
        field = self.front.fields.get("must_haves")
        found = _ARTIFACTS.search(field.block.text) if field else None
        if found is None:
            return ()
        words = [*_PATH.findall(found["body"])] or [x for x in _BARE.findall(found["body"]) if re.search(r"[./]", x)]
        claims = (claimed(_NOTE.sub("", word.strip())) for word in words)
        return tuple(dict.fromkeys(claim for claim in claims if claim and not re.search(r"[*?\[]|/$", claim)))

    @property
    def must_haves(self) -> str:
        field = self.front.fields.get("must_haves")
        return field.block.text.strip("\r\n") if field else ""
