"""The texts that go with a plan's prompts: files beside it, read once, before anything starts (R8.7)."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from stretto.engine.template import examine
from stretto.errors import PlanError
from stretto.model.plan import Finding, Location, Plan, Task


def read_texts(plan: Plan, folder: Path, done: set[str]) -> tuple[Plan, dict[str, dict[str, str]]]:
    """The plan with the text of its prompt files, and {task: {name: text}} of its context files. Raises PlanError."""
    known: dict[str, str] = {}

    def text_of(task: Task, name: str) -> str:
        if name not in known:
            known[name] = _read(folder / name, f"task {task.id!r}")
        return known[name]

    tasks, context = [], {}
    for task in plan.tasks:
        if task.id not in done:
            if task.prompt_file is not None and not task.prompt:
                task = replace(task, prompt=text_of(task, task.prompt_file))
            if task.context:
                context[task.id] = {name: text_of(task, name) for name in task.context}
        tasks.append(task)
    return replace(plan, tasks=tuple(tasks)), context


def read_template(plan: Plan, folder: Path) -> str | None:
    """The plan's own template of prompts, if it names one. Raises PlanError."""
    return None if plan.prompt_template is None else _read(folder / plan.prompt_template, "`prompt_template`")


def template_findings(plan: Plan, folder: Path) -> Iterator[Finding]:
    """What is wrong with that template, with its line; that there is no such file is told by lint."""
    if plan.prompt_template is None or not (path := folder / plan.prompt_template).is_file():
        return
    try:
        trouble = examine(_read(path, "`prompt_template`"))
    except PlanError as error:
        yield Finding(code="bad-template", severity="error", message=str(error))
        return
    if trouble is not None:
        yield Finding(
            code="bad-template",
            severity="error",
            message=f"this cannot be the template of prompts: {trouble.message}",
            hint=trouble.hint,
            location=Location(file=str(path), line=trouble.line, column=1),
        )


def _read(path: Path, what: str) -> str:
    try:
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # to open a pipe waits for whoever writes to it
            raise PlanError(f"{what}: cannot read {path}: it is no regular file")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise PlanError(f"{what}: cannot read {path}: {why}") from error
