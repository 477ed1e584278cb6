"""The task dependency graph at the end of newer Kiro lists: waves in JSON, or arrows between numbers."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise

from stretto.errors import PlanError
from stretto.formats.kiro.marks import ID, Reference
from stretto.formats.syntax import json_text
from stretto.formats.syntax.markdown_text import Outline
from stretto.formats.syntax.source import Source, Steps, Text
from stretto.model.plan import Value

_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})[ \t]*([\w-]*)")
_TITLE = re.compile(r"dependency\s+graph|dependenc(?:y|ies)|\bwaves?\b|execution\s+order|依赖|依存", re.IGNORECASE)
_WAVES = re.compile(r'"waves"\s*:')
_ARROW = re.compile(r"(?:--[ \t][^>]{0,80}-->|-{1,9}>|={1,9}>|-\.{1,9}->|→|⇒)(?:\|[^|]{0,200}\|)?")
_LABEL = re.compile(r"""\b(\w{1,64})[\[({]{1,3}"?(?:(?:Task|T)\s*)?#?(\d+(?:\.\d+)*[a-z]?)(?![\w])""", re.IGNORECASE)
_CAPTION = re.compile(r"""\[[^\[\]\r\n]*\]|\([^()\r\n]*\)|\{[^{}\r\n]*\}|"[^"\r\n]*"|:::\w+""")
_NODE = re.compile(rf"(?:(?:tasks?|t)[ _]?)?({ID})(?![\w.])", re.IGNORECASE)
_SKIP = re.compile(r"[ \t]*(?:graph|flowchart|subgraph|end|style|classDef|class|click|linkStyle|direction|%%)\b")


class Wave(Value, frozen=True, kw_only=True):
    """Tasks that may run side by side."""

    name: str
    tasks: tuple[Reference, ...]
    depends_on: tuple[str, ...] | None
    """Names of waves; None: the one before it."""


class Graph(Value, frozen=True, kw_only=True):
    """What a list says of its order. Either kind, never both: waves count before arrows."""

    at: int
    waves: tuple[Wave, ...] = ()
    edges: tuple[tuple[Reference, Reference], ...] = ()
    """Each the one before, and the one behind."""


class Trouble(Value, frozen=True, kw_only=True):
    """A graph that cannot be read."""

    at: int
    message: str


def graph_of(text: str, outline: Outline) -> Graph | Trouble | None:
    """The graph; None where there is none. Fences count, and the prose of a section about dependencies."""
    starts = [section.start for section in outline.sections]
    arrows: list[tuple[str, int]] = []
    trouble: Trouble | None = None
    for language, body, at in _fences(text):
        section = outline.sections[max(0, bisect_right(starts, at) - 1)]
        about = _TITLE.search(section.title) is not None
        if _WAVES.search(body) or (about and language in ("json", "jsonc")):
            read = _waves(body, at)
            if isinstance(read, Graph):
                return read
            trouble = trouble or read
        elif about:
            arrows.append((body, at))
    if trouble:
        return trouble
    for body, at in arrows:
        if edges := tuple(_edges(body, at)):
            return Graph(at=at, edges=edges)
    return None


def _fences(text: str) -> Iterator[tuple[str, str, int]]:
    """Language and content of each fenced block, and where the content begins."""
    fence, language, first, at = "", "", 0, 0
    for line in text.splitlines(keepends=True):
        mark = _FENCE.match(line)
        if fence and mark and mark[1].startswith(fence) and not line[mark.end() :].strip() and not mark[2]:
            yield language, text[first:at], first
            fence = ""
        elif not fence and mark:
            fence, language, first = mark[1], mark[2].casefold(), at + len(line)
        at += len(line)


# --- waves -------------------------------------------------------------------------------------------------------


def _waves(body: str, at: int) -> Graph | Trouble:
    try:
        source = json_text.parse(Text("", body), b"")
    except PlanError as error:
        place = error.findings[0].location
        offset = source_offset(body, place.line, place.column) if place else 0
        return Trouble(at=at + offset, message=error.findings[0].message)
    tree = source.tree
    steps: Steps = ()
    if isinstance(tree, dict):
        if not isinstance(tree.get("waves"), list):
            return Trouble(at=at, message="it has no list of `waves`")
        tree, steps = tree["waves"], ("waves",)
    if not isinstance(tree, list):
        return Trouble(at=at, message="it has no list of `waves`")
    waves: list[Wave] = []
    for i, each in enumerate(tree):
        here: Steps = (*steps, i)
        where: Steps
        node = source.node(here)
        start = at + (node.start if node else 0)
        if isinstance(each, dict):
            key = next((x for x in ("tasks", "task_ids", "taskIds", "items") if x in each), "")
            listed, where = each.get(key), (*here, key)
            name = next((source.written((*here, x)).strip('"') for x in ("id", "wave", "name") if x in each), str(i))
            needs = next((x for x in ("depends_on", "dependsOn", "dependencies") if isinstance(each.get(x), list)), "")
            said = tuple(_names(source, each[needs], (*here, needs))) if needs else None
        else:
            listed, where, name, said = each, here, str(i), None
        if not isinstance(listed, list):
            return Trouble(at=start, message=f"wave {i + 1} has no list of tasks")
        tasks = tuple(_references(source, listed, where, at))
        if len(tasks) < len(listed):
            return Trouble(at=start, message=f"wave {i + 1} has something that is no number of a task")
        waves.append(Wave(name=name, tasks=tasks, depends_on=said))
    return Graph(at=at, waves=tuple(waves)) if waves else Trouble(at=at, message="it has no waves")


def _names(source: Source, values: Sequence[object], steps: Steps) -> Iterator[str]:
    return (source.written((*steps, i)).strip('"') for i in range(len(values)))


def _references(source: Source, values: Sequence[object], steps: Steps, at: int) -> Iterator[Reference]:
    whole = source.node(steps)
    for i, value in enumerate(values):
        node = whole.child(i) if whole is not None else None
        if isinstance(value, dict):
            key = next((x for x in ("id", "task") if x in value), "")
            value, node = value.get(key), node.child(key) if node is not None else None
        if node is None or isinstance(value, bool) or not isinstance(value, str | int | float):
            continue
        found = _NODE.match(source.text.text[node.start : node.end].strip('"').strip())
        if found:
            yield Reference(name=found[1], start=at + node.start, end=at + node.end)


def source_offset(text: str, line: int, column: int) -> int:
    return Text("", text).offset(line, column)


# --- arrows ------------------------------------------------------------------------------------------------------


def _edges(body: str, at: int) -> Iterator[tuple[Reference, Reference]]:
    """`1.1 -> 1.2, 1.3`, `T1_1 --> T2[2. Words]`, and lines that go on with `→ 3`."""
    labels = {name: number for name, number in _LABEL.findall(body) if not name.isdecimal()}
    before: list[Reference] = []
    start = 0
    for line in body.splitlines(keepends=True):
        if _SKIP.match(line) is None:
            plain = _CAPTION.sub(lambda x: " " * len(x[0]), line.rstrip())
            done = 0
            groups: list[list[Reference]] = []
            for arrow in _ARROW.finditer(plain):
                groups.append(_nodes(plain, done, arrow.start(), at + start, labels))
                done = arrow.end()
            groups.append(_nodes(plain, done, len(plain), at + start, labels))
            if not groups[0] and len(groups) > 1:
                groups[0] = before
            for left, right in pairwise(groups):
                yield from ((x, y) for x in left for y in right)
            before = groups[-1] or before
        start += len(line)


def _nodes(line: str, start: int, end: int, at: int, labels: dict[str, str]) -> list[Reference]:
    """The tasks that stand between two arrows."""
    found: list[Reference] = []
    for piece in re.finditer(r"[^,;&+\s][^,;&+]*", line[start:end]):
        word = piece[0].strip()
        name = labels.get(word)
        if name is None:
            dotted = re.sub(r"(?<=\d)_(?=\d)", ".", word)
            number = _NODE.match(dotted)
            name = number[1] if number else None
        if name is not None:
            first = at + start + piece.start()
            found.append(Reference(name=name, start=first, end=first + len(word)))
    return found
