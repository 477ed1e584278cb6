"""One numbered check box of a Kiro list, `- [ ] 2.1 (P) Words`, and what its own lines say."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from stretto.formats.kiro.marks import ID, Marks, Reference, marks_of, without_marks
from stretto.formats.named_paths import named_paths
from stretto.formats.syntax.markdown_text import Box, Outline
from stretto.model.plan import Value

_HEAD = re.compile(
    rf"(?P<star>\\?\*[ \t]+)?(?P<open>\*\*|__|`)?(?P<word>Task[ \t]+)?(?P<id>{ID})"
    r"(?P<late>\\?\*(?!\*))?(?P<dot>\\?[.):])?(?(open)(?:\*\*|__|`)?)"
    r"(?P<dash>:?[ \t]+[-–—](?=[ \t]))?:?(?:[ \t]+|$)(?P<later>\\?\*[ \t]+)?",
    re.IGNORECASE | re.MULTILINE,
)
_PARALLEL = re.compile(r"[ \t]*(?:\(P\)|`\(P\)`)[ \t]*")
_CHECKPOINT = re.compile(
    r"check-?point|чекпоинт|チェックポイント|检查点|檢查點|체크포인트|punto de control", re.IGNORECASE
)
_TESTS = re.compile(r"tests?\b|testing\b|тест|テスト|测试|測試|테스트|prueba|\btestes\b", re.IGNORECASE)
_LOOKS = re.compile(
    r"run|verify|validate|check|review|confirm|ensure|execute|inspect|audit|manually|smoke|measure|checkpoint|final"
    r"|re-?run|test",
    re.IGNORECASE,
)
_ITALIC = re.compile(r"(?:(?<=^)|(?<=[-*+] ))_(?=\w)|_(?=[ \t]*\r?$)", re.MULTILINE)

_GAPS = re.compile(r"\n(?:[ \t]*\n){2,}")


class TaskLine(Value, frozen=True, kw_only=True):
    """What a numbered box and the lines below it say; what stands in numbered boxes within it is theirs."""

    id: str
    id_at: int
    title: str
    body: str
    details: bool
    """Whether it says more than its title, its marks aside."""
    optional: bool
    parallel: bool
    marks: Marks
    paths: tuple[Reference, ...]
    box: Box

    @property
    def done(self) -> bool:
        return self.box.mark in ("x", "X")

    @property
    def checkpoint(self) -> bool:
        return _CHECKPOINT.search(self.title) is not None

    @property
    def tests(self) -> bool:
        """It writes or runs tests of what another task makes."""
        return _TESTS.search(self.title) is not None

    @property
    def looks_only(self) -> bool:
        """It asks to look at something, such as by running the tests: it may well change nothing."""
        first = re.match(r"\W*([\w-]+)", self.title)
        return self.checkpoint or (first is not None and _LOOKS.fullmatch(first[1]) is not None)


def number_of(text: str, box: Box) -> str | None:
    """The number that a box begins with; None for one without.

    A plain number counts with a dot, bold, or behind "Task": `- [ ] 3 retries` has none."""
    found = _head(text, box)
    return found["id"] if found else None


def _head(text: str, box: Box) -> re.Match[str] | None:
    found = _HEAD.match(text, box.text_at, box.end)
    if found is None:
        return None
    plain = "." not in found["id"] and not (found["dot"] or found["open"] or found["word"] or found["dash"])
    return None if plain else found


def tasks_in(outline: Outline, text: str) -> tuple[list[int], list[int]]:
    """Positions of the boxes that are tasks, and of those outside of any task that have no number.

    Within a task a plain number is a step of it; a dotted one is a task wherever it stands."""
    found: list[int] = []
    loose: list[int] = []
    inside: set[int] = set()
    for i, box in enumerate(outline.boxes):
        within = box.within in inside
        number = number_of(text, box)
        if number is not None and ("." in number or not within):
            found.append(i)
            inside.add(i)
        elif within:
            inside.add(i)
        else:
            loose.append(i)
    return found, loose


def lines_of(outline: Outline, text: str, top: str = "") -> Iterator[TaskLine]:
    """The tasks in file order. `top`: the name of the repository's folder, if that is known."""
    boxes = outline.boxes
    found, _ = tasks_in(outline, text)
    for n, i in enumerate(found):
        box = boxes[i]
        inner: list[Box] = []
        while (n := n + 1) < len(found) and boxes[found[n]].start < box.end:
            if not inner or boxes[found[n]].start >= inner[-1].end:
                inner.append(boxes[found[n]])
        yield _read_line(text, box, inner, top)


def _read_line(text: str, box: Box, inner: Sequence[Box], top: str) -> TaskLine:
    head = _head(text, box)
    assert head is not None
    at, parallel = head.end(), False
    if mark := _PARALLEL.match(text, at, box.end):
        at, parallel = mark.end(), True
    pieces = list(_own(text, at, box.end, inner))
    whole = "".join(text[start:end] for start, end in pieces).replace("\r\n", "\n").replace("\r", "\n")
    first, _, below = whole.partition("\n")
    title = first.strip()
    if title.endswith("(P)"):
        title, parallel = title[:-3].rstrip(), True
    star = any(head[name] for name in ("star", "late", "later"))
    body = _GAPS.sub("\n\n", textwrap.dedent(below)).strip("\n").rstrip()
    return TaskLine(
        id=head["id"],
        id_at=head.start("id"),
        title=" ".join(title.strip("*_").split()),
        body="\n".join(part for part in (title, body) if part),
        details=bool(without_marks(body).strip("-*+ \t\n")),
        optional=star,
        parallel=parallel,
        marks=marks_of(text, pieces),
        paths=tuple(_paths(text, pieces, top)),
        box=box,
    )


def _own(text: str, at: int, end: int, inner: Sequence[Box]) -> Iterator[tuple[int, int]]:
    """The pieces of a box that belong to no numbered box within it."""
    for box in inner:
        line = max(text.rfind("\n", at, box.start), text.rfind("\r", at, box.start)) + 1
        yield at, max(line, at)
        at = max(at, box.end)
    yield at, max(at, end)


def _paths(text: str, pieces: Sequence[tuple[int, int]], top: str) -> Iterator[Reference]:
    for start, end in pieces:
        plain = _ITALIC.sub(" ", text[start:end])
        for path, first, last in named_paths(plain, top):
            yield Reference(name=path, start=start + first, end=start + last)
