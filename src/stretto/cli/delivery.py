"""Landing a run, for `land` and `run --land`."""

from __future__ import annotations


def land_run(name: str | None, *, json: bool) -> int:
    """not yet"""
    raise NotImplementedError
