"""Rules about what a plan leaves unsaid: what an agent is to go by, and how long a task may take."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from stretto.analysis.subject import Subject, finding
from stretto.analysis.wording import counted, listed, quoted, shown, spoken
from stretto.model.plan import Finding, Task

_WORDS, _BYTES = 5, 32
"""A prompt of no more than that is a title. Bytes, because a word of Chinese or Japanese has no spaces around it."""
_SHOWN = 3
_HABIT = 3
"""So many estimates make it a habit to give one."""


def bare(subject: Subject) -> Iterator[Finding]:
    """Tasks of which an agent learns no more than a title."""
    if subject.plan.prompt_template is not None:
        return  # it may say the rest
    if subject.plan.format == "parallel-json":
        return  # its reader knows better where more of a task might stand
    titled = not subject.own_format  # there a title is no prompt, which is an error of its own
    found = [task for task in subject.left if _is_bare(task, titled) and subject.goes_by_prompt(task)]
    if not found:
        return
    told = ", ".join(f"{quoted(task.id)} ({shown(_said(task, titled))})" for task in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
    yield finding(
        "bare-task",
        f"{counted(len(found), 'task')} {'is' if len(found) == 1 else 'are'} no more than a title, without files,"
        f" checks or context: {told}{more}",
        subject.place(f"task:{found[0].id}"),
        hint="say what is to be different afterwards, in which files, and how to see that it works",
        tasks=tuple(task.id for task in found),
    )


def _is_bare(task: Task, titled: bool) -> bool:
    if len(task.prompt) > 500 or task.writes or task.verify or task.context or task.artifacts or task.prompt_file:
        return False
    said = _said(task, titled)
    return 0 < len(said.encode("utf-8", "replace")) <= _BYTES and len(said.split()) <= _WORDS


def _said(task: Task, titled: bool) -> str:
    """The words of a task without the headings that a reader puts over them; where there are none, its title."""
    lines = (line.strip() for line in task.prompt.splitlines())
    said = " ".join(line for line in lines if line and not line.startswith("#"))
    return said or (task.title.strip() if titled else "")


def estimates(subject: Subject) -> Iterator[Finding]:
    """Tasks without an estimate, where most have one."""
    silent = [task for task in subject.left if task.estimate_s is None]
    have = len(subject.left) - len(silent)
    if not silent or have < _HABIT or len(silent) * 2 > have:
        return
    ids = tuple(task.id for task in silent)
    usual_s = median(task.estimate_s for task in subject.left if task.estimate_s is not None)
    yield finding(
        "missing-estimate",
        f"{listed(ids, _SHOWN)} {'has' if len(ids) == 1 else 'have'} no estimate, so"
        f" {spoken(subject.settings.estimate_s)} is assumed; the other {counted(have, 'task')} have one, half of them"
        f" {spoken(usual_s)} or more",
        subject.place(f"task:{ids[0]}"),
        hint="give them one, too: what leads to the most work is started first",
        tasks=ids,
    )
