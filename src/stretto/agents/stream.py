"""What the events of a coding agent come to: the seam between its reader and whoever runs it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from stretto.model.excerpt import clip, legible
from stretto.model.plan import Value
from stretto.model.run import Failure, FailureKind, Usage
from stretto.model.secrets import concealed

MESSAGE = 4000
"""Characters of a failure's message, at most."""
MOST_TOKENS = 10**12
MOST_USD = 10**6
"""Whoever tells of more, tells nothing: no attempt can spend it."""

_PASSES: frozenset[FailureKind] = frozenset({"transient", "overloaded", "rate_limited", "quota"})
"""Kinds that waiting helps against."""


class Trouble(Value, frozen=True, kw_only=True):
    """What went wrong, in the agent's own words."""

    text: str
    names: tuple[str, ...] = ()
    """What it calls the error, for programs."""
    status: int | None = None
    """Of HTTP, where there was an answer."""
    retry_after_s: float | None = None
    kind: FailureKind | None = None
    """Where there is no doubt."""


class Ending(Value, frozen=True, kw_only=True):
    """How a stream ended."""

    said: bool = False
    """Whether it says itself how the work ended; False: it broke off."""
    trouble: Trouble | None = None
    usage: Usage = Usage()
    summary: str = ""
    refused: tuple[str, ...] = ()
    """Tools that it was not allowed to use, with what it wanted of them. No trouble of itself."""
    asked: str = ""
    """A question that it waits for an answer to; nobody gives one."""


class Stream(Protocol):
    """Reads the events of one process. Whatever comes, it raises nothing."""

    began: bool
    """There is a session."""
    answered: bool
    """The model has begun to answer."""

    def read(self, line: bytes) -> Sequence[str]:
        """Take in one line of the output; what people should read of it."""
        ...

    def ending(self, *, resumed: bool) -> Ending:
        """After the last line. `resumed`: the session had begun in another process."""
        ...


class ErrorRule(Value, frozen=True, kw_only=True):
    """One row of the table from an agent's errors to kinds of R4."""

    kind: FailureKind
    statuses: tuple[int, ...] = ()
    words: str = ""
    """An expression, searched in the error's names and text; either may fit."""
    hint: str = ""

    def fits(self, trouble: Trouble) -> bool:
        said = "\n".join((*trouble.names, trouble.text))
        return trouble.status in self.statuses or bool(self.words and re.search(self.words, said, re.IGNORECASE))


def failure_of(trouble: Trouble, rules: Sequence[ErrorRule]) -> Failure:
    """The failure that it amounts to; `failed` where no rule fits."""
    rule = next((rule for rule in rules if rule.fits(trouble)), None)
    kind = trouble.kind or (rule.kind if rule else "failed")
    hint = f"\nhint: {rule.hint}" if rule and rule.hint and rule.kind == kind else ""
    text = redacted(clip(legible(trouble.text).strip(), MESSAGE)) or "it does not say why"
    wait_s = trouble.retry_after_s if kind in _PASSES else None
    return Failure(kind=kind, message=text + hint, retry_after_s=wait_s)


def redacted(text: str) -> str:
    """`text` without the keys that error messages like to repeat."""
    return concealed(text)
