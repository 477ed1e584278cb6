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
    """Of its executable, too."""
    title: str
    command: str = ""
    """How a `shell` agent of it is run; empty where stretto has a profile for it."""
    sees: tuple[str, ...] = ()
    """Variables that it may need, for `env.pass`."""


def _prompted(command: str) -> str:
    """It takes the prompt as its last word, and would wait for more of it on standard input."""
    return f'{command} "$(cat "$STRETTO_PROMPT_FILE")" < /dev/null'


KNOWN: Sequence[Known] = (
    Known(name="claude", title="Claude Code"),
    Known(
        name="codex",
        title="Codex",
        command=_prompted("codex exec --skip-git-repo-check -s workspace-write"),
        sees=("OPENAI_API_KEY", "CODEX_HOME"),
    ),
    Known(
        name="gemini",
        title="Gemini CLI",
        command=_prompted("gemini --approval-mode yolo -p"),
        sees=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    ),
    Known(
        name="opencode",
        title="opencode",
        command=_prompted("opencode run"),
        sees=("ANTHROPIC_API_KEY", "OPENAI_API_KEY"),
    ),
)
"""The first that is installed is the one that `stretto init` names."""


def installed(environ: Mapping[str, str]) -> dict[str, Path]:
    """Where the executables of those are that can be found, by their names; nothing is started."""
    found = {known.name: shutil.which(known.name, path=environ.get("PATH", os.defpath)) for known in KNOWN}
    return {name: Path(path).absolute() for name, path in found.items() if path}
