"""Rules about what a plan consists of: ids, references, prompts, files, numbers."""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain
from operator import attrgetter

from stretto.analysis.subject import Subject, finding
from stretto.analysis.wording import listed, quoted
from stretto.model.plan import Check, Finding, Task

_SUGGESTIONS = 20
"""So many unknown ids get a "did you mean"; looking for one takes time in a large plan."""
_PUNCTUATION = re.compile(r"[\W_]+")


def empty(subject: Subject) -> Iterator[Finding]:
    """A plan or a phase without tasks."""
    plan = subject.plan
    if not plan.tasks:
        yield finding("empty-plan", "this plan has no tasks", subject.place("plan"), hint="there is nothing to run")
        return
    used = {task.phase for task in plan.tasks}
    for phase in plan.phases:
        if phase.id not in used:
            yield finding(
                "empty-phase",
                f"phase {quoted(phase.id)} has no tasks",
                subject.place(f"phase:{phase.id}"),
                hint="it is done as soon as the phases it depends on are done",
            )


def odd_ids(subject: Subject) -> Iterator[Finding]:
    """Ids that nobody can type or print."""
    for kind, ids in subject.ids.items():
        for id in ids:
            if not id.strip() or not id.isprintable():
                what = "holds a character that cannot be printed" if id.strip() else "is empty"
                yield finding("odd-id", f"the id {quoted(id)} of a {kind} {what}", subject.place(f"{kind}:{id}"))


def duplicate_ids(subject: Subject) -> Iterator[Finding]:
    for kind, ids in subject.ids.items():
        if len(set(ids)) == len(ids):
            continue
        times: dict[str, int] = defaultdict(int)
        for id in ids:
            times[id] += 1
            if times[id] > 1:
                here, first = subject.place(f"{kind}:{id}#{times[id]}"), subject.place(f"{kind}:{id}")
                at = f"; the first is at {first.file}:{first.line}:{first.column}" if first and first != here else ""
                yield finding(
                    "duplicate-id",
                    f"there is more than one {kind} {quoted(id)}{at}",
                    here,
                    hint=f"give every {kind} an id of its own",
                    tasks=(id,) if kind == "task" else (),
                )


def similar_ids(subject: Subject) -> Iterator[Finding]:
    """Ids that people, file systems and branch names will take for one another."""
    for kind, ids in subject.ids.items():
        skeletons = {id: _skeleton(id) for id in ids}
        if len(set(skeletons.values())) == len(skeletons):
            continue
        groups: dict[str, list[str]] = defaultdict(list)
        for id, skeleton in skeletons.items():
            groups[skeleton].append(id)
        for group in groups.values():
            if len(group) == 1:
                continue
            stored = len({unicodedata.normalize("NFC", id) for id in group}) == 1
            yield finding(
                "similar-id",
                f"the {kind}s {listed(group)} "
                + ("are the same letters, stored differently" if stored else "differ only in case or punctuation"),
                subject.place(f"{kind}:{group[1]}"),
                hint="rename all but one of them",
                tasks=tuple(group) if kind == "task" else (),
            )


def unknown_ids(subject: Subject) -> Iterator[Finding]:
    """Every reference to a task or a phase that is not there (R1.5)."""
    plan = subject.plan
    phases, tasks = dict.fromkeys(subject.ids["phase"]), dict.fromkeys(subject.ids["task"])
    known = tasks | phases
    suggest = _suggester(_SUGGESTIONS)
    if subject.graph.dangling:
        for task in plan.tasks:
            for field, names in (("depends_on", task.depends_on), ("after", task.after)):
                for k, name in enumerate(names):
                    if name not in known:
                        yield finding(
                            "unknown-id",
                            f"task {quoted(task.id)} waits for {quoted(name)}, which is not in this plan",
                            subject.place(f"task:{task.id}", field, k),
                            hint=suggest(name, known, task.id)
                            or "name a task or a phase of this plan, or leave it out",
                            tasks=(task.id,),
                        )
        for phase in plan.phases:
            for k, name in enumerate(phase.depends_on):
                if name not in phases:
                    yield finding(
                        "unknown-id",
                        f"phase {quoted(phase.id)} waits for {quoted(name)}, which is no phase of this plan",
                        subject.place(f"phase:{phase.id}", "depends_on", k),
                        hint="it is a task; a phase waits for phases"
                        if name in tasks
                        else suggest(name, phases, phase.id) or "name a phase of this plan, or leave it out",
                    )
    for task in plan.tasks:
        if task.conflicts_with:
            yield from _unknown_foes(subject, task, known, suggest)
        if task.phase not in phases:
            yield finding(
                "unknown-id",
                f"task {quoted(task.id)} is in phase {quoted(task.phase)}, which is not in this plan",
                subject.place(f"task:{task.id}", "phase"),
                hint=suggest(task.phase, phases, ""),
                tasks=(task.id,),
            )


def _unknown_foes(
    subject: Subject, task: Task, known: Collection[str], suggest: Callable[[str, Collection[str], str], str]
) -> Iterator[Finding]:
    for k, name in enumerate(task.conflicts_with):
        if name not in known:
            yield finding(
                "unknown-id",
                f"task {quoted(task.id)} conflicts with {quoted(name)}, which is not in this plan",
                subject.place(f"task:{task.id}", "conflicts_with", k),
                hint=suggest(name, known, task.id) or "name a task or a phase of this plan, or leave it out",
                tasks=(task.id,),
            )


