"""`stretto show`: what a plan looks like: levels, critical path, overlaps, times."""

from __future__ import annotations

from stretto.cli.options import Format, Jobs, Json, PlanArgument, Profile, wants_json


def show(
    plan: PlanArgument,
    format: Format = None,
    json: Json = False,
    jobs: Jobs = None,
    profile: Profile = None,
) -> int:
    """Show levels, critical path, overlaps, and how much faster it is in parallel."""
    import sys

    import msgspec

    from stretto.cli import terminal
    from stretto.cli.begin import examine
    from stretto.cli.place import settings_here
    from stretto.config.layers import flags
    from stretto.config.resolve import run_settings
    from stretto.observe.paint import count
    from stretto.observe.planview import show_json, show_text

    as_json = wants_json(format, json)
    settings = run_settings(settings_here(flags({"parallel": jobs}), profile))
    loaded, findings = examine(plan, settings)
    if as_json:
        told = show_json(loaded.plan, places=settings.parallel, default_s=settings.estimate_s)
        print(msgspec.json.format(msgspec.json.encode(told)).decode())
    else:
        paint, width = terminal.paint(sys.stdout), terminal.width(sys.stdout) or terminal.WIDTH
        for text in show_text(
            loaded.plan, width=width, places=settings.parallel, default_s=settings.estimate_s, paint=paint
        ):
            print(text)
    if errors := sum(finding.severity == "error" for finding in findings):
        print(f"\nthis plan has {count(errors, 'error')} and will not run: stretto check {plan}", file=sys.stderr)
    return 0
