"""Markdown as an outline: headings, the prose below them, and check boxes with all that hangs on them.

Headings, fences, comments and lists as CommonMark has them, as far as task lists need it. Check boxes as GitHub has
them (`- [ ]`), with marks of its extensions (`[-]`, `[~]`, …), and a star right behind (`- [ ]*`), which begins the
words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from stretto.formats.syntax.source import Node, Source, Text
from stretto.model.plan import Value

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t](.*))?$")
_FENCE = re.compile(r"[ \t]*(?:>[ \t]*)*(`{3,}|~{3,})")
_BOX = re.compile(r"([ \t]*)(?:[-*+]|\d{1,9}[.)])[ \t]+\[(.?)\](?=\\?\*?(?:[ \t]|$))[ \t]*")
_NEW_BLOCK = re.compile(
    r"[ \t]*(?:[-*+][ \t]|\d{1,9}[.)][ \t]|>|\||#{1,6}[ \t]|<!--|`{3}|~{3})|[ \t]*([-*_])(?:[ \t]*\1){2,}[ \t]*$"
)
_KEY = re.compile(r"(?:tasks|phases):[ \t]*$|\[\[?(?:tasks|phases)\]\]?[ \t]*$")
"""A line of YAML or TOML that begins the tasks of a plan, whose texts may have boxes."""
_ANY_KEY = re.compile(r"(?:\A|[\r\n])\[{0,2}(?:tasks|phases)[:\]]")
"""Without one of these there is no such line; most documents have none."""
_TAB = 4
"""Columns of a tab stop."""


class Section(Value, frozen=True, kw_only=True):
    """A heading, and the prose right below it that belongs to no check box."""

    level: int
    """1 to 6; 0 for what stands before the first heading."""
    title: str
    start: int
    """Offset of the heading's line."""
    within: int | None
    """The section around it, as a position in the outline."""
    prose: str


class Box(Value, frozen=True, kw_only=True):
    """A check box: its own line, and the lines below that belong to it. Places are offsets."""

    section: int
    """Which section it stands in, as a position in the outline."""
    within: int | None
    """The check box that it is a part of, as a position in the outline."""
    indent: int
    mark: str
    mark_at: int
    start: int
    text_at: int
    """Where the words behind the box begin."""
    end: int
    """Behind its last line, nested boxes among them."""


class Outline(Value, frozen=True, kw_only=True):
    """A whole document."""

    sections: tuple[Section, ...]
    boxes: tuple[Box, ...]


def has_boxes(text: Text) -> bool:
    """Whether a check box stands where only Markdown has one: at the margin, or nearly; and no key of a plan does."""
    keys = _ANY_KEY.search(text.text) is not None
    found = False
    for _, line, is_text in _lines(text.text):
        if is_text and keys and _KEY.match(line):
            return False
        box = None if found else _BOX.match(line)
        found = found or (box is not None and len(box[1].expandtabs(_TAB)) < _TAB)
        if found and not keys:
            break
    return found


def parse(text: Text, data: bytes) -> Source:
    """The outline is the source's tree; places are for its reader to mark."""
    return Source(text, data, "markdown", _Outliner(text.text).outline(), Node(0, len(text.text)))


class _Outliner:
    """Goes through the lines once; a line belongs to a heading, to the open check box, or to the section's prose."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._sections: list[Section] = []
        self._boxes: list[Box] = []
        self._open: list[int] = []
        """The check boxes that the next line may belong to, outermost first."""
        self._end = 0
        """Behind the last line that belongs to them."""
        self._heading = (0, "", 0)
        self._around: list[int] = []
        """The sections that the next one may be in, outermost first."""
        self._prose: list[str] = []

    def outline(self) -> Outline:
        after_blank = True
        for start, line, is_text in _lines(self._text):
            blank = not line.strip()
            if is_text and (heading := _HEADING.match(line)):
                self._close_section()
                self._heading = (len(heading[1]), _title(heading[2] or ""), start)
            elif is_text and (box := _BOX.match(line)):
                indent = _indent(line)
                self._close(indent)
                self._add(box, indent, start)
                self._end = start + len(line)
            elif not blank and self._continues(line, after_blank):
                self._end = start + len(line)
            elif not blank or not self._open:
                self._prose.append(line)
            after_blank = blank
        self._close_section()
        return Outline(sections=tuple(self._sections), boxes=tuple(self._boxes))

    def _add(self, box: re.Match[str], indent: int, start: int) -> None:
        within = self._open[-1] if self._open else None
        self._open.append(len(self._boxes))
        self._boxes.append(
            Box(
                section=len(self._sections),
                within=within,
                indent=indent,
                mark=box[2],
                mark_at=start + box.start(2),
                start=start + box.end(1),
                text_at=start + box.end(),
                end=start,
            )
        )

    def _continues(self, line: str, after_blank: bool) -> bool:
        """Whether a line belongs to an open check box; those that it stands left of are closed."""
        if after_blank or _NEW_BLOCK.match(line):  # else it goes on with the paragraph, wherever it begins
            self._close(_indent(line))
        return bool(self._open)

    def _close(self, indent: int) -> None:
        """Close the check boxes that nothing at this indent can belong to."""
        while self._open and self._boxes[self._open[-1]].indent >= indent:
            last = self._open.pop()
            self._boxes[last] = msgspec.structs.replace(self._boxes[last], end=self._end)

    def _close_section(self) -> None:
        self._close(0)
        level, title, start = self._heading
        while self._around and self._sections[self._around[-1]].level >= level:
            self._around.pop()
        within = self._around[-1] if self._around else None
        self._around.append(len(self._sections))
        prose = "\n".join(self._prose).strip()
        self._sections.append(Section(level=level, title=title, start=start, within=within, prose=prose))
        self._prose = []


def _lines(text: str) -> Iterator[tuple[int, str, bool]]:
    """Offset and words of each line, and whether Markdown is read there. Front matter and comments are left out."""
    fence = ""
    comment = False
    start = _front_matter(text)
    while start < len(text):
        found = _LINE.match(text, start)
        assert found is not None
        line = found[0].rstrip("\r\n")
        mark = _FENCE.match(line) if "```" in line or "~~~" in line else None
        if comment:
            comment = "-->" not in line
        elif fence:
            if mark and mark[1].startswith(fence) and not line[mark.end() :].strip():
                fence = ""
            yield start, line, False
        elif mark:
            fence = mark[1]
            yield start, line, False
        elif line.lstrip().startswith("<!--"):
            comment = "-->" not in line
        else:
            yield start, line, True
        start = found.end()


def _front_matter(text: str) -> int:
    """Where the document begins: behind the YAML that may stand before it."""
    found = re.match(r"---[ \t]*(?:\r\n|\r|\n)(?s:.*?)^(?:---|\.\.\.)[ \t]*(?:\r\n|\r|\n|\Z)", text, re.MULTILINE)
    return found.end() if found else 0


def _title(words: str) -> str:
    """What a heading says, without the signs that may close it."""
    words = words.strip()
    bare = words.rstrip("#")
    return bare.rstrip() if not bare or bare[-1] in " \t" else words


def _indent(line: str) -> int:
    spaced = line.expandtabs(_TAB)
    return len(spaced) - len(spaced.lstrip(" "))


def path_of(sections: Sequence[Section], index: int) -> Iterator[int]:
    """A section and those around it, from the inside out, as positions."""
    at: int | None = index
    while at is not None:
        yield at
        at = sections[at].within
