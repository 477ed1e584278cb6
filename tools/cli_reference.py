"""Writes docs/cli.md from the command line itself: every command, argument and option, as `--help` would say it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from stretto.cli.main import app

PAGE = Path(__file__).resolve().parent.parent / "docs" / "cli.md"
INTRODUCTION = """\
# Command line

Made by `make docs` from the program itself; do not edit. What the exit codes mean stands in the
[README](../README.md#exit-codes).
"""


def render() -> str:
    """The whole page."""
    root = typer.main.get_command(app)
    return "\n".join([INTRODUCTION, *sections(root, "stretto", None)])


def sections(command: Any, path: str, parent: typer.Context | None) -> Iterator[str]:
    """One section a command, its subcommands after it, in the order of `--help`; what is hidden there is left out."""
    context = typer.Context(command, info_name=path.rpartition(" ")[2], parent=parent)
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    yield f"## {path}\n\n{prose(command.help or '')}\n\n```text\n{usage}\n```\n"
    records = [p.get_help_record(context) for p in command.get_params(context) if p.name != "help"]
    if rows := [f"| `{cell(record[0])}` | {cell(record[1])} |" for record in records if record is not None]:
        yield "\n".join(["| | |", "| --- | --- |", *rows, ""])
    for name, child in getattr(command, "commands", {}).items():
        if not child.hidden:
            yield from sections(child, f"{path} {name}", context)


def prose(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().replace("\b\n", "").splitlines())


def cell(text: str) -> str:
    """Text for one cell of a table: a single line, without what the table would take for its own."""
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(render())
