"""What `stretto doctor` looks at, area by area. Nothing here changes anything."""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from stretto import wiring
from stretto.cli.place import view
from stretto.config.agents import named, specs
from stretto.config.installed import KNOWN, installed
from stretto.config.layers import Settings
from stretto.config.load import load
from stretto.config.table import FILE, dotted
from stretto.engine import health as engine_health
from stretto.engine.home import RepositoryHome, repository_home, state_dir
from stretto.engine.reader import SqliteReader
from stretto.engine.strays import living
from stretto.errors import ConfigError, RepositoryError, StateError
from stretto.model.health import Observation, Verdict
from stretto.model.surroundings import is_secret
from stretto.observe.paint import count
from stretto.observe.snapshot import condition, is_open
from stretto.workspace import health as workspace_health
from stretto.workspace.repository import top

if TYPE_CHECKING:
    from stretto.core.state import State

OLDEST = (3, 11)
VERSION_S = 10.0
"""How long an agent's program may take to tell its version."""
NARROW = 60
"""Fewer columns than this, and lines are broken all the time."""
NAMED = 3
"""So many runs are told by name."""


async def checkup(here: Path, environ: Mapping[str, str], *, agents: bool = True) -> AsyncIterator[Observation]:
    """Everything, area by area; `agents`: ask their programs for their versions, too."""
    yield _python()
    for seen in (*engine_health.processes(), *terminal(sys.stdout, environ)):
        yield seen
    async for seen in workspace_health.examine(here, environ):
        yield seen
    root = await top(here, environ=environ)
    settings, found = _settings(root, environ)
    for seen in (*found, *engine_health.state_folder(environ, work_tree=root), *await _runs(here, environ)):
        yield seen
    begun = root is None or os.path.lexists(root / FILE)
    async for seen in _agents(settings, environ, versions=agents, begun=begun):
        yield seen


def _python() -> Observation:
    said, fits = platform.python_version(), sys.version_info[:2] >= OLDEST
    return Observation(
        area="machine",
        about="Python",
        told=f"{said} at {sys.executable}",
        verdict="ok" if fits else "problem",
        mend="" if fits else "install Python 3.11 or newer",
    )


def terminal(stream: TextIO, environ: Mapping[str, str]) -> Iterator[Observation]:
    """How much of a run people will see here."""

    def told(what: str, follows: str = "", mend: str = "") -> Observation:
        verdict: Verdict = "warning" if follows else "ok"
        return Observation(area="machine", about="terminal", told=what, verdict=verdict, follows=follows, mend=mend)

    encoding = (stream.encoding or "").lower().replace("-", "")
    dumb = environ.get("TERM") == "dumb"
    if dumb:
        yield told("TERM is dumb", "progress is told line by line, without colours", "export TERM=xterm-256color")
    if encoding not in ("utf8", "utf8sig"):
        yield told(
            f"text is written as {stream.encoding}", "some characters are shown as escapes", "export LANG=C.UTF-8"
        )
    if not stream.isatty():
        if not dumb:
            yield told("none here; progress is told line by line")
        return
    columns, lines = shutil.get_terminal_size((80, 24))
    if columns < NARROW:
        yield told(f"{columns} columns wide", "lines are broken often", "make it wider")
    elif not dumb:
        yield told(f"{columns} by {lines}" + (", without colours (NO_COLOR)" if environ.get("NO_COLOR") else ""))


def _settings(root: Path | None, environ: Mapping[str, str]) -> tuple[Settings | None, list[Observation]]:
    try:
        settings = load(root, environ)
    except ConfigError as error:
        seen = Observation(
            area="settings", about="settings", told=str(error), verdict="problem",
            follows="every command refuses to work", mend=error.hint,
        )  # fmt: skip
        return None, [seen]
    said = [one for key in settings if (one := settings.said(key)[0]).origin.layer != "default"]
    profile = f"; profile {settings.profile}" if settings.profile else ""
    told = f"{count(len(said), 'value')} set{profile}; `stretto config --origin` says where"
    if not said:
        empty = root is not None and os.path.lexists(root / FILE)
        told = f"{FILE} sets nothing; nothing needs to be set" if empty else "none; nothing needs to be set"
    found = [Observation(area="settings", about="settings", told=told)]
    for one in said:
        if len(one.key) == 4 and one.origin.layer in ("repository", "profile") and is_secret(one.key[3], one.value):
            found.append(
                Observation(
                    area="settings",
                    about="secrets",
                    told=f"{dotted(one.key)} may be a secret ({one.origin.place})",
                    verdict="warning",
                    follows="it is recorded with every run, and in git once that file is committed",
                    mend="set the variable outside, and list its name in `env.pass`",
                )
            )
    return settings, found


