"""`stretto show --suggest`: what could be changed in a plan, what that would save, and patches to do it."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from shlex import quote

import msgspec

from stretto.analysis.advice import Advice, Suggestion, advise
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
from stretto.observe.suggestions import Patch, all_at_once, one_patch, suggestions_json, suggestions_text
from stretto.observe.words import on_plan


def print_suggestions(file: str, loaded: Loaded, settings: RunSettings, *, as_json: bool, options: str) -> None:
    """Print advice on the plan; nothing is changed. `options`: those of the command that the advice depends on."""
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
        command=f"{on_plan('show', file)}{options} --patch {{}} | {_applied(file)}",
        paint=terminal.paint(sys.stdout),
        width=terminal.width(sys.stdout),
    )
    for text in lines:
        print(text)


def print_patch(file: str, loaded: Loaded, settings: RunSettings, which: Sequence[str], *, options: str) -> None:
    """Print one patch for the suggestions of these numbers, or for `all`, and nothing else. Each text is a number,
    or several with commas. Raises ConfigError."""
    advice, patches = _advice(file, loaded, settings), _patches(file, loaded)
    told = (*advice.faster, *advice.safer, *advice.later)
    names = [name.strip() for text in which for name in text.split(",")]
    again = f"{on_plan('show', file)}{options} --suggest"
    if set(names) == {"all"}:
        made = all_at_once(loaded.plan, advice, patches)
        if made is None:
            raise ConfigError("the plan's format has no words for that", hint=f"what to do by hand: {again}")
    else:
        chosen = {n: told[n - 1] for n in _numbers(names, len(told))}
        made = _several(chosen, loaded, patches, again)
        for number, each in chosen.items():  # a number that is an old one is seen to be one
            terminal.say(f"{number}. {each.kind}: {each.reason}", json=True)
    sys.stdout.buffer.write(made.encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()


def _numbers(names: Sequence[str], most: int) -> list[int]:
    """Rising, each once. Raises ConfigError."""
    if "all" in names:
        raise ConfigError("`--patch all` and a number contradict each other", hint="give one of them")
    for name in names:
        if not (name.isdecimal() and 0 < int(name) <= most):
            known = f"there are 1 to {most}, and `all`" if most else "there is nothing to suggest"
            raise ConfigError(f"there is no suggestion {name!r}", hint=known)
    return sorted({int(name) for name in names})


def _several(chosen: Mapping[int, Suggestion], loaded: Loaded, patches: Patch, again: str) -> str:
    """One patch for all that are chosen. Raises ConfigError where one has none, or two do not go together."""
    for number, each in chosen.items():
        if patches(each.changes) is None:
            which = f"suggestion {number}" if len(chosen) > 1 else "that"
            raise ConfigError(f"the plan's format has no words for {which}", hint=f"what to do by hand: {again}")
    made = one_patch(loaded.plan, tuple(chosen.values()), patches)
    if made is not None:
        return made
    for first, second in combinations(chosen, 2):
        if one_patch(loaded.plan, (chosen[first], chosen[second]), patches) is None:
            raise ConfigError(
                f"suggestions {first} and {second} touch the same place, and do not go together",
                hint=f"make one of them, then look at what is left: {again}",
            )
    raise ConfigError(
        f"suggestions {', '.join(map(str, chosen))} do not go together",
        hint=f"make some of them, then look at what is left: {again}",
    )


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
