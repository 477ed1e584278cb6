"""`stretto scaffold pages`: a specification for every page of an app, many at once."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from stretto.cli.options import Json, at_least_one


class PagesProfile(StrEnum):
    LOCAL = "local"
    CI = "ci"
    PRODUCTION = "production"


def pages(
    app: Annotated[str, typer.Argument(metavar="APP", help="The app's folder.")],
    max_concurrency: Annotated[
        int | None,
        typer.Option("-j", "--max-concurrency", metavar="N", callback=at_least_one, help="Pages at once; default: 5."),
    ] = None,
    no_parallel: Annotated[bool, typer.Option("--no-parallel", help="One page at a time.")] = False,
    timeout: Annotated[
        str | None, typer.Option("--timeout", metavar="T", help="Longest time of a try at a page, such as 900 or 15m.")
    ] = None,
    master_timeout: Annotated[
        str | None, typer.Option("--master-timeout", metavar="T", help="The same for the master; default: 10m.")
    ] = None,
    total_timeout: Annotated[
        str | None, typer.Option("--total-timeout", metavar="T", help="After so long nothing more is begun.")
    ] = None,
    retry_attempts: Annotated[
        int | None,
        typer.Option("--retry-attempts", metavar="N", callback=at_least_one, help="Tries of a page; default: 3."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="PAGES", help="Only these pages; with commas, or given again."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on after a stop or a crash, and try again what has failed.")
    ] = False,
    skip_existing: Annotated[
        bool | None,
        typer.Option("--skip-existing/--no-skip-existing", help="Whether a specification that is there is kept."),
    ] = None,
    profile: Annotated[
        PagesProfile | None, typer.Option("--profile", help="Pages at once: 3 for local, 10 for ci, 5 for production.")
    ] = None,
    agent: Annotated[
        str | None, typer.Option("--agent", metavar="A", help="Who writes: text, claude, 'shell: COMMAND', or a name.")
    ] = None,
    critic: Annotated[
        int | None,
        typer.Option("--critic", metavar="N", help="A critic reads every draft of the text agent, at most N times."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be written, and stop there.")] = False,
    json: Json = False,
) -> int:
    """Write the master specification of an app, then one specification a page, many at once."""
    from stretto.cli.page_specs import Asked, generate
    from stretto.errors import ConfigError

    if no_parallel and max_concurrency not in (None, 1):
        raise ConfigError("--no-parallel and --max-concurrency contradict each other", hint="give one of them")
    names = tuple(name.strip() for given in only or () for name in given.split(",") if name.strip())
    if only and not names:
        raise ConfigError("--only names no page", hint="--only PAGE,PAGE")
    return generate(
        Asked(
            app=app,
            parallel=1 if no_parallel else max_concurrency,
            timeout=timeout,
            master_timeout=master_timeout,
            total_timeout=total_timeout,
            attempts=retry_attempts,
            only=names,
            resume=resume,
            skip_existing=skip_existing,
            profile=profile.value if profile else None,
            agent=agent,
            critic=critic,
            yes=yes,
            dry_run=dry_run,
            json=json,
        )
    )
