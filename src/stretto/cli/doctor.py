"""`stretto doctor`: looks at the machine and the repository, and says what would be in the way of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from stretto.cli.options import Json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stretto.model.health import Observation


def doctor(
    no_agents: Annotated[
        bool, typer.Option("--no-agents", help="Start no agent's program to ask for its version.")
    ] = False,
    json: Json = False,
) -> int:
    """Look at the machine and the repository: what would be in the way of a run. Changes nothing.

    Ends with 0 where there is no problem, with 3 where only the state folder or a run has one, else with 2.
    """
    import asyncio
    import os
    from pathlib import Path

    import msgspec

    from stretto.cli.checkup import checkup

    async def look() -> list[Observation]:
        return [seen async for seen in checkup(Path.cwd(), os.environ, agents=not no_agents)]

    found = asyncio.run(look())
    code = _code(found)
    if json:
        print(msgspec.json.format(msgspec.json.encode({"ok": code == 0, "observations": found})).decode())
    else:
        for line in _lines(found):
            print(line)
    return code


def _code(found: Sequence[Observation]) -> int:
    areas = {seen.area for seen in found if seen.verdict == "problem"}
    if not areas:
        return 0
    return 3 if areas == {"state"} else 2


def _lines(found: Sequence[Observation]) -> Iterator[str]:
    """Area by area, one line for each thing, and below it what follows and what to do."""
    import sys
    from itertools import groupby

    from stretto.cli import terminal
    from stretto.model.excerpt import legible
    from stretto.observe.layout import advice, wrap
    from stretto.observe.paint import Colour, count

    paint, width = terminal.paint(sys.stdout), terminal.width(sys.stdout)
    colours: dict[str, Colour] = {"ok": "green", "warning": "yellow", "problem": "red"}
    for area, seen in groupby(found, lambda one: one.area):
        yield paint(area, "bold")
        for one in seen:
            first, *more = wrap(
                legible(f"{one.about}: {one.told}"), width, first=f"  {one.verdict:<7}  ", rest=" " * 11
            )
            yield first.replace(one.verdict, paint(one.verdict, colours[one.verdict]), 1)
            yield from more
            if one.follows:
                yield from wrap(legible(one.follows), width, first=" " * 11, rest=" " * 11)
            if one.mend:
                mend = "\n".join(legible(text) for text in one.mend.splitlines())
                yield from advice(mend, width, first=f"{'':11}hint: ")
    problems, warnings = (sum(one.verdict == verdict for one in found) for verdict in ("problem", "warning"))
    summary = f"{count(problems, 'problem')} and {count(warnings, 'warning')}"
    yield "\n" + (summary if problems else f"nothing is in the way of a run; {count(warnings, 'warning')}")
