"""What a request asks, in words that every wire format shares; the formats translate into them and out of them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Literal

from stretto.model.plan import Value
from stretto.testing.models.directives import Json, Usage


class Message(Value, frozen=True, kw_only=True):
    """One message: what it says, which tools it calls, which calls it brings the outcome of."""

    role: Literal["user", "assistant", "system"]
    texts: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    """Ids of calls."""
    outcomes: tuple[tuple[str, bool], ...] = ()
    """(id of a call, whether it failed)."""


class Conversation(Value, frozen=True, kw_only=True):
    """One request for an answer."""

    model: str
    streamed: bool
    messages: tuple[Message, ...]
    tools: Mapping[str, Mapping[str, Json]]
    """Name of a tool the client offers, to the names of its arguments and their schemas."""
    system: str = ""
    """What the client says beside the messages."""
    session: str | None = None
    """What the client calls this conversation, if it says so; the same when it resumes."""


class Call(Value, frozen=True, kw_only=True):
    """A call of a tool. `step` is the line of the script that wants it."""

    name: str
    arguments: dict[str, Json]
    step: int = 0

    def fresh_id(self, prefix: str) -> str:
        """An id that says which step the call is of, so that the conversation itself tells what has been done."""
        return f"{prefix}_step{self.step}_{uuid.uuid4().hex[:16]}"


def step_of(call: str) -> int | None:
    """The step that a call with this id is of; None: of no script."""
    found = re.search(r"_step(\d+)_", call)
    return int(found[1]) if found else None


class Turn(Value, frozen=True, kw_only=True):
    """What the model does next."""

    number: int
    """Turns since the script, from 1."""
    texts: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    stop: str | None = None
    """None: what follows from the calls."""
    usage: Usage | None = None
    headers: tuple[tuple[str, str], ...] = ()


class Tokens(Value, frozen=True, kw_only=True):
    """What an answer costs."""

    input: int
    """Neither read from the cache nor written to it."""
    read: int
    written: int
    output: int


class Event(Value, frozen=True, kw_only=True):
    """A server-sent event; without a name, only data."""

    data: Json
    name: str | None = None
