"""`stretto run`: shows the plan, asks, runs it."""

from __future__ import annotations

from typing import Annotated

import typer

from stretto.cli.options import Conflicts, Isolation, Jobs, Json, PlanArgument, Profile, at_least_one


def run(
    plan: PlanArgument,
    jobs: Jobs = None,
    no_parallel: Annotated[bool, typer.Option("--no-parallel", help="One task at a time: -j 1.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would run, and stop there.")] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="IDS", help="Only these tasks or phases; with commas, or given again."),
    ] = None,
    with_deps: Annotated[bool, typer.Option("--with-deps", help="And everything they need.")] = False,
    phase: Annotated[
        str | None, typer.Option("--phase", metavar="P", help="Only tasks of this phase; with --only, what is in both.")
    ] = None,
    on_failure: Annotated[
        str | None,
        typer.Option("--on-failure", metavar="continue|stop", help="What a failed task means for the rest of the run."),
    ] = None,
    conflicts: Annotated[
        Conflicts | None,
        typer.Option("--conflicts", help="What to do with tasks whose claims overlap; default: serialize."),
    ] = None,
    timeout: Annotated[
        str | None, typer.Option("--timeout", metavar="T", help="Longest time of an attempt, such as 90s or 15m.")
    ] = None,
    attempts: Annotated[
        int | None,
        typer.Option("--attempts", metavar="N", callback=at_least_one, help="Tries of a task that cost; default: 3."),
    ] = None,
    agent: Annotated[
        str | None,
        typer.Option("--agent", metavar="A", help="Who does the tasks: 'shell: COMMAND', scripted, or a name."),
    ] = None,
    agent_args: Annotated[
        str | None,
        typer.Option("--agent-args", metavar="WORDS", help="Further words for that agent's command line."),
    ] = None,
    profile: Profile = None,
    isolation: Annotated[
        Isolation | None,
        typer.Option("--isolation", help="Where tasks work: each in a worktree, or (none) in the folder itself."),
    ] = None,
    start: Annotated[
        str | None, typer.Option("--base", metavar="REF", help="Commit to start from; default: HEAD.")
    ] = None,
    branch: Annotated[
        str | None, typer.Option("--branch", metavar="NAME", help="New branch to land on; default: stretto/<run>.")
    ] = None,
    land: Annotated[bool, typer.Option("--land", help="At the end, bring what has landed to your branch.")] = False,
    ignore_status: Annotated[
        bool, typer.Option("--ignore-status", help="Do again what the plan file or an earlier run says is done.")
    ] = False,
    new: Annotated[
        bool, typer.Option("--new", help="Start another run although one of this plan is alive or unfinished.")
    ] = False,
    yes: Annotated[
        bool,
        typer.Option("--yes", "-y", help="Do not ask; where there is no terminal to ask in, nothing is asked anyway."),
    ] = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Leave it running in the background: say how to come back, and end.")
    ] = False,
    json: Json = False,
    until: Annotated[str | None, typer.Option("--until", hidden=True)] = None,
    budget: Annotated[str | None, typer.Option("--budget", hidden=True)] = None,
    engine: Annotated[str | None, typer.Option("--engine", hidden=True)] = None,
    on_limit: Annotated[str | None, typer.Option("--on-limit", hidden=True)] = None,
    on_approval: Annotated[str | None, typer.Option("--on-approval", hidden=True)] = None,
    max_wait: Annotated[str | None, typer.Option("--max-wait", hidden=True)] = None,
) -> int:
    """Show the plan, ask, and run it."""
    import sys

    from stretto.cli import begin, front, terminal
    from stretto.cli.land import land_at_end, land_run
    from stretto.cli.later import refuse
    from stretto.config.agents import words
    from stretto.config.layers import flags
    from stretto.errors import ConfigError

    refuse(
        {
            "--until": until,
            "--budget": budget,
            "--engine": engine not in (None, "embedded"),
            "--on-limit": on_limit,
            "--on-approval": on_approval,
            "--max-wait": max_wait,
            "--on-failure rollback": on_failure == "rollback",
        }
    )
    if no_parallel and jobs not in (None, 1):
        raise ConfigError("--no-parallel and -j contradict each other", hint="give one of them")
    if detach and land:
        raise ConfigError("--detach leaves nobody who could --land", hint="run --detach, and `stretto land` afterwards")
    if with_deps and not (only or phase):
        raise ConfigError("--with-deps needs --only or --phase", hint="without them everything runs anyway")
    names = tuple(name.strip() for given in only or () for name in given.split(",") if name.strip())
    if only and not names:
        raise ConfigError("--only names no task", hint="--only ID,ID")
    chosen = {
        "parallel": 1 if no_parallel else jobs,
        "agent": agent,
        "attempts": attempts,
        "timeout": timeout,
        "on_failure": on_failure,
        "conflicts": conflicts.value if conflicts else None,
        "isolation": isolation.value if isolation else None,
    }
    wanted = begin.Wanted(
        plan=plan,
        flags=flags(chosen),
        profile=profile,
        agent_args=words(agent_args),
        only=names,
        phase=phase,
        with_deps=with_deps,
        base=start,
        branch=branch,
        land=land,
        ignore_status=ignore_status,
        new=new,
        interactive=terminal.is_interactive() and not detach,
        ask=terminal.is_interactive() and not yes,
        json=json,
        start=not dry_run,
    )
    ready = begin.prepare(wanted)
    begin.show(ready, json=json, whole=dry_run)
    if dry_run:
        return 0
    if not ready.todo:
        terminal.say("nothing is left to do", json=json)
        builds_on = ready.ground.builds_on
        if builds_on and not land:
            terminal.commands(f"stretto land {builds_on}", json=json)
        return land_run(builds_on, json=json) if land and builds_on else 0
    if wanted.ask and not terminal.ask("Run it?", default=True):
        print("nothing was started", file=sys.stderr)
        return 130
    home = begin.create(ready)
    if detach:
        return front.detach(home, json=json)
    code = front.follow(home, json=json)
    return land_at_end(home.run, code, json=json) if land and code is not None else code or 0
