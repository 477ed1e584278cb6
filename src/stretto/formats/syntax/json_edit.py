"""Words put into a JSON file in its own spacing, with every other byte as it was."""

from __future__ import annotations

import re
from collections.abc import Sequence

from stretto.formats.syntax.source import Edit, Node, Source, Steps

_KEY = re.compile(r'"(?:[^"\\]|\\.)*"')
_BLANKS = re.compile(r"[ \t]*")


def put(source: Source, steps: Steps, key: str, word: str) -> Edit:
    """The edit that makes `key` of a mapping a word; where it is not there, it becomes the last one."""
    node = source.node((*steps, key))
    if node is not None:
        return node.start, node.end, f'"{word}"'
    holder = source.node(steps)
    assert holder is not None and isinstance(holder.children, dict)
    text, members = source.text.text, list(holder.children.values())
    last = members[-1]
    gap = text[members[-2].end : last.key] if len(members) > 1 else "," + text[holder.start + 1 : last.key]
    name = _KEY.match(text, last.key)
    colon = text[name.end() : last.start] if name else ": "
    return last.end, last.end, f'{gap}"{key}"{colon}"{word}"'


def listed(source: Source, steps: Steps, keep: Sequence[int], add: Sequence[str]) -> Edit:
    """The edit that keeps these items of a list, by their rising places, and puts JSON texts behind them."""
    node = source.node(steps)
    assert node is not None and isinstance(node.children, list)
    text, items = source.text.text, node.children
    if not items:
        before, between, after = _spacing(source, node)
    else:
        before, after = text[node.start + 1 : items[0].start], text[items[-1].end : node.end - 1]
        between = text[items[-2].end : items[-1].start] if len(items) > 1 else _comma(text, node, before)
    if items and len(keep) == len(items):
        return items[-1].end, items[-1].end, "".join(between + new for new in add)
    parts = [*(text[items[i].start : items[i].end] for i in keep), *add]
    return node.start, node.end, f"[{before}{between.join(parts)}{after}]" if parts else "[]"


def _comma(text: str, node: Node, before: str) -> str:
    """What stands between items, where no two show it."""
    if "\n" in before:
        return "," + before
    return ", " if text[max(0, node.start - 1)].isspace() else ","


def _spacing(source: Source, node: Node) -> tuple[str, str, str]:
    """What stands before, between and behind the items of an empty list: as in the first other list of the file."""
    text = source.text.text
    front, example = [source.root], None
    while front and example is None:
        at = front.pop()
        children = list(at.children.values() if isinstance(at.children, dict) else at.children or ())
        if isinstance(at.children, list) and children and not any(child.children for child in children):
            example = at
        front += reversed(children)
    if example is None or not isinstance(example.children, list):
        return "", _comma(text, node, ""), ""
    items = example.children
    before, after = text[example.start + 1 : items[0].start], text[items[-1].end : example.end - 1]
    between = text[items[0].end : items[1].start] if len(items) > 1 else _comma(text, example, before)
    if "\n" not in before:
        return before, between, after
    end, step = before.rpartition("\n")[0] + "\n", before.rpartition("\n")[2]
    own, outer = _indent(text, node.start), _indent(text, example.start)
    inner = end + own + step.removeprefix(outer)
    return inner, "," + inner, end + own


def _indent(text: str, offset: int) -> str:
    """The blanks that the line of an offset begins with."""
    start = text.rfind("\n", 0, offset) + 1
    found = _BLANKS.match(text, start)
    return found[0] if found else ""
