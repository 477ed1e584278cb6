"""TOML with places: the standard library reads and judges it; a walk over the valid text says what stands where."""

from __future__ import annotations

import datetime
import re
import tomllib

from stretto.formats.syntax.source import MAX_DEPTH, Node, Source, Text, plan_error, too_deep
from stretto.model.plan import Finding

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_STRINGS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r'"""(?:[^\\]|\\.)*?"{3,5}(?!")',
        r"'''.*?'{3,5}(?!')",
        r'"(?:[^"\\]|\\.)*"',
        r"'[^']*'",
    )
)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_WORD = re.compile(r"[^\W\d]|[./~$@]")
_BARE_VALUE = re.compile(r"[^,\]}#\r\n]*[^,\]}#\s]")


def parse(text: Text, data: bytes) -> Source:
    """TOML of plain values. Dates and times become text."""
    try:
        tree = tomllib.loads(text.text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _PLACE.search(message)
        offset = len(text.text)
        if place and place[1]:
            offset = text.offset(int(place[1]), int(place[2]))
        message = _PLACE.sub("", message)
        mistake = text.mistake("syntax", f"not TOML: {message}", offset, _advice(message, text.text[offset:]))
        raise plan_error(text.file, [mistake]) from None
    except (RecursionError, ValueError):  # ValueError: an integer of thousands of digits
        raise plan_error(text.file, [_excess(text)]) from None
    if too_deep(tree):
        raise plan_error(text.file, [_excess(text)])
    return Source(text, data, "toml", _plain(tree), index)


def _advice(message: str, rest: str) -> str:
    """What to do about it, where text without quotes is likely; `rest` begins where the parser stopped."""
    if message == "Invalid value" and _WORD.match(rest):
        return 'text needs quotes: key = "text"'
    if message == "Expected newline or end of document after a statement":
        return 'a line holds one value, and text needs quotes: key = "text"'
    return ""


def _excess(text: Text) -> Finding:
    depth = 0
    for found in re.finditer(r"[\[{\]}]", text.text):
        depth += 1 if found[0] in "[{" else -1
        if depth > MAX_DEPTH:
            return text.mistake("too-deep", f"nested deeper than {MAX_DEPTH} levels", found.start())
    digits = re.search(r"\d{300}", text.text)
    if digits:
        return text.mistake("syntax", "this number is too large", digits.start())
    return text.mistake("too-deep", f"nested deeper than {MAX_DEPTH} levels", 0)


def _plain(value: object) -> object:
    match value:
        case dict():
            return {key: _plain(child) for key, child in value.items()}
        case list():
            return [_plain(child) for child in value]
        case datetime.date() | datetime.time():
            return value.isoformat()
        case _:
            return value


def index(text: Text) -> Node:
    """Where every value of this TOML stands; the text has been parsed before."""
    return _Walk(text.text).document()


def _members(node: Node) -> dict[str, Node]:
    """What a table header can add to: the table, or the last one of an array of tables."""
    while isinstance(node.children, list):
        node = node.children[-1]
    assert isinstance(node.children, dict)
    return node.children


class _Walk:
    """Knows where things begin and end in TOML that is known to be right, and nothing more."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def document(self) -> Node:
        root = table = Node(0, len(self._text), children={})
        while self._skip(_BLANK) < len(self._text):
            start = self._at
            if self._text.startswith("[[", start):
                self._at += 2
                table = self._append(root, self._keys(), start)
                self._at += 2
            elif self._text.startswith("[", start):
                self._at += 1
                table = self._descend(root, self._keys(), start)
                self._at += 1
            else:
                self._pair(table)
        return root

    def _skip(self, pattern: re.Pattern[str]) -> int:
        if found := pattern.match(self._text, self._at):
            self._at = found.end()
        return self._at

    def _keys(self) -> list[str]:
        keys = []
        while True:
            self._skip(_SPACE)
            start = self._at
            if self._text[start] in "\"'":
                self._skip(_STRINGS[2] if self._text[start] == '"' else _STRINGS[3])
                # A quoted key means what the same text means as a value.
                keys.append(str(tomllib.loads("k=" + self._text[start : self._at])["k"]))
            else:
                self._skip(_BARE_KEY)
                keys.append(self._text[start : self._at])
            if not self._text.startswith(".", self._skip(_SPACE)):
                return keys
            self._at += 1

    def _descend(self, node: Node, keys: list[str], start: int) -> Node:
        for key in keys:
            node = _members(node).setdefault(key, Node(start, start, children={}))
        return node

    def _append(self, root: Node, keys: list[str], start: int) -> Node:
        holder = _members(self._descend(root, keys[:-1], start))
        tables = holder.setdefault(keys[-1], Node(start, start, children=[]))
        table = Node(start, start, children={})
        assert isinstance(tables.children, list)
        tables.children.append(table)
        return table

    def _pair(self, table: Node) -> None:
        start = self._at
        keys = self._keys()
        self._at += 1  # the equals sign
        self._skip(_SPACE)
        holder = _members(self._descend(table, keys[:-1], start))
        node = holder[keys[-1]] = self._value()
        node.key = start

    def _value(self) -> Node:
        start = self._at
        children: dict[str, Node] | list[Node] | None = None
        if self._text[start] == "[":
            children = []
            self._at += 1
            while self._inside("]"):
                children.append(self._value())
        elif self._text[start] == "{":
            table = Node(start, start, children={})
            self._at += 1
            while self._inside("}"):
                self._pair(table)
            children = table.children
        elif self._text[start] in "\"'":
            for pattern in _STRINGS:
                if self._skip(pattern) > start:
                    break
        else:
            self._skip(_BARE_VALUE)
        return Node(start, self._at, children=children)

    def _inside(self, close: str) -> bool:
        """Whether another member follows; steps over commas, and over the closing bracket."""
        if self._text.startswith(",", self._skip(_BLANK)):
            self._at += 1
            self._skip(_BLANK)
        if self._text[self._at] != close:
            return True
        self._at += 1
        return False
