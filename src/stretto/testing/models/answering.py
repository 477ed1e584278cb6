"""From a request to what is sent back, for any wire format: the script is found, its trouble struck, its turn taken."""

from __future__ import annotations

import hashlib
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol, assert_never

import msgspec

from stretto.model.plan import Value
from stretto.testing.models.conversation import Conversation, Event, Tokens, Turn
from stretto.testing.models.directives import (
    Blow,
    Cut,
    Delay,
    Fail,
    Hang,
    Json,
    Limit,
    Script,
    ScriptError,
    Slow,
    Step,
    StreamError,
)
from stretto.testing.models.ledger import Ledger, Prefix, Reached
from stretto.testing.models.play import newest_script, next_turn
from stretto.testing.models.script import parse


class Wire(Protocol):
    """One format of requests and answers. Sizes are in tokens."""

    @property
    def answers(self) -> re.Pattern[str]:
        """Paths that ask for an answer."""

    @property
    def counts(self) -> re.Pattern[str]:
        """Paths that ask how many tokens a request has."""

    def conversation(self, body: bytes, headers: Mapping[str, str]) -> Conversation:
        """Raises ValueError where the request is not one."""

    def account(self, headers: Mapping[str, str]) -> str | None:
        """The credential; None where there is none."""

    def size(self, body: bytes) -> int:
        """Tokens of a request. Raises ValueError where it is not one."""

    def count(self, tokens: int) -> Json:
        """The answer to how many tokens a request has."""

    def prefixes(self, body: bytes) -> tuple[Prefix, ...]:
        """What the prompt cache may know of a request, shortest first."""

    def whole(self, model: str, turn: Turn, tokens: Tokens) -> Json:
        """An answer in one piece."""

    def stream(self, model: str, turn: Turn, tokens: Tokens) -> Iterator[Event]:
        """An answer in events."""

    def alive(self) -> Event:
        """Says that the answer is still being made."""

    def broken(self, kind: str, message: str) -> Event:
        """Ends a streamed answer with an error."""

    def error(self, status: int, kind: str | None, message: str, fields: Mapping[str, Json], request: str) -> Json:
        """An error as an answer. `kind` None: as the API calls this status."""

    def limited(self, reached: Reached, now: float) -> tuple[str, dict[str, str]]:
        """Message and headers for an account that has reached its limit."""


