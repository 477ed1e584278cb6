"""Coding agents that run as one process an attempt: what differs between them, as data (`headless.py` does the rest).

A new one is an entry in `PROFILES` and, where its events have a shape of their own, a reader beside `claude_stream.py`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from stretto.agents.claude_stream import ClaudeStream
from stretto.agents.stream import ErrorRule, Stream
from stretto.errors import ConfigError
from stretto.model.agent import AgentSpec
from stretto.model.plan import Value
from stretto.model.surroundings import surroundings

VERSION_S: Final = 20.0
"""How long a command may take to tell its version."""


class Profile(Value, frozen=True, kw_only=True):
    """One command line. Words in braces (`{model}`, `{mode}`, `{session}`, `{earlier}`) are filled in."""

    name: str
    """What settings call it."""
    title: str
    executable: str
    install: str
    """How a person gets it."""
    command: tuple[str, ...]
    """Words that every call has. The prompt comes on standard input: a word of a command line has a greatest length."""
    fresh: tuple[str, ...] = ()
    """Words that begin the session `{session}`."""
    resume: tuple[str, ...] = ()
    """Words that go on with the session `{earlier}` in a copy of it, `{session}`; empty: it cannot."""
    model: tuple[str, ...] = ()
    permission: tuple[str, ...] = ()
    permission_mode: str = ""
    permission_modes: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    """Words in front of the tools that it may use without asking."""
    allowed_tools: tuple[str, ...] = ()
    ours: tuple[str, ...] = ()
    """Options that stretto sets itself, so that nobody else may."""
    env: Mapping[str, str] = {}
    """Quiet switches, and few retries of its own: those are the run's to decide."""
    sees: tuple[str, ...] = ()
    """What it may see of the user's environment beside what every agent sees: names, or beginnings that end in `*`."""
    errors: tuple[ErrorRule, ...] = ()
    """What its errors mean in kinds of R4; the first that fits counts."""
    signal_exits: tuple[int, ...] = ()
    """Exit statuses by which it tells of a signal that ended it (of others, 128 + n need not mean that)."""
    unknown_session: str = ""
    """Found in what it says when it is to resume a session that it does not have."""
    stream: Callable[[], Stream]
    """Makes a reader of its events."""

    def find(self, environ: Mapping[str, str], command: str = "") -> Path | None:
        """Where its executable is; `command` stands in for its usual name. None: not installed."""
        name = os.path.expanduser(command or self.executable)  # noqa: PTH111 - a mere name stays a mere name
        found = shutil.which(name, path=environ.get("PATH", os.defpath))
        return Path(found).absolute() if found else None

    def version(self, executable: Path, environ: Mapping[str, str]) -> str | None:
        """What it says its version is; None when it says nothing. Takes up to some seconds."""
        try:
            done = subprocess.run(
                [executable, "--version"], env=self.environment(environ), stdin=subprocess.DEVNULL,
                capture_output=True, text=True, errors="replace", timeout=VERSION_S, check=False,
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError):
            return None
        said = re.search(r"\d+(?:\.\d+)+\S*", done.stdout)
        return said[0] if done.returncode == 0 and said else None

    def environment(self, environ: Mapping[str, str], own: Mapping[str, str] = {}) -> dict[str, str]:
        """What it gets to see of `environ`, with its switches; `own` variables count more."""
        return {**surroundings(environ, passed=self.sees), **self.env, **own}

    def words(self, spec: AgentSpec, *, session: str, earlier: str | None) -> tuple[str, ...]:
        """The command line behind the executable; `earlier` is the session to go on with."""
        chosen = (
            *self.command,
            *(self.fresh if earlier is None else self.resume),
            *(self.model if spec.model else ()),
            *self.permission,
        )
        tools = self.allowed_tools if spec.allowed_tools is None else spec.allowed_tools
        values = {
            "{model}": spec.model,
            "{mode}": spec.permission_mode or self.permission_mode,
            "{session}": session,
            "{earlier}": earlier or "",
        }
        return (*(values.get(word, word) for word in chosen), *((*self.allow, *tools) if tools else ()), *spec.args)

    def check(self, spec: AgentSpec) -> None:
        """Raises ConfigError for settings that it would refuse, or that would take the reins out of our hands."""
        if spec.permission_mode and spec.permission_mode not in self.permission_modes:
            raise ConfigError(
                f"{self.title} has no permission mode {spec.permission_mode!r}",
                hint=f"one of: {', '.join(self.permission_modes)}",
            )
        if "/" in spec.command and not spec.command.startswith(("/", "~/")):
            raise ConfigError(
                f"the command of {self.title} must be a name on the PATH or an absolute path, not {spec.command!r}"
            )
        for word in spec.args:
            if word.partition("=")[0] in self.ours:
                raise ConfigError(f"{word} of {self.title} is set by stretto", hint="leave it out of `args`")


