"""`stretto land`: brings a run's results to the user's branch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from stretto.cli.options import Json, RunArgument

if TYPE_CHECKING:
    from stretto.cli.place import View

NAMED = 20
"""So many tasks that are not in it are named."""


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
    return land_run(run, json=json, tell=json, push=push, asks=True)


def land_at_end(name: str, code: int, *, json: bool) -> int:
    """Land a run that has just finished with `code`, if anything of it has landed; the worse of both codes."""
    from stretto.cli.place import find

    if code not in (0, 1) or not any(record.landed for record in find(name).state.tasks):
        return code
    return max(code, land_run(name, json=json))


def land_run(name: str | None, *, json: bool, tell: bool = False, push: str | None = None, asks: bool = False) -> int:
    """Land the run of that name, or the latest; the exit code. With `tell`, what came of it is printed as JSON.

    With `asks`, a person at a terminal is asked before part of a run that is not finished lands."""
    import asyncio
    import os
    import sys
    from shlex import quote

    import msgspec

    from stretto.cli import terminal
    from stretto.cli.deliver import deliver
    from stretto.cli.place import find
    from stretto.errors import ConfigError, StateError
    from stretto.model.excerpt import legible
    from stretto.observe.snapshot import is_open

    view = find(name, abandoned=True)  # what moves the user's branch is never another run than they may think of
    if view.state.settings.isolation == "none":
        if push is not None:
            raise ConfigError(f"{view.home.run} has no branch to push: its work is in the folder itself")
        where = view.home.launch().repository
        if tell:
            nothing = dict.fromkeys(("branch", "onto", "commit"))
            print(msgspec.json.encode({**nothing, "moved": False, "merged": False, "remarks": ()}).decode())
        terminal.say(f"there is nothing to land: what {view.home.run} has done is in {where} already", json=json)
        return 0
    landed = any(record.landed for record in view.state.tasks) or view.state.inherited  # its branch has those, too
    if view.engine is None and not landed:
        raise StateError(f"nothing of {view.home.run} has landed yet", hint=f"stretto status {view.home.run}")
    part = view.engine is None and is_open(view.state) and not view.state.abandoned
    if part:
        _say_part(view, json=json)
        if asks and terminal.is_interactive() and not terminal.ask("Land that part now?", default=False):
            print("nothing was landed", file=sys.stderr)
            return 130
    done = asyncio.run(deliver(view.home, os.environ, push_to=push))
    onto = done.onto or "HEAD"
    if tell:
        print(msgspec.json.encode(done).decode())
    if done.remarks:
        what = f"merged with {onto}" if done.merged else "which has commits that the run did not land"
        print(f"error: checks are red on {done.branch}, {what}; nothing has moved", file=sys.stderr)
        for remark in done.remarks:
            print(f"  {remark.check}: {legible(remark.message)}", file=sys.stderr)
        between = f"{done.branch}..{onto}" if done.merged else f"{onto}..{done.branch}"
        print(f"hint: what came in between: git log --oneline {quote(between)}", file=sys.stderr)
        return 1
    if not done.moved:
        terminal.say(f"{onto} has everything that {view.home.run} has landed already", json=json)
    else:
        how = f", merged with what {onto} had got meanwhile" if done.merged else ""
        terminal.say(f"landed {view.home.run} on {onto}: {done.commit[:10]}{how}", json=json)
    if push is not None:
        terminal.say(f"pushed {onto} to {push}", json=json)
    if not part:
        _say_left_out(view, json=json)
    return 0


def _say_part(view: View, *, json: bool) -> None:
    from stretto.cli import terminal
    from stretto.observe.paint import count

    tasks = [record for record in view.state.tasks if record.id not in view.state.gone]
    before = sum(record.state == "succeeded" and not record.starts for record in tasks)  # not by this run
    landed = sum(record.landed is not None for record in tasks)
    number = f"{landed} of {count(len(tasks) - before, 'task')} landed"
    number += f", {before} {'was' if before == 1 else 'were'} done before" if before else ""
    terminal.say(f"the run is not finished: {number}; resume and land again for the rest", json=json, label="note")
    terminal.commands(f"stretto resume {view.home.run}", json=json)
    _say_left_out(view, json=json)


def _say_left_out(view: View, *, json: bool) -> None:
    from stretto.cli import terminal

    gone = view.state.gone  # from the plan: nobody misses them
    left = [record.id for record in view.state.tasks if record.state != "succeeded" and record.id not in gone]
    if left:
        more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
        terminal.say(f"not in it: {', '.join(left[:NAMED])}{more}", json=json)
