"""Words put into a JSON file in its own spacing, with every other byte as it was."""

from __future__ import annotations

import re

from stretto.formats.syntax.source import Edit, Source, Steps

_KEY = re.compile(r'"(?:[^"\\]|\\.)*"')


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