def ambiguous_ids(subject: Subject) -> Iterator[Finding]:
    """A name that means a task and a phase."""
    both = set(subject.ids["phase"]).intersection(subject.ids["task"])
    if not both:
        return
    for task in subject.plan.tasks:
        for field, names in (("depends_on", task.depends_on), ("after", task.after)):
            for k, name in enumerate(names):
                if name in both:
                    yield finding(
                        "ambiguous-id",
                        f"task {quoted(task.id)} waits for {quoted(name)}, a task and a phase; the task counts",
                        subject.place(f"task:{task.id}", field, k),
                        hint="rename one of the two",
                        tasks=(task.id,),
                    )


def prompts(subject: Subject) -> Iterator[Finding]:
    """A task that tells its agent nothing; in a foreign plan a title is enough."""
    for task in subject.plan.tasks:
        if not (task.prompt.strip() or task.prompt_file or (task.title.strip() and not subject.own_format)):
            yield finding(
                "missing-prompt",
                f"task {quoted(task.id)} does not say what to do",
                subject.place(f"task:{task.id}"),
                hint="give it a `prompt` or a `prompt_file`",
                tasks=(task.id,),
            )


def files(subject: Subject) -> Iterator[Finding]:
    """Files that go with a prompt, and are not there (R8.7)."""
    template = subject.plan.prompt_template
    if template is not None and not subject.exists(template):
        yield finding(
            "missing-file",
            f"there is no file {quoted(template)}, which is to be the template of every prompt",
            subject.place("plan", "prompt_template"),
            hint="paths are relative to the plan file",
        )
    users: dict[str, list[tuple[str, str, int | None]]] = defaultdict(list)
    for task in subject.plan.tasks:
        if task.prompt_file is not None:
            users[task.prompt_file].append((task.id, "prompt_file", None))
        for n, path in enumerate(task.context):
            users[path].append((task.id, "context", n))
    for path, uses in users.items():
        if not subject.exists(path):
            first, field, at = uses[0]
            tasks = tuple(dict.fromkeys(id for id, _, _ in uses))
            yield finding(
                "missing-file",
                f"there is no file {quoted(path)}, which goes with the prompt of {listed(tasks)}",
                subject.place(f"task:{first}", field, at),
                hint="paths are relative to the plan file",
                tasks=tasks,
            )


def checks(subject: Subject) -> Iterator[Finding]:
    """A check that would run nothing, and so always be green."""
    of_tasks = ((task, task.verify) for task in subject.plan.tasks if task.verify)
    owners: Iterable[tuple[Task | None, Sequence[Check]]] = chain([(None, subject.plan.gates.verify)], of_tasks)
    for task, its in owners:
        for k, check in enumerate(its):
            if not check.command.strip() and check.kind == "command":
                yield finding(
                    "empty-check",
                    f"a check of {f'task {quoted(task.id)}' if task else 'the plan'} has no command",
                    subject.place(f"task:{task.id}", "verify", k) if task else subject.place("plan", "gates:verify", k),
                    hint="an empty command is always green; remove it or say what to run",
                    tasks=(task.id,) if task else (),
                )


_NUMBERS: tuple[tuple[str, Callable[[Task], float | None], float, float, str], ...] = (
    ("attempts", attrgetter("attempts"), 1, math.inf, "at least 1"),
    ("timeout", attrgetter("timeout_s"), 1e-9, math.inf, "a number of seconds above 0"),
    ("estimate", attrgetter("estimate_s"), 0, math.inf, "a number of seconds, not below 0"),
    ("priority", attrgetter("priority"), 1, 5, "from 1 (first) to 5 (last)"),
)


def numbers(subject: Subject) -> Iterator[Finding]:
    tasks = subject.plan.tasks
    # Many tasks say few different numbers, so those are looked at first.
    broken = [x for x in _NUMBERS if not all(_fits(value, *x[2:4]) for value in set(map(x[1], tasks)))]
    for task in tasks if broken else ():
        for field, read, low, high, wanted in broken:
            if not _fits(value := read(task), low, high):
                yield finding(
                    "bad-number",
                    f"`{field}` of task {quoted(task.id)} is {value:g}; it should be {wanted}",
                    subject.place(f"task:{task.id}", field),
                    tasks=(task.id,),
                )
    for phase in subject.plan.phases:
        if phase.max_parallel is not None and phase.max_parallel < 1:
            yield finding(
                "bad-number",
                f"`max_parallel` of phase {quoted(phase.id)} is {phase.max_parallel}; it should be at least 1",
                subject.place(f"phase:{phase.id}", "max_parallel"),
            )


def _fits(value: float | None, low: float, high: float) -> bool:
    return value is None or (low <= value <= high and value != math.inf)


def _skeleton(id: str) -> str:
    folded = (id if id.isascii() else unicodedata.normalize("NFC", id)).casefold().rstrip(". ")
    if folded.isalnum():
        return folded
    skeleton = _PUNCTUATION.sub("-", folded)
    return id if skeleton == "-" else skeleton


def _suggester(most: int) -> Callable[[str, Collection[str], str], str]:
    """A function that finds the name somebody meant, so many times, and then says nothing."""
    left = most

    def suggest(name: str, names: Collection[str], own: str) -> str:
        nonlocal left
        left -= 1
        if left < 0:
            return ""
        alike = (x for x in names if abs(len(x) - len(name)) <= 3 and (x[:1] == name[:1] or x[-1:] == name[-1:]))
        near = [x for x in alike if x != own]
        same = [x for x in near if _skeleton(x) == _skeleton(name)]
        close = same or difflib.get_close_matches(name, near[:1000], n=1)
        return f"did you mean {quoted(close[0])}?" if close else ""

    return suggest
