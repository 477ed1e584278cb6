"""The answer of `explain`, for people: the chain of reasons, then what became of earlier attempts."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from stretto.core.explain import Explanation
from stretto.core.state import State
from stretto.model.excerpt import legible
from stretto.model.run import FINAL_STATES
from stretto.observe.paint import Paint, count, line, span
from stretto.observe.snapshot import condition
from stretto.ports import Engine

DEPTH = 12
"""Links of a chain of waits that are followed."""
LINES = 12
"""Lines of a message that are shown."""


def explanation_text(
    state: State, engine: Engine | None, answer: Explanation, *, now: float, paint: Paint
) -> Iterator[str]:
    """Line by line."""
    record = state.by_id[answer.task]
    since = f", for {span(now - answer.since)}" if answer.state not in FINAL_STATES else ""
    over = record.starts and answer.state not in ("running", "gating", "landing")
    tries = f" after {count(record.starts, 'attempt')}" if over else ""
    yield f"{paint(answer.task, 'bold')} (phase {answer.phase}) is {paint.state(answer.state)}{tries}{since}"
    for reason in answer.reasons:
        waited = f" (for {span(now - reason.since)})" if reason.since and answer.state not in FINAL_STATES else ""
        yield from _message(reason.message + waited, "  ")
    yield from _chain(state, answer, paint)
    if condition(state, engine, now) == "killed" and answer.state not in FINAL_STATES:
        yield paint(f"  nobody works on it: the run's engine is gone; stretto resume {state.run}", "red")
    if answer.note:
        yield from _message(answer.note, "  ")
    if answer.commit:
        yield f"  its work is commit {answer.commit[:10]}"
    for past in answer.attempts:
        yield ""
        yield f"attempt {past.attempt} came to nothing: {past.failure.kind}"
        if not past.remarks:
            yield from _message(past.failure.message, "  ")
        for remark in past.remarks:
            yield f"  {line(remark.check)}" + (f"  (whole output: {remark.log})" if remark.log else "")
            yield from _message(remark.message, "    ")
        if past.commit:
            yield f"  its work is kept in commit {past.commit[:10]}"
    if record.starts:
        yield ""
        yield f"output: stretto logs {quote(answer.task)} --run {state.run}"


def _message(text: str, indent: str) -> Iterator[str]:
    lines = [part for part in legible(text).splitlines() if part.strip()]
    yield from (indent + part for part in lines[:LINES])
    if len(lines) > LINES:
        yield f"{indent}… {count(len(lines) - LINES, 'line')} more"


def _chain(state: State, answer: Explanation, paint: Paint) -> Iterator[str]:
    """What those wait for that this task waits for: the first of each, down to the one that is at work."""
    seen, task, indent = {answer.task}, answer.reasons[0].tasks[:1] if answer.reasons else (), "  "
    while task and task[0] in state.by_id and task[0] not in seen and len(seen) < DEPTH:
        record = state.by_id[task[0]]
        seen.add(record.id)
        indent += "  "
        why = f": {line(record.reason)}" if record.reason else ""
        yield f"{indent}{record.id} is {paint.state(record.state)}{why}"
        open_needs = (n for n in record.task.depends_on if n in state.by_id and state.by_id[n].state != "succeeded")
        task = tuple(open_needs)[:1] if record.state == "pending" else ()
