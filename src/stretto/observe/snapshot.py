"""A run at one moment: `status` for programs and for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import UNSET, UnsetType

from stretto.core.events import (
    DELIVERED,
    BatchLanded,
    Event,
    Noticed,
    PlanChanged,
    SettingsChanged,
    StopRequested,
    TaskApproved,
    TaskRejected,
    TasksRetried,
    Wish,
)
from stretto.core.state import State, TaskRecord
from stretto.model.names import task_dir
from stretto.model.papers import PAPERS
from stretto.model.plan import Value
from stretto.model.run import FINAL_STATES, RunState, TaskState, Usage
from stretto.observe.layout import wrap
from stretto.observe.paint import Paint, clock, count, cut, line, span, width_of
from stretto.observe.words import commit_of, counted, landed_as, on_task, plain, reason, standing, way_out
from stretto.ports import Engine

SCHEMA_VERSION = 1
STATES: tuple[TaskState, ...] = (
    "pending", "ready", "running", "gating", "landing", "waiting", "succeeded", "failed", "skipped", "cancelled",
)  # fmt: skip
ID_WIDTH = 28
REASON_LINES = 4
"""So much of a reason that a person has to act on stands in the table; `explain` has the rest."""
STARTING_S = 10.0
"""So long an engine may take to come up before its run counts as killed."""


class TaskView(Value, frozen=True, kw_only=True):
    """A task in `status --json`."""

    id: str
    phase: str
    state: TaskState
    attempts: int
    """How many were started."""
    reason: str
    commit: str | None
    """The commit it landed by; else what its latest attempt left."""
    ref: str | None
    """Where the latest attempt's work is kept."""
    usage: Usage
    added_by: str | UnsetType = UNSET
    """The task that added it while the run went on; no key for one of the plan."""


class PhaseView(Value, frozen=True, kw_only=True):
    """A phase in `status --json`; `counts` has the states that occur."""

    id: str
    title: str
    depends_on: tuple[str, ...]
    counts: Mapping[TaskState, int]


class Snapshot(Value, frozen=True, kw_only=True):
    """What `status --json` prints; its keys are a contract."""

    schema_version: int = SCHEMA_VERSION
    run: str
    plan: str
    state: RunState
    engine: Engine | None
    base: str | None
    branch: str | None
    """Neither of them where tasks work in the folder itself, and no commits either."""
    phases: tuple[PhaseView, ...]
    tasks: tuple[TaskView, ...]
    counts: Mapping[TaskState, int]
    usage: Usage


def snapshot(state: State, engine: Engine | None) -> Snapshot:
    """The run as it is. A run that says `running` and has no engine was killed."""
    members: dict[str, list[TaskRecord]] = {phase.id: [] for phase in state.plan.phases}
    for record in state.tasks:
        members.setdefault(record.task.phase, []).append(record)
    return Snapshot(
        run=state.run,
        plan=state.plan.name,
        state=state.run_state,
        engine=engine,
        base=commit_of(state.base),
        branch=state.branch or None,
        phases=tuple(
            PhaseView(id=phase.id, title=phase.title, depends_on=phase.depends_on, counts=_counts(members[phase.id]))
            for phase in state.plan.phases
        ),
        tasks=tuple(_task(state, record) for record in state.tasks),
        counts=dict.fromkeys(STATES, 0) | _counts(state.tasks),
        usage=total(usage for record in state.tasks for usage in record.usage),
    )


def _task(state: State, record: TaskRecord) -> TaskView:
    left = next((past.commit for past in reversed(record.past) if past.commit), None)
    number = record.attempt - record.asking
    return TaskView(
        id=record.id,
        phase=record.task.phase,
        state=record.state,
        attempts=record.starts,
        reason=record.reason,
        commit=commit_of(record.landed, record.commit, left),
        ref=f"refs/stretto/{state.run}/task/{task_dir(record.id)}/{number}" if number and state.branch else None,
        usage=total(record.usage),
        added_by=record.task.added_by or UNSET,
    )


def _counts(records: Iterable[TaskRecord]) -> dict[TaskState, int]:
    found: dict[TaskState, int] = {}
    for record in records:
        found[record.state] = found.get(record.state, 0) + 1
    return {name: found[name] for name in STATES if name in found}


def total(usages: Iterable[Usage]) -> Usage:
    """The sum of what is known; None where nothing is."""
    known = list(usages)

    def add(numbers: Iterable[int | None]) -> int | None:
        told = [number for number in numbers if number is not None]
        return sum(told) if told else None

    costs = [usage.cost_usd for usage in known if usage.cost_usd is not None]
    return Usage(
        input_tokens=add(usage.input_tokens for usage in known),
        output_tokens=add(usage.output_tokens for usage in known),
        cache_read_tokens=add(usage.cache_read_tokens for usage in known),
        cache_write_tokens=add(usage.cache_write_tokens for usage in known),
        cost_usd=sum(costs) if costs else None,
    )


