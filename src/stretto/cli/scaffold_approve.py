"""`stretto scaffold approve`: APPROVED papers for what a run has done, or what a person has looked at."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from stretto.cli.options import Json

if TYPE_CHECKING:
    from stretto.cli.scaffold_batch import How
    from stretto.cli.scaffold_folder import Opened


def approve(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="The folder of a parallel.json.")],
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID…]", help="Achievements that you have looked at; default: what a run has done."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be approved, and stop there.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: Json = False,
) -> int:
    """Approve achievements: those that a run has landed, or those that you name."""
    from stretto.cli.scaffold_batch import How
    from stretto.cli.scaffold_folder import opened

    return approved(opened(folder, sound=True), ids or (), How(dry_run=dry_run, yes=yes, json=json))


def approved(opened: Opened, ids: Sequence[str], how: How) -> int:
    """Preview, ask, write; the exit code. Raises ConfigError for an id that cannot be approved."""
    import time

    from stretto.cli import terminal
    from stretto.cli.scaffold_batch import carry_out, end, one_by_one, planned
    from stretto.cli.scaffold_evidence import evidence
    from stretto.model.papers import approval_path
    from stretto.observe.paint import count
    from stretto.recipes.subplans.batch import Item
    from stretto.recipes.subplans.template import approval_text
    from stretto.recipes.subplans.writing import Writing

    proofs = evidence(opened)
    chosen = tuple(dict.fromkeys(ids)) or tuple(proofs)
    _must_be_approvable(opened, chosen, proofs)
    who, today = terminal.user(), time.strftime("%Y-%m-%d")
    items = [Item(id=id, path=approval_path(opened.progress.keys.new(id)), kind="executions") for id in chosen]
    result = planned(opened, "approve", [item.path for item in items], how)
    for id in chosen:
        title = opened.progress.by_id[id].achievement.title
        why = f"landed in run {proofs[id].run}" if id in proofs else "your word"
        terminal.say(f"{id} {title}: {why}", json=how.json)
    if not chosen:
        told = "no run has done anything that is not approved; name what you have looked at, to approve it"
        return end(result, how, told=told)

    def write(writing: Writing, item: Item) -> bool:
        told = "\n".join(proofs[item.id].lines) if item.id in proofs else f"{who or 'Somebody'} has looked at it."
        one = opened.progress.by_id[item.id]
        return writing.create(item.path, approval_text(opened.progress, one, evidence=told, who=who, today=today))

    question = f"Approve {count(len(chosen), 'achievement')}?"
    return carry_out(
        opened,
        result,
        how,
        question,
        lambda writing: one_by_one(items, how, lambda item: write(writing, item)),
    )


def _must_be_approvable(opened: Opened, ids: Sequence[str], proofs: Collection[str]) -> None:
    """Raises ConfigError: it is not there, it is settled, or there is nothing to look at."""
    from stretto.errors import ConfigError
    from stretto.model.names import meant

    for id in ids:
        one = opened.progress.by_id.get(id)
        if one is None:
            close = meant(id, list(opened.progress.by_id))
            there = f"there are {', '.join(opened.progress.by_id)}"
            hint = f"did you mean {close}?" if close else there
            raise ConfigError(f"there is no achievement {id!r} in {opened.plan.name}", hint=hint)
        if one.is_settled:
            raise ConfigError(f"{id} is {one.status} already", hint="leave it out")
        if id not in proofs and not one.executions:
            hint = f"stretto scaffold executions {opened.folder}"
            raise ConfigError(
                f"{id} has no EXECUTION_TASK, and no run has done it: nobody could have looked", hint=hint
            )
