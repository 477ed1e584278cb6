"""What runs of a plan have done and nobody has approved yet."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from stretto.cli.earlier import runs_of
from stretto.cli.place import View, runs_here
from stretto.cli.scaffold_folder import Opened
from stretto.cli.scaffold_telling import tasks_of
from stretto.core.state import TaskRecord
from stretto.errors import StrettoError
from stretto.model.plan import Value


class Evidence(Value, frozen=True, kw_only=True):
    """Why somebody may approve an achievement."""

    run: str
    lines: tuple[str, ...]


def evidence(opened: Opened) -> Mapping[str, Evidence]:
    """By achievement: every task of it has landed in a run, after the last FIX of it."""
    found: dict[str, Evidence] = {}
    views: list[View] = []
    with contextlib.suppress(StrettoError):  # no repository, or none that can be read: nothing is known of runs
        views = runs_of(runs_here(), Path(os.path.realpath(opened.file)), new=True)
    landed: dict[str, tuple[View, TaskRecord]] = {}
    for seen in views:
        if not seen.state.abandoned:
            landed |= {record.id: (seen, record) for record in seen.state.tasks if record.landed}
    for one in opened.progress.open:
        tasks = tasks_of(opened, [one.id])
        fixed_s = max(
            (paper.touched_s for paper in opened.look.papers[one.id] if paper.paper.step == "failed"), default=0.0
        )
        if tasks and all(task in landed and landed[task][1].since > fixed_s for task in tasks):
            records = [landed[task] for task in tasks]
            lines = [_line(seen, record) for seen, record in records]
            found[one.id] = Evidence(run=records[-1][0].home.run, lines=tuple(lines))
    return found


def _line(seen: View, record: TaskRecord) -> str:
    commit = f" as {record.landed[:12]}" if record.landed and len(record.landed) >= 40 else ""
    checks = [check.command for check in record.task.verify if check.kind == "command"]
    green = f"; green: {', '.join(f'`{command}`' for command in checks)}" if checks else ""
    return f"- {record.id}: landed{commit} in run {seen.home.run}{green}"
