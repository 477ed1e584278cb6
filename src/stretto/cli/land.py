"""`stretto land`: brings a run's results to the user's branch."""

from __future__ import annotations

from typing import Annotated

import typer

from stretto.cli.options import RunArgument


def land(
    run: RunArgument = None,
    pr: Annotated[bool, typer.Option("--pr", hidden=True)] = False,
    push: Annotated[str | None, typer.Option("--push", hidden=True)] = None,
) -> int:
    """Bring the results of a run to your branch."""
    from stretto.cli.delivery import land_run
    from stretto.cli.later import refuse

    refuse({"--pr": pr, "--push": push})
    return land_run(run, json=False)
