"""Papers that an agent writes: a run in the folder itself, with one task for each of them."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from stretto.cli import begin, front, terminal
from stretto.cli.scaffold_batch import MEANWHILE, Done, How
from stretto.cli.scaffold_folder import Opened
from stretto.cli.showing import Lines
from stretto.config.layers import flags
from stretto.core.state import State
from stretto.engine.home import RunHome
from stretto.formats.load import Loaded
from stretto.recipes.subplans.batch import Item, Note
from stretto.recipes.subplans.folder import text_of
from stretto.recipes.subplans.placeholder import is_placeholder
from stretto.recipes.subplans.plan import plan_of, task_id
from stretto.recipes.subplans.writing import Writing

ASIDE = "taken-back"
"""Folder of a run that has the papers that were taken back: some of them may be somebody's own."""


def by_agent(opened: Opened, items: Sequence[Item], writing: Writing, how: How, *, over: bool) -> Done:
    """Run it to its end, and judge every paper. Raises ConfigError, PlanError, RepositoryError and StateError."""
    there = [] if over else [item for item in items if os.path.lexists(opened.home / item.path)]
    skipped = tuple(Note(id=item.id, path=item.path, message=MEANWHILE) for item in there)
    items = [item for item in items if item not in there]
    if not items:
        return Done(skipped=skipped)
    before = {item.path: (opened.home / item.path).read_bytes() if over else None for item in items}
    for item in items:
        writing.make_folder(item.path)
    plan = plan_of(opened.progress, items, fill=over)
    wanted = begin.Wanted(
        plan=str(opened.home),
        opened=Loaded(plan=plan, places={}, findings=(), keeper=None, data=b""),
        flags=flags({"parallel": how.jobs, "agent": how.agent}),
        ignore_status=True,
        interactive=terminal.is_interactive(),
        json=how.json,
    )
    home = begin.create(begin.prepare(wanted))
    writing.aside = home.path / ASIDE
    code, state = _run(home, json=how.json)
    if code in (None, 4, 130) or state is None or state.ended not in ("succeeded", "failed"):
        return replace(_unfinished(opened, items, home, code, writing, before), skipped=skipped)
    errors = []
    reasons: dict[str, str] = {
        record.id: record.reason or record.state for record in state.tasks if record.state != "succeeded"
    }
    for item in items:
        why = reasons.get(task_id(item), "")
        _note(opened, item, writing, before[item.path])
        if not _is_written(opened, item):
            why = why or "it is a placeholder still"
        if why:
            errors.append(Note(id=item.id, path=item.path, message=why))
    return Done(skipped=skipped, errors=tuple(errors), home=home)


def _note(opened: Opened, item: Item, writing: Writing, was: bytes | None) -> None:
    """That the agent has written it; a placeholder that it has removed is brought back."""
    path = opened.home / item.path
    if not path.is_file():
        if was is not None:
            writing.bring_back(item.path, was)
    elif path.read_bytes() != was:
        writing.note(item.path, was)


def _run(home: RunHome, *, json: bool) -> tuple[int | None, State | None]:
    seen: list[State] = []

    def note(state: State) -> None:
        seen[:] = [state]

    shows = contextlib.nullcontext(Lines(0, sys.stderr)) if json else None
    return front.follow(home, json=json, shows=shows, tell=note), seen[0] if seen else None


def _unfinished(
    opened: Opened,
    items: Sequence[Item],
    home: RunHome,
    code: int | None,
    writing: Writing,
    before: Mapping[str, bytes | None],
) -> Done:
    """It waits for a limit, or a person, or goes on without us: what there is stays."""
    left = [item for item in items if not _is_written(opened, item)]
    for item in items:
        if item not in left:
            writing.note(item.path, before[item.path])
    message = f"not written yet: stretto resume {home.run}" if code is not None else f"{home.run} goes on with it"
    if not home.path.exists():
        message = "not written: its run could not begin"
    return Done(
        errors=tuple(Note(id=item.id, path=item.path, message=message) for item in left), unfinished=code or 0
    )  # fmt: skip


def _is_written(opened: Opened, item: Item) -> bool:
    path = opened.home / item.path
    return path.is_file() and not is_placeholder(text_of(path))
