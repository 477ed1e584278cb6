"""The folder of an epic: its task files, what was worked out for each, and the paper that the epic was made from."""

from __future__ import annotations

import os
import re
from pathlib import Path

from stretto.errors import PlanError
from stretto.formats.beside import is_within, names_in, passed_over, task_text, text_of, too_many, without_end
from stretto.formats.ccpm.paper import EPIC, KEYS, is_numbered, is_task, is_task_file
from stretto.formats.syntax.front_matter import front_matter, missing_end
from stretto.formats.syntax.source import Text
from stretto.model.plan import Finding

_NUMBERED = re.compile(r"(?P<word>[A-Za-z]*)-?(?P<number>\d+)(?P<rest>.*)\.md")
_ASIDE = re.compile(r".*-(?:analysis|progress|notes?|summary|report)\.md")
_MOST = 20_000


def members(folder: Path, own: Text) -> tuple[list[str], list[Finding]]:
    """(names of task files in the order of their numbers, what is wrong with those that look like one and are none).

    `own` is a file of the folder that has been read already."""
    names = [name for name in names_in(folder) if name != EPIC and name.casefold().endswith(".md")]
    names = sorted((name for name in names if not _ASIDE.fullmatch(name)), key=_natural)
    found: list[str] = []
    findings = [too_many(len(names), _MOST, "task files", own.place(0))] if len(names) > _MOST else []
    for name in names[:_MOST]:
        path = folder / name
        try:
            text = own if name == Path(own.file).name else task_text(path, links=False)
        except PlanError as error:
            findings += error.findings if _NUMBERED.fullmatch(name) or _was_task(path) else ()
            continue
        front = front_matter(text.text)
        if not name.endswith(".md"):
            if is_numbered(name.casefold()) or is_task(front):
                findings.append(passed_over(str(path), "its name ends otherwise than in `.md`", "rename it"))
        elif (at := missing_end(text.text, KEYS)) is not None:
            findings.append(without_end(text, at))
        elif is_task_file(name, front):
            found.append(name)
        elif is_numbered(name):
            hint = (
                "write `---`, `name: …`, `status: open` and `---` before its text, or take the number out of its name"
            )
            findings.append(passed_over(str(path), "no keys of a task stand before its text", hint))
    return found, findings


def _was_task(path: Path) -> bool:
    """Whether what can be read of a broken file says that it is a task."""
    try:
        return path.is_file() and is_task(front_matter(path.read_bytes().decode("utf-8-sig", "replace")))
    except OSError:
        return False


def companions(folder: Path, id: str, prd: str) -> tuple[str, ...]:
    """The texts that go with a task, relative to the folder: what its own agent would have read."""
    found = [folder / EPIC, folder / f"{id}-analysis.md"]
    if prd and not Path(prd).is_absolute():
        home = _home(folder.absolute())
        papers = [folder / os.path.relpath(top / prd, folder) for top in list(folder.absolute().parents)[:6]]
        found += [path for path in papers if path.suffix == ".md" and path.is_file() and is_within(path, home)][:1]
    return tuple(
        Path(os.path.relpath(path, folder)).as_posix() for path in found if text_of(path, links=False) is not None
    )


def _home(folder: Path) -> Path:
    """What has the papers of a project: `.claude`, else what `epics` is in, else the folder of the epic itself."""
    for around in folder.parents:
        if around.name == ".claude":
            return around
    return folder.parent.parent if folder.parent.name == "epics" else folder


def _natural(name: str) -> tuple[str, int, str]:
    found = _NUMBERED.fullmatch(name)
    return (found["word"], int(found["number"][:15]), name) if found else ("~", 0, name)
