"""The files that a task says it will touch: in its keys, and where the template of task files has a place for them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stretto.formats.auto_claude.reader import claimed
from stretto.formats.ccpm.paper import Paper
from stretto.formats.named_paths import named_paths
from stretto.formats.syntax.front_matter import Span

_KEYS = ("files", "paths", "files_modified", "files_affected", "allowed_paths", "writes")
_LABEL = re.compile(
    r"(?P<indent>[ \t]*+)(?:(?P<heading>\#{1,6})[ \t]++)?(?P<bullet>[-*+][ \t]++)?(?P<bold>[*_]{1,2})?"
    r"[^:*_`\r\n]{0,60}?\b(?:files?|code[ ]locations?)\b[^:*_`\r\n]{0,40}"
    r"(?P<mark>[*_]{0,2}:?[*_]{0,2}:?)",
    re.IGNORECASE | re.VERBOSE,
)
_HEADING = re.compile(r"#{1,6}[ \t]")
_BULLET = re.compile(r"[ \t]*(?:[-*+]|\d{1,3}[.)])[ \t]")
_FENCE = re.compile(r"[ \t]*(?:`{3,}|~{3,})")
_ONLY_READ = re.compile(
    r"\bread[- ]?only\b|\bverify[ -]only\b|\bfor reference\b|\bno changes?\b|\bunchanged\b", re.IGNORECASE
)
_SYSTEM = r"(?:Users|home|root|tmp|var|etc|usr|opt|dev|proc|mnt|Volumes)"
_ROOTED = re.compile(rf"(?P<before>^|[`(\s])/(?=(?!{_SYSTEM}/)[\w.@\[(-]+(?:/|\.\w))", re.MULTILINE)


def claims_of(paper: Paper) -> Iterator[Span]:
    """Paths and globs, each with where it stands; as often as it is named."""
    for key in _KEYS:
        for item in paper.front.items(key):
            if (claim := claimed(item.text.lstrip("/"))) is not None:
                yield Span(text=claim, start=item.start, end=item.end)
    for start, line in _places(paper.text, paper.front.end):
        # `/src/a.ts` is meant from the top of the repository; the offsets stay as they are.
        plain = _ROOTED.sub(lambda found: " " + found["before"] if found["before"] else " ", line)
        for claim, first, last in named_paths(plain):
            yield Span(text=claim, start=start + first, end=start + last)


def _places(text: str, start: int) -> Iterator[tuple[int, str]]:
    """The lines that list files, each with its offset: those of a section about files, and those below a label."""
    section = fenced = False
    indent: int | None = None
    loose = False
    for line in text[start:].splitlines(keepends=True):
        at, start = start, start + len(line)
        if _FENCE.match(line):
            fenced = not fenced
        if fenced or not line.strip():
            continue
        label = _label(line)
        if _HEADING.match(line):
            section, indent = label is not None, None
            continue
        if label is not None:
            indent, loose = _indent(line), label["bullet"] is None
            here = line[: label.end()]
            if not _ONLY_READ.search(line):
                yield at, " " * len(here) + line[len(here) :]
            continue
        if indent is not None and not (_indent(line) > indent or (loose and _BULLET.match(line))):
            indent = None
        if (section or indent is not None) and not _ONLY_READ.search(line):
            yield at, line


def _label(line: str) -> re.Match[str] | None:
    """`### Files affected`, `**Files**:`, `- Code locations/files affected:`; not a sentence about files."""
    found = _LABEL.match(line)
    if found is None:
        return None
    return found if found["heading"] or ":" in found["mark"] else None


def _indent(line: str) -> int:
    line = line.expandtabs(4)
    return len(line) - len(line.lstrip(" "))
