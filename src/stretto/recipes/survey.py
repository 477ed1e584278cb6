"""What a repository is made of: how a workspace of it is made ready, and how its tests are run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection, Iterator
from pathlib import PurePosixPath

from stretto.model.plan import Value
from stretto.recipes.toolchains import TOOLCHAINS, Folder, Project

DEEP = 2
"""So many folders below the top a project of its own is looked for."""
MOST = 6
"""More projects than this below the top are only counted."""
_NOBODYS = re.compile(
    r"^(\..*|node_modules|vendor|third_party|dist|build|target|out|examples?|samples?|demos?|docs?|fixtures?|testdata"
    r"|tests?|__tests__|spec|templates?|bench(marks)?)$"
)
"""Folders whose manifests are not the repository's own business."""
_TARGET = re.compile(r"^test[ \t]*:(?!=)", re.MULTILINE)


class Survey(Value, frozen=True, kw_only=True):
    """What was found, top folder first."""

    projects: tuple[Project, ...]
    runner: Project | None
    """What runs the tests of the whole repository, such as a Makefile; it stands for the projects' own tests."""
    notes: tuple[str, ...]
    """What a person should know, in sentences."""

    @property
    def setup(self) -> tuple[tuple[str, str], ...]:
        """(command, the file that it is for), in order."""
        return tuple((inside(one.folder, command), one.evidence) for one in self.projects for command in one.setup)

    @property
    def verify(self) -> tuple[tuple[str, str], ...]:
        """(command, what shows it) of every check that the merged tree should pass."""
        if self.runner is not None:
            return ((self.runner.test, self.runner.evidence),)
        return tuple((inside(one.folder, one.test), one.tested_by) for one in self.projects if one.test)


def survey(paths: Collection[str], read: Callable[[str], str]) -> Survey:
    """Look at a repository: its tracked files, and a way to read one of them ("" for what is no text)."""
    ordered, known = sorted(paths), frozenset(paths)
    found: list[Project] = []
    for path in ("", *_folders(paths)):
        for project in _projects(Folder(path, ordered, known, read)):
            if not any(_covers(other, project) for other in found):
                found.append(project)
    most = MOST + sum(not project.folder for project in found)
    notes = [note for project in found[:most] for note in project.notes]
    if more := found[most:]:
        named = ", ".join(f"{project.folder} ({project.toolchain})" for project in more)
        notes.append(f"projects that were left out, for there are many: {named}")
    return Survey(projects=tuple(found[:most]), runner=_runner(Folder("", ordered, known, read)), notes=tuple(notes))


def inside(folder: str, command: str) -> str:
    """The command, as it is run from the top."""
    return f"cd {shlex.quote(folder)} && {command}" if folder else command


def _covers(one: Project, other: Project) -> bool:
    """Whether `one` speaks for a project below it."""
    below = not one.folder or other.folder.startswith(f"{one.folder}/")
    return one.covers and one.family == other.family and below and one.folder != other.folder


def _projects(folder: Folder) -> Iterator[Project]:
    for toolchain in TOOLCHAINS:
        if (project := toolchain(folder)) is not None:
            yield project


def _folders(paths: Collection[str]) -> list[str]:
    """Folders with files of their own below the top, outermost first, but for those that are nobody's."""
    parents = {parent for path in paths for parent in PurePosixPath(path).parents if parent.parts}
    fitting = [parent for parent in parents if len(parent.parts) <= DEEP and not any(map(_NOBODYS.match, parent.parts))]
    return [str(parent) for parent in sorted(fitting, key=lambda parent: (len(parent.parts), parent.parts))]


def _runner(top: Folder) -> Project | None:
    for name in ("GNUmakefile", "makefile", "Makefile"):
        if top.has(name):
            found = _TARGET.search(top.read(name))
            return Project(toolchain="Make", evidence=name, test="make test") if found else None
    for name in ("justfile", "Justfile", ".justfile"):
        if top.has(name) and re.search(r"^test(\s[^:\n]*)?:(?!=)", top.read(name), re.MULTILINE):
            return Project(toolchain="just", evidence=name, test="just test")
    for name in ("Taskfile.yml", "Taskfile.yaml"):
        if top.has(name) and re.search(r"^  test:", top.read(name), re.MULTILINE):
            return Project(toolchain="Task", evidence=name, test="task test")
    return None
