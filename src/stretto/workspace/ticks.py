"""Files of a plan that the user has edited and the run has only ticked: both are kept (R6.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from stretto.errors import PlanError
from stretto.model.plan import Value
from stretto.ports import StatusKeeper
from stretto.workspace.disk import at
from stretto.workspace.halfway import Crossing
from stretto.workspace.repository import Repository
from stretto.workspace.trees import file


class Ticks(Value, frozen=True, kw_only=True):
    """The statuses of a plan, and what writes them into its files."""

    plan: Sequence[Path]
    """The files of the user's plan."""
    keeper: StatusKeeper
    statuses: Mapping[str, str]

    async def only(self, repository: Repository, way: Crossing, paths: Sequence[str]) -> list[str]:
        """Those of these edited paths to which the landing brings statuses and nothing else, and of whose edits nothing
        is staged. They may stay as the user has them: what writes statuses can write them there, too."""
        inside = {name: path for path in self.plan if (name := repository.inside(path)) is not None}
        wanted = [path for path in paths if path in inside]
        if not wanted:
            return []
        before, after = await self._at(repository, way.old, inside), await self._at(repository, way.new, inside)
        try:
            brought = {**before, **self.keeper(before, self.statuses)}
            self.keeper({name: _content(path) for name, path in inside.items() if path.is_file()}, self.statuses)
        except PlanError:
            return []  # as it is now, it is no plan
        return await way.unstaged(
            path for path in wanted if path in before and before.keys() == after.keys() and brought[path] == after[path]
        )

    async def _at(self, repository: Repository, commit: str, names: Mapping[str, Path]) -> dict[str, bytes]:
        found = {name: await file(repository.git, commit, name) for name in names}
        return {name: each.content for name, each in found.items() if each is not None}


def _content(path: Path) -> bytes:
    with at(path):
        return path.read_bytes()
