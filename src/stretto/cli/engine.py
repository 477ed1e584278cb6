"""The engine's process: `python -m stretto.cli.engine RUN-FOLDER`, below a warden (R8.2).

Standard input is the control pipe of the front: `drain`, `cancel`, `detach`, and its end when the front is gone.
Nobody calls this by hand.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import resource
import signal
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from stretto.cli.ground import refuse_busy
from stretto.engine.disposal import is_begun
from stretto.engine.embedded import EmbeddedEngine, exit_code
from stretto.engine.home import RunHome
from stretto.engine.journal import SqliteJournal
from stretto.engine.launch import NOT_FREE, is_attached
from stretto.engine.lock import RunLock
from stretto.engine.strays import sweep
from stretto.errors import InternalError, RunLeased, StrettoError
from stretto.wiring import embedded

FILES = 1024


def main(argv: list[str]) -> int:
    """Run or resume the run in that folder; the exit code is the run's (R11)."""
    home = RunHome(path=Path(argv[0]))
    _allow_files()
    try:
        with RunLock(home.lock), _folder(home):
            _sweep(home)
            home.pause.unlink(missing_ok=True)
            return asyncio.run(_run(home, _on_approval(argv[1:])))
    except StrettoError as error:
        print(f"error: {error}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return error.exit_code if not isinstance(error, _NotFree) else NOT_FREE
    except (Exception, BaseExceptionGroup, asyncio.CancelledError) as error:  # noqa: BLE001  our bug, whatever it is
        first: BaseException = error
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        traceback.print_exception(first)  # into the log, where it is looked for
        return InternalError.exit_code


class _NotFree(RunLeased):
    """Another run has the folder, and this one has not begun."""


@contextlib.contextmanager
def _folder(home: RunHome) -> Iterator[None]:
    """A run in place has its folder to itself, and what lies in it (R8.5). Raises RunLeased."""
    launch = home.launch()
    if launch.isolation == "worktree":
        yield
        return
    root = Path(launch.repository)
    name = f"folder-{hashlib.sha256(os.fsencode(root)).hexdigest()[:8]}.lock"
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(RunLock(home.repository.path / name, what=f"the folder {root}"))
            refuse_busy(home.repository.path.parent, root, but=home.run)
        except RunLeased as error:
            if is_begun(home):
                raise
            raise _NotFree(str(error), holder=error.holder, hint=error.hint) from error
        yield


def _allow_files() -> None:
    """As many open files as this user may have, up to what most systems give anyway: every attempt needs a few."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _sweep(home: RunHome) -> None:
    """Strays of a dead engine end before anything starts again (R8.2)."""
    journal = SqliteJournal(home.journal)
    try:
        recorded = journal.processes()
    finally:
        journal.close()
    sweep(home.run, recorded)


def _on_approval(words: list[str]) -> Literal["wait", "exit"] | None:
    """`--wait` or `--exit`: whether somebody sits there who can approve; otherwise as when the run began."""
    if "--wait" in words:
        return "wait"
    return "exit" if "--exit" in words else None


async def _run(home: RunHome, on_approval: Literal["wait", "exit"] | None) -> int:
    async with embedded(home, os.environ) as engine:
        loop = asyncio.get_running_loop()
        for number, now in ((signal.SIGINT, False), (signal.SIGHUP, False), (signal.SIGTERM, True)):
            loop.add_signal_handler(number, lambda now=now: engine.stop(now=now))  # type: ignore[misc]
        if is_attached():
            loop.add_reader(0, _Control(engine, loop).read)
        coordinator = await engine.run(on_approval=on_approval)
    state = coordinator.state
    return exit_code(state.ended or "stuck", by_signal=state.by_signal)


class _Control:
    """Words from the front."""

    def __init__(self, engine: EmbeddedEngine, loop: asyncio.AbstractEventLoop) -> None:
        self._engine, self._loop, self._rest = engine, loop, b""
        self._detached = False

    def read(self) -> None:
        data = os.read(0, 4096)
        if not data:
            self._loop.remove_reader(0)
            if not self._detached:
                self._engine.stop()
            return
        *words, self._rest = (self._rest + data).split(b"\n")
        for word in words:
            match word.strip():
                case b"detach":
                    self._detached = True
                    self._engine.detach()
                case b"cancel":
                    self._engine.stop(now=True)
                case _:
                    self._engine.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
