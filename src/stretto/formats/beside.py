"""What lies in the folder of a plan: names and texts, of files that have to be there and of those that may be."""

from __future__ import annotations

import os
from pathlib import Path

from stretto.errors import PlanError
from stretto.formats.syntax.source import Text, decode, plan_error
from stretto.model.plan import Finding, Location

_MAX_BYTES = 512 * 1024


def names_in(folder: Path) -> list[str]:
    """All names in a folder, in no order; none where it is not there. Raises PlanError where it may not be listed."""
    try:
        return [entry.name for entry in os.scandir(folder)]
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL in the name
        return []
    except OSError as error:
        message = f"the folder {folder} cannot be listed: {error.strerror}"
        finding = Finding(code="unreadable", severity="error", message=message, hint="`ls -ld` says who may")
        raise plan_error(str(folder), [finding]) from None


def task_text(path: Path, *, links: bool = True) -> Text:
    """What is in a file that has to be read. Raises PlanError with its place where that cannot be done, `links` is
    false and it is one, it is huge, or it is no text."""

    def refuse(code: str, message: str, hint: str) -> PlanError:
        place = Location(file=str(path), line=1, column=1)
        return plan_error(str(path), [Finding(code=code, severity="error", message=message, hint=hint, location=place)])

    try:
        if path.is_symlink() and not links:
            raise refuse("unreadable", "this task file is a link", "put the file itself there")
        if not path.is_file():
            raise refuse("unreadable", "this is where a task file should be, and is no file", "put it elsewhere")
        if (size := path.stat().st_size) > _MAX_BYTES:
            message = f"this task file has {size // 1024} KB; one may have {_MAX_BYTES // 1024} KB"
            raise refuse("too-large", message, "keep bulky texts in files of their own, and name them in it")
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        why = getattr(error, "strerror", None) or error
        raise refuse("unreadable", f"cannot read this task file: {why}", "mend it, or put it elsewhere") from None
    return decode(str(path), data)


def text_of(path: Path, *, links: bool = True) -> str | None:
    """The same for a file that may be there; None for one that cannot be read, or is empty."""
    try:
        return task_text(path, links=links).text
    except PlanError:
        return None


def paper_text(path: Path, findings: list[Finding]) -> str | None:
    """The same; what makes a file that is there no text, or huge, is noted."""
    try:
        return task_text(path).text
    except PlanError as error:
        findings += (finding for finding in error.findings if finding.code in ("encoding", "too-large"))
        return None


def is_within(path: Path, folder: Path) -> bool:
    """Whether a path leads into a folder when all links and `..` have been followed."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # a circle of links; a NUL in the name
        return False


def without_end(text: Text, at: int) -> Finding:
    """The mistake of a task file whose keys have no end."""
    hint = "write a line `---` between its keys and its text"
    return text.mistake("syntax", "the keys before the text of this task file have no end", at, hint)


def passed_over(file: str, why: str, hint: str) -> Finding:
    """What is told of a file that looks like a task by its name, and is none by what is in it."""
    place = Location(file=file, line=1, column=1)
    message = f"this file is no task of the plan: {why}"
    return Finding(code="passed-over", severity="warning", message=message, hint=hint, location=place)


def too_many(count: int, most: int, what: str, place: Location) -> Finding:
    """The mistake of a folder that has more task files than are read."""
    message = f"there are {count} {what} in one folder, and {most} of them are read"
    hint = "split it into several, and run one after the other"
    return Finding(code="too-large", severity="error", message=message, hint=hint, location=place)
