"""A plan as one page of HTML that needs nothing else: the drawing, the expected run, every task, every finding."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources

from jinja2.sandbox import SandboxedEnvironment

from stretto.analysis.conflicts import Conflict
from stretto.analysis.estimate import Estimate, Schedule
from stretto.analysis.wording import counted, spoken
from stretto.model.plan import Finding, Plan, Task, Value
from stretto.observe.paint import line, span
from stretto.observe.views.picture import Box, Picture
from stretto.observe.views.svg import BEYOND, colour, svg

MOST_BARS = 2_000
"""A timeline of more tasks shows nothing; it is left out."""


class Analysis(Value, frozen=True, kw_only=True):
    """What is known of a plan before it runs. Times are seconds."""

    plan: Plan
    picture: Picture
    findings: tuple[Finding, ...]
    conflicts: tuple[Conflict, ...]
    estimate: Estimate
    schedule: Schedule
    took_s: tuple[float, ...]
    path: tuple[str, ...]
    places: int
    workers: int
    """As many at once as are worth while."""
    command: str
    """What starts the run."""


class _Bar(Value, frozen=True, kw_only=True):
    """A task in the expected run, in percent of it."""

    left: float
    width: float
    name: str
    title: str
    colour: str
    critical: bool


def page(found: Analysis) -> str:
    """The whole document. Text from outside is escaped, and never a template."""
    environment = SandboxedEnvironment(autoescape=True, trim_blocks=True)
    environment.filters |= {"line": line, "span": span, "counted": counted, "place": _place}
    source = resources.files("stretto.observe.views").joinpath("page.html").read_text("utf-8")
    waits: dict[int, list[int]] = {}
    for arrow in found.picture.arrows:
        waits.setdefault(arrow.then, []).append(arrow.first)
    return environment.from_string(source).render(
        found=found,
        head=list(_head(found)),
        drawing="\n".join(svg(found.picture)),
        lanes=list(_lanes(found)),
        beyond=BEYOND if any(box.beyond for box in found.picture.boxes) else "",
        rows=[] if found.picture.folded else list(_rows(found, waits)),
    )


def about(found: Analysis) -> str:
    """The plan in one line: how much work it is, and how long it takes."""
    done = sum(task.status == "succeeded" for task in found.plan.tasks)
    told = [counted(len(found.plan.tasks), "task") + (f", {done:,} done" if done else "")]
    if found.estimate.sequential_s:
        told.append(f"{spoken(found.estimate.sequential_s)} one after the other")
        told.append(f"{spoken(found.estimate.parallel_s)} with {found.places} at once")
    return " · ".join(told)


def _head(found: Analysis) -> Iterator[tuple[str, str]]:
    guess = found.estimate
    yield "format", found.plan.format
    yield "tasks", about(found).split(" · ")[0]
    if guess.sequential_s:
        yield "one after the other", spoken(guess.sequential_s)
        yield f"{found.places} at once", f"{spoken(guess.parallel_s)}, {guess.speedup:.1f} times as fast"
        yield "at the very best", spoken(guess.lower_bound_s)
        yield "most tasks at once", f"{guess.peak_width:,}"
        yield "worth while", counted(found.workers, "task") + " at once"
        yield "start it with", found.command


def _lanes(found: Analysis) -> Iterator[list[_Bar]]:
    """The expected run, a row for each place."""
    whole = found.schedule.end_s
    if not whole or len(found.plan.tasks) > MOST_BARS:
        return
    group = {phase.id: n for n, phase in enumerate(found.plan.phases)}
    on_path = set(found.path)
    lanes: list[list[_Bar]] = []
    free_s: list[float] = []
    order = [(began, i) for i, began in enumerate(found.schedule.began_s) if began is not None]
    for began, i in sorted(order):
        task, took = found.plan.tasks[i], found.took_s[i]
        lane = next((n for n, free in enumerate(free_s) if free <= began), len(lanes))
        if lane == len(lanes):
            lanes.append([])
            free_s.append(0.0)
        free_s[lane] = began + took
        lanes[lane].append(
            _Bar(
                left=round(100 * began / whole, 3),
                width=round(100 * took / whole, 3),
                name=line(task.id),
                title=f"{line(task.id)}: {line(task.title)} ({span(took)})",
                colour=colour(group.get(task.phase, 0)),
                critical=task.id in on_path,
            )
        )
    yield from lanes


def _rows(found: Analysis, waits: dict[int, list[int]]) -> Iterator[tuple[int, Task, list[tuple[int, str]], str, Box]]:
    """Of each task: its number, itself, what it waits for as the drawing has it, its time, and its box."""
    boxes = found.picture.boxes
    for i, task in enumerate(found.plan.tasks):
        named = [(n, boxes[n].name if boxes[n].kind == "task" else f"all of {boxes[n].name}") for n in waits.get(i, ())]
        took = "" if task.status == "succeeded" else span(found.took_s[i])
        yield i, task, named, took, boxes[i]


def _place(finding: Finding) -> str:
    where = finding.location
    return f"{where.file}:{where.line}:{where.column}" if where else ""
