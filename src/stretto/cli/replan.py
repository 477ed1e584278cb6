"""The plan file as it is now, for a run that began with another: `resume --replan` (R8.4)."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Iterator, Sequence

import msgspec

from stretto import wiring
from stretto.analysis.effects import settled
from stretto.analysis.lint import ok
from stretto.cli.earlier import says_the_same
from stretto.cli.linting import examine, refusal
from stretto.cli.place import View
from stretto.cli.texts import read_texts
from stretto.core.coordinator import Coordinator
from stretto.core.events import PlanChanged, RequestReceived
from stretto.core.recovery import declare_lost, lost_attempts, replay
from stretto.core.replan import outlook
from stretto.core.requests import refuse
from stretto.engine.home import CONTEXT, Launch, write_whole
from stretto.engine.journal import SqliteInbox
from stretto.errors import NotSupportedYet, PlanError
from stretto.formats.load import load
from stretto.model.plan import Plan
from stretto.observe.words import on_plan


def ask(view: View, *, force: bool) -> str:
    """Leave the wish that the run goes on with the plan file as it is now; what it will change, in words.

    Raises PlanError for a plan that the run cannot have, NotSupportedYet, and StateError."""
    home, launch = view.home, view.home.launch()
    if launch.recipe:
        raise NotSupportedYet("--replan of a folder's plan is not supported yet", hint="leave it out, or begin anew")
    loaded, findings = examine(launch.plan_path, view.state.settings)
    if not ok(findings):
        raise refusal(launch.plan_path, findings)
    then = _as_at_the_resume(view)
    again = on_plan("run", launch.plan_path)
    if launch.part:
        raise NotSupportedYet(
            f"{home.run} was begun with a part of its plan: --replan is not supported yet", hint=again
        )
    former = load(launch.plan_path, home.plan().read_bytes()).plan
    for field in _whole(former, loaded.plan):
        said = f"`{field}` of the plan has changed, which a run keeps as it was when it began"
        raise PlanError(said, hint=f"put it back, or begin a new run: {again}")
    done = {record.id for record in then.state.tasks if record.state == "succeeded"}
    plan, context = read_texts(loaded.plan, launch.plan_folder, done)
    _refuse_strangers(plan, launch, done)
    coding = {name for name, spec in launch.agents.items() if wiring.agent_class(spec).codes}
    plan = settled(plan, coding=coding, default=launch.agent)
    tasks = tuple(msgspec.structs.replace(task, status="pending") for task in plan.tasks)  # the run knows better
    change = PlanChanged(at=time.time(), tasks=tasks, phases=plan.phases, force=force)
    if (why := refuse(then.state, change)) is not None:
        raise PlanError(f"{home.run} cannot go on with this plan: {why}", hint=again)
    told = outlook(then.state, change)
    if told:
        texts = {**home.context(), **context}
        write_whole(home.path / CONTEXT, msgspec.json.encode(texts))
        with contextlib.closing(SqliteInbox(home.journal)) as inbox:
            inbox.put(change, request=uuid.uuid4().hex)
    write_whole(home.plan(), loaded.data)  # in any case: who was killed before this line had left it behind
    landed = {task: then.state.by_id[task].task for task in done}
    other = [task.id for task in loaded.plan.tasks if task.id in done and not says_the_same(task, landed[task.id])]
    named = {task.id for task in loaded.plan.tasks}
    away = [task.id for task in former.tasks if task.id in done and task.id not in named]
    words = (told, _left_as_landed(other) if other else "", _stays(away) if away else "")
    return "; ".join(word for word in words if word)


def _as_at_the_resume(view: View) -> Coordinator:
    """The run as its next engine finds it: what its last one had at work when it died is lost, and what was asked for
    since then is done, a former plan too."""
    then = replay(recorded.event for recorded in view.recorded)
    for record in lost_attempts(then.state):
        then.handle(declare_lost(record, then.state.at, None))
    with contextlib.closing(SqliteInbox(view.home.journal)) as inbox:
        for asked in inbox.waiting():
            then.handle(RequestReceived(at=asked.at, request=asked.id, wish=asked.wish))
    return then


def _left_as_landed(tasks: Sequence[str]) -> str:
    """What to say of landed tasks that the new plan changes."""
    has = "it has" if len(tasks) == 1 else "they have"
    return f"what it says of {_some(tasks)} now is left for a new run: {has} landed"


def _stays(tasks: Sequence[str]) -> str:
    """What to say of tasks that the new plan does not have any more, and that are done."""
    one = len(tasks) == 1
    return (
        f"{_some(tasks)} {'is' if one else 'are'} not in it any more, but done: {'its' if one else 'their'} work stays"
    )


def _some(tasks: Sequence[str]) -> str:
    return ", ".join(map(repr, tasks[:5])) + (f" and {len(tasks) - 5} more" if len(tasks) > 5 else "")


def _whole(begun: Plan, now: Plan) -> Iterator[str]:
    """What of the plan is another, beside its tasks and phases."""
    for field in Plan.__struct_fields__:
        if field not in ("tasks", "phases") and getattr(begun, field) != getattr(now, field):
            yield field


def _refuse_strangers(plan: Plan, launch: Launch, done: set[str]) -> None:
    """Raises PlanError for an agent that the run does not have: which programs it starts was shown when it began."""
    for task in plan.tasks:
        for name in () if task.id in done else task.agent or (launch.agent,):
            if name not in launch.agents:
                known = ", ".join(map(repr, launch.agents))
                raise PlanError(
                    f"task {task.id!r} is for agent {name!r}, which this run does not have",
                    hint=f"name one that it has: {known}",
                )
