"""A run's insides, for people who look for a bug: its state as the core holds it, and its events one a line.

Whatever a state or an event will have tomorrow is shown as well: both are walked as data, and no field is named here
that need not be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from stretto.core.coordinator import Coordinator
from stretto.core.events import Event
from stretto.core.state import TaskRecord
from stretto.model.plan import Plan, Task
from stretto.model.run import Culprit, LandEntry
from stretto.observe.paint import count, cut, line, moment
from stretto.ports import Recorded

BULKY = ("plan", "tasks", "by_id")
"""Fields of a state that are told apart, or twice there."""
LONG = 96
"""Columns of a single value in a line."""


def insides(coordinator: Coordinator) -> dict[str, Any]:
    """The state as data, without its plan; claims held as {task: patterns}."""
    state = coordinator.state
    fields = {name: getattr(state, name) for name in state.__struct_fields__ if name not in BULKY}
    claims = coordinator.steps.admission.claims
    return {
        **msgspec.to_builtins(fields),
        "run_state": state.run_state,
        "claims": {state.tasks[index].id: list(patterns) for index, patterns in claims.of.items()},
        "tasks": [_record(record) for record in state.tasks],
    }


def _record(record: TaskRecord) -> dict[str, Any]:
    """What differs from a task that nothing has happened to."""
    blank = {field.name: field.default for field in msgspec.structs.fields(type(record))}
    told = {name: getattr(record, name) for name in record.__struct_fields__ if name not in ("task", "index", "rank")}
    kept = {name: value for name, value in told.items() if name == "state" or value != blank[name]}
    return {"id": record.id, "phase": record.task.phase, **msgspec.to_builtins(kept)}


def concerns(event: Event, task: str) -> bool:
    """Whether an event is about that task, directly or among others."""
    return task in _tasks(event)


def _tasks(event: Event) -> list[str]:
    """Ids that an event names, in whichever field."""
    found: list[str] = []
    for name in event.__struct_fields__:
        value = getattr(event, name)
        match name:
            case "task":
                found.append(value)
            case "tasks" | "proposed" | "landed" | "culprits":
                found += [_id(one) for one in value]
            case "wish":
                found += _tasks(value)
            case _:
                pass
    return list(dict.fromkeys(found))


def _id(one: str | Task | LandEntry | Culprit) -> str:
    return one if isinstance(one, str) else one.id if isinstance(one, Task) else one.task


def event_lines(recorded: Iterable[Recorded]) -> Iterator[str]:
    """`seq  time  kind  task  what else it says`, an event a line."""
    for one in recorded:
        event = one.event
        named = ", ".join(line(task) for task in _tasks(event))
        what = f"{type(event).__name__:<16}  {cut(named, 32):<12}  {_rest(event)}"
        yield f"{one.seq:>6}  {instant(event.at)}  {what}".rstrip()


def instant(at: float) -> str:
    """To the millisecond, in UTC; a number of seconds that is no time as it is."""
    told = moment(at)
    return f"{told}.{int(at % 1 * 1000):03}" if ":" in told else told


def _rest(event: Event) -> str:
    fields = {field.name: field.default for field in msgspec.structs.fields(type(event))}
    said = ((name, getattr(event, name)) for name in fields if name not in ("at", "task", "tasks"))
    return "  ".join(f"{name}={short(value)}" for name, value in said if value not in (fields[name], {}))


def short(value: object) -> str:
    """Any value of an event or a state in a few words, fit to be printed."""
    match value:
        case Plan():
            return f"{line(value.name)!r} ({count(len(value.tasks), 'task')})"
        case Task():
            return line(value.id)
        case str():
            return cut(line(value), LONG)
        case msgspec.Struct():
            fields = {field.name: field.default for field in msgspec.structs.fields(type(value))}
            said = ((name, getattr(value, name)) for name in fields)
            told = " ".join(f"{name}={short(inner)}" for name, inner in said if inner != fields[name])
            return cut(f"{type(value).__name__}({told})", LONG)
        case Mapping():
            return cut(", ".join(f"{line(str(key))}: {short(inner)}" for key, inner in value.items()), LONG)
        case list() | tuple():
            return cut(f"[{', '.join(map(short, value))}]", LONG)
        case _:
            return cut(line(str(value)), LONG)


def state_lines(told: Mapping[str, Any]) -> Iterator[str]:
    """What `insides` has found, a fact a line; tasks at the end."""
    tables = ("settings", "lanes", "claims", "timers")
    yield from pairs({name: value for name, value in told.items() if name not in (*tables, "tasks")}, width=14)
    for name in tables:
        if told[name]:
            yield f"{name}:"
            yield from pairs(told[name], indent="  ")
    yield "tasks:"
    for record in told["tasks"]:
        said = {name: value for name, value in record.items() if name not in ("id", "phase", "state")}
        rest = "  ".join(f"{name}={short(value)}" for name, value in said.items())
        yield f"  {line(record['id']):<22}  {record['state']:<9}  {rest}".rstrip()


def pairs(told: Mapping[str, Any], *, indent: str = "", width: int = 22) -> Iterator[str]:
    """Names and values, a pair a line; what is empty is left out."""
    for name, value in told.items():
        if value or value == 0:
            yield f"{indent}{line(str(name)):<{width}}  {short(value)}"
