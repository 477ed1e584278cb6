"""What a report tells of a run, as data: `report --json`, and what every other form of it is made from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from stretto.core.events import Noticed
from stretto.core.state import State, TaskRecord
from stretto.model.plan import Value
from stretto.model.run import FINAL_STATES, Usage
from stretto.observe.report.path import Step, path_taken
from stretto.observe.snapshot import condition, ended_because, is_dead, next_steps, total
from stretto.observe.story import Story, Try
from stretto.observe.words import came_of, commit_of, counted, plain, reason, remarks
from stretto.ports import Engine

Verdict = Literal["PROCEED", "DEFER", "ESCALATE"]
SURE = 0.85
"""Mean confidence of what landed, from which on the agents count as sure of it (R5.5)."""


class AttemptFacts(Value, frozen=True, kw_only=True):
    """One attempt. Times are seconds since the epoch."""

    number: int
    agent: str
    began_at: float
    ended_at: float | None
    over_at: float | None
    kind: str
    """Kind of its failure; empty for one that landed or is still on its way."""
    said: str
    """Why it did not land, in a line."""
    commit: str | None
    usage: Usage


class TaskFacts(Value, frozen=True, kw_only=True):
    """One task. `why` is the reason for its state, in a line; `root` the failure that it fell with."""

    id: str
    title: str
    phase: str
    state: str
    optional: bool
    why: str
    root: str
    note: str
    commit: str | None
    """By which it landed; else the latest that it left."""
    took_s: float | None
    """From its first start until nothing more was to be done; None: never started, or not over."""
    usage: Usage
    unknown: int
    """How many of its attempts did not tell what they cost."""
    drift: tuple[str, ...]
    attempts: tuple[AttemptFacts, ...]


class Red(Value, frozen=True, kw_only=True):
    """A check that was red, or that asked a person."""

    task: str
    attempt: int
    verdict: str
    said: str


class Notice(Value, frozen=True, kw_only=True):
    at: float
    code: str
    message: str
    tasks: tuple[str, ...]


class Speed(Value, frozen=True, kw_only=True):
    """Seconds: by the clock while an engine was at work, and of agents and their checks one after the other."""

    wall_s: float
    sequential_s: float

    @property
    def factor(self) -> float | None:
        return self.sequential_s / self.wall_s if self.wall_s > 0 and self.sequential_s > 0 else None


class Report(Value, frozen=True, kw_only=True):
    """A whole run."""

    schema_version: int = 1
    run: str
    plan: str
    state: str
    verdict: Verdict | None
    """None while an engine is at work, and for a run that was given up."""
    because: str
    counted: str
    branch: str
    base: str
    delivered: str
    """The commit of the user's branch that got its landings last; empty before."""
    started_at: float
    last_at: float
    sessions: tuple[tuple[float, float], ...]
    """When an engine was at work."""
    confidence: float | None
    """Mean of what the agents said of the attempts that landed."""
    green: int
    """Verdicts of task gates that were green."""
    red: tuple[Red, ...]
    notices: tuple[Notice, ...]
    path: tuple[Step, ...]
    speed: Speed
    usage: Usage
    unknown: int
    """How many attempts did not tell what they cost."""
    started: int
    """How many attempts there were."""
    tasks: tuple[TaskFacts, ...]
    next: tuple[str, ...]
    """Commands."""

    @property
    def landed(self) -> tuple[TaskFacts, ...]:
        return tuple(task for task in self.tasks if task.state == "succeeded")

    @property
    def left(self) -> tuple[TaskFacts, ...]:
        """Everything else, what failed by itself first."""
        order = ("failed", "waiting", "cancelled", "skipped")
        rest = [task for task in self.tasks if task.state != "succeeded"]
        return tuple(sorted(rest, key=lambda task: order.index(task.state) if task.state in order else len(order)))


