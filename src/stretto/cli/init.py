"""`stretto init`: looks at the repository, and writes settings and a plan to begin with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pathlib import Path

    from stretto.recipes.survey import Survey

LONGEST = 1 << 20
"""Bytes of a manifest that are read."""


def init(
    force: Annotated[bool, typer.Option("--force", help="Write stretto.toml anew where there is one.")] = False,
    yes: Annotated[
        bool,
        typer.Option("--yes", "-y", help="Do not ask; where there is no terminal to ask in, nothing is asked anyway."),
    ] = False,
) -> int:
    """Look at the repository, and write stretto.toml and a plan to begin with."""
    import asyncio
    import os
    import sys
    from pathlib import Path

    from stretto.cli import terminal
    from stretto.config.files import shown
    from stretto.config.installed import KNOWN, installed
    from stretto.config.load import load
    from stretto.config.starter import settings_text
    from stretto.config.table import FILE
    from stretto.errors import ConfigError
    from stretto.observe.words import on_plan
    from stretto.recipes import starter
    from stretto.recipes.survey import survey

    mine = load(None, os.environ)  # raises for what no run would get past
    root, tracked, loose, begun = asyncio.run(_ground(Path.cwd()))
    settings, plan = root / FILE, root / starter.FILE
    if os.path.lexists(settings) and not force:
        raise ConfigError(
            f"{shown(settings)} is there already", hint="`stretto config` says what it sets; --force writes it anew"
        )
    found = survey(tracked | loose, lambda path: _read(root, path))
    there = installed(os.environ)
    agents = [known for known in KNOWN if known.name in there]
    kept = [plan] if os.path.lexists(plan) else []
    for line in _told(found, loose, [f"{agent.title}  ({there[agent.name]})" for agent in agents], mine=bool(kept)):
        print(line)
    texts = {
        settings: settings_text(agents, os.environ.keys()),
        plan: starter.plan_text(
            found, tracked | loose, name=root.name, scripted=not agents and mine.value(("agent",)) in ("", "scripted")
        ),
    }
    new = [path for path in texts if path not in kept]
    named = " and ".join(shown(path) for path in new)
    print()
    if terminal.is_interactive() and not yes and not terminal.ask(f"Write {named}?", default=True):
        print("nothing was written", file=sys.stderr)
        return 130
    for path in new:
        _write(path, texts[path], anew=path == settings and force)
    print(f"wrote {named}")
    for path in kept:
        terminal.say(f"{shown(path)} was there already, and is left as it is")
        for kind, commands in (("setup.run", found.setup), ("gates.verify", found.verify)):
            for command, _ in commands:
                print(f"  {kind}: {command}")
    print("\nNext:")
    terminal.commands(
        *(() if begun else ('git add -A && git commit -m "start"',)),
        on_plan("check", shown(plan)),
        *(() if kept and not agents else (on_plan("run", shown(plan)),)),
    )
    return 0


async def _ground(here: Path) -> tuple[Path, frozenset[str], frozenset[str], bool]:
    """(top of the work tree, files that git has, files that it could have, whether there is a commit)."""
    import os

    from stretto import wiring
    from stretto.errors import InternalError
    from stretto.workspace.git import Git
    from stretto.workspace.repository import top

    root = await top(here, environ=os.environ)
    if root is None:
        await wiring.repository(here, os.environ)  # says why
        raise InternalError(f"{here} is in a repository that has no top")
    git = Git(root, environ=os.environ)
    tracked = await git.run("ls-files", "-z")
    loose = await git.run("ls-files", "-z", "--others", "--exclude-standard")
    return root, frozenset(tracked.fields), frozenset(loose.fields), await git.resolve("HEAD") is not None


def _read(root: Path, path: str) -> str:
    """A file's text; nothing where it is no file of the repository's own."""
    place = root / path
    if place.is_symlink() or not place.is_file():
        return ""
    with place.open("rb") as file:
        return file.read(LONGEST).decode(errors="replace")


def _told(found: Survey, loose: frozenset[str], agents: list[str], *, mine: bool) -> Iterator[str]:
    """What was found, and what shows it. `mine`: the plan is the user's own."""
    from stretto.model.excerpt import legible

    for project in found.projects:
        where = f" in {project.folder}" if project.folder else ""
        yield legible(f"{project.toolchain}{where}  ({project.evidence})")
        yield from (f"  set-up   {command}" for command in project.setup)
    if not found.projects:
        yield "no toolchain that stretto knows; set-up is left to you"
    for command, why in found.verify:
        yield legible(f"tests      {command}  ({why})")
    if not found.verify:
        yield "no tests; what must hold before anything lands is left to you"
    yield from (f"agent      {agent}" for agent in agents)
    if not agents:
        until = "a run names one with --agent" if mine else "the plan's tasks play scripts until there is one"
        yield f"no coding agent on the PATH; {until}"
    for note in found.notes:
        yield legible(f"note: {note}")
    for project in found.projects:
        if project.evidence in loose:
            yield legible(f"note: {project.evidence} is not in git yet, and a task sees only what is committed")


def _write(path: Path, text: str, *, anew: bool) -> None:
    """A whole file or none; another one of that name is only replaced `anew`. Raises ConfigError."""
    import os
    import tempfile
    from pathlib import Path

    from stretto.config.files import shown
    from stretto.errors import ConfigError

    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        draft = Path(name)
        try:
            with open(handle, "w", encoding="utf-8") as file:
                os.fchmod(handle, 0o644)
                file.write(text)
            if anew:
                draft.replace(path)
            else:
                path.hardlink_to(draft)
        finally:
            draft.unlink(missing_ok=True)
    except FileExistsError as error:
        raise ConfigError(f"{shown(path)} has come to be meanwhile", hint="the same again; --force") from error
    except OSError as error:
        raise ConfigError(
            f"cannot write {shown(path)}: {error.strerror or error}", hint="make that folder writable for you"
        ) from error
