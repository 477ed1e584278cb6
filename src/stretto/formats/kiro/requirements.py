"""The texts behind `_Requirements: 1.2_`, from the `requirements.md` or `bugfix.md` beside a list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from stretto.errors import PlanError
from stretto.formats.kiro.marks import Reference, spread
from stretto.formats.syntax import markdown_text
from stretto.formats.syntax.markdown_text import Outline, Section, path_of
from stretto.formats.syntax.source import decode

_FILES = ("requirements.md", "bugfix.md")
_MAX_BYTES = 1 << 20
_HEADING = re.compile(r"(?:[^\W\d]+[\s:#-]*)?(\d{1,6}(?:\.\d{1,6})*)(?=[\s:.：、)\-–—]|$)")
_NUMBERED = re.compile(
    r"^(?P<indent>[ \t]*)(?:[-*+][ \t]+)?(?:\*\*)?(?P<number>\d{1,6}(?:\.\d{1,6})*)[.):]?(?:\*\*)?[.):]?[ \t]+(?=\S)",
    re.MULTILINE,
)
_MAX = 6_000
"""Characters of one requirement in a prompt."""


class Requirements:
    """Every numbered requirement, and every criterion in them."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._headings: dict[str, str] = {}
        """Heading and introduction, by number."""
        self._whole: dict[str, str] = {}
        self._criteria: dict[str, str] = {}
        for text in texts:
            self._read(text)

    def __bool__(self) -> bool:
        return bool(self._headings or self._criteria)

    def missing(self, references: Iterable[Reference]) -> Iterator[Reference]:
        """Those that are not there."""
        return (
            each
            for each in references
            if any(x not in self._headings and x not in self._criteria for x in spread(each.name, each.until))
        )

    def text_of(self, references: Iterable[Reference]) -> str:
        """What they ask for: whole requirements, or single criteria below the introduction of theirs."""
        wanted: dict[str, list[str]] = {}
        for each in references:
            for number in spread(each.name, each.until):
                above, dot, _ = number.rpartition(".")
                if number in self._criteria:
                    wanted.setdefault(above, []).append(number)
                elif number in self._whole and not (dot and above in self._whole and above in wanted):
                    wanted.setdefault(number, []).append("")
        return "\n\n".join(_short(self._part(above, numbers)) for above, numbers in wanted.items())

    def _part(self, above: str, numbers: list[str]) -> str:
        if "" in numbers:
            return self._whole[above]
        criteria = "\n".join(f"{number}. {self._criteria[number]}" for number in dict.fromkeys(numbers))
        return "\n\n".join(part for part in (self._headings.get(above, ""), criteria) if part)

    def _read(self, text: str) -> None:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        outline = markdown_text.parse(decode("requirements.md", text.encode()), b"").tree
        assert isinstance(outline, Outline)
        sections = outline.sections
        ends = [*(section.start for section in sections[1:]), len(text)]
        numbers = [_number(section) for section in sections]
        for i, section in enumerate(sections):
            body = text[section.start : ends[i]]
            own = next((n for at in path_of(sections, i) if (n := numbers[at])), None)
            first = None
            for found, end in _items(body):
                number = found["number"]
                first = found.start() if first is None else first
                id = number if "." in number or own is None else f"{own}.{number}"
                if "." in id:
                    self._criteria.setdefault(id, " ".join(body[found.end() : end].split()))
            if (number := numbers[i]) is not None:
                last = next((n for n in range(i + 1, len(sections)) if sections[n].level <= section.level), None)
                whole = text[section.start : len(text) if last is None else sections[last].start]
                self._whole.setdefault(number, whole.strip().lstrip("#").strip())
                self._headings.setdefault(number, body[:first].strip().lstrip("#").strip())


def beside(folder: Path) -> Requirements:
    """Those of a feature's folder; none where there is no file that can be read."""
    texts = []
    for name in _FILES:
        path = folder / name
        try:
            if path.is_file() and path.stat().st_size <= _MAX_BYTES:
                texts.append(decode(name, path.read_bytes()).text)
        except (OSError, PlanError):
            continue
    return Requirements(texts)


def _number(section: Section) -> str | None:
    found = _HEADING.match(section.title.strip("*_` ")) if section.level else None
    return found[1] if found else None


def _items(body: str) -> Iterator[tuple[re.Match[str], int]]:
    """The outermost numbered lines, and where each ends."""
    items = [x for x in _NUMBERED.finditer(body) if len(x["indent"].expandtabs(4)) < 4]
    ends = [*(found.start() for found in items[1:]), len(body)]
    return zip(items, ends, strict=False)  # no items: no ends


def _short(text: str) -> str:
    return text if len(text) <= _MAX else text[: _MAX - 1] + "…"
