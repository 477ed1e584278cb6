"""The report as Markdown: for a terminal or a pull request. Text from outside shows as it is, and marks up nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from stretto.model.run import Usage
from stretto.observe.paint import count, cut, fit, line, moment, span, width_of
from stretto.observe.report.facts import Red, Report, TaskFacts
from stretto.observe.report.path import Step
from stretto.observe.snapshot import spent
from stretto.observe.words import WHERE

BARS, IDS = 48, 24
"""Columns of the timeline, and of the ids before it."""
ROWS = 200
"""So many rows a table or the timeline has at most: pages that show Markdown have limits, and `--json` has it all."""
_MARKS = re.compile(r"([\\`*_\[\]<>|~$&])")
_MENTION = re.compile(r"(?<!\w)([@#])(?=\w)")


def markdown(report: Report) -> str:
    """The whole page."""
    parts = (
        _head(report), _landed(report), _left(report), _checks(report), _again(report), _notices(report),
        _timeline(report), _next(report),
    )  # fmt: skip
    return "\n\n".join("\n".join(part) for part in map(tuple, parts) if part) + "\n"


# --- text from outside -------------------------------------------------------------------------------------------


def text(said: str) -> str:
    """The first line of it, without any power to mark up, and without calling anybody by a mention."""
    return _MENTION.sub(r"\1<!-- -->", _MARKS.sub(r"\\\1", line(said)))


def code(said: str) -> str:
    """The first line of it as code, in a table or elsewhere; empty for nothing."""
    said = line(said).replace("|", "\\|")
    if not said:
        return ""
    fence = "`" * (_longest(said) + 1)
    space = " " if said.startswith("`") or said.endswith("`") else ""
    return f"{fence}{space}{said}{space}{fence}"


def block(lines: Sequence[str], language: str) -> Iterator[str]:
    """Lines as they are; whatever they hold, none of them ends the block."""
    fence = "`" * max(3, _longest("\n".join(lines)) + 1)
    yield from (fence + language, *lines, fence)


def _longest(said: str) -> int:
    return max((len(run) for run in re.findall("`+", said)), default=0)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Cells are Markdown already."""
    yield f"| {' | '.join(heads)} |"
    yield f"| {' | '.join('---' for _ in heads)} |"
    yield from (f"| {' | '.join(row)} |" for row in rows[:ROWS])
    if len(rows) > ROWS:
        yield f"\n… and {len(rows) - ROWS} more: `stretto report --json`"


# --- parts -------------------------------------------------------------------------------------------------------


def _head(report: Report) -> Iterator[str]:
    yield f"# {text(report.plan)}"
    yield ""
    yield f"**{report.verdict or 'No verdict'}**: {text(report.because)}."
    yield ""
    speed = report.speed
    faster = f", {speed.factor:.1f} times as fast as one after the other" if speed.factor else ""
    where = f"{code(report.branch)}, from {code(report.base[:10])}" if report.branch else f"none: all work is {WHERE}"
    rows = [
        ("run", f"{code(report.run)}, {report.state}"),
        ("branch", where + (f"; landed on yours: {code(report.delivered[:10])}" if report.delivered else "")),
        ("began", instant(report.started_at)),
        ("took", f"{span(speed.wall_s)}{_times(len(report.sessions))}{faster}"),
        ("tasks", text(report.counted)),
        ("attempts", str(report.started)),
        ("spent", text(money(report.usage, report.unknown, report.started))),
    ]
    if report.confidence is not None:
        rows.append(("confidence", f"{report.confidence:.2f} on average, by the agents' own word"))
    yield from table(("", ""), rows)


def _landed(report: Report) -> Iterator[str]:
    if not report.landed:
        return
    yield "## Landed"
    yield ""
    yield from table(
        ("task", "title", "attempts", "took", "cost", "commit"),
        [
            (
                code(task.id),
                text(task.title) + (f" ({text(task.note)})" if task.note else ""),
                str(len(task.attempts)) if task.attempts else text(task.why),
                "–" if task.took_s is None else span(task.took_s),
                text(cost(task)),
                code((task.commit or "")[:10]) or "–",
            )
            for task in report.landed
        ],
    )


def _left(report: Report) -> Iterator[str]:
    if not report.left:
        return
    yield "## Not landed"
    yield ""
    yield from table(
        ("task", "title", "state", "attempts", "cost", "why"),
        [
            (
                code(task.id),
                text(task.title),
                task.state + (" (optional)" if task.optional else ""),
                str(len(task.attempts)),
                text(cost(task)),
                text(task.why) + (f" Its work is {code(task.commit[:10])}." if task.commit else ""),
            )
            for task in report.left
        ],
    )


