"""What a discovery came to: the plan as a file, and the decision as people and programs read it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from stretto.cli.convert import moved
from stretto.cli.document import Document
from stretto.cli.inquiry import Asked
from stretto.formats.native_text import as_json, as_yaml
from stretto.model.plan import Plan
from stretto.observe.layout import wrap
from stretto.observe.paint import Paint, count
from stretto.observe.planview import show_json
from stretto.recipes.discovery.checklist import POINTS
from stretto.recipes.discovery.found import Found
from stretto.recipes.discovery.question import Question

_COLUMN = 14
"""Columns of the name of a point."""


def text_of(found: Found, plan: Plan, doc: Document, question: Question, target: Path) -> str:
    """The plan of a yes, as the file `target` has it; its paths count from there."""
    if question.shape == "parallel.json":
        return msgspec.json.format(msgspec.json.encode(found.answer.plan), indent=2).decode() + "\n"
    if not question.ids:  # what an agent wrote in few words, the document has in many
        plan = replace(plan, tasks=tuple(replace(task, context=(doc.path.name,)) for task in plan.tasks))
    path = moved(doc.path, target)
    if target.suffix == ".json":
        return as_json(plan, path)
    head = f"What can be done at the same time of {doc.name}, as `stretto discover` was told: {found.answer.reason}"
    printable = "".join(sign if sign.isprintable() else " " for sign in head)
    lines = textwrap.wrap(printable, 116, break_long_words=True, break_on_hyphens=False)
    return "".join(f"# {line}\n" for line in lines) + as_yaml(plan, path)


def told(asked: Asked, *, paint: Paint, width: int | None) -> Iterator[str]:
    """The decision and what speaks for it. With a no, the points that hold are left out."""
    answer = asked.found.answer
    yes = answer.decision == "yes"
    first, *more = wrap(answer.reason, width, first=f"{answer.decision}: ", rest="")
    yield paint(answer.decision, "green" if yes else "yellow") + first[len(answer.decision) :]
    yield from more
    why = {judged.point: judged for judged in answer.points}
    for group, points in groupby(POINTS, key=lambda point: point.group):
        open = [why[point.id] for point in points if yes or not why[point.id].holds]
        if open:
            yield ""
            yield paint(group, "bold")
        for judged in open:
            mark = " " if judged.holds else "✗"
            yield from wrap(judged.why, width, first=f" {mark} {judged.point:{_COLUMN}}", rest=" " * (_COLUMN + 3))


def gain(plan: Plan, places: int, default_s: float) -> str:
    """How large the plan is, and what is won by it, in a sentence."""
    from stretto.analysis.estimate import durations, estimate
    from stretto.analysis.graph import build
    from stretto.analysis.wording import spoken

    time = estimate(plan, build(plan), durations(plan, default_s), places)
    return (
        f"{count(len(plan.tasks), 'task')}, {spoken(time.sequential_s)} one after the other, {spoken(time.parallel_s)} "
        f"with {places} at once ({time.speedup:.1f} times as fast)"
    )


def as_data(
    decision: str,
    doc: Document,
    *,
    question: Question,
    asked: Asked | None = None,
    reason: str = "",
    target: Path | None = None,
    places: int = 5,
    default_s: float = 720.0,
) -> dict[str, Any]:
    """`discover --json`. Without an answer the reason is stretto's own, and nobody was asked."""
    answer = asked.found.answer if asked else None
    plan = asked.found.plan if asked else None
    why = {judged.point: judged for judged in answer.points} if answer else {}
    return {
        "decision": decision,
        "reason": answer.reason if answer else reason,
        "by": "answer" if answer else "size",
        "breadth": question.breadth,
        "about": question.about or None,
        "document": {"file": str(doc.path), "tasks": len(doc.pieces) or None, "hours": doc.hours},
        "checklist": [
            {"id": one.id, "group": one.group, "holds": why[one.id].holds, "why": why[one.id].why}
            for one in POINTS
            if one.id in why
        ],
        "attempts": asked.attempts if asked else 0,
        "cost_usd": asked.cost_usd if asked else None,
        "left_out": list(doc.left_out(question.breadth, question.about, {one.id for one in plan.tasks}))
        if plan
        else [],
        "file": None if target is None or plan is None else str(target),
        "plan": plan and {"name": plan.name, **show_json(plan, places=places, default_s=default_s)},
    }
