"""The report as one page of HTML that needs nothing else: no script, no font, no network."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources

from jinja2.sandbox import SandboxedEnvironment

from stretto.model.plan import Value
from stretto.observe.paint import line, span
from stretto.observe.report.facts import Report, TaskFacts
from stretto.observe.report.markdown import cost, instant, money
from stretto.observe.words import WHERE


class _Bar(Value, frozen=True, kw_only=True):
    """A piece of the timeline, in percent of the run."""

    kind: str
    left: float
    width: float
    title: str


def page(report: Report) -> str:
    """The whole document. Text from outside is escaped, and never a template."""
    environment = SandboxedEnvironment(autoescape=True, trim_blocks=True)
    environment.filters |= {"line": line, "span": span, "cost": cost, "bars": lambda task: list(_bars(report, task))}
    source = resources.files("stretto.observe.report").joinpath("page.html").read_text("utf-8")
    again = [(task, attempt) for task in report.tasks for attempt in task.attempts if attempt.kind]
    return environment.from_string(source).render(report=report, head=list(_head(report)), again=again)


def _head(report: Report) -> Iterator[tuple[str, str]]:
    speed = report.speed
    faster = f", {speed.factor:.1f} times as fast as one after the other" if speed.factor else ""
    yield "run", f"{report.run}, {report.state}"
    yield "branch", f"{report.branch}, from {report.base[:10]}" if report.branch else f"none: all work is {WHERE}"
    yield "began", instant(report.started_at)
    yield "took", span(speed.wall_s) + faster
    yield "tasks", report.counted
    yield "checks", f"{report.green} green, {sum(red.verdict != 'ask' for red in report.red)} red"
    yield "spent", money(report.usage, report.unknown, report.started)


def _bars(report: Report, task: TaskFacts) -> Iterator[_Bar]:
    whole = max(report.last_at - report.started_at, 1e-6)
    for attempt in task.attempts:
        over = report.last_at if attempt.over_at is None else attempt.over_at
        ended = over if attempt.ended_at is None else attempt.ended_at
        for kind, begin, end in (("work", attempt.began_at, ended), ("wait", ended, over)):
            if end > begin:
                yield _Bar(
                    kind=kind,
                    left=round(100 * (begin - report.started_at) / whole, 3),
                    width=round(100 * (end - begin) / whole, 3),
                    title=f"attempt {attempt.number}: {span(end - begin)}",
                )
