"""Earlier runs of the same plan file: in the way, to be built on, or the reason why a task is done (R6.4, R8.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from stretto.cli.place import View, view
from stretto.core.state import TaskRecord
from stretto.engine.home import CONTEXT, CONTEXTS, RepositoryHome, RunHome
from stretto.errors import GitError, PlanError, RunLeased, StateError
from stretto.formats.load import load
from stretto.formats.native_text import as_yaml
from stretto.model.plan import Plan, Task, Value
from stretto.model.run import undump
from stretto.observe.story import Story
from stretto.observe.words import on_task

if TYPE_CHECKING:
    from stretto.wiring import Repository


class Earlier(Value, frozen=True, kw_only=True):
    """A finished run whose landings are not in the user's branch yet."""

    run: str
    tip: str
    """Head of its branch."""
    succeeded: set[str]
    beyond: int
    """How many tasks landed on that branch, by this run and those it was built on, and are not in the user's."""


async def earlier_run(views: Sequence[View], repository: Repository, base: str) -> Earlier | None:
    """The latest run of the plan that has landed anything beyond `base` which no newer one has landed into it."""
    delivered = set[str]()
    for one in reversed(views):
        finished = one.state.run_state in ("succeeded", "failed")  # nobody builds on one that was abandoned
        if finished and (found := await _landings(one, repository, base)) is not None and found.succeeded - delivered:
            return replace(found, beyond=await _beyond(views, repository, found.tip, base))
        delivered |= {record.id for record in await _contained(one, repository, base)}
    return None


def runs_of(runs: RepositoryHome, plan: Path, *, new: bool) -> list[View]:
    """Runs of the plan, oldest first; with `new`, one that cannot be read is as good as none.

    So is one whose copy of its plan file has another name: that is no run of this plan, whatever else is damaged."""
    found = []
    for home in runs.runs():
        try:
            if home.launch().plan_path == str(plan) and (seen := view(home)) is not None:
                found.append(seen)
        except StateError:
            if not new and (home.path / "plan" / plan.name).exists():
                raise
    return found


def refuse_unfinished(views: Sequence[View], *, in_place: bool = False) -> None:
    """Raises RunLeased or StateError when one of these runs is alive, or was left unfinished (R8.5)."""
    for one in views:
        # Nothing starts in a folder beside a run that is at work there.
        _refuse(one, beside=not in_place or one.state.settings.isolation != "none")


def _refuse(one: View, *, beside: bool) -> None:
    run = one.home.run
    if one.engine is not None:
        holder = f"process {one.engine.pid} on {one.engine.host}"
        raise RunLeased(
            f"this plan is being run already: {run}, by {holder}",
            holder=holder,
            hint=f"stretto status {run}\n--new starts another run beside it"
            if beside
            else f"see how far it is: stretto status {run}\nor end it: stretto stop {run}",
        )
    if not one.state.abandoned and one.state.ended not in ("succeeded", "failed"):
        dead = "was killed" if one.state.resumes else "is about to start, or was killed"
        how = dead if one.state.ended is None else f"is {one.state.run_state}"
        raise StateError(
            f"an earlier run of this plan is not finished: {run} {how}",
            hint=f"stretto resume {run}\nor give it up: stretto abandon {run}"
            + ("\n--new starts another run beside it" if beside else ""),
        )


async def landed_before(
    views: Sequence[View], tasks: Sequence[Task], folder: Path, repository: Repository, base: str
) -> set[str]:
    """The tasks that an earlier run has landed into a commit that `base` contains, and that have not changed since.

    `folder` is the plan file's: prompt and context files are part of what a task is."""
    now, done = {task.id: task for task in tasks}, set[str]()
    for one in views:
        landed = await _contained(one, repository, base)
        if not landed:
            continue
        done |= _unchanged(one, landed, now, folder)
    return done


def landed_in_place(views: Sequence[View], plan: Plan, path: Path, folder: Path, root: Path) -> set[str]:
    """The tasks whose work an earlier run in place has left in `root`, as far as anybody can tell: the last one to do
    them did just this, and what they have promised is still there. `path` is the plan's."""
    now, done = {task.id: task for task in as_kept(plan, recipe=path.is_dir()).tasks}, set[str]()
    for one in views:
        if one.home.launch().repository == str(root) and one.state.settings.isolation == "none":
            landed = [record for record in one.state.tasks if record.landed]
            done = (done - {record.id for record in landed}) | _unchanged(one, landed, now, folder)
    return {task for task in done if all((root / path).exists() for path in now[task].artifacts)}


def as_kept(plan: Plan, *, recipe: bool) -> Plan:
    """The plan as a run would read it again from its copy."""
    return load("plan.yaml", as_yaml(plan).encode()).plan if recipe else plan


