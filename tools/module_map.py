"""Writes docs/modules.md: every module in the first sentence of its own docstring, by part, as the layers lie."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src" / "stretto"
PAGE = ROOT / "docs" / "modules.md"
INTRODUCTION = """\
# Modules

Made by `make docs` from the modules themselves; do not edit. [ARCHITECTURE.md](../ARCHITECTURE.md#where-is-) leads from
a behaviour to its module, and says what each part is; this page has all of them, in the order of the layers.
"""


def render() -> str:
    """The whole page. ValueError when a module says nothing, or the table of layers lacks a part."""
    files = {path.relative_to(SRC): path for path in sorted(SRC.rglob("*.py")) if path.stem[0] != "_"}
    parts = list(dict.fromkeys(_layers()))
    if lost := {file.parts[0].removesuffix(".py") for file in files} - set(parts):
        raise ValueError(f"not in the table of layers: {', '.join(sorted(lost))}")
    sections = [INTRODUCTION]
    for part in parts:
        rows = [
            f"| `{file}` | {sentence(path)} |"
            for file, path in files.items()
            if file.parts[0].removesuffix(".py") == part
        ]
        sections.append("\n".join([f"## {part}", "", "| module | is |", "| --- | --- |", *rows, ""]))
    return "\n".join(sections)


def _layers() -> Iterator[str]:
    """The parts, in the order in which ARCHITECTURE.md lays them."""
    table = (ROOT / "ARCHITECTURE.md").read_text().split("\n## Layers\n")[1].split("\n## ")[0]
    for row in re.findall(r"^\| (`.+?) \|", table, re.MULTILINE):
        yield from re.findall(r"`(\w+)`", row)


def sentence(path: Path) -> str:
    """The first sentence of a module, as one cell of a table."""
    told = ast.get_docstring(ast.parse(path.read_text())) or ""
    if not told:
        raise ValueError(f"{path} does not say what it is")
    paragraph = " ".join(told.split("\n\n")[0].split())
    return re.split(r"(?<=\.) (?=[A-Z])", paragraph)[0].replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(render())
