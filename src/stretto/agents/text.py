"""The text agent: one question to a model over HTTP, whose answer is the one file that the task has promised."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec.structs import replace

import stretto
from stretto.agents.shell import run_command
from stretto.errors import ConfigError
from stretto.model.agent import AgentSpec
from stretto.model.run import Failure
from stretto.model.surroundings import surroundings
from stretto.ports import Assignment, Processes, Report

MOST_ROUNDS: Final = 5
"""Of writer and critic."""
_ENDPOINTS: Final = {
    "anthropic": ("ANTHROPIC", "https://api.anthropic.com"),
    "openai": ("OPENAI", "https://api.openai.com/v1"),
}
"""By the form of the endpoint: how its variables begin, and where it is when nobody says otherwise."""
_SEES: Final = (
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR"),
)
_CALL: Final = (
    sys.executable, "-I", "-S", "-X", "utf8",
    "-c", "import sys; sys.path.append(sys.argv.pop(1)); from stretto.agents.text_call import main; sys.exit(main())",
    str(Path(stretto.__file__).parent.parent),
)  # fmt: skip
"""Isolated, so that nothing in the workspace is imported, and without site-packages, which it does not need."""


class _Words(argparse.ArgumentParser):
    """The words of `args`; complains as settings do."""

    def error(self, message: str) -> object:  # type: ignore[override]
        raise ConfigError(f"the text agent does not understand its `args`: {message}", hint=self.format_usage().strip())


def _parser() -> _Words:
    parser = _Words(prog="args", add_help=False, allow_abbrev=False)
    parser.add_argument("--api", choices=tuple(_ENDPOINTS), default="anthropic")
    parser.add_argument("--url", default="")
    parser.add_argument("--max-tokens", type=int, default=16_000)
    parser.add_argument("--critic", type=int, default=0)
    return parser


class TextAgent:
    """One endpoint of the settings. It cannot open files: a line `<file path="P"/>` of the prompt becomes P's text."""

    reads_story = False
    """It begins anew every time; why earlier attempts failed is told to everybody."""
    codes = False

    def __init__(self, spec: AgentSpec, environ: Mapping[str, str]) -> None:
        """`environ` is the user's. Raises ConfigError where no model is named, or there is no key for it."""
        said = _parser().parse_args(spec.args)
        if said.max_tokens < 1:
            raise ConfigError(f"--max-tokens must be at least 1, not {said.max_tokens}")
        if not 0 <= said.critic <= MOST_ROUNDS:
            raise ConfigError(f"--critic must be a number of rounds from 0 to {MOST_ROUNDS}, not {said.critic}")
        begins, usual = _ENDPOINTS[said.api]
        own = {**environ, **spec.env}
        model = spec.model or own.get(f"{begins}_MODEL", "").strip()
        if not model:
            raise ConfigError(
                "the text agent has no model", hint=f'[agents.text] model = "NAME" in stretto.toml, or: {begins}_MODEL'
            )
        chosen = said.url or own.get(f"{begins}_BASE_URL", "").strip()
        if not (chosen or usual).startswith(("http://", "https://")):
            raise ConfigError(f"the text agent's endpoint is no URL: {chosen!r}", hint="http://… or https://…")
        if not chosen and not own.get(f"{begins}_API_KEY", "").strip():
            raise ConfigError(
                f"the text agent has no key: {begins}_API_KEY is not set", hint=f"export {begins}_API_KEY=…"
            )
        self._env = {**surroundings(environ, passed=(*_SEES, f"{begins}_API_KEY")), **spec.env}
        self._words = (
            *("--api", said.api, "--url", chosen or usual, "--model", model),
            *("--max-tokens", str(said.max_tokens), "--critic", str(said.critic)),
        )

    async def run(self, assignment: Assignment, processes: Processes) -> Report:
        """A task that has not promised exactly one file is a permanent failure."""
        promised = assignment.task.artifacts
        if len(promised) != 1 or promised[0].endswith("/"):
            said = f"it has promised {len(promised)} files" if len(promised) != 1 else f"{promised[0]} is a folder"
            message = f"the text agent writes exactly one file, and {said}\nhint: artifacts: [the/file.md]"
            return Report(failure=Failure(kind="permanent", message=message))
        own = replace(assignment, env={**assignment.env, **self._env})
        return await run_command((*_CALL, *self._words, "--artifact", promised[0]), own, processes)
