"""Rules about what tasks say they will touch."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from stretto.analysis.conflicts import conflicts
from stretto.analysis.globs import normalize
from stretto.analysis.subject import Severity, Subject, finding
from stretto.analysis.wording import counted, listed, quoted
from stretto.model.plan import Finding

_MOST = 200
_HOW_TO_NAME = {
    "task-master": "list the files in `relevantFiles`",
    "parallel-json": "this format has no place for files; `stretto convert` writes the plan in one that has",
}
"""Where a format has its own word for files, or none."""
"""So many overlaps are told one by one; the rest in one finding."""


def claims(subject: Subject) -> Iterator[Finding]:
    """Claims and promised artifacts that cannot lie in the repository (R2.3a)."""
    for task in subject.plan.tasks:
        for field, patterns in (("writes", task.writes), ("artifacts", task.artifacts)):
            for k, pattern in enumerate(patterns or ()):
                try:
                    normalize(pattern)
                except ValueError as reason:
                    yield finding(
                        "claim-outside",
                        f"{quoted(pattern)} in `{field}` of task {quoted(task.id)} {reason}",
                        subject.place(f"task:{task.id}", field, k),
                        hint="write a path or glob relative to the top of the repository, such as `src/**`",
                        tasks=(task.id,),
                    )


def overlaps(subject: Subject) -> Iterator[Finding]:
    """Tasks that could be active at once and may touch the same path (R2.1, R2.5)."""
    match subject.settings.conflicts:
        case "refuse":
            severity: Severity = "error"
            outcome = "and overlaps are refused"
        case "allow":
            last = "whoever writes last counts" if subject.in_place else "whoever lands last merges"
            severity, outcome = "warning", f"and may run at once: {last}"
        case _:
            severity, outcome = "warning", "so they take turns"
    grouped: dict[str, list[tuple[str, ...]]] = {}
    for conflict in conflicts(subject.plan, subject.graph):
        grouped.setdefault(conflict.path, []).append(conflict.tasks)
    found = [(path, tuple(dict.fromkeys(chain.from_iterable(sets))), len(sets)) for path, sets in grouped.items()]
    hint = "let one depend on the other, or split the file"
    if subject.own_format and not subject.in_place:  # where there is no landing nothing merges hot files
        hint = "let one depend on the other, split the file, or list it in `hot_files`"
    for path, tasks, sets in found[:_MOST]:
        unordered = "no dependency orders them" if sets == 1 else "no dependency orders all of them"
        yield finding(
            "overlap",
            f"{quoted(path)} is touched by {listed(tasks)}; {unordered}, {outcome}",
            subject.claim_place(path, tasks),
            hint=hint,
            tasks=tasks,
            severity=severity,
        )
    if rest := found[_MOST:]:
        tasks = tuple(dict.fromkeys(task for _, touching, _ in rest for task in touching))
        yield finding(
            "overlap",
            f"{counted(len(rest), 'more path')} like that, touched by {counted(len(tasks), 'task')}, {outcome}",
            subject.place("plan"),
            hint=hint,
            tasks=tasks,
            severity=severity,
        )


def unknown_scope(subject: Subject) -> Iterator[Finding]:
    """Tasks that do not say what they write: unknown, not nothing (R2.4)."""
    phases = {task.phase for task in subject.left}
    silent = tuple(task.id for task in subject.left if task.writes is None and not phases.issubset(task.conflicts_with))
    if not silent or len(subject.left) < 2 or subject.settings.conflicts == "allow":
        return
    alone = subject.settings.conflicts == "serialize-unknown" or subject.in_place
    unsaid, alone_word = (
        ("does not say which files it writes", "runs alone")
        if len(set(silent)) == 1
        else ("do not say which files they write", "run alone")
    )
    how = _HOW_TO_NAME.get(subject.plan.format, "name the files")
    yield finding(
        "unknown-scope",
        f"{listed(silent)} {unsaid}, and {alone_word if alone else 'may run beside any other task: landing decides'}",
        subject.place(f"task:{silent[0]}"),
        hint=f"{how}, so that tasks that touch the same ones take turns",
        tasks=silent,
    )