class Refused(Exception):
    """The answer is an error."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str | None = None,
        fields: Mapping[str, Json] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.kind = status, message, kind
        self.fields, self.headers = fields or {}, headers or {}


class Decision(Value, frozen=True, kw_only=True):
    """How one request is answered, when nothing refuses it."""

    conversation: Conversation
    turn: Turn
    tokens: Tokens
    account: str
    prefixes: tuple[Prefix, ...]
    headers: dict[str, str]
    slow_s: float = 0.0
    blow: Hang | Cut | StreamError | None = None


class Answering:
    """Decides how requests are answered. `now` is in Unix seconds."""

    def __init__(self, wire: Wire, ledger: Ledger, now: Callable[[], float] = time.time) -> None:
        self.wire = wire
        self._ledger = ledger
        self._now = now

    def decide(
        self, body: bytes, headers: Mapping[str, str], *, note: Callable[..., None], wait: Callable[[float], None]
    ) -> Decision:
        """`note` takes what is known about the request as it becomes known, `wait` seconds. Raises Refused."""
        account = self._account(headers)
        note(account=account)
        try:
            conversation = self.wire.conversation(body, headers)
        except ValueError as error:
            raise Refused(400, f"this is not a request that the model server understands: {error}") from None
        note(
            model=conversation.model,
            streamed=conversation.streamed,
            session=conversation.session,
            tools=tuple(sorted(conversation.tools)),
            messages=len(conversation.messages),
        )
        try:
            script, attempt, turn = self._turn(conversation)
        except ScriptError as error:
            raise Refused(400, str(error)) from None
        note(script=script.key, attempt=attempt, turn=turn.number)
        if reached := self._ledger.limited(account):
            raise self._limited(reached)
        prefixes = self.wire.prefixes(body)
        tokens = self._tokens(turn, account, prefixes, self.wire.size(body))
        delay_s, slow_s, blow = self._trouble(script, attempt, turn, conversation)
        wait(delay_s)
        match blow:
            case Limit(seconds=seconds, claim=claim):
                reached = Reached(until=self._now() + seconds, claim=claim)
                self._ledger.limit(account, reached)
                raise self._limited(reached)
            case Fail():
                raise self._failed(blow)
            case StreamError(type=kind, message=message) if not conversation.streamed:
                raise Refused(500, message, kind=kind)
            case Hang() | Cut() | StreamError() | None:
                pass
            case _:
                assert_never(blow)
        note(
            calls=tuple(call.name for call in turn.calls),
            input_tokens=tokens.input,
            cache_read_tokens=tokens.read,
            cache_write_tokens=tokens.written,
            output_tokens=tokens.output,
        )
        return Decision(
            conversation=conversation,
            turn=turn,
            tokens=tokens,
            account=account,
            prefixes=prefixes,
            headers={name: self._later(value) for name, value in turn.headers},
            slow_s=slow_s,
            blow=blow,
        )

    def begun(self, decision: Decision) -> None:
        """The answer has begun: from now on others can read what it writes to the cache."""
        self._ledger.keep(decision.account, decision.prefixes)

    def _account(self, headers: Mapping[str, str]) -> str:
        credential = self.wire.account(headers)
        if credential is None:
            raise Refused(401, "the request has no key")
        kind = credential.partition(" ")[0].lower()
        return f"{kind} {hashlib.sha256(credential.encode()).hexdigest()[:8]}"

    def _turn(self, conversation: Conversation) -> tuple[Script, int, Turn]:
        found = newest_script(conversation, self._ledger.rules)
        if found is None:
            return Script(key=""), 1, next_turn((), conversation, len(conversation.messages))
        script = parse(found.script, whose=found.text)
        began = not any(message.calls for message in conversation.messages[found.at + 1 :])
        attempt = self._ledger.attempt(script.key, session=conversation.session, ordinal=found.ordinal, begins=began)
        return script, attempt, next_turn(script.in_attempt(attempt), conversation, found.at)

    def _tokens(self, turn: Turn, account: str, prefixes: Sequence[Prefix], size: int) -> Tokens:
        read = self._ledger.read(account, prefixes)
        written = max((prefix.tokens for prefix in prefixes if prefix.marked), default=0)
        made = sum(len(text) for text in turn.texts) + sum(len(msgspec.json.encode(call)) for call in turn.calls)
        tokens = Tokens(
            input=max(1, size - max(read, written)),
            read=read,
            written=max(0, written - read),
            output=max(1, made // 4),
        )
        if turn.usage is None:
            return tokens
        return Tokens(
            input=turn.usage.input,
            read=tokens.read if turn.usage.read is None else turn.usage.read,
            written=tokens.written if turn.usage.written is None else turn.usage.written,
            output=turn.usage.output,
        )

    def _trouble(
        self, script: Script, attempt: int, turn: Turn, conversation: Conversation
    ) -> tuple[float, float, Blow | None]:
        """Seconds to wait, seconds to stretch the answer over, and the first trouble that strikes."""
        lines = script.in_attempt(attempt)
        aside = not conversation.tools and any(isinstance(line.does, Step) for line in lines)
        delay_s = slow_s = 0.0
        blow: Blow | None = None
        for line in () if aside else lines:
            if line.turn not in (None, turn.number):
                continue
            match line.does:
                case Delay(seconds=seconds) if self._ledger.strikes(script.key, line):
                    delay_s += seconds
                case Slow(seconds=seconds) if self._ledger.strikes(script.key, line):
                    slow_s += seconds
                case Hang() | Cut() | Fail() | StreamError() | Limit() as does:
                    if blow is None and self._ledger.strikes(script.key, line):
                        blow = does
                case _:
                    pass
        return delay_s, slow_s, blow

    def _limited(self, reached: Reached) -> Refused:
        message, headers = self.wire.limited(reached, self._now())
        return Refused(429, message, headers=headers)

    def _failed(self, fail: Fail) -> Refused:
        return Refused(
            fail.status,
            fail.message,
            kind=fail.type,
            fields={name: _value(self._later(value)) for name, value in fail.fields},
            headers={name: self._later(value) for name, value in fail.headers},
        )

    def _later(self, value: str) -> str:
        found = re.fullmatch(r"(epoch|time)\+(\d+(?:\.\d+)?)", value)
        if not found:
            return value
        at = self._now() + float(found[2])
        if found[1] == "epoch":
            return str(math.ceil(at))
        return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _value(text: str) -> Json:
    try:
        return msgspec.json.decode(text, type=bool | int | float | None)
    except msgspec.MsgspecError:
        return text
