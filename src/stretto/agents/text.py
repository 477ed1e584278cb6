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
from stretto.agents.text_endpoint import trouble_with_key, trouble_with_model, trouble_with_url
from stretto.errors import ConfigError
from stretto.model.agent import AgentSpec
from stretto.model.run import Failure
from stretto.model.surroundings import surroundings
from stretto.ports import Assignment, Processes, Report

MOST_ROUNDS: Final = 5
"""Of writer and critic."""
SILENCE_S: Final = 120.0
"""So long an endpoint may say nothing, where the attempt's own idle time does not decide it."""
LONGEST_SILENCE_S: Final = 3600.0
"""Whatever the attempt's own idle time is."""
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
        if trouble := trouble_with_url(chosen or usual):
            raise ConfigError(
                f"the text agent's endpoint {trouble}",
                hint=f"http://HOST or https://HOST, in {begins}_BASE_URL or --url; a key belongs in {begins}_API_KEY",
            )
        if trouble := trouble_with_model(model):
            raise ConfigError(f"the name of the text agent's model {trouble}", hint=f"look at {begins}_MODEL")
        key = own.get(f"{begins}_API_KEY", "").strip()
        if trouble := trouble_with_key(key):
            raise ConfigError(f"{begins}_API_KEY {trouble}", hint=f"export {begins}_API_KEY=… once more")
        if not chosen and not key:
            raise ConfigError(
                f"the text agent has no key: {begins}_API_KEY is not set", hint=f"export {begins}_API_KEY=…"
            )
        # Neither the URL nor the model is a word of the command: everybody can read those.
        self._env = {
            **surroundings(environ, passed=(*_SEES, f"{begins}_API_KEY")),
            **spec.env,
            "STRETTO_TEXT_URL": chosen or usual,
            "STRETTO_TEXT_MODEL": model,
        }
        self._words = ("--api", said.api, "--max-tokens", str(said.max_tokens), "--critic", str(said.critic))

    async def run(self, assignment: Assignment, processes: Processes) -> Report:
        """A task that has not promised exactly one file is a permanent failure."""
        promised = assignment.task.artifacts
        if len(promised) != 1 or promised[0].endswith("/"):
            said = f"it has promised {len(promised)} files" if len(promised) != 1 else f"{promised[0]} is a folder"
            message = f"the text agent writes exactly one file, and {said}\nhint: artifacts: [the/file.md]"
            return Report(failure=Failure(kind="permanent", message=message))
        own = replace(assignment, env={**assignment.env, **self._env})
        # Told in its own words, before the attempt is ended as idle.
        silence_s = min(0.9 * assignment.idle_s, LONGEST_SILENCE_S) if assignment.idle_s > 0 else SILENCE_S
        words = (*self._words, f"--silence={silence_s:g}", f"--artifact={promised[0]}")
        return await run_command((*_CALL, *words), own, processes)
