"""`stretto land`: brings a run's results to the user's branch."""

from __future__ import annotations

from typing import Annotated

import typer

from stretto.cli.options import Json, RunArgument


def land(
    run: RunArgument = None,
    json: Json = False,
    pr: Annotated[bool, typer.Option("--pr", hidden=True)] = False,
    push: Annotated[
        str | None, typer.Option("--push", metavar="REMOTE", help="Then push your branch to this remote.")
    ] = None,
) -> int:
    """Bring the results of a run to your branch; where it has moved, merge first and judge again."""
    from stretto.cli.later import refuse

    refuse({"--pr": pr})
    return land_run(run, json=json, tell=json, push=push)


def land_at_end(name: str, code: int, *, json: bool) -> int:
    """Land a run that has just finished with `code`, if anything of it has landed; the worse of both codes."""
    from stretto.cli.place import find

    if code not in (0, 1) or not any(record.landed for record in find(name).state.tasks):
        return code
    return max(code, land_run(name, json=json))


def land_run(name: str | None, *, json: bool, tell: bool = False, push: str | None = None) -> int:
    """Land the run of that name, or the latest; the exit code. With `tell`, what came of it is printed as JSON."""
    import asyncio
    import os
    import sys

    import msgspec

    from stretto.cli import terminal
    from stretto.cli.deliver import deliver
    from stretto.cli.place import find
    from stretto.errors import StateError
    from stretto.model.excerpt import legible

    view = find(name)
    if view.engine is None and not any(record.landed for record in view.state.tasks):
        raise StateError(f"nothing of {view.home.run} has landed yet", hint=f"stretto status {view.home.run}")
    done = asyncio.run(deliver(view.home, os.environ, push_to=push))
    onto = done.onto or "HEAD"
    if tell:
        print(msgspec.json.encode(done).decode())
    if done.remarks:
        print(f"error: checks are red on {done.branch} merged with {onto}; nothing has moved", file=sys.stderr)
        for remark in done.remarks:
            print(f"  {remark.check}: {legible(remark.message)}", file=sys.stderr)
        print(f"hint: git log --oneline {done.branch}..{onto}  shows what came in between", file=sys.stderr)
        return 1
    if not done.moved:
        terminal.say(f"{onto} has everything that {view.home.run} has landed already", json=json)
    else:
        how = f", merged with what {onto} had got meanwhile" if done.merged else ""
        terminal.say(f"landed {view.home.run} on {onto}: {done.commit[:10]}{how}", json=json)
    if push is not None:
        terminal.say(f"pushed {onto} to {push}", json=json)
    open_tasks = [record.id for record in view.state.tasks if record.state != "succeeded"]
    if open_tasks:
        terminal.say(f"not in it: {', '.join(open_tasks[:5])}{', …' if len(open_tasks) > 5 else ''}", json=json)
    return 0
