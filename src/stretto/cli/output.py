"""Files that somebody asked for by name, outside the state folder."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from stretto.errors import ConfigError


def write(path: Path, data: bytes) -> None:
    """Write the file, whole or not at all. Raises ConfigError."""
    with saying(path):
        if path.exists() and not path.is_file():  # a pipe, or /dev/stdout
            path.write_bytes(data)
            return
        with draft(path) as new:
            new.write_bytes(data)


def create(path: Path, data: bytes) -> None:
    """Write a new file, whole or not at all; never in place of one that has come to be. Raises ConfigError."""
    with saying(path):
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:80]}-", dir=path.parent)
        new = Path(name)
        try:
            with open(handle, "wb") as file:
                os.fchmod(handle, 0o644)
                file.write(data)
            path.hardlink_to(new)
        except FileExistsError as error:
            raise ConfigError(f"{path} has come to be meanwhile", hint="the same again; --force") from error
        finally:
            new.unlink(missing_ok=True)


@contextlib.contextmanager
def draft(path: Path) -> Iterator[Path]:
    """A new file that takes the place of `path` when the block ends well, and is gone when it does not."""
    real = Path(os.path.realpath(path))  # what a link points to is written, and the link stays
    handle, name = tempfile.mkstemp(prefix=f".{real.name[:80]}-", dir=real.parent)
    new = Path(name)
    try:
        os.fchmod(handle, 0o644 if not real.exists() else real.stat().st_mode & 0o777)
        os.close(handle)
        yield new
        new.replace(real)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def saying(path: Path) -> Iterator[None]:
    """Within it, an OSError becomes a ConfigError about that file."""
    try:
        yield
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror or error}", hint="name another file") from error
