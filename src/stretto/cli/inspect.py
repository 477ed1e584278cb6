"""`stretto inspect`: the insides of a run, for who looks for a bug."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from stretto.cli.options import Json, RunArgument, at_least_one

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stretto.cli.place import View


def inspect(
    run: RunArgument = None,
    events: Annotated[bool, typer.Option("--events", help="The journal, an event a line.")] = False,
    at: Annotated[
        int | None,
        typer.Option("--at", metavar="SEQ", callback=at_least_one, help="As it was after this event of the journal."),
    ] = None,
    task: Annotated[str | None, typer.Option("--task", metavar="TASK", help="Only what concerns this task.")] = None,
    json: Json = False,
) -> None:
    """Show a run's state, claims, timers, processes, refs, sizes and launch settings; or its journal."""
    import msgspec

    from stretto.cli.place import find
    from stretto.core.recovery import replay
    from stretto.errors import ConfigError
    from stretto.observe.inspection import concerns, event_lines, insides, state_lines

    view = find(run).shown()
    last = view.last
    if at is not None and at > last:
        raise ConfigError(f"--at {at}: {view.home.run} has events 1 to {last}", hint=f"--at {last}")
    if task is not None:
        view.must_have([task])
    until = last if at is None else at
    recorded = [one for one in view.recorded if one.seq <= until]
    coordinator = view.coordinator if at is None else replay(one.event for one in recorded)
    chosen = [one for one in recorded if task is None or concerns(one.event, task)]
    told = insides(coordinator)
    if task is not None:
        told["tasks"] = [record for record in told["tasks"] if record["id"] == task]
    around = _around(view)
    if json:
        page = {"schema_version": 1, "run": view.home.run, "seq": until, "last": last, **around, "state": told}
        if events:
            page["events"] = [{"seq": one.seq, **msgspec.to_builtins(one.event)} for one in chosen]
        print(msgspec.json.format(msgspec.json.encode(page)).decode())
    elif events:
        for text in event_lines(chosen):
            print(text)
    else:
        for text in (*_around_lines(view, around, until), *state_lines(told)):
            print(text)


def _around(view: View) -> dict[str, Any]:
    """What there is of the run outside its state, now."""
    import asyncio
    import os
    from pathlib import Path

    import msgspec

    from stretto import wiring
    from stretto.cli.housekeeping import usage
    from stretto.engine.archive import public
    from stretto.engine.reader import SqliteReader
    from stretto.engine.strays import living
    from stretto.workspace.cleaning import refs_of

    home, launch = view.home, view.home.launch()
    reader = SqliteReader(home)
    started = reader.processes()

    async def refs() -> dict[str, str]:
        if launch.isolation == "none":
            return {}
        return await refs_of((await wiring.repository(Path.cwd(), os.environ)).store, home.run)

    return {
        "folder": str(home.path),
        "engine": msgspec.to_builtins(view.engine),
        "launch": msgspec.to_builtins(public(launch)),
        "sizes": {path.name: usage([path]) for path in sorted(home.path.iterdir())},
        "refs": asyncio.run(refs()),
        "processes": {"started": len(started), "alive": living(home.run, started)},
        "requests": reader.requests(),
    }


def _around_lines(view: View, around: dict[str, Any], until: int) -> Iterator[str]:
    from stretto.observe.inspection import pairs, short

    yield f"{view.home.run}, after event {until} of {view.last}"
    yield f"{'folder':<16}{around['folder']}"
    engine = around["engine"]
    yield f"{'engine':<16}" + (f"process {engine['pid']} on {engine['host']}" if engine else "none")
    processes = around["processes"]
    alive = ", ".join(map(str, processes["alive"])) or "none alive"
    yield f"{'processes':<16}{processes['started']} started; {alive}"
    for name in ("sizes", "refs", "launch"):
        yield f"{name}:"
        yield from pairs(around[name], indent="  ")
    if around["requests"]:
        yield "requests:"
        yield from (f"  {short(request)}" for request in around["requests"])
