"""Starts the engine of a run as a process of its own, below a warden, away from the terminal (R8.2)."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Sequence

from stretto.core.events import Event, Noticed
from stretto.engine.disk import explained
from stretto.engine.home import RunHome
from stretto.errors import StateError

_WHY = "see that you may run that, and more processes and open files: ulimit -a"
NOT_FREE = 75
"""The engine's exit code where another run has the folder, and this one has not begun."""
DETACHED = "detached"
"""Code of the notice that the engine has been left to itself: the end of its control pipe means nothing any more."""


def is_detachment(event: Event) -> bool:
    return isinstance(event, Noticed) and event.code == DETACHED


def start(home: RunHome, *, argv: Sequence[str] = (), attached: bool = True) -> subprocess.Popen[bytes]:
    """The warden's process. Its exit code is the engine's; 3 when the engine was killed.

    `argv` is the engine's command line; empty means `engine_argv(home)`. Attached: its `stdin` is the control pipe,
    unbuffered, which takes the lines `drain`, `cancel` and `detach`; its end tells the engine that the front is gone,
    but nothing after a `detach`. Otherwise there is no control pipe, and the engine lives on without the front. Raises
    StateError."""
    with explained("start the run's engine", home.engine_log), home.engine_log.open("ab") as log:
        try:
            return subprocess.Popen(
                [sys.executable, "-m", "stretto.engine.warden", "--", *(argv or engine_argv(home))],
                stdin=subprocess.PIPE if attached else subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                bufsize=0,
                cwd=home.path,  # with `-m`, Python imports from the current folder first: not from the user's
                start_new_session=True,
            )
        except OSError as error:
            what = error.filename or sys.executable
            raise StateError(f"cannot start the run's engine: {what}: {error.strerror}", hint=_WHY) from error


def engine_argv(home: RunHome) -> list[str]:
    """The command line of a run's engine."""
    return [sys.executable, "-m", "stretto.cli.engine", str(home.path)]


def is_attached() -> bool:
    """In the engine: whether standard input is a control pipe. Otherwise its end says nothing about a front."""
    try:
        return stat.S_ISFIFO(os.fstat(0).st_mode)
    except OSError:
        return False
