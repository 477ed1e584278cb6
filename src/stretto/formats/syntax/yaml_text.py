"""YAML with places, built from parser events: no recursion, no objects, a cap on what aliases may expand to."""

from __future__ import annotations

import re
from typing import Any

import yaml

from stretto.formats.syntax.source import MAX_DEPTH, Node, Source, Text, plan_error

MAX_ALIASED = 100_000
"""Values that a document may gain through aliases and merge keys; more is a bomb."""

_TAG = "tag:yaml.org,2002:"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"(?P<yes>yes|Yes|YES|true|True|TRUE|on|On|ON)|no|No|NO|false|False|FALSE|off|Off|OFF")
_INT = re.compile(r"[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_MERGE = "<<"
_UNCLOSED = {
    "did not find expected ',' or ']'": "close the list with `]`; a command or a text in it that holds a comma, a quote"
    " or a bracket needs quotes around all of it",
    "did not find expected ',' or '}'": "close it with `}`; a text in it that holds a comma, a colon, a quote or a"
    " brace needs quotes around all of it",
}
"""What the parser says of a `[` or `{` that it cannot follow to its end, and what to do about it."""

Key = tuple[str, int, bool]
"""A key's text, its offset, and whether it is a merge key."""


def parse(text: Text, data: bytes) -> Source:
    """One YAML document of plain values. Dates and clock times stay text; `1_000` and `0x1f` are numbers."""
    if control := _CONTROL.search(text.text):
        message = f"a control character ({control[0]!r})"
        raise plan_error(
            text.file, [text.mistake("syntax", message, control.start(), "write it as an escape in double quotes")]
        )
    builder = _Builder(text)
    try:
        for event in yaml.parse(text.text, Loader=yaml.CSafeLoader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(text, error) from None
    except yaml.YAMLError as error:
        raise plan_error(text.file, [text.mistake("syntax", f"not YAML: {error}", 0)]) from None
    if builder.root is None:
        message, hint = (
            "the file holds no plan, only comments",
            "write a task into it; docs/plan.md shows how",
        )
        raise plan_error(text.file, [text.mistake("empty", message, 0, hint)])
    tree, node = builder.root
    return Source(text, data, "yaml", tree, node)


def _at(mark: Any) -> int:
    """Offset of a mark; the C parser gives every event one."""
    return int(mark.index)


def _syntax_error(text: Text, error: yaml.MarkedYAMLError) -> Exception:
    mark = error.problem_mark or error.context_mark
    offset = mark.index if mark else 0
    hint = ""
    if text.text[offset : offset + 1] == "\t":
        hint = "YAML is indented with spaces, not with tabs"
    elif error.problem == "mapping values are not allowed in this context":
        hint = "text that holds `: ` needs quotes"
    elif error.problem in _UNCLOSED:
        hint = _UNCLOSED[error.problem]
    context = f" ({error.context})" if error.context else ""
    return plan_error(text.file, [text.mistake("syntax", f"not YAML: {error.problem}{context}", offset, hint)])


class _Open:
    """A mapping or list that is being read."""

    __slots__ = ("anchor", "key", "merged", "node", "size", "tree")

    def __init__(self, tree: dict[str, object] | list[object], node: Node, anchor: str | None) -> None:
        self.tree = tree
        self.node = node
        self.anchor = anchor
        self.key: Key | None = None
        self.merged: list[tuple[dict[str, object], dict[str, Node]]] = []
        self.size = 1
        """Values in it, aliases counted in full."""


class _Builder:
    def __init__(self, text: Text) -> None:
        self._text = text
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[object, Node, int] | None] = {}
        """What each anchor names, with its size; None while it is being read."""
        self._aliased = 0
        self.root: tuple[object, Node] | None = None

    def _refuse(self, code: str, message: str, offset: int, hint: str = "") -> Exception:
        return plan_error(self._text.file, [self._text.mistake(code, message, offset, hint)])

    def take(self, event: yaml.Event) -> None:
        match event:
            case yaml.DocumentStartEvent() if self.root is not None:
                raise self._refuse(
                    "syntax", "a second document in one file", _at(event.start_mark), "a plan is one document"
                )
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._start(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._end(_at(event.end_mark))
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.AliasEvent():
                self._alias(event)
            case _:
                pass

    def _start(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        start = _at(event.start_mark)
        is_map = isinstance(event, yaml.MappingStartEvent)
        if len(self._stack) >= MAX_DEPTH:
            raise self._refuse("too-deep", f"nested deeper than {MAX_DEPTH} levels", start)
        if event.tag not in (None, "!", _TAG + ("map" if is_map else "seq")):
            raise self._tag(event.tag, start)
        if self._expects_key():
            raise self._refuse("wrong-type", "a key must be text", start, "quote it")
        if event.anchor:
            self._anchors[event.anchor] = None
        tree: dict[str, object] | list[object] = {} if is_map else []
        self._stack.append(_Open(tree, Node(start, start, children={} if is_map else []), event.anchor))

    def _end(self, end: int) -> None:
        done = self._stack.pop()
        done.node.end = end
        if isinstance(done.tree, dict) and isinstance(done.node.children, dict):
            for tree, children in done.merged:
                for key, value in tree.items():
                    if key not in done.tree:
                        done.tree[key] = value
                        done.node.children[key] = children[key]
        if done.anchor:
            self._anchors[done.anchor] = (done.tree, done.node, done.size)
        self._put(done.tree, done.node, done.size)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        start, text = _at(event.start_mark), event.value
        if self._expects_key():
            plain = event.style is None or event.style == ""
            self._key((text, start, plain and text == _MERGE))
            return
        value = self._resolve(event)
        node = Node(start, _at(event.end_mark), written=text)
        if event.anchor:
            self._anchors[event.anchor] = (value, node, 1)
        self._put(value, node, 1)

    def _resolve(self, event: yaml.ScalarEvent) -> object:
        text: str = event.value
        tag = (event.tag or "").removeprefix(_TAG)
        if tag in ("str", "!") or not (event.implicit[0] or tag):
            return text
        if tag not in ("", "int", "float", "bool", "null"):
            raise self._tag(event.tag, _at(event.start_mark))
        if _NULL.fullmatch(text):
            return None
        if flag := _BOOL.fullmatch(text):
            return flag["yes"] is not None
        digits = text.replace("_", "")
        if _INT.fullmatch(text) and len(text) <= 300:
            sign, digits = (-1, digits[1:]) if digits[0] == "-" else (1, digits.lstrip("+"))
            if len(digits) > 1 and digits[0] == "0" and digits[1].isdigit():
                digits = "0o" + digits[1:]
            try:
                return sign * int(digits, 0)
            except ValueError:
                return text
        if _FLOAT.fullmatch(text) and len(text) <= 300:
            number = float(digits)
            return text if number in (float("inf"), float("-inf")) else number
        return text

    def _alias(self, event: yaml.AliasEvent) -> None:
        start = _at(event.start_mark)
        name = str(event.anchor)
        if name not in self._anchors:
            raise self._refuse("syntax", f"`*{name}` names nothing", start, f"`&{name}` must come first")
        known = self._anchors[name]
        if known is None:
            raise self._refuse("syntax", f"`*{name}` stands inside the value that it names", start)
        value, node, size = known
        if self._expects_key():
            if not isinstance(value, str):
                raise self._refuse("wrong-type", "a key must be text", start)
            self._key((value, start, False))
            return
        self._aliased += size
        if self._aliased > MAX_ALIASED:
            message = f"aliases expand to more than {MAX_ALIASED:,} values"
            raise self._refuse("too-large", message, start, "write them out, or use fewer")
        self._put(value, node, size)

    def _expects_key(self) -> bool:
        return bool(self._stack) and isinstance(self._stack[-1].tree, dict) and self._stack[-1].key is None

    def _key(self, key: Key) -> None:
        top = self._stack[-1]
        text, start, _ = key
        if isinstance(top.node.children, dict) and text in top.node.children:
            first = self._text.place(top.node.children[text].key)
            raise self._refuse(
                "duplicate-key",
                f"the key {text!r} stands twice in one mapping",
                start,
                f"the first is in line {first.line}, column {first.column}; keep one",
            )
        top.key = key

    def _put(self, value: object, node: Node, size: int) -> None:
        if not self._stack:
            self.root = (value, node)
            return
        top = self._stack[-1]
        top.size += size
        if isinstance(top.tree, list) and isinstance(top.node.children, list):
            top.tree.append(value)
            top.node.children.append(node)
        elif isinstance(top.tree, dict) and isinstance(top.node.children, dict) and top.key:
            (key, start, merge), top.key = top.key, None
            if merge:
                self._merge(top, value, node, start)
            else:
                top.tree[key] = value
                top.node.children[key] = Node(
                    node.start, node.end, key=start, children=node.children, written=node.written
                )

    def _merge(self, top: _Open, value: object, node: Node, start: int) -> None:
        values = value if isinstance(value, list) else [value]
        nodes = node.children if isinstance(node.children, list) else [node]
        for tree, each in zip(values, nodes, strict=True):
            if not isinstance(tree, dict) or not isinstance(each.children, dict):
                raise self._refuse("wrong-type", "`<<` takes a mapping, or a list of mappings", start)
            top.merged.append((tree, each.children))

    def _tag(self, tag: str | None, start: int) -> Exception:
        return self._refuse(
            "syntax", f"the tag {(tag or '!').replace(_TAG, '!!')} is not read", start, "a plan holds plain values only"
        )
