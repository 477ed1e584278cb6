"""JSON Lines with places: one JSON value a line, each read by the JSON reader."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from stretto.errors import PlanError
from stretto.formats.syntax import json_text
from stretto.formats.syntax.source import MAX_FINDINGS, Node, Source, Text, plan_error
from stretto.model.plan import Finding

_BREAK = re.compile(r"\r\n|\r|\n")
_LINE = re.compile(r"[^\r\n]+")
_WHOLE = re.compile(r"""^\{[ \t]*".*\}[ \t]*\r?$""", re.MULTILINE)
_FIRST = re.compile(r"""\s*\{[ \t]*"[^\r\n]*\}[ \t]*[\r\n]++\s*+\{""")


def is_json_lines(text: Text) -> bool:
    """Whether objects stand on lines of their own: the first one and another below it, or two that are whole."""
    whole = _WHOLE.finditer(text.text)
    return _FIRST.match(text.text) is not None or (next(whole, None) and next(whole, None)) is not None


def parse(text: Text, data: bytes) -> Source:
    """A list of the values. Raises PlanError with the mistakes of all lines."""
    values: list[object] = []
    problems: list[Finding] = []
    for number, _, line in _lines(text.text):
        try:
            values.append(json_text.parse(Text(text.file, line), b"").tree)
        except PlanError as error:
            problems += (_moved(found, number) for found in error.findings)
            if len(problems) >= MAX_FINDINGS:
                break
    if problems:
        raise plan_error(text.file, problems)
    return Source(text, data, "json-lines", values, _index)


def _moved(found: Finding, line: int) -> Finding:
    """What is wrong with one line, told of the file."""
    words = found.message.replace("the file ends", "the line ends").replace(" in line 1, ", f" in line {line}, ")
    return replace(found, message=words, location=found.location and replace(found.location, line=line))


def _index(text: Text) -> Node:
    return Node(0, len(text.text), children=[json_text.index(text, start) for _, start, _ in _lines(text.text)])


def _lines(text: str) -> Iterator[tuple[int, int, str]]:
    """Number, offset and words of each line that has any."""
    number, counted = 1, 0
    for found in _LINE.finditer(text):
        if found[0].strip():
            number += len(_BREAK.findall(text, counted, found.start()))
            counted = found.start()
            yield number, found.start(), found[0]
