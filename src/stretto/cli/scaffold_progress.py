"""`stretto scaffold status` and `next`: how far a folder is, and what to do, in words and as a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from stretto.cli.options import Json, chosen_format
from stretto.cli.scaffold_subplans import FolderArgument

if TYPE_CHECKING:
    from stretto.cli.scaffold_folder import Opened
    from stretto.recipes.subplans.advice import Advice
    from stretto.recipes.subplans.batch import Item


FORMATS = ("table", "json")


def status(
    folder: FolderArgument,
    format: Annotated[
        str | None, typer.Option("--format", metavar="|".join(FORMATS), help="How to print it: as a table, or as JSON.")
    ] = None,
    json: Json = False,
) -> int:
    """Say how far every achievement is, by the papers in the folder, and what to do next."""
    import sys

    import msgspec

    from stretto.cli import terminal
    from stretto.cli.scaffold_folder import opened
    from stretto.cli.scaffold_telling import command, headline, state_lines, status_json, status_lines

    shape = chosen_format(format, json, FORMATS)
    found = opened(folder)
    told = advised(found)
    if shape == "json":
        print(msgspec.json.format(msgspec.json.encode(status_json(found, told))).decode())
        return 0
    print(headline(found.progress))
    width = terminal.width(sys.stdout) or terminal.WIDTH
    for text in status_lines(found.progress, terminal.paint(sys.stdout), width):
        print(text)
    for text in state_lines(found.progress, told):
        terminal.say(text)
    if how := command(told, found):
        terminal.commands(how)
    return 0


def advised(opened: Opened) -> Advice:
    """What to do next, with what runs have done in mind."""
    from stretto.cli.scaffold_evidence import evidence
    from stretto.recipes.subplans.advice import advice

    return advice(opened.progress, evidence(opened))


def next(folder: FolderArgument) -> int:
    """Print the prompt for the next step, for an agent or a person."""
    import sys

    from stretto.cli.scaffold_folder import opened

    found = opened(folder)
    text, about = next_prompt(found)
    print(about, file=sys.stderr)
    if text:
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()
    return 0


def next_prompt(opened: Opened) -> tuple[str, str]:
    """(the prompt, empty where nobody has to do anything; what it is about)."""
    from stretto.cli.scaffold_telling import advice_line, command, tasks_of
    from stretto.recipes.subplans import batch as batches
    from stretto.recipes.subplans.prompt import working_prompt, writing_prompt

    told, progress = advised(opened), opened.progress
    about = f"{told.action}: {told.ids[0]}" if told.ids else advice_line(told)
    if len(told.ids) > 1 and (how := command(told, opened)):
        about += f" (all of {', '.join(told.ids)}: {how})"
    match told.action:
        case "complete" | "blocked" | "approve":
            return "", ": ".join(filter(None, (advice_line(told), command(told, opened))))
        case "fill":
            item = _first(batches.hollow(progress), told.ids)
            return writing_prompt(progress, item, fill=True), about
        case "execute" | "execute_parallel":
            tasks = {task.id: task.prompt for task in opened.loaded.plan.tasks}
            prompts = [tasks[id] for id in tasks_of(opened, told.ids[:1])]
            return "\n".join(working_prompt(progress, progress.by_id[told.ids[0]], each) for each in prompts), about
        case _:
            kind: batches.Kind = "subplans" if told.action.endswith("subplan") else "executions"
            level = progress.by_id[told.ids[0]].level
            return writing_prompt(progress, _first(batches.batch(progress, kind, level).make, told.ids)), about


def _first(items: Sequence[Item], ids: Sequence[str]) -> Item:
    """The first paper of the first of these achievements that has one."""
    return min((item for item in items if item.id in ids), key=lambda item: ids.index(item.id))
