"""`stretto show --suggest`: what could be changed in a plan, what that would save, and patches to do it."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from shlex import quote

import msgspec

from stretto.analysis.advice import Advice, advise
from stretto.cli import terminal
from stretto.cli.opening import own_folder
from stretto.cli.texts import read_texts
from stretto.errors import ConfigError, PlanError
from stretto.formats.amend import amended
from stretto.formats.load import Loaded
from stretto.formats.named_paths import named_paths
from stretto.model.change import Change
from stretto.model.run import RunSettings
from stretto.observe.patch import patch
from stretto.observe.suggestions import Patch, all_at_once, suggestions_json, suggestions_text
from stretto.observe.words import on_plan


def print_suggestions(file: str, loaded: Loaded, settings: RunSettings, *, as_json: bool) -> None:
    """Print advice on the plan; nothing is changed."""
    advice, made = _advice(file, loaded, settings), _patches(file, loaded)
    if as_json:
        told = suggestions_json(loaded.plan, advice, made, loaded.places)
        print(msgspec.json.format(msgspec.json.encode(told)).decode())
        return
    lines = suggestions_text(
        loaded.plan,
        advice,
        made,
        loaded.places,
        at_once=settings.parallel,
        command=f"{on_plan('show', file)} --patch {{}} | {_applied(file)}",
        paint=terminal.paint(sys.stdout),
        width=terminal.width(sys.stdout),
    )
    for text in lines:
        print(text)


def print_patch(file: str, loaded: Loaded, settings: RunSettings, which: str) -> None:
    """Print the patch of one suggestion, by its number, or of `all`, and nothing else. Raises ConfigError."""
    advice, patches = _advice(file, loaded, settings), _patches(file, loaded)
    told = (*advice.faster, *advice.safer, *advice.later)
    if which == "all":
        made = all_at_once(advice, patches)
    elif which.isdecimal() and 0 < int(which) <= len(told):
        made = patches(told[int(which) - 1].changes)
    else:
        known = f"there are 1 to {len(told)}, and `all`" if told else "there is nothing to suggest"
        raise ConfigError(f"there is no suggestion {which!r}", hint=known)
    if made is None:
        command = f"{on_plan('show', file)} --suggest"
        raise ConfigError("the plan's format has no words for that", hint=f"what to do by hand: {command}")
    sys.stdout.buffer.write(made.encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()


def _advice(file: str, loaded: Loaded, settings: RunSettings) -> Advice:
    plan = loaded.plan
    with contextlib.suppress(PlanError):  # a prompt file that is not there is told by `check`
        plan, _ = read_texts(plan, own_folder(file), {task.id for task in plan.tasks if task.status == "succeeded"})
    return advise(plan, named=_named, places=settings.parallel, default_s=settings.estimate_s)


def _patches(file: str, loaded: Loaded) -> Patch:
    real, top, _ = _place(file)

    def made(changes: Sequence[Change]) -> str | None:
        after = amended(file, loaded.data, changes) if loaded.data else None  # a folder has no file to change
        return None if after is None else patch(real.relative_to(top).as_posix(), loaded.data, after)

    return made


def _applied(file: str) -> str:
    """The command that takes a patch of the plan on its standard input."""
    _, top, in_git = _place(file)
    here = os.path.relpath(top)
    if not in_git:
        return "patch -p1" if here == "." else f"patch -p1 -d {quote(here)}"
    return "git apply" if here == "." else f"git -C {quote(here)} apply"


def _place(file: str) -> tuple[Path, Path, bool]:
    """The plan file, the folder that a patch counts from, and whether that is the top of a repository."""
    real = Path(os.path.realpath(file))
    top = next((folder for folder in real.parents if (folder / ".git").exists()), None)
    return real, top or real.parent, top is not None


def _named(text: str) -> list[str]:
    return [path for path, _, _ in named_paths(text)]
