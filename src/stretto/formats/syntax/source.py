"""One text, its plain values, and where each of them stands: the index behind every finding and every edit.

Offsets count characters of the decoded text, from 0; lines and columns count from 1.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Literal

from stretto.errors import PlanError
from stretto.model.plan import Finding, Location

MAX_BYTES = 32 * 1024 * 1024
MAX_DEPTH = 200
MAX_FINDINGS = 100
"""More mistakes than this of one file help nobody."""

Steps = tuple[str | int, ...]
"""A path from the root of a document to a value: keys and list positions."""
Syntax = Literal["json", "json-lines", "yaml", "toml", "markdown"]
Edit = tuple[int, int, str]
"""Put this text in place of the characters from the first offset to the second."""

_BREAK = re.compile(r"\r\n|\r|\n")


class Text:
    """A decoded file that can say where an offset is."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text

    @cached_property
    def _lines(self) -> list[int]:
        return [0, *(found.end() for found in _BREAK.finditer(self.text))]

    def place(self, offset: int) -> Location:
        line = bisect_right(self._lines, offset)
        return Location(file=self.file, line=line, column=offset - self._lines[line - 1] + 1)

    def offset(self, line: int, column: int) -> int:
        """The inverse of `place`; a place behind the end is the end."""
        if line > len(self._lines):
            return len(self.text)
        return min(self._lines[line - 1] + column - 1, len(self.text))

    def mistake(self, code: str, message: str, offset: int, hint: str = "") -> Finding:
        return Finding(
            code=code,
            severity="error",
            message=message,
            hint=hint or "mend the file at that place",
            location=self.place(offset),
        )


Children = dict[str, "Node"] | list["Node"] | None


class Node:
    """Where a value stands: its characters, those of its key, and the same for what it holds.

    What it holds may be looked up when it is first asked for: most of a large file never is."""

    __slots__ = ("_children", "_look", "end", "key", "start", "written")

    def __init__(
        self,
        start: int,
        end: int,
        *,
        key: int | None = None,
        children: Children = None,
        look: Callable[[int], Children] | None = None,
        written: str | None = None,
    ) -> None:
        self.start = start
        self.end = end
        self.key = start if key is None else key
        self._children = children
        self._look = look
        """What it holds, by where it starts."""
        self.written = written
        """A scalar's own text, where the slice from start to end holds more than that (YAML tags and anchors)."""

    @property
    def children(self) -> Children:
        if self._look is not None:
            self._children, self._look = self._look(self.start), None
        return self._children

    def child(self, step: str | int) -> Node | None:
        children = self.children
        if isinstance(children, dict):
            return children.get(step) if isinstance(step, str) else None
        if isinstance(children, list) and isinstance(step, int) and 0 <= step < len(children):
            return children[step]
        return None


def listed(nodes: Iterable[Node]) -> Node:
    """Places one behind the other, as one that holds them."""
    children = list(nodes)
    return Node(children[0].start, children[-1].end, children=children) if children else Node(0, 0)


class Source:
    """A parsed file. `tree` holds plain Python values; the index of places is made when it is first asked for."""

    def __init__(
        self, text: Text, data: bytes, syntax: Syntax, tree: object, index: Callable[[Text], Node] | Node
    ) -> None:
        self.text = text
        self.data = data
        self.syntax = syntax
        self.tree = tree
        self._index = index

    @cached_property
    def root(self) -> Node:
        return self._index if isinstance(self._index, Node) else self._index(self.text)

    @property
    def file(self) -> str:
        return self.text.file

    def node(self, steps: Steps) -> Node | None:
        node: Node | None = self.root
        for step in steps:
            node = node.child(step) if node else None
        return node

    def location(self, steps: Steps, *, key: bool = False) -> Location:
        """Where the value stands, or its key; for a value that is not there, the nearest one around it that is."""
        node = self.root
        for step in steps:
            child = node.child(step)
            if child is None:
                return self.text.place(node.start)
            node = child
        return self.text.place(node.key if key else node.start)

    def written(self, steps: Steps) -> str:
        """A scalar as the file spells it: `1.10` stays `1.10`."""
        node = self.node(steps)
        if node is None:
            return ""
        return self.text.text[node.start : node.end] if node.written is None else node.written

    def edited(self, edits: Iterable[Edit]) -> bytes:
        """The file's bytes with the edits made and everything else as it was."""
        text, done = self.text.text, 0
        parts: list[str] = []
        for start, end, new in sorted(edits):
            parts += text[done:start], new
            done = end
        mark = b"\xef\xbb\xbf" if self.data.startswith(b"\xef\xbb\xbf") else b""
        return mark + "".join((*parts, text[done:])).encode()


def plan_error(file: str, findings: Sequence[Finding]) -> PlanError:
    """The error that stands for these findings, told by the first of them."""
    first = findings[0]
    place = f"{first.location.file}:{first.location.line}:{first.location.column}" if first.location else file
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    return PlanError(f"{place}: {first.message}{more}", hint=first.hint, findings=tuple(findings[:MAX_FINDINGS]))


def decode(file: str, data: bytes) -> Text:
    """The text of a plan file. Raises PlanError for what is no UTF-8 text, is empty, or is too large."""

    def refuse(code: str, message: str, hint: str, text: str = "") -> PlanError:
        return plan_error(file, [Text(file, text).mistake(code, message, len(text), hint)])

    if len(data) > MAX_BYTES:
        raise refuse("too-large", too_large(len(data)), "split the plan, or keep bulky texts in prompt files")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or (len(data) > 3 and 0 in data[:2] and 0 not in data[:4:3]):
        raise refuse("encoding", "this file is UTF-16", "save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace")
        raise refuse(
            "encoding", f"this byte is not UTF-8: 0x{data[error.start]:02x}", "save the file as UTF-8", before
        ) from None
    if "\0" in text:
        raise refuse(
            "encoding", "a NUL byte: this is a binary file, not a plan", "give a text file", text[: text.index("\0")]
        )
    if not text.strip():
        raise refuse("empty", "the file is empty", "write a task into it; docs/plan.md shows how")
    return Text(file, text)


def too_large(size: int) -> str:
    return f"the file has {size / 2**20:.0f} MB; a plan may have {MAX_BYTES // 2**20} MB"


def too_deep(tree: object) -> bool:
    """Whether values are nested deeper than MAX_DEPTH; asked without recursion."""
    level = [tree]
    for _ in range(MAX_DEPTH + 1):
        level = [
            child
            for value in level
            for child in (value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True