def _checks(report: Report) -> Iterator[str]:
    if not (report.green or report.red):
        return
    yield "## Checks"
    yield ""
    red = Counter(one.task for one in report.red if one.verdict != "ask")
    yield f"Of attempts: {report.green} green, {red.total()} red."
    if red:
        times = (f"{code(task)} ({count(number, 'time')})" for task, number in red.most_common(ROWS))
        yield f"Red: {', '.join(times)}."
    asked = [one for one in report.red if one.verdict == "ask"]
    if asked:
        yield ""
        yield from table(("task", "attempt", "asked a person"), [_asked(one) for one in asked])


def _asked(one: Red) -> tuple[str, str, str]:
    return code(one.task), str(one.attempt), text(one.said)


def _again(report: Report) -> Iterator[str]:
    rows = [
        (code(task.id), str(attempt.number), text(attempt.said) or attempt.kind, _at(report, attempt.over_at))
        for task in report.tasks
        for attempt in task.attempts
        if attempt.kind
    ]
    if rows:
        yield "## Attempts that did not land"
        yield ""
        yield from table(("task", "attempt", "why", "after"), rows)


def _notices(report: Report) -> Iterator[str]:
    if not report.notices:
        return
    yield "## Notices"
    yield ""
    for notice in report.notices[:ROWS]:
        yield f"- after {_at(report, notice.at)}: {text(notice.message)}"


def _timeline(report: Report) -> Iterator[str]:
    if not report.started:
        return
    yield "## Timeline"
    yield ""
    yield from block(list(_bars(report)), "text")
    if report.path:
        yield ""
        yield f"Critical path taken: {' → '.join(map(_step, report.path))}."
    if report.speed.factor:
        yield ""
        yield (
            f"Agents and checks took {span(report.speed.sequential_s)} in all, in {span(report.speed.wall_s)} by the"
            f" clock: {report.speed.factor:.1f} times as fast as one after the other."
        )


def _bars(report: Report) -> Iterator[str]:
    """One line a task: `#` for an agent at work, `=` for checks and landing."""
    begin, end = report.started_at, max(report.last_at, report.started_at + 1e-6)
    scale = BARS / max(end - begin, 1e-6)

    def column(at: float) -> float:
        return min(BARS, max(0.0, (at - begin) * scale))

    started = [task for task in report.tasks if task.attempts]
    ids = min(IDS, max((width_of(line(task.id)) for task in started), default=0))
    for task in started[:ROWS]:
        bar = [" "] * BARS
        for attempt in task.attempts:
            over = end if attempt.over_at is None else attempt.over_at
            for mark, a, b in (
                ("=", attempt.ended_at or over, over),
                ("#", attempt.began_at, attempt.ended_at or over),
            ):
                first = min(BARS - 1, int(column(a)))
                last = max(first + (mark == "#"), round(column(b)))
                bar[first:last] = mark * (last - first)
        yield f"{fit(cut(line(task.id), ids), ids)} |{''.join(bar)}| {task.state}"
    if len(started) > ROWS:
        yield f"… and {len(started) - ROWS} more"
    yield f"{' ' * ids} 0s{span(end - begin):>{BARS}}"
    yield f"{' ' * ids} # an agent at work   = its checks and its landing"


def _next(report: Report) -> Iterator[str]:
    if report.next:
        yield "## Next"
        yield ""
        yield from block([line(step) for step in report.next], "sh")


# --- numbers -----------------------------------------------------------------------------------------------------


def instant(at: float) -> str:
    return moment(at, "%Y-%m-%d %H:%M:%S UTC")


def _at(report: Report, at: float | None) -> str:
    return "–" if at is None else span(at - report.started_at)


def _times(sessions: int) -> str:
    return f" in {sessions} goes" if sessions > 1 else ""


def money(usage: Usage, unknown: int, attempts: int) -> str:
    """What is known; that something is unknown is said, for it is not nothing."""
    if not attempts:
        return "nothing"
    known = spent(usage)
    if not known:
        return "unknown: no attempt told"
    return known + (f", and what {count(unknown, 'attempt')} did not tell" if unknown else "")


def cost(task: TaskFacts) -> str:
    """Of all attempts of a task."""
    known = task.usage.cost_usd
    if known is None:
        return "unknown" if task.attempts else "–"
    return f"${known:.2f}" + (" and more" if task.unknown else "")


def _step(step: Step) -> str:
    waited = f"{span(step.waited_s)} idle, " if step.waited_s >= 1 else ""
    return f"{code(step.task)} ({waited}{span(step.took_s)})"
