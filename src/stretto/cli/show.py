"""`stretto show`: what a plan looks like: levels, critical path, overlaps, times."""

from __future__ import annotations

from stretto.cli.options import Format, Jobs, Json, PlanArgument, wants_json


def show(
    plan: PlanArgument,
    format: Format = None,
    json: Json = False,
    jobs: Jobs = None,
) -> int:
    """Show levels, critical path, overlaps, and how much faster it is in parallel."""
    import sys

    import msgspec

    from stretto.cli import terminal
    from stretto.cli.begin import examine
    from stretto.model.run import RunSettings
    from stretto.observe.paint import count
    from stretto.observe.planview import show_json, show_text

    as_json = wants_json(format, json)
    loaded, findings = examine(plan)
    places = jobs or RunSettings().parallel
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(show_json(loaded.plan, places=places))).decode())
    else:
        paint, width = terminal.paint(sys.stdout), terminal.width(sys.stdout) or terminal.WIDTH
        for text in show_text(loaded.plan, width=width, places=places, paint=paint):
            print(text)
    if errors := sum(finding.severity == "error" for finding in findings):
        print(f"\nthis plan has {count(errors, 'error')} and will not run: stretto check {plan}", file=sys.stderr)
    return 0
