"""What attempts of a simulated run propose: tasks that may be added, and tasks that must be refused."""

from __future__ import annotations

from msgspec.structs import replace

from stretto.model.plan import Check, Plan, Task


def proposal(plan: Plan, adder: Task, choice: int) -> tuple[Task, ...]:
    """By `choice`, of which 0 is none. The same for every attempt of the task that chooses the same."""
    if not choice:
        return ()
    detail = choice // 8
    some = plan.tasks[detail % len(plan.tasks)]
    first = Task(
        id=f"{adder.id}+1",
        phase=adder.phase,
        writes=adder.writes if adder.writes is None else adder.writes[detail % 2 :],
        priority=1 + detail % 5,
        optional=detail % 4 == 3,
        estimate_s=float(detail % 3) or None,
        verify=(Check(command="true"),) if detail % 3 == 1 else (),
    )
    second = replace(first, id=f"{adder.id}+2")
    match choice % 8:
        case 0 | 1:
            return (first,)
        case 2:
            return (first, replace(second, depends_on=(first.id,)))
        case 3:
            return (replace(first, after=(second.id,)), second)
        case 4:
            return (replace(first, depends_on=(some.id,)),)  # who may wait for this very phase
        case 5:
            return (replace(first, phase=some.phase, writes=some.writes), second)
        case 6:
            wrong = (some.id, some.phase, second.id, first.id)[detail % 4]
            return (replace(first, id=wrong, depends_on=("nobody",) if wrong == first.id else ()), second)
        case _:
            against = (some.id, "nobody", second.id, adder.phase)[detail % 4]
            critical = any(task.critical for task in plan.tasks)
            return (
                replace(first, critical=critical, depends_on=(some.phase,)),
                replace(second, conflicts_with=(against,)),
            )
