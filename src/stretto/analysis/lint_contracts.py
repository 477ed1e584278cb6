"""Rules about contracts: who provides them, who uses them, and what that makes tasks wait for (R3, R1.3a)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from stretto.analysis.cycles import knots, shortest_cycle, spelled
from stretto.analysis.subject import Subject, finding
from stretto.analysis.wording import listed, quoted
from stretto.model.names import meant
from stretto.model.plan import Finding, Location

_NAMED = 3
_GUESSES = 20
"""So many unmet contracts get a "did you mean"; looking for one takes time in a large plan."""
_MOST = 10_000
"""Plans of more tasks, which programs write, are spared what it costs to know who waits for whom in the end."""


def unsupported(subject: Subject) -> Iterator[Finding]:
    """A plan with contracts can be looked at, and not be run yet (R8.7)."""
    plan = subject.plan
    tasks = tuple(task.id for task in plan.tasks if task.provides or task.uses)
    if not tasks and not plan.contracts:
        return
    first = next((task for task in plan.tasks if task.id == tasks[0]), None) if tasks else None
    place = subject.place("plan", "contracts")
    if first is not None and not plan.contracts:
        place = subject.place(f"task:{first.id}", "provides" if first.provides else "uses")
    who = f" ({listed(tasks, _NAMED)} {'has' if len(tasks) == 1 else 'have'} some)" if tasks else ""
    yield finding(
        "unsupported",
        f"contracts are not supported yet{who}: no task starts against an interface that has not landed",
        place,
        hint="take `contracts`, `provides` and `uses` out, and let those who use one depend on the task that provides"
        " it; `check` and `show` take them as they are",
        tasks=tasks,
    )


def contracts(subject: Subject) -> Iterator[Finding]:
    """Contracts that nobody can fulfil, that two fulfil, and that nobody needs."""
    plan = subject.plan
    providers, users = _providers(subject), _users(subject)
    declared = {contract.id: contract for contract in plan.contracts}
    known, guesses = [*declared, *providers], _GUESSES
    for id, tasks in users.items():
        own = declared.get(id)
        if id in providers or (own is not None and own.schema is not None):
            continue
        guesses -= 1
        close = meant(id, known) if own is None and guesses >= 0 else ""
        unsaid = ", and has no schema" if own is not None else ""
        yield finding(
            "contract-unmet",
            f"the contract {quoted(id)}, which {listed(tasks)} {_verb(tasks, 'use')}, is provided by no task{unsaid}",
            _place(subject, tasks[0], "uses", id),
            hint=f"did you mean {quoted(close)}?"
            if close
            else f"let a task say `provides: [{id}]`, or give it a schema",
            tasks=tasks,
        )
    for id, tasks in providers.items():
        if len(tasks) > 1:
            yield finding(
                "contract-twice",
                f"the contract {quoted(id)} is provided by {listed(tasks)}",
                _place(subject, tasks[1], "provides", id),
                hint="one task provides a contract; let the others use it, or name theirs differently",
                tasks=tasks,
            )
    for id in dict.fromkeys([*declared, *providers]):
        if id not in users:
            tasks = providers.get(id, ())
            yield finding(
                "contract-unused",
                f"nobody uses the contract {quoted(id)}{f', which {listed(tasks)} provides' if tasks else ''}",
                subject.place(f"contract:{id}") if id in declared else _place(subject, tasks[0], "provides", id),
                hint="say `uses` in the tasks that work against it, or take it out",
                tasks=tasks,
            )
    for contract in plan.contracts:
        if contract.schema is not None and not subject.exists(contract.schema):
            yield finding(
                "missing-file",
                f"there is no file {quoted(contract.schema)}, the schema of the contract {quoted(contract.id)}",
                subject.place(f"contract:{contract.id}", "schema"),
                hint="paths are relative to the plan file",
            )


def awaited(subject: Subject) -> Iterator[Finding]:
    """Users that start no earlier, because they wait for the provider in another way too, or claim what it needs.

    The stronger of the two waits wins (R3.1)."""
    plan = subject.plan
    if not subject.acyclic or len(plan.tasks) > _MOST or not any(task.uses for task in plan.tasks):
        return
    providers, before = _providers(subject), _before(subject)
    numbers = subject.numbers
    claims = _claims(subject)
    for i, task in enumerate(plan.tasks):
        for id in task.uses:
            for provider in providers.get(id, ()):
                its = numbers[provider]
                if before[i] >> its & 1:
                    said = "depends on" if provider in task.depends_on else "waits for"
                    yield finding(
                        "contract-awaited",
                        f"task {quoted(task.id)} uses {quoted(id)}, and {said} {quoted(provider)}, which provides it:"
                        " the stronger counts, so it starts when that has landed",
                        _place(subject, task.id, "uses", id),
                        hint="to start it earlier, let it only use the contract; else take it out of `uses`",
                        tasks=(task.id, provider),
                    )
                    continue
                needed = before[its] | 1 << its
                path = next((path for path, others in claims.get(i, ()) if others & needed & ~(1 << i)), None)
                if path is not None:
                    yield finding(
                        "contract-overlap",
                        f"task {quoted(task.id)} uses {quoted(id)}, but claims {quoted(path)}, as {quoted(provider)} or"
                        " a task that it waits for does: it starts no earlier",
                        _place(subject, task.id, "uses", id),
                        hint="let them write different files",
                        tasks=(task.id, provider),
                    )


def circles(subject: Subject) -> Iterator[Finding]:
    """R1.3a: who uses a contract lands behind its provider, which must not close a circle."""
    plan, graph = subject.plan, subject.graph
    if not subject.acyclic or not any(task.uses for task in plan.tasks):
        return
    providers = _providers(subject)
    numbers = subject.numbers
    waits = [tuple(each) for each in graph.waits()]
    for i, task in enumerate(plan.tasks):
        behind = tuple(numbers[each] for id in task.uses for each in providers.get(id, ()))
        if i in behind:
            id = next(id for id in task.uses if task.id in providers.get(id, ()))
            yield finding(
                "self-dependency",
                f"task {quoted(task.id)} uses {quoted(id)}, which it provides itself",
                _place(subject, task.id, "uses", id),
                hint="remove it from its own `uses`",
                tasks=(task.id,),
            )
        waits[i] = tuple(dict.fromkeys((*waits[i], *(node for node in behind if node != i))))
    for knot in knots(range(len(waits)), waits):
        loop = shortest_cycle(knot, waits)
        user = next(i for i in (*loop, *knot) if i < graph.tasks and plan.tasks[i].uses)
        yield finding(
            "wait-cycle",
            "a circle of tasks that wait for one another, if what uses a contract lands behind its provider:"
            f" {spelled(graph, [*loop, loop[0]])}",
            subject.place(f"task:{plan.tasks[user].id}", "uses"),
            hint="remove one of these dependencies, or let the provider not wait for what uses its contract",
            tasks=tuple(graph.names[i] for i in loop if not graph.is_join(i)),
        )


def _providers(subject: Subject) -> Mapping[str, tuple[str, ...]]:
    """By contract, in plan order."""
    return _by_contract((id, task.id) for task in subject.plan.tasks for id in task.provides)


def _users(subject: Subject) -> Mapping[str, tuple[str, ...]]:
    return _by_contract((id, task.id) for task in subject.plan.tasks for id in task.uses)


def _by_contract(pairs: Iterable[tuple[str, str]]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for id, task in pairs:
        found[id][task] = None
    return {id: tuple(tasks) for id, tasks in found.items()}


def _place(subject: Subject, task: str, field: str, id: str) -> Location | None:
    """Where the task names the contract."""
    its = subject.plan.tasks[subject.numbers[task]]
    names = its.provides if field == "provides" else its.uses
    return subject.place(f"task:{task}", field, names.index(id) if id in names else None)


def _before(subject: Subject) -> list[int]:
    """For each node, as bits, all that it waits for in the end."""
    waits, before = subject.graph.waits(), [0] * len(subject.graph.names)
    for node in subject.order:
        for other in waits[node]:
            before[node] |= before[other] | 1 << other
    return before


def _claims(subject: Subject) -> Mapping[int, list[tuple[str, int]]]:
    """For each task that uses a contract, where it meets others, and these others as bits."""
    found: dict[int, list[tuple[str, int]]] = defaultdict(list)
    users = {i for i, task in enumerate(subject.plan.tasks) if task.uses}
    for meeting in subject.meetings:
        if users.isdisjoint(meeting.owners) and users.isdisjoint(meeting.inside):
            continue
        owners = sum(1 << i for i in meeting.owners)
        everybody = owners | sum(1 << i for i in meeting.inside)
        for i in users.intersection(meeting.owners):
            found[i].append((meeting.path, everybody))
        for i in users.intersection(meeting.inside):
            found[i].append((meeting.path, owners))
    return found


def _verb(tasks: tuple[str, ...], verb: str) -> str:
    return f"{verb}s" if len(tasks) == 1 else verb
