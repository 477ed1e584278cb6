"""Limits of a run that shares nothing: every request is granted, and the books are kept (R9.1)."""

from __future__ import annotations

from stretto.model.plan import Task


class OpenLimits:
    """Grants everything. Asking twice and releasing twice is harmless: commands are repeated after a crash."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str, int], None] = {}
        self._stray: list[tuple[str, str, int]] = []

    @property
    def held(self) -> tuple[tuple[str, str, int], ...]:
        """(run, task, attempt) of every grant that was not given back, oldest first."""
        return tuple(self._held)

    @property
    def stray(self) -> tuple[tuple[str, str, int], ...]:
        """What was given back though nobody held it: without a crash in between, somebody's mistake."""
        return tuple(self._stray)

    async def request(self, *, run: str, task: Task, attempt: int) -> float | None:
        self._held[run, task.id, attempt] = None
        return None

    async def release(self, *, run: str, task: str, attempt: int) -> None:
        key = run, task, attempt
        if key in self._held:
            del self._held[key]
        else:
            self._stray.append(key)
