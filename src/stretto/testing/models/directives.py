"""What the lines of a script say, as data; `script` has the language."""

from __future__ import annotations

from typing import Literal

from stretto.model.plan import Value

Json = bool | int | float | str | None | list["Json"] | dict[str, "Json"]
Join = Literal["then", "and", "or"]


class ScriptError(Exception):
    """The script cannot be played; the message names the line."""


class Write(Value, frozen=True, kw_only=True):
    path: str
    text: str


class Edit(Value, frozen=True, kw_only=True):
    path: str
    old: str
    new: str


class Read(Value, frozen=True, kw_only=True):
    path: str


class Bash(Value, frozen=True, kw_only=True):
    command: str


class Use(Value, frozen=True, kw_only=True):
    """A call of the first of `names` that is offered, else of the first."""

    names: tuple[str, ...]
    arguments: dict[str, Json]


class Say(Value, frozen=True, kw_only=True):
    text: str


class Text(Value, frozen=True, kw_only=True):
    text: str


class Answer(Value, frozen=True, kw_only=True):
    value: dict[str, Json]


class Stop(Value, frozen=True, kw_only=True):
    reason: str


class Usage(Value, frozen=True, kw_only=True):
    """Tokens; None: as the cache model says."""

    input: int
    output: int
    read: int | None = None
    written: int | None = None


class Header(Value, frozen=True, kw_only=True):
    headers: tuple[tuple[str, str], ...]


class Delay(Value, frozen=True, kw_only=True):
    seconds: float


class Slow(Value, frozen=True, kw_only=True):
    seconds: float


class Hang(Value, frozen=True, kw_only=True):
    silent: bool


class Cut(Value, frozen=True, kw_only=True):
    silent: bool


class Fail(Value, frozen=True, kw_only=True):
    status: int
    type: str | None
    """None: what the API calls this status."""
    message: str
    fields: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]


class StreamError(Value, frozen=True, kw_only=True):
    type: str
    message: str


class Limit(Value, frozen=True, kw_only=True):
    seconds: float
    claim: str


Step = Write | Edit | Read | Bash | Use
Blow = Hang | Cut | Fail | StreamError | Limit
"""Trouble of which a request gets one."""
Trouble = Delay | Slow | Blow
Does = Step | Say | Text | Answer | Stop | Usage | Header | Trouble


class Span(Value, frozen=True, kw_only=True):
    """Attempts `first` to `last`, both included; None: no end."""

    first: int = 1
    last: int | None = None

    def __contains__(self, attempt: int) -> bool:
        return self.first <= attempt and (self.last is None or attempt <= self.last)


class Line(Value, frozen=True, kw_only=True):
    """One line of a script. `number` counts the lines of the text that holds it, from 1."""

    number: int
    source: str
    does: Does
    attempts: Span = Span()
    join: Join = "then"
    turn: int | None = None
    times: int | None = None


class Script(Value, frozen=True, kw_only=True):
    """What a text wants of the model. `key` is what is counted under."""

    key: str
    lines: tuple[Line, ...] = ()

    def in_attempt(self, attempt: int) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if attempt in line.attempts)
