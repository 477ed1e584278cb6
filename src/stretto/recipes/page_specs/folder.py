"""What lies in an app folder: the texts that specifications are written from, and those that are written already."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from stretto.errors import PlanError
from stretto.model.plan import Finding, Value

PLAN: Final = "specs/plan.md"
PAGES: Final = "specs/pages-and-routes.md"
SCHEMA: Final = "shared/schema.zod.ts"
CONTRACTS: Final = "shared/contracts"
CONTRACT: Final = "*.contract.ts"
REGISTRY: Final = "client/src/lib/api-registry.md"
MASTER: Final = "specs/frontend-interaction-spec-master.md"
HEADING: Final = "# Frontend Interaction Specification"
MAX_BYTES: Final = 4 * 1024 * 1024
"""Of one text that goes into prompts; whoever has more has put something else there."""
_NEEDED: Final[Mapping[str, str]] = {
    PLAN: "the business plan",
    PAGES: "the technical specification, with the pages",
    SCHEMA: "the schema",
    CONTRACTS + "/": "the contracts of the API",
}


class Texts(Value, frozen=True, kw_only=True):
    """The shared context of all tasks, read once. Names are from the top of the app folder."""

    plan: str
    pages: str
    schema: str
    contracts: Mapping[str, str]
    registry: str | None


def is_app(folder: Path) -> bool:
    """Whether it looks like an app folder."""
    try:
        return (folder / PAGES).is_file()
    except OSError:
        return False


def missing(folder: Path) -> Finding | None:
    """One finding that lists all that has to be there and is not."""
    gone = [
        f"{name} ({what})"
        for name, what in _NEEDED.items()
        if not ((folder / name).is_dir() if name.endswith("/") else (folder / name).is_file())
    ]
    if not gone:
        return None
    return Finding(
        code="missing-prerequisites",
        severity="error",
        message=f"{folder} is not ready for page specs; missing: {', '.join(gone)}",
        hint="make these first; specifications are written from them",
    )


def texts_of(folder: Path) -> Texts:
    """Everything that goes into prompts; what is missing is empty. Raises PlanError for what cannot be read."""
    there = folder / CONTRACTS
    names = sorted(path.name for path in there.glob(CONTRACT)) if there.is_dir() else []
    return Texts(
        plan=_text(folder / PLAN) or "",
        pages=_text(folder / PAGES) or "",
        schema=_text(folder / SCHEMA) or "",
        contracts={f"{CONTRACTS}/{name}": _text(there / name) or "" for name in names},
        registry=_text(folder / REGISTRY),
    )


def spec_path(name: str) -> str:
    """Where the specification of a page is written, from the top of the app folder."""
    return f"specs/pages/{name.lower()}.md"


def written(folder: Path, name: str) -> str | None:
    """The specification that a page has, by this naming or the earlier one; None where it has none, or an empty one."""
    earlier = f"frontend-interaction-spec-{name}.md"
    for path in (spec_path(name), f"specs/pages/{earlier}", f"specs/{earlier}"):
        if is_filled(folder / path):
            return path
    return None


def is_filled(path: Path) -> bool:
    try:
        return path.is_file() and path.stat().st_size > 0
    except OSError:
        return False


def begins_well(path: Path) -> bool:
    """Whether a specification begins as one, and not with words about it."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.readline(400).startswith(HEADING)
    except OSError:
        return False


def begins_exactly(path: Path, line: str) -> bool:
    """Whether its first line is this one, as the check of a page has it."""
    try:
        with path.open("rb") as file:
            return file.readline(len(line.encode()) + 2).removesuffix(b"\n") == line.encode()
    except OSError:
        return False


def _text(path: Path) -> str | None:
    """None: there is no such file. Raises PlanError."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise PlanError(f"{path} is too large to go into a prompt", hint=f"at most {MAX_BYTES >> 20} MiB")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise PlanError(f"cannot read {path}: {why}") from error
