"""A plan and everything that is to be said of it where it lies: of the whole, and of the tasks that are to be done."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from stretto import wiring
from stretto.analysis import lint_scope
from stretto.analysis.lint import in_file_order, lint
from stretto.cli.opening import open_plan, own_folder
from stretto.cli.texts import template_findings
from stretto.errors import ConfigError, NotSupportedYet, PlanError, StrettoError
from stretto.formats.load import Loaded
from stretto.model.names import meant
from stretto.model.plan import Finding, Plan, Task
from stretto.model.run import RunSettings
from stretto.observe.paint import count
from stretto.observe.words import on_plan

OVERLAP = "overlap"
"""The code of findings that hang on which tasks are to be done."""


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """A large plan is a million objects that stay: the collector would walk them in vain, again and again."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@_uncollected()
def examine(
    plan: str,
    settings: RunSettings,
    goes_by_prompt: Callable[[Plan], Callable[[Task], bool]] = lambda plan: lambda task: True,
    *,
    opened: Loaded | None = None,
) -> tuple[Loaded, tuple[Finding, ...]]:
    """The plan and every finding, also of one that may not run. Raises PlanError for one that cannot be read.

    `opened`: what has been made of it already, by somebody who was told more than its name."""
    loaded, folder = opened or open_plan(plan), own_folder(plan)
    if settings.isolation == "worktree" and loaded.plan.isolation is not None:
        settings = replace(settings, isolation=loaded.plan.isolation)

    def exists(name: str) -> bool:
        return (folder / name).is_file()

    present, tracked = asyncio.run(_ground(loaded.plan))
    found = lint(
        loaded.plan,
        loaded.places,
        settings=settings,
        exists=exists,
        present=present,
        tracked=tracked,
        goes_by_prompt=goes_by_prompt(loaded.plan),
    )
    told = template_findings(loaded.plan, folder)
    return loaded, in_file_order((*loaded.findings, *found, *told))


async def _ground(plan: Plan) -> tuple[Callable[[str], bool], Callable[[str], bool]]:
    """Whether a path of the set-up is there to be copied, and whether git has it; outside a repository nobody knows."""
    paths = (*plan.setup.copy, *plan.setup.link)
    try:
        repository = await wiring.repository(Path.cwd(), os.environ) if paths else None
    except StrettoError:
        repository = None
    if repository is None:
        return lambda path: True, lambda path: False
    root = repository.root
    tracked = set()
    for path in plan.setup.copy:
        reply = await repository.git.run("ls-tree", "-z", "--full-tree", "HEAD", "--", path.rstrip("/"), ok=(0, 128))
        tracked |= {path} if reply.out else set()

    def present(path: str) -> bool:
        real = Path(os.path.realpath(root / path))
        return real.exists() and real.is_relative_to(root)

    return present, tracked.__contains__


def refusal(plan: str, findings: Sequence[Finding]) -> PlanError | NotSupportedYet:
    """The one message that stands for errors that have been, or can be, listed."""
    errors = [finding for finding in findings if finding.severity == "error"]
    first = errors[0]
    place = f"{first.location.file}:{first.location.line}:{first.location.column}: " if first.location else ""
    more = f" (and {count(len(errors) - 1, 'more error')})" if len(errors) > 1 else ""
    if all(finding.unsupported for finding in errors):
        return NotSupportedYet(f"{place}{first.message}{more}", hint=first.hint or on_plan("check", plan))
    hint = on_plan("check", plan) if len(errors) > 1 else first.hint
    return PlanError(f"{place}{first.message}{more}", hint=hint, findings=tuple(errors))


def of_these(
    findings: Iterable[Finding], loaded: Loaded, plan: Plan, todo: Plan, settings: RunSettings
) -> tuple[Finding, ...]:
    """What is to be said of the tasks that are to be done; `plan` has those that are done, too."""
    left = {task.id for task in todo.tasks}
    if left == {task.id for task in loaded.plan.tasks if task.status != "succeeded"}:
        return tuple(findings)
    tasks = (replace(task, status="pending" if task.id in left else "succeeded") for task in plan.tasks)
    overlaps = lint(replace(plan, tasks=tuple(tasks)), loaded.places, settings=settings, rules=(lint_scope.overlaps,))
    others = (one for one in findings if one.code != OVERLAP and (not one.tasks or left.intersection(one.tasks)))
    return in_file_order((*others, *overlaps))


def set_aside(loaded: Loaded) -> Mapping[str, Finding]:
    """Why tasks that the file has are no part of the plan, by id."""
    return {id: one for one in loaded.findings if one.code == "set-aside" for id in one.tasks}


def must_have(loaded: Loaded, task: str, file: str) -> None:
    """Raises ConfigError for a task that the plan does not have."""
    plan = loaded.plan
    ids = [one.id for one in plan.tasks]
    if task not in ids:
        if (why := set_aside(loaded).get(task)) is not None:
            raise ConfigError(f"task {task!r} is set aside: {why.message}", hint=why.hint)
        close = meant(task, ids)
        hint = f"did you mean {close}?" if close else on_plan("show", file)
        a_phase = "; that is a phase" if any(phase.id == task for phase in plan.phases) else ""
        raise ConfigError(f"there is no task {task!r} in {file}{a_phase}", hint=hint)
