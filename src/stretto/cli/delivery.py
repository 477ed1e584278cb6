"""Landing a run, for `land` and `run --land`: does it, and says what came of it."""

from __future__ import annotations

import asyncio
import os

from stretto.cli import terminal
from stretto.cli.deliver import Delivered, deliver
from stretto.cli.place import find
from stretto.model.run import FINAL_STATES


def land_run(name: str | None, *, json: bool) -> int:
    """0 when the user's branch holds the run; 1 when a gate was red on the merge (R11). Raises Paused."""
    view = find(name)
    done = asyncio.run(deliver(view.home, os.environ))
    onto = done.onto or "HEAD"
    if done.remarks:
        terminal.say(f"{onto} has moved, and merged with {done.branch} it is red; nothing was moved:", json=json)
        for remark in done.remarks:
            where = f"  (whole output: {remark.log})" if remark.log else ""
            terminal.say(f"  {remark.check}: {remark.message}{where}", json=json)
        return 1
    terminal.say(_said(done, onto), json=json)
    open_tasks = [r.id for r in view.state.tasks if r.state not in FINAL_STATES]
    if open_tasks:
        terminal.say(f"{len(open_tasks)} tasks of the run are still open: stretto resume {view.home.run}", json=json)
    return 0


def _said(done: Delivered, onto: str) -> str:
    short = done.commit[:10]
    if not done.moved:
        return f"{onto} holds everything of {done.branch} already ({short})"
    if done.merged:
        return f"{onto} had moved: merged with {done.branch}, checked again, and moved to {short}"
    return f"{onto} moved to {short}, the head of {done.branch}"
