"""The answer of `explain`, for people: the chain of reasons, then what became of earlier attempts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stretto.core.events import TaskApproved, TaskRejected, TasksCancelled, TasksRetried, Wish
from stretto.core.explain import Explanation, Reason
from stretto.core.state import State, TaskRecord
from stretto.model.excerpt import legible
from stretto.model.run import FINAL_STATES, PastAttempt
from stretto.observe.layout import wrap
from stretto.observe.paint import Paint, count, line, span
from stretto.observe.snapshot import NOTHING, Beside, answers, condition, ways_on, wish_text
from stretto.observe.words import HINT, WHERE, came_of, commit_of, on_task, plain, question, reason, way_out
from stretto.ports import Engine

DEPTH = 12
"""Links of a chain of waits that are followed."""
CLEANED = "its output, and what of its work has not landed, are gone: the run was cleaned up"
LINES = 12
"""Lines of a message that are shown."""


def explanation_text(
    state: State,
    engine: Engine | None,
    answer: Explanation,
    *,
    now: float,
    paint: Paint,
    width: int | None = None,
    beside: Beside = NOTHING,
) -> Iterator[str]:
    """Line by line; with a width, wrapped between words."""
    record = state.by_id[answer.task]
    over, final = record.starts and answer.state not in ("running", "gating", "landing"), answer.state in FINAL_STATES
    since = "" if final else f", for {span(now - answer.since)}"
    tries = f" after {count(record.starts, 'attempt')}" if over else ""
    is_ = f"{_verb(answer.state)} {paint.state(answer.state)}"
    yield f"{paint(answer.task, 'bold')} (phase {answer.phase}) {is_}{tries}{since}"
    wishes = [wish for wish in beside.wishes if _concerns(wish, record)]
    for why in answer.reasons:
        yield from _reason(state, record, why, now, width, answered=bool(wishes))
    for wish in wishes:
        yield from wrap(f"asked for: {wish_text(wish)}; it counts from the next resume on", width, first="  ")
    yield from _chain(state, answer, paint, width)
    killed = condition(state, engine, now) == "killed"
    if killed and not final:
        kept = "; what it has written is saved by a resume" if record.state == "running" else ""
        yield from (
            paint(x, "red") for x in wrap(f"nobody works on it: the run's engine is gone{kept}", width, first="  ")
        )
    if not final and not state.abandoned and (killed or (engine is None and state.ended is not None)):
        first = [on_task("approve", task, state.run) for task in _unanswered(state, answer, beside.wishes)]
        yield from (f"  {text}" for text in ((beside.again,) if beside.again else (*first, *ways_on(state))))
    if answer.note:
        yield from _message(answer.note, width)
    stays = not beside.again
    yield from _work(record, answer, kept=stays)
    for past in answer.attempts:
        yield from _past(past, width, kept=stays)
    if record.starts:
        yield ""
        yield f"output: {on_task('logs', answer.task, state.run)}" if stays else CLEANED


def _verb(state: str) -> str:
    return "has" if state in ("succeeded", "failed") else "is"


def _reason(
    state: State, record: TaskRecord, why: Reason, now: float, width: int | None, *, answered: bool
) -> Iterator[str]:
    """One thing that keeps it from going on; or, of a task that is over, what became of it."""
    other = why.since is not None and why.since != record.since and record.state not in FINAL_STATES
    waited = f" (for {span(now - why.since)})" if other and why.since is not None else ""
    match why.code:
        case "ready" | "places" if state.ended is not None:
            pass  # it is the end of the run that keeps it
        case "ended":
            said = f": {plain(way_out(state.ended_reason)[0])}" if state.ended_reason not in ("", state.ended) else ""
            over = "is" if state.ended in ("paused", "stopped") else "has ended:"
            yield from wrap(f"the run {over} {state.ended}{said}", width, first="  ", rest="    ")
        case "approval":
            yield from _message("waits for your word: " + question(record, whole=True), width)
            useless = answered or state.abandoned
            yield from () if useless else (f"    {command}" for command in answers(state, record))
        case "failed" if len(record.past) == 1:
            pass  # the only attempt tells it, right below
        case "failed":
            yield from wrap(reason(record), width, first="  ", rest="    ")
        case "again" | "backoff":
            _, colon, until = why.message.rpartition("; next try")
            yield from wrap(f"will be tried again after: {reason(record)}{'; next try' if colon else ''}"
                            f"{until if colon else ''}{waited}", width, first="  ", rest="    ")  # fmt: skip
        case _:
            yield from _message(plain(why.message) + waited, width)


def _concerns(wish: Wish, record: TaskRecord) -> bool:
    match wish:
        case TaskApproved() | TaskRejected():
            return wish.task == record.id
        case TasksCancelled():
            return record.id in wish.tasks
        case TasksRetried():
            return record.id in wish.tasks or (not wish.tasks and record.state in ("failed", "skipped"))
        case _:
            return False


def _work(record: TaskRecord, answer: Explanation, *, kept: bool) -> Iterator[str]:
    """Where what it has written is: landed, judged, or saved from an attempt that was cut off."""
    told = [past.commit for past in record.past]
    if not kept and not record.landed:
        return
    if answer.commit and answer.commit not in told and record.wait != "person":
        yield f"  its work is commit {answer.commit[:10]}" if commit_of(answer.commit) else f"  its work is {WHERE}"
    elif (saved := commit_of(record.carry)) and saved not in told:
        yield "  what it had written is saved in a commit:"
        yield f"    git show {saved[:10]}"


def _past(past: PastAttempt, width: int | None, *, kept: bool) -> Iterator[str]:
    yield ""
    said, lines = came_of(past), _lines(past.failure.message)
    whole = len(lines) > 2 or any(text.startswith(HINT) for text in lines)
    if past.remarks or whole:  # told in full below
        said = said.partition(": ")[0]
    yield from wrap(f"attempt {past.attempt} did not succeed: {said}", width)
    if not past.remarks and whole:
        yield from _message(past.failure.message, width)
    for remark in past.remarks:
        yield from wrap(line(remark.check), width, first="  ", rest="    ")
        yield from _message(remark.message, width, "    ")
        if remark.log and kept:
            yield "    whole output:"
            yield f"    {remark.log}"
    if past.commit and not commit_of(past.commit):
        yield f"  its work is {WHERE}"
    elif past.commit and kept:
        yield "  its work is kept in a commit:"
        yield f"    git show {past.commit[:10]}"


def _lines(text: str) -> list[str]:
    return [part for part in legible(text).splitlines() if part.strip()]


def _message(text: str, width: int | None, indent: str = "  ") -> Iterator[str]:
    lines = _lines(text)
    shown = lines if len(lines) <= LINES else [*lines[: LINES // 2], "", *lines[-LINES // 2 :]]
    for part in shown:
        if part:
            yield from wrap(part, width, first=indent, rest=indent + "  ")
        else:
            yield f"{indent}… {count(len(lines) - LINES, 'line')} more …"


def _unanswered(state: State, answer: Explanation, wishes: Sequence[Wish]) -> list[str]:
    """The tasks before it that wait for a person who has not said anything yet: a resume alone would not help it."""
    answered = {wish.task for wish in wishes if isinstance(wish, TaskApproved | TaskRejected)}
    work = [task for why in answer.reasons for task in why.tasks if task in state.by_id and task != answer.task]
    seen = set(work)
    for task in work:
        new = [need for need in state.by_id[task].task.depends_on if need in state.by_id and need not in seen]
        seen |= set(new)
        work += new
    return [task for task in work if state.by_id[task].wait == "person" and task not in answered][:3]


def _chain(state: State, answer: Explanation, paint: Paint, width: int | None) -> Iterator[str]:
    """What those wait for that this task waits for: the first of each, down to the one that is at work."""
    seen, task, indent = {answer.task}, answer.reasons[0].tasks[:1] if answer.reasons else (), "  "
    while task and task[0] in state.by_id and task[0] not in seen and len(seen) < DEPTH:
        record = state.by_id[task[0]]
        seen.add(record.id)
        indent += "  "
        why = f": {said}" if (said := reason(record)) else ""
        is_ = f"{_verb(record.state)} {record.state}"
        first, *more = wrap(f"{record.id} {is_}{why}", width, first=indent, rest=indent + "  ")
        yield from (first.replace(is_, is_.replace(record.state, paint.state(record.state)), 1), *more)
        open_needs = (n for n in record.task.depends_on if n in state.by_id and state.by_id[n].state != "succeeded")
        task = tuple(open_needs)[:1] if record.state == "pending" else ()
