"""Which syntax a plan file is written in; its content decides, never its name."""

from __future__ import annotations

import re

from stretto.errors import PlanError
from stretto.formats.syntax import front_matter, json_lines, json_text, markdown_text, toml_text, yaml_text
from stretto.formats.syntax.source import Source, Text, decode

_FIRST = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*")
"""Blank and comment lines, up to the first line that says something."""
_TABLE = re.compile(r"""\[\[?[ \t]*[\w"'][\w."' \t-]*\]?\][ \t]*(?:#[^\n]*)?\r?$""", re.MULTILINE)
_PAIR = re.compile(r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')(?:[ \t]*\.[ \t]*[\w"'-]+)*[ \t]*=""")


def parse(file: str, data: bytes) -> Source:
    """The values of a plan file and their places. Raises PlanError for what is no JSON, YAML, TOML or task list."""
    text = decode(file, data)
    first = _FIRST.match(text.text)
    at = first.end() if first else 0
    try:
        found = _structured(text, data, at)
    except PlanError:
        # A badge, a link or a sentence at the top may look like something else, and so may keys before a document.
        if markdown_text.has_boxes(text) or front_matter.has_front_matter(text.text):
            return markdown_text.parse(text, data)
        raise
    # A check box is no YAML, except within some text; and a document that is one text as a whole is no plan.
    return (
        found if isinstance(found.tree, dict) or not markdown_text.has_boxes(text) else markdown_text.parse(text, data)
    )


def _structured(text: Text, data: bytes, at: int) -> Source:
    """JSON, JSON Lines, YAML or TOML; `at`: where the first line that says something begins."""
    if _TABLE.match(text.text, at) or _PAIR.match(text.text, at):
        return toml_text.parse(text, data)
    if text.text.startswith("{", at) and json_lines.is_json_lines(text):
        return json_lines.parse(text, data)
    if text.text.startswith(("{", "[", "//", "/*"), at):
        return json_text.parse(text, data)
    return yaml_text.parse(text, data)