async def _runs(here: Path, environ: Mapping[str, str]) -> list[Observation]:
    """Runs that are not over, processes that outlived one, files that cannot be read, worktrees."""
    try:
        repository = await wiring.repository(here, environ)
        home = repository_home(state_dir(environ), repository.common)
        runs = home.runs()
    except (RepositoryError, StateError):  # told already
        return []
    found: list[Observation] = []
    unfinished, active = [], 0
    for run in runs:
        try:
            run.launch()
            seen = view(run)
            left = [] if seen is None or seen.engine else living(run.run, SqliteReader(run).processes())
        except StateError as error:
            found.append(
                _state("runs", str(error), "problem", "that run cannot go on", error.hint or f"look at {run.path}")
            )
            continue
        if left:
            pids = ", ".join(map(str, left[:NAMED]))
            found.append(
                _state(
                    "runs",
                    f"of {run.run}, whose engine has died, processes live on: {pids}",
                    "problem",
                    "agents go on spending, and nobody waits for what they do",
                    f"stretto stop {run.run}",
                )
            )
        if seen is not None and seen.engine:
            active += 1
        elif seen is not None and not seen.state.abandoned and _is_unfinished(seen.state):
            unfinished.append((run.run, condition(seen.state, None, time.time())))
    if unfinished:
        told = ", ".join(f"{run} ({what})" for run, what in unfinished[-NAMED:])
        more = f" and {len(unfinished) - NAMED} before" if len(unfinished) > NAMED else ""
        follows = "the plan of such a run does not run again before it is resumed or given up"
        mend = f"stretto resume {unfinished[-1][0]}\nor give it up: stretto abandon {unfinished[-1][0]}"
        found.append(_state("runs", f"not finished: {told}{more}", "warning", follows, mend))
    if not found:
        found.append(_state("runs", f"{count(len(runs), 'run')}, {active} at work" if runs else "none yet"))
    return [*found, *_worktrees(home)]


def _is_unfinished(state: State) -> bool:
    """Whether a run of the same plan would be refused because of it, or it has tasks left to do."""
    return state.ended in (None, "stopped", "paused") or is_open(state)


def _worktrees(home: RepositoryHome) -> Iterator[Observation]:
    try:
        kept = [
            slot for key in home.worktrees.iterdir() if key.is_dir() for slot in key.iterdir() if slot.name.isdigit()
        ]
    except OSError:
        return
    if kept:
        yield _state("worktrees", f"{count(len(kept), 'worktree')} kept ready for the next tasks, in {home.worktrees}")


def _state(about: str, told: str, verdict: Verdict = "ok", follows: str = "", mend: str = "") -> Observation:
    return Observation(area="state", about=about, told=told, verdict=verdict, follows=follows, mend=mend)


async def _agents(
    settings: Settings | None, environ: Mapping[str, str], *, versions: bool, begun: bool
) -> AsyncIterator[Observation]:
    there = installed(environ)
    said: dict[str, str | None] = {}
    if versions and there:
        answers = await asyncio.gather(*(version(path, environ) for path in there.values()))
        said = dict(zip(there, answers, strict=True))
    for known in KNOWN:
        if (path := there.get(known.name)) is None:
            continue
        silent = versions and said[known.name] is None
        yield Observation(
            area="agents",
            about=known.title,
            told=f"{said.get(known.name) or ''} at {path}".strip(),
            verdict="warning" if silent else "ok",
            follows="it does not tell its version, and may not work" if silent else "",
            mend=f"{known.name} --version" if silent else "",
        )
    if settings is not None:
        yield _default_agent(settings, environ, begun=begun)


def _default_agent(settings: Settings, environ: Mapping[str, str], *, begun: bool) -> Observation:
    """Who does a task that names nobody, and whether that agent can be started. `begun`: there are settings here, so
    `init` has nothing to do any more."""
    if not (said := settings.value(("agent",))):
        return Observation(
            area="agents", about="default agent", told="none is named", verdict="warning",
            follows="a plan that names no agent needs `--agent`",
            mend=f"name one: `agent` in {FILE}" if begun else "stretto init",
        )  # fmt: skip
    place = settings.said(("agent",))[0].origin.place
    try:
        name, spec = named(said)
        if (spec := spec or specs(settings).get(name)) is None:
            raise ConfigError(f"there is no agent {name!r}", hint=f"define it: [agents.{dotted((name,))}]")
        wiring.agent(spec, environ)
    except ConfigError as error:
        return Observation(
            area="agents", about="default agent", told=f"{error} ({place})", verdict="problem",
            follows="runs with it are refused", mend=error.hint,
        )  # fmt: skip
    return Observation(area="agents", about="default agent", told=f"{name} ({place})")


async def version(program: Path, environ: Mapping[str, str], *, bound_s: float = VERSION_S) -> str | None:
    """What a program says its version is; None for nothing. It sees none of the user's settings or secrets, and
    nothing that it has started in its group lives longer than the answer."""
    with tempfile.TemporaryDirectory(prefix="stretto-doctor-", ignore_cleanup_errors=True) as folder:
        homes = ("HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")
        quiet = (
            "DISABLE_AUTOUPDATER",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
            "DISABLE_TELEMETRY",
            "NO_COLOR",
            "CI",
        )
        env = {
            "PATH": environ.get("PATH", os.defpath),
            **dict.fromkeys(homes, folder),
            **dict.fromkeys(("CLAUDE_CONFIG_DIR", "CODEX_HOME"), folder),
            **dict.fromkeys((*quiet, "OPENCODE_DISABLE_AUTOUPDATE"), "1"),
        }
        try:
            process = await asyncio.create_subprocess_exec(
                program, "--version", env=env, cwd=folder, stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        except OSError:
            return None
        out = b""
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(bound_s):
                    out, _ = await process.communicate()
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    found = re.search(r"\d+(?:\.\d+)+[\w.+-]*", out.decode(errors="replace"))
    return found[0] if process.returncode == 0 and found else None
