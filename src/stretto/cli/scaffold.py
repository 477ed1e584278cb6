"""`stretto scaffold`: verbs of recipes that write documents; each has a file of its own, and its row here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import typer

from stretto.cli import scaffold_approve, scaffold_menu, scaffold_pages, scaffold_progress, scaffold_subplans

app = typer.Typer(
    name="scaffold",
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Write documents from a folder of documents, many at once.",
)
_VERBS: Sequence[Callable[..., Any]] = (
    scaffold_pages.pages,
    scaffold_subplans.subplans,
    scaffold_subplans.executions,
    scaffold_subplans.fill,
    scaffold_approve.approve,
    scaffold_progress.next,
    scaffold_progress.status,
    scaffold_menu.menu,
)
for _verb in _VERBS:
    app.command(_verb.__name__)(_verb)
