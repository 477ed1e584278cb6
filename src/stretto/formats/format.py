"""What a plan format is to the rest of stretto: a row in the table of `load.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from msgspec.structs import replace

from stretto.errors import PlanError
from stretto.formats.reading import Read
from stretto.formats.syntax.source import Source, plan_error
from stretto.model.plan import Finding, Value
from stretto.ports import StatusKeeper, StatusWriter


class Format(Value, frozen=True, kw_only=True):
    """A plan format that stretto reads."""

    name: str
    about: str
    recognises: Callable[[Source], bool]
    read: Callable[[Source], Read]
    write_statuses: StatusWriter | None = None
    """None where the format has no statuses, or keeps them in several files."""
    write_files: StatusKeeper | None = None
    """For a format that keeps statuses in the files that `Plan.status_files` names."""
    entries: tuple[str, ...] = ()
    """Where a plan is a folder: globs of the files that stand for all of it, best first."""

    @property
    def keeper(self) -> StatusKeeper | None:
        """What writes statuses, however many files they are in; None where the format has none."""
        return self.write_files if self.write_statuses is None else partial(each_file, self.write_statuses)


def each_file(write: StatusWriter, files: Mapping[str, bytes], statuses: Mapping[str, str]) -> dict[str, bytes]:
    """Write statuses into every file by itself; those that change. Raises PlanError, with the place in that file."""
    written = {path: _written(write, path, data, statuses) for path, data in files.items()}
    return {path: data for path, data in written.items() if data != files[path]}


def _written(write: StatusWriter, path: str, data: bytes, statuses: Mapping[str, str]) -> bytes:
    """A writer is given no name, and tells mistakes by the one that such a file mostly has."""
    try:
        return write(data, statuses)
    except PlanError as error:
        if not (path and error.findings):
            raise
        raise plan_error(path, [_placed(finding, path) for finding in error.findings]) from error


def _placed(finding: Finding, path: str) -> Finding:
    place = finding.location
    return finding if place is None else replace(finding, location=replace(place, file=path))
