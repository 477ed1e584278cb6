"""How the process of an agent ended, where its own word does not count; and the end of what it printed."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import assert_never

from stretto.model.excerpt import ending
from stretto.model.run import Failure
from stretto.ports import ProcessExit, ProcessSpec


def cut_short(spec: ProcessSpec, exit: ProcessExit) -> Failure | None:
    """Why it did not come to its own end, without what it printed; None: it did, with an exit status."""
    match exit.ended:
        case "timeout":
            return Failure(kind="timeout", message=f"not done after {spec.timeout_s:g} s")
        case "idle":
            return Failure(kind="idle", message=f"no output for {spec.idle_s or 0:g} s")
        case "exit" if exit.signal is not None:
            said = f"ended by {signal_name(exit.signal)}, which stretto did not send"
            return Failure(kind="transient", message=said)
        case "exit":
            return None
        case _:
            assert_never(exit.ended)


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def tail_of(log: Path, start: int) -> str:
    """The end of what was printed behind byte `start`."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        return ending(file, after=start)
