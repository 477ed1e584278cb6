"""Keys and items put into a JSON, YAML or TOML file, or taken out, in the spacing around them.

What cannot be done by text alone (YAML anchors and tags, a key that shares its line with others in a way that is not
known here) raises CannotEdit; whoever edits reads the file again to see that it says what was meant.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence

import yaml

from stretto.formats.syntax.json_edit import listed
from stretto.formats.syntax.source import Edit, Node, Source, Steps

_ANCHORS = ("id", "subtask_id", "name", "title")
"""After the first of these that stands on one line a new key is put."""
_GAP = re.compile(r"\s*,\s*")


class CannotEdit(Exception):
    """The file says it in a way that is not known here."""


def spelled(source: Source, value: object) -> str:
    """A plain value on one line, as the syntax of the file writes it."""
    if source.syntax == "yaml":
        dumped = yaml.safe_dump([value], default_flow_style=True, width=10**9, allow_unicode=True, sort_keys=False)
        return dumped.strip()[1:-1]
    return json.dumps(value, ensure_ascii=False)  # of texts, numbers, booleans and lists of them TOML thinks the same


def put(source: Source, steps: Steps, key: str, value: object) -> Edit:
    """The edit that gives a key of a mapping this value; a key that is not there comes behind the mapping's name."""
    node = source.node((*steps, key))
    if node is not None:
        if not _inline(source, node):
            raise CannotEdit
        return node.start, node.end, spelled(source, value)
    holder, anchor = _anchor(source, steps)
    text, word = source.text.text, spelled(source, value)
    if source.syntax == "json" or _flow(source, holder):
        return anchor.end, anchor.end, f"{_comma(text, holder)}{_key(source, key)}{_colon(source, anchor)}{word}"
    line = text.rfind("\n", 0, anchor.key) + 1
    indent = " " * (anchor.key - line) if source.syntax == "yaml" else text[line : anchor.key]
    at, end = _line_end(text, anchor.end)
    return at, at, f"{end}{indent}{_key(source, key)}{' = ' if source.syntax == 'toml' else ': '}{word}"


def append(source: Source, steps: Steps, values: Sequence[object]) -> Edit:
    """The edit that puts these behind the items of a list; of a single value it makes a list."""
    node = _known(source, steps)
    words = [spelled(source, value) for value in values]
    if not isinstance(node.children, list):
        return node.start, node.end, f"[{', '.join([source.text.text[node.start : node.end], *words])}]"
    if source.syntax == "json" or (node.children and _flow(source, node)):
        return listed(source, steps, range(len(node.children)), words)
    if not node.children:
        return node.start, node.end, f"[{', '.join(words)}]"
    text, last = source.text.text, node.children[-1]
    line = text.rfind("\n", 0, last.start) + 1
    dash = text.index("-", line)
    at, end = _line_end(text, _end(source, last))
    return at, at, "".join(f"{end}{' ' * (dash - line)}- {word}" for word in words)


def keep(source: Source, steps: Steps, places: Collection[int]) -> list[Edit]:
    """The edits that leave only these items of a list, by their places; a single value counts as one item."""
    node = _known(source, steps)
    text = source.text.text
    if not isinstance(node.children, list):
        return [] if places else [(node.start, node.end, "[]")]
    kept = [i for i in range(len(node.children)) if i in places]
    if len(kept) == len(node.children):
        return []
    if source.syntax == "json" or _flow(source, node):
        return [listed(source, steps, kept, ())]
    if not kept:
        colon = text.index(":", node.key)
        return [(colon + 1, len(text[: _end(source, node)].rstrip()), " []")]
    edits: list[Edit] = []
    for i, item in enumerate(node.children):
        if i not in places:
            start = text.rfind("\n", 0, item.start)
            if start < 0 or text[start : item.start].strip() != "-":
                raise CannotEdit
            edits.append((start - (text[start - 1] == "\r"), _line_end(text, _end(source, item))[0], ""))
    return edits


def region(source: Source, steps: Steps) -> tuple[int, int, str]:
    """From where to where an item of a list stands, with all that belongs to it, and what goes between two of them."""
    node = _known(source, steps)
    holder = _known(source, steps[:-1])
    text = source.text.text
    if not isinstance(holder.children, list):
        raise CannotEdit
    if source.syntax == "json" or _flow(source, holder):
        place = holder.children.index(node)
        if len(holder.children) > 1:
            first = max(0, place - 1)
            return node.start, node.end, text[holder.children[first].end : holder.children[first + 1].start]
        space = text[holder.start + 1 : node.start]
        return node.start, node.end, f",{space or ' '}"
    start = text.rfind("\n", 0, node.start) + 1
    at, end = _line_end(text, _end(source, node))
    return start, at, end * 2 if source.syntax == "toml" else end


def _known(source: Source, steps: Steps) -> Node:
    node = source.node(steps)
    if node is None or (source.syntax == "yaml" and source.text.text[node.start : node.start + 1] in ("&", "*", "!")):
        raise CannotEdit
    return node


def _flow(source: Source, node: Node) -> bool:
    """Whether it stands within brackets; a table of TOML that has a head does not."""
    return node.end > node.start and source.text.text[node.start] in "[{"


def _inline(source: Source, node: Node) -> bool:
    """Whether it is a value that ends where it says, on the line where it begins."""
    return "\n" not in source.text.text[node.start : node.end] and node.end > node.start


def _anchor(source: Source, steps: Steps) -> tuple[Node, Node]:
    """The mapping, and the member behind which a new one is put."""
    holder = _known(source, steps)
    if not isinstance(holder.children, dict):
        raise CannotEdit
    for key in (*_ANCHORS, *holder.children):
        node = holder.children.get(key)
        if node is not None and node.children is None and _inline(source, node) and node.key >= holder.start:
            return holder, node
    raise CannotEdit


def _comma(text: str, holder: Node) -> str:
    """What stands between two members of a mapping."""
    members = list(holder.children.values()) if isinstance(holder.children, dict) else []
    if len(members) > 1 and _GAP.fullmatch(gap := text[members[0].end : members[1].key]):
        return gap
    space = re.search(r"\s*\Z", text[holder.start + 1 : members[0].key])
    return f",{space[0] if space and space[0] else ' '}"


def _key(source: Source, key: str) -> str:
    return json.dumps(key) if source.syntax == "json" else key


def _colon(source: Source, anchor: Node) -> str:
    if source.syntax != "json":
        return " = " if source.syntax == "toml" else ": "
    found = re.compile(r'"(?:[^"\\]|\\.)*"(\s*:\s*)').match(source.text.text, anchor.key)
    return found[1] if found else ": "


def _line_end(text: str, at: int) -> tuple[int, str]:
    """Where the line of an offset ends, and what ends a line there."""
    newline = text.find("\n", at)
    crlf = text.find("\r\n", 0) >= 0
    if newline < 0:
        return len(text), "\r\n" if crlf else "\n"
    return (newline - 1, "\r\n") if newline and text[newline - 1] == "\r" else (newline, "\n")


def _end(source: Source, node: Node) -> int:
    """Where the last thing in it ends, without the blanks behind it."""
    children = list(node.children.values()) if isinstance(node.children, dict) else node.children or []
    end = max((_end(source, child) for child in children), default=node.end)
    if children and _flow(source, node) and source.syntax != "toml":
        end = node.end
    return len(source.text.text[: max(end, node.start)].rstrip()) if end > node.start else node.end