# --- for people --------------------------------------------------------------------------------------------------


def spent(usage: Usage) -> str:
    """Tokens and money, as far as they are known; may be empty."""
    parts = []
    if usage.input_tokens is not None or usage.output_tokens is not None:
        parts.append(f"{usage.input_tokens or 0:,} + {usage.output_tokens or 0:,} tokens")
    if usage.cost_usd is not None:
        parts.append(f"${usage.cost_usd:.2f}")
    return ", ".join(parts)


class Beside(Value, frozen=True, kw_only=True):
    """What there is to know of a run beside its state."""

    wishes: tuple[Wish, ...] = ()
    """What people have asked of it while no engine works on it; it counts when one does again."""
    then: State | None = None
    """The state with all of them granted; None when there are none."""
    delivered: bool = False
    """Everything that has landed is on the user's branch, too."""
    again: str = ""
    """How to begin its plan once more, where `clean` has removed what the run could go on with; else empty."""


NOTHING = Beside()


def status_text(
    state: State, engine: Engine | None, *, now: float, paint: Paint, width: int = 80, beside: Beside = NOTHING
) -> str:
    """The run as a table. Lines keep to `width`, but for ids and commands, which are never broken."""
    header, table = _header(state, engine, now, paint, width, beside), _table(state, now, paint, width)
    steps = (
        ()
        if condition(state, engine, now) == "starting"
        else next_steps(beside.then or state, engine, delivered=beside.delivered, again=beside.again)
    )
    return "\n".join((*header, *table, *_asked(state, beside.wishes, width), *steps))


def _header(state: State, engine: Engine | None, now: float, paint: Paint, width: int, beside: Beside) -> Iterator[str]:
    why = f": {said}" if (said := ended_because(state)) else ""
    name = condition(state, engine, now)
    first, *more = wrap(f"{name}{why}", width, first=f"{state.run}  ", rest="  ")
    yield from (first.replace(state.run, paint(state.run, "bold"), 1).replace(name, paint.state(name), 1), *more)
    ago = span(now - state.started_at)
    took = "" if engine else f", took {clock(lasted(state))}"  # of one that runs, it is what `ago` says
    yield from wrap(f"started {ago} ago{took}, plan {line(state.plan.name)}", width)
    gone = "; cleaned up: what it left is gone" if beside.again else ""
    yield from wrap(f"{standing(state.branch, state.base)}{gone}", width)
    if engine is not None:
        yield from wrap(f"engine: process {engine.pid} on {engine.host}, {state.parallel} at once", width)
    elif name == "killed":
        yield paint("no engine runs it any more: it was killed, or the machine went down", "red")
    if state.delivered:
        yield f"landed on your branch: {state.delivered[:10]}" + ("" if beside.delivered else "; it has more now")
    cost = spent(total(usage for record in state.tasks for usage in record.usage))
    yield from wrap(f"{count(len(state.tasks), 'task')}: {counted(state)}" + (f"; {cost}" if cost else ""), width)


def lasted(state: State) -> float:
    """Seconds from the start of the run to the last thing that its tasks did; what lands it later does not count."""
    end = state.at if state.ended is None else max((record.since for record in state.tasks), default=state.at)
    return end - state.started_at


def condition(state: State, engine: Engine | None, now: float) -> str:
    """The run's state in a word; `starting` and `killed` are both a run without an engine that has not ended."""
    if not is_dead(state, engine):
        return "stopping" if state.run_state == "draining" else state.run_state
    return "starting" if not state.resumes and now - state.started_at < STARTING_S else "killed"


def ended_because(state: State) -> str:
    """Why the run ended, where its state and its counts do not say it already."""
    said = state.ended_reason
    said_already = said == state.ended or (state.ended == "failed" and not is_open(state))
    if state.abandoned or state.ended is None or said_already:
        return ""
    return plain(way_out(said)[0])


def is_dead(state: State, engine: Engine | None) -> bool:
    """Whether the engine went away without ending the run."""
    return engine is None and state.ended is None and not state.abandoned


def is_open(state: State) -> bool:
    """Whether there are tasks that a resume could go on with."""
    return any(number and name not in FINAL_STATES for name, number in state.counts.items())


