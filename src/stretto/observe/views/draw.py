"""The drawings of a plan that `show` offers, by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stretto.analysis.conflicts import conflicts, meetings
from stretto.analysis.estimate import critical_path, durations, enough, estimate, schedule
from stretto.analysis.graph import build
from stretto.model.plan import Finding, Plan
from stretto.observe.views.dot import MOST_NODES, dot
from stretto.observe.views.mermaid import MOST_ARROWS, mermaid
from stretto.observe.views.page import Analysis, about, page
from stretto.observe.views.picture import MOST_BOXES, picture
from stretto.observe.views.svg import svg

DRAWINGS = ("mermaid", "dot", "svg", "html")


def draw(
    plan: Plan, findings: Sequence[Finding], kind: str, *, places: int, default_s: float, command: str
) -> Iterator[str]:
    """The lines of one of the DRAWINGS. A task without an estimate takes `default_s` seconds.

    Where there are too many tasks, phases are drawn."""
    graph, took_s = build(plan), durations(plan, default_s)
    path, met = critical_path(plan, graph, took_s), conflicts(plan, graph)
    shown = picture(plan, graph, took_s, path, met, MOST_NODES if kind == "dot" else MOST_BOXES)
    if kind == "mermaid":
        if len(shown.arrows) + len(shown.apart) > MOST_ARROWS:
            shown = picture(plan, graph, took_s, path, met, 0)
        yield from mermaid(shown)
        return
    if kind == "dot":
        yield from dot(shown)
        return
    found = Analysis(
        plan=plan,
        picture=shown,
        findings=tuple(findings),
        conflicts=tuple(met),
        estimate=estimate(plan, graph, took_s, places),
        schedule=schedule(plan, graph, took_s, places, meetings(plan)),
        took_s=tuple(took_s),
        path=path,
        places=places,
        workers=enough(plan, graph, took_s),
        command=command,
    )
    if kind == "svg":
        yield from svg(shown, about(found))
    else:
        yield page(found)
