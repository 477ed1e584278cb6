"""Coding agents that may be on this machine, and how each is run without any settings."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from stretto.model.plan import Value


class Known(Value, frozen=True, kw_only=True):
    """A coding agent that people may have installed."""

    name: str
    title: str
    executable: str
    command: str = ""
    """How a `shell` agent of it is run; empty where stretto has a profile for it."""
    sees: tuple[str, ...] = ()
    """Variables that it may need, for `env.pass`."""


KNOWN: Sequence[Known] = (
    Known(name="claude", title="Claude Code", executable="claude"),
    Known(
        name="codex",
        title="Codex",
        executable="codex",
        command='codex exec --skip-git-repo-check -s workspace-write "$(cat "$STRETTO_PROMPT_FILE")" < /dev/null',
        sees=("OPENAI_API_KEY", "CODEX_HOME"),
    ),
    Known(
        name="gemini",
        title="Gemini CLI",
        executable="gemini",
        command='gemini --approval-mode yolo -p "$(cat "$STRETTO_PROMPT_FILE")" < /dev/null',
        sees=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    ),
    Known(
        name="opencode",
        title="opencode",
        executable="opencode",
        command='opencode run "$(cat "$STRETTO_PROMPT_FILE")" < /dev/null',
        sees=("ANTHROPIC_API_KEY", "OPENAI_API_KEY"),
    ),
)
"""The first that is installed is the one that `stretto init` names."""


def installed(environ: Mapping[str, str]) -> dict[str, Path]:
    """Where the executables of those are that can be found, by their names; nothing is started."""
    found = {known.name: shutil.which(known.executable, path=environ.get("PATH", os.defpath)) for known in KNOWN}
    return {name: Path(path).absolute() for name, path in found.items() if path}
