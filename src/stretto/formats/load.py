"""The door to every plan format: a file's content decides which reader it gets."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from stretto.errors import PlanError
from stretto.formats import (
    auto_claude,
    beads,
    ccpm,
    cfn_epic,
    checklist,
    dynamic_phases,
    gsd,
    kiro,
    native,
    parallel_json,
    spec_kit,
    task_master,
)
from stretto.formats.format import Format
from stretto.formats.syntax.parse import parse
from stretto.formats.syntax.source import MAX_BYTES, Source, plan_error, too_large
from stretto.model.excerpt import head
from stretto.model.plan import Finding, Location, Plan, Value
from stretto.ports import StatusKeeper, StatusWriter

_MARKDOWN = re.compile(rb"^#{1,6} .*\r?\n\s*\n", re.MULTILINE)

_TYPES = frozenset({".json", ".jsonl", ".yaml", ".yml", ".toml", ".md"})
_LOOKS = 50
_GLANCE_BYTES = 1 << 20
"""In a folder that is no plan, so many files of at most this size are looked at for a hint."""


FORMATS = (
    ccpm.FORMAT,
    gsd.FORMAT,
    parallel_json.FORMAT,
    auto_claude.FORMAT,
    spec_kit.FORMAT,
    kiro.FORMAT,
    task_master.FORMAT,
    beads.FORMAT,
    cfn_epic.FORMAT,
    dynamic_phases.FORMAT,
    native.FORMAT,
    checklist.FORMAT,
)
"""Asked in this order: the first that recognises a document reads it."""


class Loaded(Value, frozen=True, kw_only=True):
    """A plan, where its parts stand in the file, and what reading it found."""

    plan: Plan
    places: Mapping[str, Location]
    findings: tuple[Finding, ...]
    """Errors among them (unknown keys, keys not supported yet) forbid a run, not a look."""
    keeper: StatusKeeper | None
    """What writes statuses; None where the format has none."""
    data: bytes
    placeless: frozenset[str] = frozenset()
    """Tasks for whose status the plan's files have no place, although the format keeps statuses."""

    @property
    def unrecorded(self) -> frozenset[str]:
        """Tasks of which the plan's files do not say whether they are done."""
        return self.placeless if self.keeper else frozenset(task.id for task in self.plan.tasks)

    @property
    def write_statuses(self) -> StatusWriter | None:
        """The same for the plan file alone, where that is the one that holds them."""
        return None if self.keeper is None or self.plan.status_files else partial(_alone, self.keeper)


def _alone(keeper: StatusKeeper, source: bytes, statuses: Mapping[str, str]) -> bytes:
    return keeper({"": source}, statuses).get("", source)


def keeper_of(format: str) -> StatusKeeper | None:
    """What writes the statuses of plans of this format; None where it has none."""
    return next((known.keeper for known in FORMATS if known.name == format), None)


def load(path: Path | str, data: bytes | None = None) -> Loaded:
    """Read a plan file; `data` is its content where that is known already. Raises PlanError with every finding."""
    data = read_bytes(Path(path)) if data is None else data
    try:
        source = parse(str(path), data)
    except PlanError:
        if _MARKDOWN.search(data) or Path(path).suffix.casefold() in (".md", ".markdown"):
            raise _unknown(str(path)) from None
        raise
    format = _format(source)
    read = format.read(source)
    return Loaded(
        plan=read.plan,
        places=read.places,
        findings=read.findings,
        keeper=format.keeper,
        data=data,
        placeless=read.placeless,
    )


def _format(source: Source) -> Format:
    for format in FORMATS:
        if format.recognises(source):
            return format
    raise _unknown(source.file)


def _unknown(file: str) -> PlanError:
    finding = Finding(
        code="unknown-format",
        severity="error",
        message="this is not a plan that stretto can read",
        hint="it reads: " + "; ".join(f"{format.about} ({format.name})" for format in FORMATS),
        location=Location(file=file, line=1, column=1),
    )
    return plan_error(file, [finding])


def plan_files(path: str, plan: Plan) -> tuple[str, ...]:
    """The plan file and those beside it that hold its statuses, all from where `path` counts from."""
    beside = (os.path.normpath(Path(path).parent / name) for name in plan.status_files)
    return tuple(dict.fromkeys((os.path.normpath(path), *beside)))


