"""The line of a task in the live view: what state it is in, for how long, and what is to be said of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from stretto.core.coordinator import Coordinator
from stretto.core.explain import explain
from stretto.core.state import State, TaskRecord
from stretto.model.plan import Phase, Plan, Value
from stretto.model.run import FINAL_STATES, TaskState, Usage
from stretto.observe.cells import Line, Piece, cell, clipped, flat
from stretto.observe.pace import Forecast
from stretto.observe.paint import STATE_COLOURS, Colour, span, width_of
from stretto.observe.snapshot import total
from stretto.observe.words import landed_as, plain, question, reason

SYMBOLS: Mapping[TaskState, str] = {
    "pending": "·", "ready": "○", "running": "●", "gating": "◐", "landing": "◒", "waiting": "◌", "succeeded": "✓",
    "failed": "✗", "skipped": "–", "cancelled": "–",
}  # fmt: skip
CRITICAL = "◆"
NAMED = 3
"""So many tasks that another one waits for are named."""
_TITLES_FROM = 120
"""Columns of a screen on which titles have a column of their own."""


class Widths(Value, frozen=True, kw_only=True):
    """Columns that the widest names of a plan take; measured once, for it takes time."""

    phase: int = 0
    id: int = 0
    title: int = 0


def measure(plan: Plan) -> Widths:
    return Widths(
        phase=max((width_of(phase_name(phase)) for phase in plan.phases), default=0),
        id=max((width_of(flat(task.id)) for task in plan.tasks), default=0),
        title=max((width_of(flat(task.title)) for task in plan.tasks if task.title != task.id), default=0),
    )


class Scene(Value, frozen=True, kw_only=True):
    """All that a frame is made of, but for its size."""

    coordinator: Coordinator
    now: float
    alive: bool = True
    """An engine runs it, or is about to."""
    began_at: float = 0.0
    """When the run was started, or resumed; 0: as the state has it."""
    forecast: Forecast = Forecast()
    took_s: Mapping[str, float] = {}
    """How long tasks took that have landed."""
    tails: Mapping[tuple[str, int], str] = {}
    """The last line that an attempt has printed."""
    widths: Widths

    @property
    def state(self) -> State:
        return self.coordinator.state


class Columns(Value, frozen=True, kw_only=True):
    """How wide everything is; 0: it has no column."""

    width: int
    phase: int
    id: int
    title: int
    cost: int


def columns(scene: Scene, width: int) -> Columns:
    """For all rows of a screen alike, and the same as long as the run has the same tasks."""
    spent = (spending(record.usage) for record in scene.state.tasks if record.usage)
    id = min(max(8, width // 4), scene.widths.id)
    return Columns(
        width=width,
        phase=max(id + 6, min(scene.widths.phase + 2, width // 2)),
        id=id,
        title=min(width // 4, scene.widths.title) if width >= _TITLES_FROM else 0,
        cost=max(map(len, spent), default=0),
    )


def task_row(scene: Scene, record: TaskRecord, to: Columns) -> Line:
    """One line, no wider than the screen."""
    colour = STATE_COLOURS.get(record.state)
    ended = record.state in FINAL_STATES
    number = record.attempt - record.asking
    pieces = [
        Piece(f" {SYMBOLS[record.state]} ", colour),
        cell(squeezed(flat(record.id), to.id), to.id, "dim" if ended and record.state != "failed" else None),
        Piece(f" {CRITICAL if record.id in scene.forecast.critical else ' '} ", "magenta"),
        cell(record.state, 9, colour),
        cell(_time(scene, record), 7, "dim", right=True),
        cell(f"#{number}" if number else "", 4, "dim" if number < 2 else "yellow", right=True),
        Piece("  "),
    ]
    if to.cost:
        pieces += (cell(spending(record.usage), to.cost, "dim", right=True), Piece("  "))
    if to.title:
        pieces += (cell(flat(record.task.title), to.title, "dim" if ended else None), Piece("  "))
    text, said = _said(scene, record, titled=bool(to.title))
    return clipped((*pieces, Piece(flat(text), said)), to.width)


def phase_name(phase: Phase) -> str:
    """Its id, and its title where that says more."""
    id, title = flat(phase.id), flat(phase.title)
    return f"{id}  {title}" if title and title != id else id


def squeezed(text: str, width: int) -> str:
    """A name in at most `width` columns: its beginning and its end, for the end is where names differ."""
    if width_of(text) <= width or width < 8:
        return text
    end = ""
    for char in reversed(text):
        if width_of(char + end) > width // 3:
            break
        end = char + end
    begin = ""
    for char in text:
        if width_of(begin + char) > width - 1 - width_of(end):
            break
        begin += char
    return f"{begin}…{end}"


def ago(seconds: float) -> str:
    """A duration in whole seconds: it changes once a second, not at every look."""
    return f"{int(max(0.0, seconds))}s" if seconds < 60 else span(seconds // 1)


def spending(usages: Iterable[Usage]) -> str:
    """What was spent, shortly: money if it is known, else tokens; empty where nothing is."""
    usage = total(usages)
    if usage.cost_usd is not None:
        return f"${usage.cost_usd:.2f}"
    if usage.input_tokens is None and usage.output_tokens is None:
        return ""
    tokens = (usage.input_tokens or 0) + (usage.output_tokens or 0)
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if tokens >= size:
            return f"{tokens / size:.1f}{letter} tok"
    return f"{tokens} tok"


def _time(scene: Scene, record: TaskRecord) -> str:
    """In its state, or what it took in all."""
    if record.state in FINAL_STATES:
        took_s = scene.took_s.get(record.id)
        return "" if took_s is None else ago(took_s)
    return "" if record.state == "pending" else ago(scene.now - record.since)


def _said(scene: Scene, record: TaskRecord, *, titled: bool) -> tuple[str, Colour | None]:
    """What is to be known of it now."""
    title = "" if titled else record.task.title
    if record.doom is not None:
        return f"will be {record.doom.state}: {record.doom.reason}", "yellow"
    match record.state:
        case "pending":
            return _missing(scene.coordinator, record), "dim"
        case "ready":
            return _held_up(scene, record)
        case "running":
            said = scene.tails.get((record.id, record.attempt))
            return (said, None) if said else (title, "dim")
        case "gating":
            checks = "; ".join(check.command or "a question" for check in record.task.verify)
            return f"checks: {checks or ', '.join(record.task.artifacts)}", "dim"
        case "landing":
            return _landing(scene.state, record), "dim"
        case "waiting":
            return _waits(scene, record), "yellow"
        case "succeeded":
            how = landed_as(record.landed) if record.landed else record.reason
            return how + (f" ({record.note})" if record.note else ""), "dim"
        case "failed":
            return reason(record), "red"
        case _:
            return reason(record), "dim"


def _missing(coordinator: Coordinator, record: TaskRecord) -> str:
    ready = coordinator.steps.readiness
    graph = ready.graph
    nodes = dict.fromkeys((*graph.needs[record.index], *graph.after[record.index]))
    return f"after {_named([graph.names[node] for node in nodes if not ready.over[node]])}"


def _held_up(scene: Scene, record: TaskRecord) -> tuple[str, Colour | None]:
    """Why a task that may run does not."""
    state, admission = scene.state, scene.coordinator.steps.admission
    if (due := state.timers.get(f"grant:{record.id}")) is not None:
        return f"{plain(record.reason)}; asks again in {ago(due - scene.now)}", "yellow"
    if record.asking:
        return "starts", "dim"
    match admission.obstacle(state, record):
        case ("claim", str(pattern)):
            others = [state.tasks[i].id for i in admission.claims.holders(pattern) if i != record.index]
            return f"waits for {_named(others)} to let go of {pattern}", "dim"
        case None if state.active >= state.parallel:
            return "waits for a place", "dim"
        case _:
            whys = (why for why in explain(scene.coordinator, record.id).reasons if why.code != "places")
            return next((plain(why.message) for why in whys), ""), "dim"


def _waits(scene: Scene, record: TaskRecord) -> str:
    if record.wait == "person":
        return f"asks you: {question(record)}"
    due = scene.state.timers.get(f"backoff:{record.id}")
    if record.wait == "timer" and due is not None:
        return f"next try in {ago(due - scene.now)}: {reason(record)}"
    return next(iter(_reasons(scene, record)), "")


def _reasons(scene: Scene, record: TaskRecord) -> Iterator[str]:
    for why in explain(scene.coordinator, record.id).reasons:
        yield plain(why.message)


def _landing(state: State, record: TaskRecord) -> str:
    lane = state.lane
    if record.index not in lane.queue:
        return "is being landed"
    ahead = [entry.task for entry in lane.batch.entries] if lane.batch is not None else []
    ahead += [state.tasks[index].id for index in lane.queue[: lane.queue.index(record.index)]]
    return f"lands after {_named(ahead, most=1)}" if ahead else "lands next"


def _named(names: Sequence[str], most: int = NAMED) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
