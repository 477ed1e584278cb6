"""`stretto runs`: every run of this repository."""

from __future__ import annotations

from stretto.cli.options import Json


def runs(json: Json = False) -> None:
    """List the runs of this repository, oldest first."""
    import sys
    import time

    import msgspec

    from stretto.cli import terminal
    from stretto.cli.place import runs_here, view
    from stretto.errors import StateError
    from stretto.observe.layout import wrap
    from stretto.observe.paint import span
    from stretto.observe.snapshot import condition, snapshot
    from stretto.observe.words import counted

    found = []
    for home in runs_here().runs():
        try:
            if (seen := view(home)) is not None:
                found.append(seen)
        except StateError as error:  # one damaged journal hides no other run
            print(f"{home.run}: {error}", file=sys.stderr)
    if json:
        rows = []
        for seen in found:
            shot = snapshot(seen.state, seen.engine)
            rows.append(
                {
                    "run": shot.run, "plan": shot.plan, "state": shot.state, "engine": shot.engine,
                    "started_at": seen.state.started_at, "branch": shot.branch, "counts": shot.counts,
                }
            )  # fmt: skip
        print(msgspec.json.format(msgspec.json.encode(rows)).decode())
        return
    if not found:
        terminal.say("there is no run of this repository yet; start one with `stretto run PLAN`")
    paint, width, now = terminal.paint(sys.stdout), terminal.width(sys.stdout), time.time()
    wide = max((len(seen.state.run) for seen in found), default=0)
    for seen in found:
        what = condition(seen.state, seen.engine, now)
        ago = f"{span(now - seen.state.started_at)} ago"
        landed = "; on your branch" if seen.delivered else "; partly on your branch"
        start = f"{seen.state.run:<{wide}}  {what:<9}  {ago:>10}  "
        told = counted(seen.state) + (landed if seen.state.delivered else "")
        if width is not None and len(start) + len(told) > width:
            first, more = start, wrap(told, width, first="    ", rest="    ")
        else:
            first, more = start + told, []
        print("\n".join((first.replace(f"  {what:<9}  ", f"  {paint.state(what, 9)}  ", 1), *more)))