def _table(state: State, now: float, paint: Paint, width: int) -> Iterator[str]:
    ids = min(ID_WIDTH, max((width_of(line(record.id)) for record in state.tasks), default=0))
    order = {phase.id: i for i, phase in enumerate(state.plan.phases)}
    titles = {phase.id: line(phase.title) for phase in state.plan.phases}
    phase = None
    for record in sorted(state.tasks, key=lambda r: order.get(r.task.phase, len(order))):
        if record.task.phase != phase:
            phase = record.task.phase
            id, title = line(phase), titles.get(phase, "")
            beside = cut(f"  {title}", width - width_of(id)) if title and title != id else ""
            yield f"\n{paint(id, 'bold')}{beside}".rstrip()
        since = span(now - record.since) if record.state not in FINAL_STATES and record.state != "pending" else ""
        name, tail = line(record.id), f"  {record.starts or '':>2}  {since:>6}  "
        if width_of(name) > ids:
            yield f"  {name}"
            name = ""
        start = f"  {name}{' ' * (ids - width_of(name))}  "
        room = max(20, width - width_of(start) - 9 - len(tail))
        why, more = _reason(record), []
        if width_of(why) > room and (record.state == "failed" or record.wait == "person"):
            why, more = "", wrap(why, width, first="      ", rest="      ")[:REASON_LINES]
        if record.task.added_by:
            adder = f"added by {line(record.task.added_by)!r}"
            both = f"{why}; {adder}" if why else adder
            if more or width_of(both) > room:
                more += wrap(adder, width, first="      ", rest="      ")
            else:
                why = both
        yield (start + paint.state(record.state, 9) + tail + cut(why, room)).rstrip()
        yield from more


def _reason(record: TaskRecord) -> str:
    if record.state == "succeeded" and record.landed:
        return landed_as(record.landed) + (f" ({line(record.note)})" if record.note else "")
    return reason(record)


def _asked(state: State, wishes: Sequence[Wish], width: int) -> Iterator[str]:
    if wishes:
        what = ", ".join(wish_text(wish) for wish in wishes)
        yield ""
        yield from wrap(f"asked for: {what}; counts from the next `stretto resume {state.run}` on", width)


def wish_text(wish: Wish) -> str:
    """What somebody has asked for, in a few words."""
    match wish:
        case TaskApproved():
            return f"approve {wish.task}"
        case TaskRejected():
            return f"reject {wish.task}"
        case TasksRetried():
            return f"retry {', '.join(wish.tasks) or 'what failed'}"
        case SettingsChanged():
            return f"{wish.parallel} at once"
        case StopRequested():
            return "stop"
        case PlanChanged():
            return f"another plan, of {count(len(wish.tasks), 'task')}"
        case _:
            return f"cancel {', '.join(wish.tasks)}"


def has_delivered(event: Event, before: bool) -> bool:
    """Whether all that has landed is on the user's branch after the event; `before` is the answer before it."""
    if isinstance(event, Noticed) and event.code == DELIVERED:
        return True
    return before and not isinstance(event, BatchLanded)


def answers(state: State, record: TaskRecord) -> tuple[str, ...]:
    """How to look at the work that waits for a person, and how to say yes or no."""
    look = (f"look:  git show {record.commit[:10]}",) if record.commit and commit_of(record.commit) else ()
    yes, no = (on_task("approve", record.id, state.run, *more) for more in ((), ("--reject", "--note WHY")))
    return (*look, f"yes:   {yes}", f"no:    {no}")


def ways_on(state: State) -> tuple[str, ...]:
    """How an unfinished run goes on: with what it said itself when it paused, if that was a command."""
    said = way_out(state.ended_reason)[1] if state.ended == "paused" else ()
    resume = f"stretto resume {state.run}"
    return said if any(resume in text for text in said) else (*said, resume)


def next_steps(state: State, engine: Engine | None, *, delivered: bool = False, again: str = "") -> Sequence[str]:
    """What a person may want to do now, as commands. `again`: see `Beside`."""
    run, steps = state.run, []
    if again:
        return ("", f"next: {again}") if state.abandoned or state.ended != "succeeded" else ()
    if state.abandoned:
        return ("", f"next: stretto clean {run} --work")
    people = [record.id for record in state.tasks if record.wait == "person"]
    steps += [on_task("explain", task, run) for task in people[:1]]
    steps += [on_task("approve", task, run) for task in people[:3]]
    if engine is None:
        if state.ended in (None, "stopped", "paused") or is_open(state):
            steps += ways_on(state)
        failed = [record.id for record in state.tasks if record.state == "failed"]
        if failed:
            steps.append(on_task("explain", failed[0], run))
            if state.plan.format != PAPERS:  # a batch takes papers back: it says itself how it goes on
                steps.append(f"stretto retry --run {run} && stretto resume {run}")
        if state.lane.head != state.base and not delivered and state.ended in ("succeeded", "failed"):
            steps.append(f"stretto land {run}")
    return ("", *(f"next: {step}" for step in steps)) if steps else ()
