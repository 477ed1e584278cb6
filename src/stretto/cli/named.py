"""What a person names by its path, looked at for the first time: nobody knows yet whether it can be reached at all."""

from __future__ import annotations

from pathlib import Path


def is_folder(path: Path | str) -> bool:
    """Whether it is a folder. What cannot be reached is none: whoever reads it then says why."""
    try:
        return Path(path).is_dir()
    except OSError:  # a name that is too long, or a folder on the way that may not be searched
        return False
