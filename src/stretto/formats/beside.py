"""What lies in the folder of a plan: names and texts. What cannot be read is as if it were not there."""

from __future__ import annotations

import os
from pathlib import Path

_MAX_BYTES = 512 * 1024


def names_in(folder: Path) -> list[str]:
    """All names in a folder, in no order; none where it cannot be read."""
    try:
        return [entry.name for entry in os.scandir(folder)]
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return []


def text_of(path: Path, *, links: bool = True) -> str | None:
    """What is in a file; None for one that is not there, is no text, or is huge, or is a link and `links` is false."""
    try:
        if (path.is_symlink() and not links) or not path.is_file() or path.stat().st_size > _MAX_BYTES:
            return None
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, ValueError):
        return None
    return None if "\0" in text else text


def is_within(path: Path, folder: Path) -> bool:
    """Whether a path leads into a folder when all links and `..` have been followed."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # a circle of links; a NUL in the name
        return False
