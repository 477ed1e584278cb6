"""A task that is a process: what it costs to be able to end its whole tree."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from measure import Row, scratch, turn_about

from stretto.engine.supervise import ProcessSupervisor
from stretto.ports import ProcessSpec

ENV = {"PATH": os.environ["PATH"]}
BLOCK = 50
"""Commands in a row, one after the other."""


def measured(folder: Path, argv: tuple[str, ...], turns: int) -> tuple[list[float], list[float]]:
    """Seconds for one command: under the supervisor, and by bare `posix_spawn` and `waitpid`."""
    with asyncio.Runner() as runner:
        supervisor = ProcessSupervisor()
        spec = ProcessSpec(
            argv=argv, cwd=folder, env=ENV, log=folder / "log", timeout_s=60.0, cookie=("bench", "t", "1")
        )

        async def ours(turn: int) -> float:
            began = time.perf_counter()
            for _ in range(BLOCK):
                assert (await supervisor.run(spec)).code == 0
            return (time.perf_counter() - began) / BLOCK

        def theirs(turn: int) -> float:
            began = time.perf_counter()
            for _ in range(BLOCK):
                assert os.waitpid(os.posix_spawnp(argv[0], argv, ENV), 0)[1] == 0
            return (time.perf_counter() - began) / BLOCK

        return turn_about(lambda turn: runner.run(ours(turn)), theirs, turns=turns)


def row(folder: Path, argv: tuple[str, ...], *, turns: int, most: float | None) -> Row:
    """Measured below a warden, where an engine lives."""
    own = [sys.executable, __file__, str(folder), str(turns), *argv]
    said = subprocess.run(
        [sys.executable, "-m", "stretto.engine.warden", "--", *own], check=True, stdout=subprocess.PIPE
    ).stdout
    what, shape = "a command under the supervisor / bare `posix_spawn`", f"{' '.join(argv)}, {BLOCK} in a row"
    return Row.of(what, shape, *json.loads(said), unit="ms", scale=1e3, most=most)


def rows(*, quick: bool) -> list[Row]:
    turns = 1 if quick else 21
    with scratch("processes") as folder:
        return [
            row(folder, ("sh", "-c", "/bin/true"), turns=turns, most=1.3),
            row(folder, ("/bin/true",), turns=turns, most=None),
        ]


if __name__ == "__main__":
    print(json.dumps(measured(Path(sys.argv[1]), tuple(sys.argv[3:]), int(sys.argv[2]))))
