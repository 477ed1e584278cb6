"""How the folder of a `parallel.json` is told of: progress, opportunities, what to do next, the result of a batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from shlex import quote

from stretto.cli.scaffold_folder import Opened
from stretto.observe.paint import Colour, Paint, count, cut, fit, line, width_of
from stretto.recipes.subplans.advice import Advice, Opportunity, opportunities, whole
from stretto.recipes.subplans.batch import Batch, Item, Result, by_level, hollow
from stretto.recipes.subplans.progress import Progress, Standing, Status

_COLOURS: dict[Status, Colour | None] = {
    "not_started": "dim",
    "subplan_created": "blue",
    "execution_created": "blue",
    "in_progress": "cyan",
    "failed": "red",
    "complete": "green",
    "skipped": "yellow",
}
_ACTIONS = {
    "batch_subplan": "create these SUBPLANs together",
    "create_subplan": "create its SUBPLAN",
    "batch_execution": "create these EXECUTION_TASKs together",
    "create_execution": "create its EXECUTION_TASK",
    "fill": "fill the placeholders",
    "execute_parallel": "run these side by side",
    "execute": "run it",
    "approve": "look at what has been done, and approve it",
    "blocked": "nothing can go on",
    "complete": "nothing is left to do",
}
NAMES = {"subplans": "SUBPLAN", "executions": "EXECUTION_TASK"}


def headline(progress: Progress) -> str:
    skipped = sum(one.status == "skipped" for one in progress.standings)
    more = f", {skipped} skipped" if skipped else ""
    done, total = progress.tasks
    if any(one.achievement.parts for one in progress.standings):
        more += f"; {count(total, 'task')}, {done} done"
    return f"{progress.plan.name}: {progress.done}/{progress.total} complete ({progress.percent} %){more}"


def status_lines(progress: Progress, paint: Paint, width: int) -> Iterator[str]:
    """A table of all achievements by level."""
    ids = max((width_of(one.id) for one in progress.standings), default=2)
    for one in sorted(progress.standings, key=lambda one: (one.level is None, one.level or 0)):
        level = "?" if one.level is None else str(one.level)
        notes = [f"waits for {', '.join(one.waits_for)}"] if one.waits_for and not one.is_settled else []
        done, total = one.tasks
        notes += [f"{done} of {count(total, 'part')} done"] if done and not one.is_settled else []
        notes += [count(len(one.hollow), "placeholder")] if one.hollow and not one.is_settled else []
        note = f"  ({'; '.join(notes)})" if notes else ""
        status = paint(fit(one.status, 17), _COLOURS[one.status])
        room = width - ids - 31 - width_of(note)
        title = cut(line(one.achievement.title), room) if room >= 12 else ""
        yield f"  level {fit(level, 3)} {fit(one.id, ids)}  {status}  {title}{note}".rstrip()
    if progress.circle and not progress.open:  # else it is why nothing can go on
        yield f"  these wait for each other: {' → '.join(progress.circle)}"


def state_lines(progress: Progress, told: Advice) -> Iterator[str]:
    """What is next, what could go side by side, and what is advised."""
    available = ", ".join(one.id for one in progress.available)
    yield f"next available: {available or 'nothing'}"
    for chance in opportunities(progress):
        yield opportunity_line(chance)
    sequential_s, parallel_s = whole(progress)
    if sequential_s > parallel_s:
        saved = round(100 * (1 - parallel_s / sequential_s))
        yield f"all that is open: {hours(sequential_s)} one by one, {hours(parallel_s)} in parallel ({saved} % less)"
    yield f"recommended: {advice_line(told)}"


def opportunity_line(chance: Opportunity) -> str:
    guessed = f"; {', '.join(chance.guessed)} counted as 1 h" if chance.guessed else ""
    return (
        f"side by side at level {chance.level}: {', '.join(chance.ids)}: {hours(chance.sequential_s)} one by one, "
        f"{hours(chance.parallel_s)} in parallel ({chance.saving} % less{guessed})"
    )


def advice_line(told: Advice) -> str:
    about = f": {', '.join(told.ids)}" if told.ids else ""
    why = f" ({told.why})" if told.why and told.action != "complete" else ""
    return f"{told.action}: {_ACTIONS[told.action]}{about}{why}"


def command(told: Advice, opened: Opened) -> str:
    """The command line of the recommended action; empty where there is none."""
    folder, level = quote(opened.folder), "" if told.level is None else f" --level {told.level}"
    match told.action:
        case "batch_subplan" | "create_subplan":
            return f"stretto scaffold subplans {folder}{level}"
        case "batch_execution" | "create_execution":
            return f"stretto scaffold executions {folder}{level}"
        case "fill":
            return f"stretto scaffold fill {folder}{level}"
        case "execute_parallel" | "execute":
            only = f"stretto run {quote(str(opened.file))} --only {quote(','.join(tasks_of(opened, told.ids)))}"
            return only if opened.here_is_git else f"{only} --isolation none"
        case "approve":
            return f"stretto scaffold approve {folder}"
        case "blocked" if opened.progress.circle:
            return f"stretto check {quote(str(opened.file))}"
        case _:
            return ""


def commands_before(opened: Opened, batch: Batch) -> tuple[str, ...]:
    """Command lines that make what the executions of a batch lack."""
    folder, level = quote(opened.folder), "" if batch.level is None else f" --level {batch.level}"
    lacking = {opened.progress.by_id[note.id].subplan is None for note in batch.missing}
    verbs = [verb for verb, bare in (("subplans", True), ("fill", False)) if bare in lacking]
    return tuple(f"stretto scaffold {verb} {folder}{level}" for verb in verbs)


def tasks_of(opened: Opened, ids: Sequence[str]) -> tuple[str, ...]:
    """Ids of the tasks that are left to do of these achievements: themselves, or their open parts."""
    known = {task.id for task in opened.loaded.plan.tasks}
    found = []
    for id in ids:
        one = opened.progress.by_id[id]
        names = [part.id for part in one.open_parts] if one.achievement.parts else [id]
        found += [name for name in names if name in known]
    return tuple(found)


def graph_lines(progress: Progress, paint: Paint) -> Iterator[str]:
    """Who depends on whom, level by level."""
    for level in (*progress.levels, None):
        members = [one for one in progress.standings if one.level == level]
        if members:
            yield f"level {level}" if level is not None else "on a circle, or behind one"
        for one in members:
            needs = ", ".join(one.achievement.depends_on) or "nothing"
            needs += f" (and, by its priority: {', '.join(one.achievement.behind)})" if one.achievement.behind else ""
            yield f"  {one.id} -> depends on: {needs}  [{paint(one.status, _COLOURS[one.status])}]"


def preview_lines(progress: Progress, batch: Batch) -> Iterator[str]:
    """What a batch would make, level by level, and what it leaves."""
    for level, items in by_level(progress, batch.make).items():
        yield f"level {level}"
        for item in items:
            yield f"  {item.id}  {item.path}"
    if batch.skipped:
        for note in batch.skipped:
            yield f"left as it is: {note.id}: {note.message}" + (f": {note.path}" if note.path else "")
    for note in batch.missing:
        yield f"not possible: {note.id}: {note.message}"


def fill_lines(progress: Progress, items: Sequence[Item]) -> Iterator[str]:
    for level, members in by_level(progress, items).items():
        yield f"level {level}"
        for item in members:
            yield f"  {item.id}  {item.path}"


def result_lines(result: Result) -> Iterator[str]:
    verb = "filled" if result.kind == "fill" else "created"
    if result.rolled_back:
        yield f"taken back: {', '.join(result.rolled_back)}"
    if result.kept_in:
        yield f"what was taken back is kept in {result.kept_in}"
    for note in result.errors:
        where = f" ({note.path})" if note.path else ""
        yield f"failed: {note.id}{where}: {note.message}"
    left = f"; not possible for {len(result.missing)}, as said above" if result.missing else ""
    yield f"{verb} {len(result.created)} of {len(result.planned)}{left}"


def status_json(opened: Opened, told: Advice) -> dict[str, object]:
    progress = opened.progress
    sequential_s, parallel_s = whole(progress)
    return {
        "plan": progress.plan.name,
        "file": str(opened.file),
        "progress": {"done": progress.done, "total": progress.total, "percent": progress.percent},
        "tasks": dict(zip(("done", "total"), progress.tasks, strict=True)),
        "achievements": [_standing(one) for one in progress.standings],
        "statuses": {one.id: one.status for one in progress.standings},
        "next": [one.id for one in progress.available],
        "placeholders": [item.path for item in hollow(progress)],
        "circle": list(progress.circle),
        "opportunities": [
            {
                "level": one.level,
                "achievements": list(one.ids),
                "sequential_h": one.sequential_s / 3600,
                "parallel_h": one.parallel_s / 3600,
                "savings_percent": one.saving,
                "without_estimate": list(one.guessed),
            }
            for one in opportunities(progress)
        ],
        "open": {"sequential_h": sequential_s / 3600, "parallel_h": parallel_s / 3600},
        "recommended": {
            "action": told.action,
            "achievements": list(told.ids),
            "level": told.level,
            "why": told.why,
            "command": command(told, opened),
        },
    }


def _standing(one: Standing) -> dict[str, object]:
    estimate_s = one.achievement.estimate_s
    return {
        "id": one.id,
        "title": one.achievement.title,
        "status": one.status,
        "level": one.level,
        "depends_on": list(one.achievement.depends_on),
        "waits_for": list(one.waits_for),
        "estimated_h": None if estimate_s is None else estimate_s / 3600,
        "parts": [{"id": part.id, "status": step} for part, step in zip(one.achievement.parts, one.steps, strict=True)],
        "subplan": one.subplan.path if one.subplan else None,
        "executions": [found.path for found in one.executions],
        "placeholders": [found.path for found in one.hollow],
    }


def hours(seconds: float) -> str:
    return f"{seconds / 3600:.3g} h"
