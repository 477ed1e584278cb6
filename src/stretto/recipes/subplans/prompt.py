"""What somebody is told who is to write a paper, or to do what it says."""

from __future__ import annotations

from collections.abc import Iterator

from stretto.model.papers import part_number
from stretto.recipes.subplans.batch import Item
from stretto.recipes.subplans.progress import Progress, Standing

_CONTENT = {
    "subplans": (
        "Objective: what is different when it is done, and for whom",
        "Deliverables: every file or other result, with its path",
        "Approach: the steps, in order, each small enough to be checked, and why so",
        "Success criteria: what must hold, so that anybody could check it",
        "Tests: which ones, and where they go",
        "Risks: what could go wrong, and what is done about it",
    ),
    "executions": (
        "Objective, in two or three sentences",
        "Steps: what to do, one after another, with the files and commands that it takes",
        "Done when: check boxes, each of which can be checked",
        "Iteration log: empty, with the one line `No iteration yet.`",
    ),
}
_WHAT = {"subplans": "the SUBPLAN: how the achievement is to be done", "executions": "the EXECUTION_TASK: the steps"}


def writing_prompt(progress: Progress, item: Item, *, fill: bool = False) -> str:
    """For one paper; `fill`: it is there, and is a placeholder. Paths count from the plan's folder."""
    one = progress.by_id[item.id]
    achievement, plan = one.achievement, progress.plan
    verb = f"Fill {item.path}, which is a placeholder now" if fill else f"Write {item.path}"
    parts = [
        f"# {plan.name}",
        f"Goal of the whole plan:\n{plan.goal}" if plan.goal else "",
        f"## Your task: {verb}",
        f"It is {_WHAT[item.kind]}. It is about achievement {one.id}: {achievement.title}".rstrip(": ") + ".",
        _part(one, item),
        f"What the plan says of it:\n\n{achievement.section}" if achievement.section else "",
        achievement.more,
        f"Notes on the plan:\n{plan.notes}" if plan.notes and not achievement.section else "",
        _needs(progress, one),
        f"Read {one.subplan.path} first: it says how." if item.kind == "executions" and one.subplan else "",
        _form(item, one),
        f"Write {item.path} and nothing else. {_sources(progress)}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def working_prompt(progress: Progress, one: Standing, told: str) -> str:
    """For the work itself; `told` is the prompt of the plan's task."""
    lines = [f"Read first: {path}" for path in papers_of(one)]
    return told.rstrip("\n") + ("\n\n" + "\n".join(lines) if lines else "") + "\n"


def papers_of(one: Standing) -> Iterator[str]:
    if one.subplan:
        yield one.subplan.path
    yield from (found.path for found in one.executions)


def _form(item: Item, one: Standing) -> str:
    kind = "SUBPLAN" if item.kind == "subplans" else "EXECUTION_TASK"
    sections = "\n".join(f"- {section}" for section in _CONTENT[item.kind])
    return (
        f"It is Markdown. It begins with the line `# {kind}: Achievement {one.id}: …` and has these sections, "
        f"as headings of the second level:\n{sections}\n\n"
        "Every section says something of this achievement; leave out one that would say nothing. No marks that ask "
        "somebody else to fill anything in: a paper with one of them does not count."
    )


def _needs(progress: Progress, one: Standing) -> str:
    lines = []
    for id in one.achievement.depends_on:
        other = progress.by_id.get(id)
        if other is None:
            lines.append(f"- {id} (in another plan)")
            continue
        where = f" ({other.subplan.path})" if other.subplan else ""
        lines.append(f"- {id}: {other.achievement.title}, {other.status.replace('_', ' ')}{where}")
    return "It builds on:\n" + "\n".join(lines) if lines else ""


def _part(one: Standing, item: Item) -> str:
    parts = one.achievement.parts
    if item.kind == "subplans" and parts:
        named = "\n".join(f"- {part.id}: {part.title}" for part in parts)
        return f"It is done in parts, which run side by side:\n{named}"
    for i, found in enumerate(parts):
        if part_number(found.id, i) == item.number:
            only = "It holds the steps, deliverables and hours of this part only; the other parts do the rest."
            return "\n".join(filter(None, (f"This execution is part {found.id}: {found.title}", found.told, only)))
    return ""


def _sources(progress: Progress) -> str:
    return f"{progress.plan.paper} has the whole plan." if progress.plan.paper else ""
