"""What the disk says no with, as an error that a person can act on."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from stretto.errors import GitError, StateError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def is_full(error: BaseException | None) -> bool:
    """Whether it came of a disk that takes no more, as the system said or git passed on."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL:
            return True
        if isinstance(error, GitError) and any(os.strerror(number) in error.stderr for number in FULL):
            return True
        error = error.__cause__
    return False


@contextlib.contextmanager
def explained(deed: str, path: Path) -> Iterator[None]:
    """Within it, an OSError becomes a StateError: `cannot <deed>: <path>: <the system's words>`."""
    try:
        yield
    except OSError as error:
        raise StateError(f"cannot {deed}: {path}: {error.strerror or error}", hint=_hint(error.errno)) from error


def _hint(number: int | None) -> str:
    if number in FULL:
        return "free some space on that disk, or set STRETTO_STATE_DIR to a folder on another one"
    if number in FORBIDDEN:
        return "make that folder writable for you, or set STRETTO_STATE_DIR to one that is"
    return "see that STRETTO_STATE_DIR, or else the default, names a folder on a local disk that you may write"
