"""The folder of a `parallel.json`, opened for the verbs that write its papers."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Literal

import msgspec

from stretto.analysis.lint import ok
from stretto.cli.linting import OVERLAP, examine, refusal
from stretto.cli.named import is_folder
from stretto.cli.place import settings_here
from stretto.config.resolve import run_settings
from stretto.errors import ConfigError
from stretto.formats.load import Loaded
from stretto.formats.parallel_json.outline import NAMES, file_in, outline
from stretto.model.achievements import Achievements
from stretto.recipes.subplans.batch import ALL
from stretto.recipes.subplans.folder import Look, look
from stretto.recipes.subplans.progress import Progress, progress_of
from stretto.workspace.repository import around

_LONGEST_NAME = 150
"""Bytes of a plan's name that a file name has room for."""


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A plan, its folder, and how far it is."""

    folder: str
    """As the person has named it."""
    home: Path
    file: Path
    plan: Achievements
    loaded: Loaded
    look: Look
    progress: Progress

    @property
    def here_is_git(self) -> bool:
        """Whether the current folder is in a repository: else tasks can have no worktrees."""
        return asyncio.run(around(Path.cwd(), environ=os.environ)) is not None

    def again(self) -> Opened:
        """The same, as it is now. Raises PlanError."""
        return opened(self.folder)


def opened(folder: str, *, sound: bool = False) -> Opened:
    """A folder, or the plan file in it. `sound`: one with errors is refused. Raises ConfigError and PlanError."""
    file = _file(Path(folder))
    settings = run_settings(settings_here())
    loaded, findings = examine(str(file), settings)
    plan = outline(file, loaded.data)
    if plan is None:
        raise ConfigError(
            f"{file} is a plan of another format: {loaded.plan.format}",
            hint="subplans and executions go with a parallel.json",
        )
    if sound and not ok(finding for finding in findings if finding.code != OVERLAP):
        raise refusal(str(file), findings)
    if sound:
        _must_fit(plan)
    seen = look(file.parent, plan)
    progress = progress_of(plan, seen, now=time.time())
    return Opened(
        folder=folder, home=file.parent, file=file, plan=plan, loaded=loaded, look=seen, progress=progress
    )  # fmt: skip


def level_of(text: str | None) -> int | Literal["all"] | None:
    """What `--level` says. Raises ConfigError."""
    word = text.strip().casefold() if text is not None else None
    if word is None or word == ALL:
        return None if word is None else ALL
    if word.isascii() and word.isdecimal() and len(word) < 7:
        return int(word)
    raise ConfigError(f"--level {text!r} is no level", hint="a number from 0 on, or all")


def must_have(progress: Progress, level: int | Literal["all"] | None) -> None:
    """Raises ConfigError for a level that the plan does not have."""
    if isinstance(level, int) and level not in progress.levels:
        last = max(progress.levels, default=0)
        there = f"there are the levels 0 to {last}" if last else "there is level 0 only"
        raise ConfigError(f"there is no level {level} in {progress.plan.name}", hint=there)


def _file(place: Path) -> Path:
    if not is_folder(place):
        return place  # whatever is wrong with it, reading it says so
    file = file_in(place)
    if file is None:
        raise ConfigError(
            f"there is no plan of achievements in {place}", hint=f"it is called {NAMES[0]}, or {' or '.join(NAMES[1:])}"
        )
    return file


def _must_fit(plan: Achievements) -> None:
    """Raises ConfigError for a name that no file can have."""
    name = plan.name
    if "/" in name or name != name.strip() or len(os.fsencode(name)) > _LONGEST_NAME:
        raise ConfigError(
            f"no paper can be called by the name of this plan: {name[:60]!r}",
            hint="`plan_name` is part of file names: letters, digits and dashes, such as GARDEN-SHOP",
        )
