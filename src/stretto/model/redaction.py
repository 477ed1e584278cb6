"""What of an agent's set-up may be shown to others: never the value of a variable, nor what looks like a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from stretto.model.agent import AgentSpec
from stretto.model.secrets import HIDDEN, concealed, is_login

_NAME = (
    r"(?<![a-z])(?:api[_-]?|access[_-]?|private[_-]?)?"
    r"(?:key|token|secret|passw(?:or)?d|passphrase|credentials?|auth(?:orization)?|bearer)[\w-]*"
)
_NAMED = re.compile(
    rf"({_NAME}['\"]?(?:\s*[=:]\s*|\s+))(?:(?:bearer|basic|token)\s+)?(?:\"[^\"]*\"|'[^']*'|[^\s'\"&;|]+)",
    re.IGNORECASE,
)
"""A word that names a secret, then what stands behind it."""
_ASKS = re.compile(rf"-.*{_NAME}", re.IGNORECASE)
"""A flag whose value is the next word."""
_IN_URL = re.compile(r"(?<=://)[^\s/@]+@")


def redact(text: str) -> str:
    """A command line without what looks like a secret in it. Rather a word too many than one too few."""
    return _NAMED.sub(rf"\g<1>{HIDDEN}", _IN_URL.sub(f"{HIDDEN}@", concealed(text)))


def redacted(agents: Mapping[str, AgentSpec]) -> dict[str, AgentSpec]:
    """Agents as others may see them."""
    return {
        redact(name): replace(  # a task may name a whole command
            spec, command=redact(spec.command), args=tuple(_words(spec.args)), env=dict.fromkeys(spec.env, HIDDEN)
        )
        for name, spec in agents.items()
    }


def _words(args: Sequence[str]) -> Iterator[str]:
    for before, word in zip(("", *args), args, strict=False):
        yield HIDDEN if _ASKS.fullmatch(before) or is_login(before, word) else redact(word)
