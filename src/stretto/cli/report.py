"""`stretto report`: what became of a run, for people and for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stretto.cli.options import Json, RunArgument


def report(
    run: RunArgument = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write it as one page of HTML, too.")
    ] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write it as JUnit XML, too: a test case a task.")
    ] = None,
    json: Json = False,
) -> None:
    """Print what landed, what did not and why, checks, retries, timeline and cost, as Markdown."""
    import sys
    import time

    import msgspec

    from stretto.cli.output import write
    from stretto.cli.place import find
    from stretto.observe.report.facts import report as gather
    from stretto.observe.report.junit import junit as xml
    from stretto.observe.report.markdown import markdown
    from stretto.observe.story import Story

    view = find(run).shown()
    facts = gather(Story(view.recorded), view.engine, now=time.time(), delivered=view.delivered, again=view.again)
    if html is not None:
        from stretto.observe.report.html import page

        write(html, page(facts).encode("utf-8", "replace"))
    if junit is not None:
        write(junit, xml(facts))
    if json:
        print(msgspec.json.format(msgspec.json.encode(facts)).decode())
    else:
        sys.stdout.write(markdown(facts))
