"""Statuses where a landing meets the user's plan: beside their edits, and in what is merged (R6.4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from stretto.errors import PlanError
from stretto.model.plan import Value
from stretto.ports import StatusKeeper
from stretto.workspace.disk import at
from stretto.workspace.halfway import Crossing
from stretto.workspace.repository import Repository
from stretto.workspace.trees import file, with_contents


class Ticks(Value, frozen=True, kw_only=True):
    """The statuses of a plan, and what writes them into its files."""

    plan: Sequence[Path]
    """The files of the user's plan."""
    keeper: StatusKeeper
    statuses: Mapping[str, str]
    """By task; those that the user's branch has got before are not among them, for they may have changed them since."""

    async def only(self, repository: Repository, way: Crossing, paths: Sequence[str]) -> list[str]:
        """Those of these edited paths to which the landing brings statuses and nothing else, and of whose edits nothing
        is staged. They may stay as the user has them: what writes statuses can write them there, too."""
        inside = self._inside(repository)
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

    async def into(self, repository: Repository, tree: str, tip: str) -> str:
        """A tree that was merged, with the statuses that the run's branch at `tip` could not bring into it, as its plan
        had no place for them."""
        names = self._inside(repository)
        if not (names and self.statuses):
            return tree
        merged, ours = await self._at(repository, tree, names), await self._at(repository, tip, names)
        try:
            differing = self._differing(merged, list(self.statuses))
            late = {task: self.statuses[task] for task in differing if not self._has_place(ours, task)}
            return await with_contents(repository.git, tree, self.keeper(merged, late))
        except PlanError:
            return tree  # as it is now, it is no plan

    def _differing(self, files: Mapping[str, bytes], tasks: Sequence[str]) -> Iterator[str]:
        """Those of the tasks of which the files say something else. Mostly there are none, or few."""
        if not (tasks and self.keeper(files, {task: self.statuses[task] for task in tasks})):
            return
        if len(tasks) == 1:
            yield from tasks
            return
        middle = len(tasks) // 2
        yield from self._differing(files, tasks[:middle])
        yield from self._differing(files, tasks[middle:])

    def _has_place(self, files: Mapping[str, bytes], task: str) -> bool:
        """Whether it makes a difference to the files what is said of the task."""
        return self.keeper(files, {task: "succeeded"}) != self.keeper(files, {task: "pending"})

    def _inside(self, repository: Repository) -> dict[str, Path]:
        return {name: path for path in self.plan if (name := repository.inside(path)) is not None}

    async def _at(self, repository: Repository, commit: str, names: Mapping[str, Path]) -> dict[str, bytes]:
        found = {name: await file(repository.git, commit, name) for name in names}
        return {name: each.content for name, each in found.items() if each is not None}


def _content(path: Path) -> bytes:
    with at(path):
        return path.read_bytes()
