"""`stretto export`: a run in one file, for a bug report or the record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stretto.cli.options import Json, RunArgument

if TYPE_CHECKING:
    from stretto.cli.place import View
    from stretto.engine.archive import Manifest

SUFFIX = ".tar.gz"


def export(
    run: RunArgument = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Where to; default: <run>.tar.gz, here.")
    ] = None,
    no_logs: Annotated[bool, typer.Option("--no-logs", help="Without what agents and checks printed.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Also where there is such a file already.")] = False,
    json: Json = False,
) -> None:
    """Write a run into one archive: journal, plan, prompts, logs, report and commits; no values of variables."""
    import msgspec

    from stretto.cli import terminal
    from stretto.cli.output import draft, saying
    from stretto.cli.place import find
    from stretto.errors import ConfigError
    from stretto.observe.paint import count

    view = find(run)
    path = output or Path(f"{view.home.run}{SUFFIX}")
    path = path / f"{view.home.run}{SUFFIX}" if path.is_dir() else path
    if not path.name.endswith((SUFFIX, ".tgz")):
        raise ConfigError(f"{path}: it is a compressed tar file that is written", hint=f"-o {path.stem}{SUFFIX}")
    if path.exists() and not force:
        raise ConfigError(f"there is a file {path} already", hint="--force replaces it; -o FILE writes another")
    with saying(path), draft(path) as new:
        manifest = _write(view, new, logs=not no_logs)
    if json:
        print(msgspec.json.format(msgspec.json.encode({"file": str(path), "manifest": manifest})).decode())
    terminal.say(f"wrote {path}: {count(len(manifest.files), 'file')} of {view.home.run}", json=json)
    for left in manifest.left_out:
        terminal.say(f"left out: {left.what}: {left.why}", json=json)
    terminal.say(
        "plan, prompts and what agents printed are in it as they were; read them before you send it", json=json,
        label="note",
    )  # fmt: skip


def _write(view: View, path: Path, *, logs: bool) -> Manifest:
    import asyncio
    import tempfile
    import time

    import msgspec

    from stretto.engine.archive import Archive, Manifest, fill
    from stretto.engine.journal import copy, events_after, reading, rewrite
    from stretto.observe.disguise import disguise, names_to_show
    from stretto.observe.report.facts import report
    from stretto.observe.report.markdown import markdown
    from stretto.observe.story import Story

    home, now = view.home, time.time()
    with tempfile.TemporaryDirectory(prefix="stretto-export-") as folder, Archive(path, home.run) as archive:
        journal = Path(folder) / "journal.sqlite3"
        copy(home.journal, journal)
        with reading(journal) as connection:
            recorded = list(events_after(connection, 0))
        if names := names_to_show(recorded):
            recorded = list(disguise(recorded, names))
            rewrite(journal, recorded)
        archive.take("journal.sqlite3", journal)
        facts = report(Story(recorded), view.engine, now=now, delivered=view.delivered)
        archive.put("report.md", markdown(facts).encode("utf-8", "backslashreplace"))
        fill(archive, home, logs=logs)
        commits = Path(folder) / "refs.bundle"
        if asyncio.run(_bundle(view, commits)):
            archive.take("refs.bundle", commits)
        else:
            cleaned = any(record.landed for record in view.state.tasks)
            why = "`stretto clean` has removed its refs" if cleaned else "the run has no commits beyond its base"
            why = "the run works in the folder itself" if view.state.settings.isolation == "none" else why
            archive.leave("refs.bundle", why)
        manifest = Manifest(
            run=home.run,
            made_at=now,
            events=len(recorded),
            at_work=view.engine is not None,
            base=view.state.base,
            files=tuple(archive.files),
            left_out=tuple(archive.left_out),
        )
        archive.put("manifest.json", msgspec.json.format(msgspec.json.encode(manifest)))
    return manifest


async def _bundle(view: View, path: Path) -> bool:
    import os

    from stretto import wiring
    from stretto.workspace.bundle import bundle
    from stretto.workspace.cleaning import refs_of

    if view.state.settings.isolation == "none":
        return False
    git = (await wiring.repository(Path.cwd(), os.environ)).store
    refs = await refs_of(git, view.home.run)
    branch = f"refs/heads/{view.state.branch}"  # one that the user named is none of the refs that stretto names
    if (tip := await git.resolve(branch)) is not None:
        refs[branch] = tip
    return await bundle(git, refs, view.state.base, path)