def _unchanged(one: View, landed: Sequence[TaskRecord], now: Mapping[str, Task], folder: Path) -> set[str]:
    """Those of the run's tasks that say the same now as then, with everything that goes with their prompts."""
    before, context = _definitions(one.home) if landed else ({}, {})
    done = set[str]()
    for record in landed:
        task = now.get(record.id)
        if task is None or replace(task, status="pending") != before.get(record.id):
            continue
        if one.replanned and not says_the_same(task, record.task):
            continue  # the copy of its plan is younger than that
        same = _same_texts(task, record.task, context.get(record.id, {}), folder)
        done |= {record.id} if same else set()
    return done


def says_the_same(task: Task, landed: Task) -> bool:
    """Whether the plan says of a task what it said when it landed, but for what the run itself puts in. The text of a
    prompt that has a file of its own is the file's to say."""
    own = ("effect", "status", "added_by", *(("prompt",) if task.prompt_file is not None else ()))
    return replace(task, **{field: getattr(landed, field) for field in own}) == landed


async def _contained(one: View, repository: Repository, base: str) -> list[TaskRecord]:
    """The tasks of that run whose landing is an ancestor of `base`. The landings of a run are a line of commits."""
    if one.state.settings.isolation == "none":  # what it has landed is in no commit
        return []
    landed = sorted((record for record in one.state.tasks if record.landed), key=lambda record: record.since)
    low, high = 0, len(landed)
    while low < high:
        middle = (low + high) // 2 if high < len(landed) else high - 1  # mostly all of it has been delivered
        if await _contains(repository, base, landed[middle].landed or ""):
            low = middle + 1
        else:
            high = middle
    return landed[:low]


async def _contains(repository: Repository, base: str, commit: str) -> bool:
    try:
        return await repository.store.is_ancestor(commit, base)
    except GitError:  # its branch was deleted, and git has tidied it away
        return False


def _definitions(home: RunHome) -> tuple[dict[str, Task], Mapping[str, Mapping[str, str]]]:
    """The tasks as the run's copy of the plan file has them, and the text of their context files."""
    try:
        # Where the plan is kept, not where its copy is: some formats look at what lies beside a plan.
        launch = home.launch()
        plan = load(home.plan() if launch.recipe else launch.plan_path, home.plan().read_bytes()).plan
        told = (home.path / CONTEXT).read_bytes()
        context = undump(told, CONTEXTS)
    except (PlanError, StateError, OSError, msgspec.DecodeError):  # of another version, or damaged: it proves nothing
        return {}, {}
    return {task.id: replace(task, status="pending") for task in plan.tasks}, context


def _same_texts(task: Task, before: Task, context: Mapping[str, str], folder: Path) -> bool:
    """Whether the files that make up its prompt still say what they said to the run that landed it."""
    then = dict(context)
    if then.keys() != set(task.context):
        return False
    if task.prompt_file is not None and not task.prompt:
        then[task.prompt_file] = before.prompt
    elif task.prompt != before.prompt:  # made from what lies beside the plan, too
        return False
    try:
        return all((folder / name).read_text(encoding="utf-8") == text for name, text in then.items())
    except (OSError, UnicodeDecodeError, ValueError):
        return False


async def _landings(one: View, repository: Repository, base: str) -> Earlier | None:
    # What it was built on is in its branch as well, also of tasks that were not selected then.
    succeeded = {record.id for record in one.state.tasks if record.state == "succeeded"} | set(one.state.inherited)
    tip = await repository.store.resolve(f"refs/heads/{one.state.branch}")
    if not succeeded or tip is None or await repository.store.is_ancestor(tip, base):
        return None
    return Earlier(run=one.home.run, tip=tip, succeeded=succeeded, beyond=0)


async def _beyond(views: Sequence[View], repository: Repository, tip: str, base: str) -> int:
    found = set[str]()
    for one in views:
        inside = {record.id for record in await _contained(one, repository, base)}
        found |= {record.id for record in await _contained(one, repository, tip)} - inside
    return len(found)


def tried(view: View, task: str) -> list[int]:
    """The attempts of the task that began; a number that was given to one that never did is not given again."""
    return sorted(number for other, number in Story(view.recorded).tries if other == task)


def without(view: View, task: str, verb: str, number: int = 0) -> StateError:
    """What to say of an attempt that the run does not have: the task has others, was done before, or has not begun."""
    record, run = view.state.by_id[task], view.home.run
    if record.starts and (there := tried(view, task)):
        last = there[-1]
        some = f"1 to {last}" if len(there) == last else ", ".join(map(str, there))
        why = f"{task!r} has attempt{'' if some.isdigit() else 's'} {some}"
        if 0 < number <= record.attempt - record.asking:
            why = f"attempt {number} of {task!r} never started: {why}"
    elif record.state != "succeeded":
        why = f"{task!r} has not been started yet"
    else:
        others = runs_of(view.home.repository, Path(view.home.launch().plan_path), new=True)
        before = [one for one in takewhile(lambda one: one.home.run != run, others) if task in one.state.by_id]
        by = next((one.home.run for one in reversed(before) if one.state.by_id[task].landed), None)
        if by:
            return StateError(f"{task!r} was done before this run, by {by}", hint=on_task(verb, task, by))
        why = f"{task!r} was done before this run"
    return StateError(why, hint=on_task("explain", task, run))
