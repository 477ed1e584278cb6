"""Locks between processes: `flock`, so that a holder's death frees them."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncIterator
from pathlib import Path

from stretto.errors import WorkspaceError
from stretto.workspace import disk

_POLL_S = 0.02


def try_lock(path: Path) -> int | None:
    """The descriptor that holds the lock until it is closed, or None when somebody else has it.

    Lock files are never removed: that would let two holders in."""
    with disk.at(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError as error:
        os.close(descriptor)
        hint = "the state folder must be on a local file system: STRETTO_STATE_DIR"
        raise WorkspaceError(f"cannot lock {path}: {error}", hint=hint) from error
    return descriptor


@contextlib.asynccontextmanager
async def locked(path: Path) -> AsyncIterator[None]:
    """Hold the lock for the block; waits as long as it takes."""
    while (descriptor := try_lock(path)) is None:  # noqa: ASYNC110 (the holder is another process)
        await asyncio.sleep(_POLL_S)
    try:
        yield
    finally:
        os.close(descriptor)