def plan_files_by_now(path: str, plan: Plan) -> tuple[str, ...]:
    """The same of a plan that may have changed since: with the files that it has got meanwhile."""
    known = plan_files(path, plan)
    try:
        now = load(path).plan
    except PlanError:
        return known
    if now.format != plan.format:  # somebody else's file by now
        return known
    return tuple(dict.fromkeys((*known, *plan_files(path, now))))


def read_bytes(path: Path) -> bytes:
    """The content of a plan file. Raises PlanError for what is not there, no file, not readable, or too large."""
    try:
        if path.is_dir():
            if not os.access(path, os.R_OK | os.X_OK):
                raise _unreadable(path, *_forbidden(path / "any file"))
            raise _unreadable(path, "this is a folder", _among(path))
        if path.is_fifo() and not path.is_relative_to("/dev"):  # where `<(command)` has its own
            raise _unreadable(path, "this is a pipe, and not a file", "`stretto check <(command)` reads what one says")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            data = b"" if size > MAX_BYTES else file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _unreadable(path, "there is no such file", _like(path)) from None
    except PermissionError:
        raise _unreadable(path, *_forbidden(path)) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise _unreadable(
            path, f"cannot read this file: {getattr(error, 'strerror', None) or error}", "name another file"
        ) from None
    if max(size, len(data)) > MAX_BYTES:
        raise _unreadable(path, too_large(max(size, len(data))), "split the plan, or keep bulky texts in prompt files")
    return data


def _unreadable(path: Path, message: str, hint: str = "") -> PlanError:
    finding = Finding(code="unreadable", severity="error", message=message, hint=hint)
    return plan_error(head(str(path), 200), [finding])


def _forbidden(path: Path) -> tuple[str, str]:
    """(message, hint): whether it is the file that may not be read, or a folder on the way that may not be searched."""
    closed = next((x for x in reversed(path.absolute().parents) if not os.access(x, os.X_OK)), None)
    if closed is None:
        return "no permission to read this file", "`ls -l` says who may"
    return f"no permission to search the folder {closed}", "`ls -ld` of that folder says who may"


def plan_in(folder: Path) -> Path | None:
    """The file that stands for a folder which is one plan, as formats with `entries` have it; None where another plan
    lies beside it. Check lists are in many folders, and are no other plan."""
    found = next((hit for format in FORMATS if (hit := _entry(folder, format)) is not None), None)
    if found is None:
        return None
    path, format = found
    others = tuple(x for x in FORMATS if x not in (format, checklist.FORMAT))
    return None if any(_is_plan(beside, *others) for beside in _near(folder, "*")) else path


def _entry(folder: Path, format: Format) -> tuple[Path, Format] | None:
    paths = (path for pattern in format.entries for path in _near(folder, pattern)[:_LOOKS])
    return next(((path, format) for path in paths if _is_plan(path, format)), None)


def _near(folder: Path, *patterns: str) -> list[Path]:
    """Files by their kind, those of each pattern in the order of their names."""
    try:
        return [path for each in patterns for path in sorted(folder.glob(each)) if path.suffix in _TYPES]
    except OSError:
        return []


def _among(folder: Path) -> str:
    """The plans that a folder holds, or the one that it is."""
    if (path := plan_in(folder)) is not None:
        return f"the whole folder is the plan of its {path.name}: name {path}"
    files = _near(folder, "*", "*/*")
    names = [path.relative_to(folder).as_posix() for path in files[:_LOOKS] if _is_plan(path)]
    return f"name a file in it: {', '.join(names[:5])}" if names else "name a plan file"


def _is_plan(path: Path, *formats: Format) -> bool:
    try:
        if not path.is_file() or path.stat().st_size > _GLANCE_BYTES:
            return False
        source = parse(str(path), path.read_bytes())
    except (OSError, PlanError):
        return False
    return any(format.recognises(source) for format in formats or FORMATS)


def _like(path: Path) -> str:
    try:
        names = [x.name for x in path.absolute().parent.iterdir()]
    except OSError:
        return f"the folder {path.absolute().parent} is not there either"
    close = difflib.get_close_matches(path.name, names, n=1)
    return f"did you mean {path.with_name(close[0])}?" if close else ""
