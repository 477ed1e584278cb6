"""One line of a terminal that shows that somebody is at work: for how long, and what was printed last."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TextIO

from stretto.cli import terminal
from stretto.model.excerpt import ending
from stretto.observe.paint import cut

BEAT_S = 1.0


@contextlib.asynccontextmanager
async def pulse(stream: TextIO, what: str, log: Path) -> AsyncIterator[None]:
    """Draw the line until the block ends, and take it away then. Only on a terminal of our own."""
    if not stream.isatty() or not terminal.in_foreground(stream.fileno()):
        yield
        return
    drawing = asyncio.create_task(_draw(stream, what, log))
    try:
        yield
    finally:
        drawing.cancel()
        stream.write("\r\x1b[K")
        stream.flush()


async def _draw(stream: TextIO, what: str, log: Path) -> None:
    began = time.monotonic()
    while True:
        minutes, seconds = divmod(int(time.monotonic() - began), 60)
        text = f"{what}  {minutes:02}:{seconds:02}  {_latest(log)}".rstrip()
        stream.write(f"\r\x1b[K{cut(text, (terminal.width(stream) or terminal.WIDTH) - 1)}")
        stream.flush()
        await asyncio.sleep(BEAT_S)


def _latest(log: Path) -> str:
    """The last line that was printed."""
    try:
        with log.open("rb") as file:
            lines = ending(file, lines=1).splitlines()
    except OSError:
        return ""
    return lines[-1].strip() if lines else ""
