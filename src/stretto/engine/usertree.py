"""The user's own tree while attempts are at work: it must not change, and when it does that is told (R7.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from stretto.core.events import Event, Noticed
from stretto.errors import AdapterError
from stretto.ports import Clock, Workspaces


class UserTree:
    """Looks at it when an attempt ends, and reports what has changed and who was at work then."""

    def __init__(self, workspaces: Workspaces, clock: Clock, report: Callable[[Event], None]) -> None:
        self._workspaces = workspaces
        self._clock = clock
        self._report = report
        self._seen: Mapping[str, str] | None = None
        self._working: dict[tuple[str, int], None] = {}

    async def first_look(self) -> None:
        """What later looks are compared with; before the first attempt."""
        self._seen = await self._workspaces.look()

    def begun(self, task: str, attempt: int) -> None:
        self._working[task, attempt] = None

    async def ended(self, task: str, attempt: int) -> None:
        """Look; the attempt counts among those that were at work."""
        try:
            await self._look()
        finally:
            self._working.pop((task, attempt), None)

    async def _look(self) -> None:
        try:
            now = await self._workspaces.look()
        except AdapterError as error:
            self._tell("look", f"the user's tree cannot be read: {error}")
            return
        before, self._seen = self._seen, now
        changed = [] if before is None else [aspect for aspect in now if now[aspect] != before.get(aspect)]
        if changed:
            self._tell("user-tree", _told(changed), tuple(task for task, _ in self._working))

    def _tell(self, code: str, message: str, tasks: tuple[str, ...] = ()) -> None:
        self._report(Noticed(at=self._clock.now(), code=code, message=message, tasks=tasks))


_WORDS: Mapping[str, str] = {
    "HEAD": "the checked-out commit",
    "status": "files",
    "refs": "branches or tags",
    "stash": "the stash",
    "config": "git's settings",
    "hooks": "the hooks",
}


def _told(aspects: Sequence[str]) -> str:
    """What changed of what nobody but the user may touch, and what to do about it."""
    *others, last = [_WORDS.get(aspect, f"`.git/{aspect}`") for aspect in aspects]
    what = f"{', '.join(others)} and {last}" if others else last
    where = "work tree" if list(aspects) == ["status"] else "repository"
    shows = "; `git status` shows them" if where == "work tree" else ""
    if not {"HEAD", "refs", "stash"}.isdisjoint(aspects):
        shows = "; `git log --all` is where to begin"
    return f"{what} of your own {where} changed while attempts were at work: if you did not do it, an agent did{shows}"
