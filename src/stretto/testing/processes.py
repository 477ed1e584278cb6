"""Commands that are only played: no process is started, but their output is written and their time is kept."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import Literal

from stretto.errors import AdapterError
from stretto.model.plan import Value
from stretto.ports import ProcessExit, ProcessSpec


class Played(Value, frozen=True, kw_only=True):
    """What a command does: writes `output` at once, stays for `lasts_s`, and ends."""

    output: bytes = b""
    errors: bytes = b""
    lasts_s: float = 0.0
    code: int = 0
    signal: int | None = None
    """Ended by this signal rather than with `code`."""
    cpu_s: float = 0.0


class FakeProcesses:
    """Implements Processes. `play` says what a command does; None: there is no such command."""

    def __init__(self, play: Callable[[ProcessSpec], Played | None]) -> None:
        self._play = play
        self.started: list[ProcessSpec] = []
        self.cancelled: list[ProcessSpec] = []

    async def run(self, spec: ProcessSpec) -> ProcessExit:
        played = self._play(spec)
        if played is None:
            raise AdapterError(f"cannot start {spec.argv[0]!r}: no such command")
        began = time.monotonic()
        self.started.append(spec)
        with spec.log.open("ab") as log:
            log.write(played.output)
        with (spec.errors or spec.log).open("ab") as log:
            log.write(played.errors)
        idle_s = math.inf if spec.idle_s is None else spec.idle_s
        ends: dict[Literal["exit", "idle", "timeout"], float] = {
            "exit": played.lasts_s,
            "idle": idle_s,
            "timeout": spec.timeout_s,
        }
        ended = min(ends, key=lambda end: ends[end])
        try:
            await asyncio.sleep(ends[ended])
        except asyncio.CancelledError:
            self.cancelled.append(spec)
            raise
        by_signal = played.signal if ended == "exit" else 15
        return ProcessExit(
            ended=ended,
            code=played.code if ended == "exit" and by_signal is None else None,
            signal=by_signal,
            duration_s=time.monotonic() - began,
            cpu_s=played.cpu_s,
        )