def report(story: Story, engine: Engine | None, *, now: float, delivered: bool, again: str = "") -> Report:
    """Everything, as the journal has it. `delivered`: all that has landed is on the user's branch; `again`: see
    `Beside`."""
    state, tries = story.state, list(story.tries.values())
    sure = [one.confidence for one in tries if one.landed and one.confidence is not None]
    confidence = sum(sure) / len(sure) if sure else None
    word, because = verdict(state, engine, confidence)
    sessions = [(session.began_at, session.ended_at) for session in story.sessions]
    if story.on and engine is not None and sessions:
        sessions[-1] = (sessions[-1][0], max(now, sessions[-1][1]))
    by_task: dict[str, list[Try]] = {record.id: [] for record in state.tasks}
    for one in tries:
        by_task[one.task].append(one)
    steps = next_steps(state, engine, delivered=delivered, again=again)
    return Report(
        run=state.run,
        plan=state.plan.name,
        state=condition(state, engine, now),
        verdict=word,
        because=because,
        counted=counted(state),
        branch=state.branch,
        base=state.base,
        delivered=state.delivered,
        started_at=state.started_at,
        last_at=sessions[-1][1] if sessions else state.at,
        sessions=tuple(sessions),
        confidence=confidence,
        green=sum(one.verdict == "green" for one in tries),
        red=tuple(_red(tries)),
        notices=tuple(map(_notice, story.notices)),
        path=path_taken(state, tries),
        speed=Speed(wall_s=sum(end - begin for begin, end in sessions), sequential_s=sum(map(_work_s, tries))),
        usage=total(one.usage for one in tries),
        unknown=_unknown(tries),
        started=len(tries),
        tasks=tuple(_task(record, by_task[record.id]) for record in state.tasks),
        next=tuple(step.removeprefix("next: ") for step in steps if step),
    )


def verdict(state: State, engine: Engine | None, confidence: float | None) -> tuple[Verdict | None, str]:
    """(R5.5's word for the run, why). Nothing is deferred yet: no gate can say so."""
    if state.abandoned:
        return None, "the run has been abandoned"
    if engine is not None and state.ended is None:
        return None, "the run is not over"
    if is_dead(state, engine):
        return "ESCALATE", "its engine was killed before the end"
    if state.ended == "succeeded":
        if confidence is not None and confidence < SURE:
            return "ESCALATE", f"all has landed, but the agents' mean confidence is {confidence:.2f}, below {SURE}"
        return "PROCEED", "all that had to land has landed"
    why = ended_because(state)
    return "ESCALATE", f"{counted(state)}" + (f"; {why}" if why else "")


def _task(record: TaskRecord, tries: Sequence[Try]) -> TaskFacts:
    past = {one.attempt: came_of(one) for one in record.past}
    over = tries[-1].over_at if tries else None
    return TaskFacts(
        id=record.id,
        title=record.task.title,
        phase=record.task.phase,
        state=record.state,
        optional=record.task.optional,
        why="" if record.state == "succeeded" and record.landed else reason(record),
        root=record.root,
        note=record.note,
        commit=commit_of(record.landed, record.commit, *(past.commit for past in reversed(record.past))),
        took_s=over - tries[0].began_at if over is not None and record.state in FINAL_STATES else None,
        usage=total(one.usage for one in tries),
        unknown=_unknown(tries),
        drift=record.drift,
        attempts=tuple(
            AttemptFacts(
                number=one.number,
                agent=one.agent,
                began_at=one.began_at,
                ended_at=one.ended_at,
                over_at=one.over_at,
                kind=one.failure.kind if one.failure is not None else "",
                said=past.get(one.number) or (plain(one.failure.message) if one.failure is not None else ""),
                commit=commit_of(one.commit),
                usage=one.usage,
            )
            for one in tries
        ),
    )


def _unknown(tries: Sequence[Try]) -> int:
    return sum(one.ended_at is not None and one.usage.cost_usd is None for one in tries)


def _work_s(one: Try) -> float:
    """Its agent's time and that of its own checks; waiting for a turn to land is no work."""
    return max((one.gated_at or 0.0), (one.ended_at or one.began_at)) - one.began_at


def _red(tries: Sequence[Try]) -> Iterator[Red]:
    for one in tries:
        if one.verdict in ("red", "ask"):
            yield Red(task=one.task, attempt=one.number, verdict=one.verdict, said=remarks(one.remarks))
        elif one.failure is not None and one.failure.kind == "gate":
            yield Red(task=one.task, attempt=one.number, verdict="red after the merge", said=remarks(one.remarks))


def _notice(event: Noticed) -> Notice:
    return Notice(at=event.at, code=event.code, message=event.message, tasks=event.tasks)
