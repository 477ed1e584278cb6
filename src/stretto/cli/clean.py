"""`stretto clean`: gives back the room that finished runs take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from stretto.cli.options import Json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stretto.cli.housekeeping import Found


def clean(
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN…]", help="Only these runs, or beginnings of names; default: all, and worktrees."),
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Do it. Without this it only says what it would do.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would do; the default.")] = False,
    older_than: Annotated[
        str | None,
        typer.Option("--older-than", metavar="T", help="Only what nobody has worked on for so long: 12h, 7d."),
    ] = None,
    work: Annotated[
        bool, typer.Option("--work", help="Also refs that hold the only copy of work: what did not land.")
    ] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="Also what says that tasks of a plan are done: they will be done again.")
    ] = False,
    json: Json = False,
) -> int:
    """Say what finished runs, their refs and idle worktrees take, and what stays and why; --apply gives it back."""
    import asyncio
    import os
    import time
    from pathlib import Path

    import msgspec

    from stretto import wiring
    from stretto.cli import terminal
    from stretto.cli.housekeeping import Housekeeping, Wanted
    from stretto.cli.place import runs_here
    from stretto.errors import ConfigError, RepositoryError, StateError
    from stretto.formats.reading import duration_s

    if apply and dry_run:
        raise ConfigError("--apply and --dry-run contradict each other", hint="give one of them")
    age = 0.0 if older_than is None else duration_s(older_than)
    if age is None:
        raise ConfigError(f"{older_than!r} is no time", hint="write 90m, 12h or 7d")
    wanted = Wanted(names=tuple(runs or ()), older_than_s=age, work=work, forget=forget)

    async def work_through() -> tuple[list[Found], list[str]]:
        try:
            repository = await wiring.repository(Path.cwd(), os.environ)
        except RepositoryError:  # `runs_here` has found runs that need none
            repository = None
        house = Housekeeping(repository, home, wanted)
        found = [one async for one in house.each(apply=apply)]
        return found, [] if wanted.names else await house.unknown()

    home = runs_here()
    found, unknown = asyncio.run(work_through())
    if json:
        told = {
            "schema_version": 1, "applied": apply, "bytes": sum(one.bytes for one in found if not one.why),
            "items": found, "unknown": unknown,
        }  # fmt: skip
        print(msgspec.json.format(msgspec.json.encode(told)).decode())
    else:
        for text in _lines(found, unknown, apply=apply, now=time.time()):
            print(text)
    refused = [one.name for one in found if one.why and one.kind == "run"]
    if wanted.names and refused:
        raise StateError(f"{', '.join(refused)}: not cleaned up", hint="what keeps it stands above")
    if not apply and any(not one.why for one in found):
        too = "; logs and prompts of runs go, too" if any(one.kind == "run" and not one.why for one in found) else ""
        terminal.say(f"nothing has been removed yet: --apply does it{too}", json=json)
    return 0


def _lines(found: Sequence[Found], unknown: Sequence[str], *, apply: bool, now: float) -> list[str]:
    """What goes, what stays and why, and how much it is."""
    going = [one for one in found if not one.why]
    lines = ["freed:" if apply else "would free:"] if going else ["there is nothing to free"]
    for one in going:
        lines.append(f"  {one.name}: {', '.join(_parts(one, now))}")
    staying = [one for one in found if one.why]
    lines += ["", "stays:"] if staying else []
    for one in staying:
        lines.append(f"  {one.name}: {one.why}")
        lines += [f"    {hint}" for hint in one.hint.splitlines()]
    if unknown:
        from stretto.observe.paint import count

        lines += ["", f"refs of {count(len(unknown), 'run')} that this state folder does not know are left alone:"]
        lines.append("  git for-each-ref refs/stretto")
    if going:
        lines += ["", f"{_size(sum(one.bytes for one in going))} in all"]
    return lines


def _parts(one: Found, now: float) -> list[str]:
    from stretto.observe.paint import count, span

    parts = [_size(one.bytes)]
    branches = [ref.removeprefix("refs/heads/") for ref in one.refs if ref.startswith("refs/heads/")]
    rest = len(one.refs) - len(branches)
    parts += [count(rest, "ref")] if rest else []
    parts += [f"branch {branch}" for branch in branches]
    parts += [f"{len(one.work)} of them the only copy of work"] if one.work else []
    parts += ["its work saved first"] if one.saves else []
    parts += [f"{one.strays} left-over process{'' if one.strays == 1 else 'es'} ended first"] if one.strays else []
    parts += [] if one.whole else ["its journal stays, for it says what is done (--forget)"]
    parts += [f"{one.state} {span(now - one.since)} ago"] if one.kind == "run" else []
    return parts


def _size(number: int) -> str:
    """`0.4 kB`, `12 MB`, `1.5 GB`."""
    size, unit = number / 1000, "kB"
    for larger in ("MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.1f} {unit}" if size < 10 else f"{size:.0f} {unit}"
