"""What the disk refuses, said as a WorkspaceError: a full or read-only state folder is no bug of stretto's."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from stretto.errors import WorkspaceError

P = ParamSpec("P")
T = TypeVar("T")
_FULL = {errno.ENOSPC, errno.EDQUOT}
_CLOSED = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextlib.contextmanager
def at(path: Path | None = None) -> Iterator[None]:
    """An OSError in the block names its own file, or `path` where the system does not know it."""
    try:
        yield
    except OSError as error:
        # Of the two files of a copy it is the second that cannot be written.
        place = os.fsdecode(error.filename2 or error.filename or path or "the state folder")
        hint = f"make room there: df -h {place}" if error.errno in _FULL else ""
        if error.errno in _CLOSED:
            hint = f"see that you may write there: ls -ld {place}"
        raise WorkspaceError(f"{place}: {error.strerror or error}", hint=hint) from error


def said(method: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """The same method, but for its OSErrors."""

    @functools.wraps(method)
    async def run(*args: P.args, **kwargs: P.kwargs) -> T:
        with at():
            return await method(*args, **kwargs)

    return run
