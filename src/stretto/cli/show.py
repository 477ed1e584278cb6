"""`stretto show`: what a plan looks like: levels, critical path, overlaps, times."""

from __future__ import annotations

from typing import Annotated

import typer

from stretto.cli.options import Jobs, Json, PlanArgument, Profile, chosen_format

FORMATS = ("text", "json", "mermaid", "dot", "svg", "html")


def show(
    plan: PlanArgument,
    format: Annotated[
        str | None,
        typer.Option("--format", metavar="|".join(FORMATS), help="How to print it: as text, as JSON, or drawn."),
    ] = None,
    json: Json = False,
    jobs: Jobs = None,
    profile: Profile = None,
    suggest: Annotated[
        bool,
        typer.Option("--suggest", help="Say what could be changed, what it would save, and how; as text or JSON."),
    ] = False,
    patch: Annotated[
        list[str] | None,
        typer.Option(
            "--patch", metavar="N,N", help="Of what --suggest says, print one patch for these numbers, or `all`."
        ),
    ] = None,
    prompt: Annotated[
        str | None, typer.Option("--prompt", metavar="TASK", help="Print what the agent of this task would be told.")
    ] = None,
    agent: Annotated[str | None, typer.Option("--agent", metavar="A", help="With --prompt: who would do it.")] = None,
    start: Annotated[
        str | None, typer.Option("--base", metavar="REF", help="With --prompt: the commit to start from.")
    ] = None,
) -> int:
    """Show levels, critical path, overlaps, and how much faster it is in parallel; or the prompt of one task."""
    import shlex
    import sys

    import msgspec

    from stretto.cli import terminal
    from stretto.cli.linting import examine
    from stretto.cli.place import settings_here
    from stretto.config.layers import flags
    from stretto.config.resolve import run_settings
    from stretto.errors import ConfigError
    from stretto.observe.paint import count
    from stretto.observe.planview import show_json, show_text
    from stretto.observe.views.draw import DRAWINGS, draw
    from stretto.observe.words import on_plan

    shape = chosen_format(format, json, FORMATS)
    asked = "--patch" if patch else "--suggest" if suggest else None
    if asked and (prompt is not None or shape not in ("text", *(["json"] if not patch else []))):
        other = "--prompt" if prompt is not None else f"--format {shape}"
        raise ConfigError(f"{asked} and {other} contradict each other", hint="give one of them")
    if prompt is not None:
        if shape not in ("text", "json"):
            raise ConfigError(f"a prompt is not drawn: --prompt has no --format {shape}", hint="leave --format out")
        return _prompt(plan, prompt, agent=agent, start=start, profile=profile, as_json=shape == "json")
    if agent is not None or start is not None:
        raise ConfigError(f"{'--agent' if agent else '--base'} needs --prompt TASK", hint="stretto show --help")
    settings = run_settings(settings_here(flags({"parallel": jobs}), profile))
    loaded, findings = examine(plan, settings)
    command = on_plan("run", plan)
    if asked:
        from stretto.cli.suggesting import print_patch, print_suggestions

        # With other options there is other advice, of other numbers.
        also = [*(("-j", str(jobs)) if jobs else ()), *(("--profile", profile) if profile else ())]
        options = f" {shlex.join(also)}" if also else ""
        if patch:
            print_patch(plan, loaded, settings, patch, options=options)
        else:
            print_suggestions(plan, loaded, settings, as_json=shape == "json", options=options)
    elif shape in DRAWINGS:
        lines = draw(
            loaded.plan,
            findings,
            shape,
            places=settings.parallel,
            default_s=settings.estimate_s,
            command=command,
        )
        for text in lines:
            print(text)
    elif shape == "json":
        told = show_json(loaded.plan, places=settings.parallel, default_s=settings.estimate_s, command=command)
        print(msgspec.json.format(msgspec.json.encode(told)).decode())
    else:
        paint, width = terminal.paint(sys.stdout), terminal.width(sys.stdout) or terminal.WIDTH
        for text in show_text(
            loaded.plan,
            width=width,
            places=settings.parallel,
            default_s=settings.estimate_s,
            paint=paint,
            graph_too=True,
        ):
            print(text)
    if errors := sum(finding.severity == "error" for finding in findings):
        print(f"\nthis plan has {count(errors, 'error')} and will not run: {on_plan('check', plan)}", file=sys.stderr)
    return 0


def _prompt(plan: str, task: str, *, agent: str | None, start: str | None, profile: str | None, as_json: bool) -> int:
    """On standard output there is the prompt and nothing else."""
    import sys

    import msgspec

    from stretto.cli import terminal
    from stretto.cli.begin import Wanted
    from stretto.cli.preview import first_prompt
    from stretto.config.layers import flags

    wanted = Wanted(
        plan=plan, flags=flags({"agent": agent}), profile=profile, base=start, new=True, json=True, start=False
    )
    told = first_prompt(wanted, task)
    if told.trouble:
        terminal.say(f"this is the usual prompt, not the plan's template: {told.trouble}", json=True, label="warning")
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(told.outline(task))).decode())
    else:
        sys.stdout.buffer.write(told.text.encode())
        sys.stdout.buffer.flush()
    return 0
