"""`stretto resume`: goes on with a run after a stop, a crash or a pause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from stretto.cli.options import Jobs, Json, RunArgument

if TYPE_CHECKING:
    from stretto.cli.place import View
    from stretto.model.plan import Plan


def resume(
    run: RunArgument = None,
    jobs: Jobs = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Leave it running in the background: say how to come back, and end.")
    ] = False,
    json: Json = False,
    replan: Annotated[
        bool,
        typer.Option("--replan", help="Go on with the plan file as it is now: tasks that have not landed may change."),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="With --replan: change also what is in flight; it is interrupted.")
    ] = False,
) -> int:
    """Go on with a run: after a stop, a crash, a pause, or with what `retry` and `approve` have asked for."""
    import time

    from stretto.cli import front, terminal, wish
    from stretto.cli.land import land_at_end
    from stretto.cli.place import find, other_runs
    from stretto.cli.strays import end_strays
    from stretto.core.events import SettingsChanged
    from stretto.engine.abandonment import refuse_abandoned
    from stretto.errors import ConfigError, RunLeased
    from stretto.observe.snapshot import is_open, next_steps
    from stretto.observe.words import counted

    if force and not replan:
        raise ConfigError("--force is for --replan", hint="say both, or leave it out")
    view = find(run)
    home = view.home
    if view.engine is not None:
        holder = f"process {view.engine.pid} on {view.engine.host}"
        hint = f"stretto status {home.run}\nor end it: stretto stop {home.run}"
        if view.state.drain is not None:
            hint = f"it ends with what is at work; to end that now: stretto stop {home.run} --now"
        raise RunLeased(f"{home.run} is running: {holder}", holder=holder, hint=hint)
    if view.state.ended != "succeeded":
        view.must_not_be_cleaned()
    refuse_abandoned(view.state)
    if replan:
        from stretto.cli.replan import ask

        view.must_not_be_cleaned()
        told = ask(view, force=force)
        terminal.say(told or "the plan file says nothing else than the run's plan", json=json)
        view = find(home.run)
    beside = view.beside()
    if view.state.ended is not None and view.state.closed and not is_open(view.state) and not beside.wishes:
        over = "has succeeded" if view.state.ended == "succeeded" else "has finished"
        where = "; on your branch" if beside.delivered else ""
        terminal.say(f"{home.run} {over}: {counted(view.state)}{where}", json=json)
        for step in next_steps(view.state, None, delivered=beside.delivered, again=beside.again):
            terminal.commands(*([step] if step else ()), json=json)
        if run is None:
            for other in (one for one in other_runs(view) if one.unfinished and one.engine is None):
                terminal.say(f"another run of this repository is unfinished: {other.home.run}", json=json)
                terminal.commands(f"stretto resume {other.home.run}", json=json)
                break
        return 0 if view.state.ended == "succeeded" else 1
    if jobs is not None:
        wish.put(view, SettingsChanged(at=time.time(), parallel=jobs))
    if ended := end_strays(home):
        terminal.say(f"ended {ended} left over from before the crash", json=json)
    if _plan_differs(view):
        terminal.say("note: the plan file has changed since; the run goes on with the plan it recorded", json=json)
        if not home.launch().recipe:
            way = f"stretto resume {home.run} --replan"
            terminal.say(f"to take the new one, when this has been stopped or is over: {way}", json=json)
    if detach:
        return front.detach(home, json=json, after=view.last)
    code = front.follow(home, json=json, after=view.last)
    return land_at_end(home.run, code, json=json) if home.launch().land_at_end and code is not None else code or 0


def _plan_differs(view: View) -> bool:
    """Whether the plan says something else than at the start, statuses aside (R8.4)."""
    from msgspec.structs import replace

    from stretto.cli.earlier import as_kept, says_the_same
    from stretto.cli.opening import open_plan
    from stretto.errors import PlanError
    from stretto.formats.load import load

    home, launch = view.home, view.home.launch()
    path = launch.plan_path
    try:
        now = as_kept(open_plan(path).plan, recipe=True) if launch.recipe else load(path).plan
        # Both where the plan is kept: some formats look at what lies beside it.
        then = load(home.plan() if launch.recipe else path, home.plan().read_bytes()).plan
    except (PlanError, OSError):  # gone, or broken since
        return True

    def without_status(plan: Plan) -> Plan:
        return replace(plan, tasks=tuple(replace(task, status="pending") for task in plan.tasks))

    if without_status(then) != without_status(now):
        return True
    if launch.part or not now.status_files:  # a part waits for less than its plan
        return False
    # What lies beside it is no part of that copy; the run knows the tasks that it has read there.
    state = view.state
    known = {record.id: record.task for record in state.tasks if record.id not in state.gone}
    told = {task.id: task for task in now.tasks}
    own = {id for id, task in known.items() if task.added_by}
    return known.keys() - own != told.keys() or not all(says_the_same(told[id], known[id]) for id in told)
