"""Rules about the shape of a plan: what keeps its tasks from running side by side, and what orders nothing.

They are advice for people: plans of more than `_MOST` tasks, which programs write, are spared what they cost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import structs

from stretto.analysis.conflicts import Meeting
from stretto.analysis.estimate import schedule
from stretto.analysis.graph import Graph, remaining
from stretto.analysis.reduction import reduced
from stretto.analysis.subject import Subject, finding
from stretto.analysis.wording import counted, quoted, spoken
from stretto.model.plan import Finding

_MOST = 10_000
_CROWD = 4
"""So many tasks make a path a hot one."""
_WORTH = 1.1
"""Hot paths are worth a word when they make the run longer than this."""
_CHAIN = 5
"""A shorter chain is nothing to wonder about."""
_ABREAST = 3
"""So many tasks before and behind a narrow place make it one."""
_TOLD = frozenset({"cfn-epic", "checklist", "kiro"})
"""Formats in which the order of the text is an order of the tasks, and whose readers tell what to do about it."""
_LOOSER = {"spec-kit": "mark those with [P] that may run side by side"}
_SPARE = 10
"""Fewer dependencies that others imply are a matter of taste."""
_SHOWN = 3


def hot_paths(subject: Subject) -> Iterator[Finding]:
    """Paths that many tasks claim, and what it costs that these take turns (R2.1)."""
    plan, places = subject.plan, subject.settings.parallel
    if not _looked_at(subject) or subject.settings.conflicts == "allow":
        return
    met = subject.meetings
    hot = sorted((x for x in met if len(x.owners) >= _CROWD), key=lambda x: -len(x.owners))
    if not hot:
        return
    cold = [x for x in met if len(x.owners) < _CROWD]
    now_s = schedule(plan, subject.graph, subject.durations_s, places, met).end_s
    free_s = schedule(plan, subject.graph, subject.durations_s, places, cold).end_s
    if now_s <= free_s * _WORTH:
        return
    told = [f"{quoted(x.path)} ({counted(len(x.owners), 'task')})" for x in hot[:_SHOWN]]
    more = f" and {counted(len(hot) - _SHOWN, 'more path')}" if len(hot) > _SHOWN else ""
    tasks = tuple(plan.tasks[i].id for i in sorted({i for x in hot for i in x.owners}))
    listing = "; list it in `hot_files` if its lines merge in any order" if subject.own_format else ""
    yield finding(
        "hot-path",
        f"tasks take turns at {', '.join(told)}{more}: the plan takes about {spoken(now_s)} with {places} at once,"
        f" {spoken(free_s)} if they did not",
        subject.claim_place(hot[0].path, tasks),
        hint=f"split such a file, or leave what all of them write there to one task{listing}",
        tasks=tasks,
    )


def wide_claims(subject: Subject) -> Iterator[Finding]:
    """Claims that hold the files of many others, and what it costs that these wait (R2.1)."""
    plan, places = subject.plan, subject.settings.parallel
    if not _looked_at(subject) or subject.settings.conflicts == "allow":
        return
    met = subject.meetings
    wide = sorted(filter(_is_wide, met), key=lambda x: -len(x.inside))
    if not wide:
        return
    narrow = [x for x in met if not _is_wide(x)]
    now_s = schedule(plan, subject.graph, subject.durations_s, places, met).end_s
    free_s = schedule(plan, subject.graph, subject.durations_s, places, narrow).end_s
    if now_s <= free_s * _WORTH:
        return
    told = [f"{quoted(x.path)} of {quoted(plan.tasks[x.owners[0]].id)}" for x in wide[:_SHOWN]]
    more = f" and {counted(len(wide) - _SHOWN, 'more claim')}" if len(wide) > _SHOWN else ""
    tasks = tuple(plan.tasks[i].id for i in sorted({i for x in wide for i in x.owners}))
    yield finding(
        "wide-claim",
        f"{', '.join(told)}{more} {'holds' if len(wide) == 1 else 'hold'} what"
        f" {counted(len({i for x in wide for i in x.inside}), 'other task')} claim, so they take turns: the plan takes"
        f" about {spoken(now_s)} with {places} at once, {spoken(free_s)} if they did not",
        subject.claim_place(wide[0].path, tasks),
        hint="claim the files or the folder that it really changes",
        tasks=tasks,
    )


def _is_wide(meeting: Meeting) -> bool:
    """Whether what few claim holds the claims of many."""
    return len(meeting.owners) < _CROWD <= len(meeting.inside)


def needless(subject: Subject) -> Iterator[Finding]:
    """Dependencies on tasks that others of the same task imply, where most are like that."""
    if not _looked_at(subject):
        return
    # What is implied by an `after` alone is not: that is content with a task that failed.
    graph = structs.replace(remaining(subject.plan, subject.graph), after=tuple(() for _ in subject.graph.names))
    kept, named, spare = reduced(graph), 0, list[tuple[int, int]]()
    for i, needs in enumerate(graph.needs[: graph.tasks]):
        own = subject.plan.tasks[i].depends_on
        said = [node for node in needs if not graph.is_join(node) and graph.names[node] in own]
        named += len(said)
        spare += ((i, node) for node in said if node not in kept[i])
    if len(spare) < _SPARE or len(spare) * 2 < named:
        return
    told = [f"{quoted(graph.names[i])} on {quoted(graph.names[other])}" for i, other in spare[:_SHOWN]]
    first, other = (graph.names[node] for node in spare[0])
    yield finding(
        "needless-dependency",
        f"{len(spare):,} of {named:,} dependencies between tasks order nothing, because others imply them:"
        f" {', '.join(told)} and {len(spare) - _SHOWN:,} more",
        subject.place(f"task:{first}", "depends_on", subject.plan.tasks[spare[0][0]].depends_on.index(other)),
        hint="keep those that a task should hear of: its prompt tells what each task that it names has done",
        tasks=tuple(dict.fromkeys(graph.names[i] for i, _ in spare)),
    )


def narrow(subject: Subject) -> Iterator[Finding]:
    """Plans without two tasks that could run at once, and single tasks between many and many."""
    if not _looked_at(subject) or len(subject.left) < _CHAIN:
        return
    plan, left = subject.plan, len(subject.left)
    comparable = _ordered_with_all(subject, remaining(plan, subject.graph))
    if len(comparable) == left:
        if plan.format in _TOLD or any(not x.parallel and x.id not in subject.named for x in plan.phases):
            return  # what makes it a chain is said elsewhere
        yield finding(
            "one-at-a-time",
            f"no two of the {counted(left, 'task')} that are left can run at once: each waits for the one before it",
            subject.place(f"task:{subject.left[0].id}"),
            hint=_LOOSER.get(
                plan.format, "where a task does not build on the one before it, let it wait for an earlier one"
            ),
            tasks=tuple(task.id for task in subject.left),
        )
        return
    edges = [-1, *(done for _, done in comparable), left]
    for n, (i, done) in enumerate(comparable):
        behind = left - done - 1
        if done - edges[n] > _ABREAST and edges[n + 2] - done > _ABREAST:
            yield finding(
                "bottleneck",
                f"nothing can run beside {quoted(plan.tasks[i].id)}: it waits for {counted(done, 'task')}, and"
                f" {counted(behind, 'task')} wait for it",
                subject.place(f"task:{plan.tasks[i].id}"),
                hint="where a task behind it does not build on it, let that wait for an earlier one",
                tasks=(plan.tasks[i].id,),
            )


def _looked_at(subject: Subject) -> bool:
    return len(subject.plan.tasks) <= _MOST and subject.acyclic


def _ordered_with_all(subject: Subject, graph: Graph) -> list[tuple[int, int]]:
    """Tasks that are left and that are before or behind every other one, in that order, each with how many are before
    it. Such a task is the only one that may go on when everything else that can be done first is done, from either
    end."""
    counts = [i < graph.tasks and subject.plan.tasks[i].status != "succeeded" for i in range(len(graph.names))]
    waits, dependents = graph.waits(), graph.dependents()
    before, behind = _alone(waits, dependents, counts), _alone(dependents, waits, counts)
    others = sum(counts) - 1
    return sorted(
        ((i, done) for i, done in before.items() if i in behind and done + behind[i] == others), key=lambda x: x[1]
    )


def _alone(
    waits: Sequence[Sequence[int]], dependents: Sequence[Sequence[int]], counts: Sequence[bool]
) -> dict[int, int]:
    """Nodes that count and that were, when so many others were done, the only one that could be next."""
    missing = [len(x) for x in waits]
    passing: list[int] = []
    ready: list[int] = []
    for node, number in enumerate(missing):
        if not number:
            (ready if counts[node] else passing).append(node)
    found: dict[int, int] = {}
    done = 0
    while passing or ready:
        if passing:
            node = passing.pop()
        else:
            if len(ready) == 1:
                found[ready[0]] = done
            node = ready.pop()
            done += 1
        for other in dependents[node]:
            missing[other] -= 1
            if not missing[other]:
                (ready if counts[other] else passing).append(other)
    return found