CLAUDE: Final = Profile(
    name="claude",
    title="Claude Code",
    executable="claude",
    install="npm install -g @anthropic-ai/claude-code, then run `claude` once to log in",
    command=(
        *("-p", "--output-format", "stream-json", "--verbose"),
        # In a worktree of its own making, its work would be lost to us.
        *("--disallowedTools", "EnterWorktree"),
    ),
    fresh=("--session-id", "{session}"),
    resume=("--resume", "{earlier}", "--fork-session", "--session-id", "{session}"),
    model=("--model", "{model}"),
    permission=("--permission-mode", "{mode}"),
    permission_mode="acceptEdits",
    permission_modes=("acceptEdits", "auto", "bypassPermissions", "default", "dontAsk", "manual", "plan"),
    allow=("--allowedTools",),
    allowed_tools=("Bash",),
    ours=(
        *("-p", "--print", "--output-format", "--input-format", "--verbose", "-c", "--continue", "-r", "--resume"),
        *("--session-id", "--fork-session", "--no-session-persistence", "-w", "--worktree", "--bg", "--background"),
        *("--permission-mode", "--model", "--include-partial-messages"),
    ),
    env={
        "CLAUDE_CODE_MAX_RETRIES": "2",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        "DISABLE_TELEMETRY": "1",
        "DISABLE_ERROR_REPORTING": "1",
    },
    # Not all of CLAUDE_*: what a surrounding session of Claude Code tells its children is not for ours.
    sees=(
        *("ANTHROPIC_*", "CLAUDE_CONFIG_DIR", "CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CODE_USE_*", "CLAUDE_CODE_SKIP_*"),
        *("CLAUDE_CODE_MAX_OUTPUT_TOKENS", "CLAUDE_CODE_SUBAGENT_MODEL", "CLAUDE_CODE_EFFORT_LEVEL", "IS_SANDBOX"),
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
        *("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR", "XDG_CONFIG_HOME"),
    ),
    errors=(
        ErrorRule(
            kind="auth",
            statuses=(402,),
            words=r"billing_error|credit balance is too low",
            hint="the account has no credit left; add some, or use another key",
        ),
        ErrorRule(
            kind="auth",
            statuses=(401, 403),
            words=r"authentication_failed|permission_error|not logged in|please run /login|invalid api key|oauth token",
            hint="run `claude` and log in, or set ANTHROPIC_API_KEY",
        ),
        ErrorRule(kind="permanent", words=r"budget_exhausted", hint="raise --max-budget-usd in the agent's `args`"),
        ErrorRule(kind="failed", words=r"max_turns", hint="raise --max-turns in the agent's `args`"),
        ErrorRule(kind="rate_limited", statuses=(429,), words=r"rate_limit"),
        ErrorRule(kind="overloaded", statuses=(503, 529), words=r"overloaded"),
        ErrorRule(
            kind="permanent",
            statuses=(404,),
            words=r"model_not_found",
            hint="name another model: `model` of the agent in stretto.toml",
        ),
        ErrorRule(
            kind="permanent",
            words=r"prompt_too_long|blocking_limit|prompt is too long|image_error|request_too_large",
            statuses=(413,),
            hint="give the task less context, or split it",
        ),
        ErrorRule(kind="permanent", statuses=(400, 422), words=r"invalid_request"),
        ErrorRule(
            kind="permanent",
            words=r"(?m)^error: (?:unknown option|option .* is invalid)|cannot be used with root",
            hint="look at `args` and `permission_mode` of the agent in stretto.toml",
        ),
        ErrorRule(
            kind="transient",
            statuses=(408, 409, 500, 502, 504),
            words=r"server_error|connection_failed|ECONN|ETIMEDOUT|EPIPE|connection (?:error|refused|reset|closed)"
            r"|socket|network|timed out|timeout_error|aborted",
        ),
    ),
    signal_exits=(129, 130, 143),
    unknown_session=r"No conversation found with session ID",
    stream=ClaudeStream,
)

PROFILES: Final[Mapping[str, Profile]] = {profile.name: profile for profile in (CLAUDE,)}
