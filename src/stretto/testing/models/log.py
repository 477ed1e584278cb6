"""The requests that a model server has had, for tests to look at."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from stretto.model.plan import Value

Asks = Literal["answer", "count", "other"]
Outcome = Literal["answered", "refused", "cut", "stream-error", "gone"]
"""`refused`: with an error; `gone`: the client left, or the server closed."""


class Exchange(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One request and what became of it. Times are seconds since the server began. JSON leaves out what is unknown."""

    number: int
    began_s: float
    method: str
    path: str
    asks: Asks = "other"
    ended_s: float | None = None
    """None: not yet."""
    status: int | None = None
    """None: no status was sent."""
    outcome: Outcome | None = None
    model: str = ""
    streamed: bool = False
    script: str = ""
    """The script's name, or the digest of its text; empty: none."""
    attempt: int = 0
    turn: int = 0
    calls: tuple[str, ...] = ()
    """Names of the tools that the answer calls."""
    tools: tuple[str, ...] = ()
    """Names of the tools that the client offers."""
    messages: int = 0
    session: str | None = None
    account: str = ""
    """The kind of credential and a digest of it."""
    retry: int = 0
    """Which retry the client says it is."""
    message: str = ""
    """Of an error."""
    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    client: str = ""
    """What the client calls itself."""


class RequestLog:
    """Keeps exchanges, and appends each to a file of JSON lines, again whenever more is known: the last line counts."""

    def __init__(self, file: Path | None = None) -> None:
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._exchanges: dict[int, Exchange] = {}
        self._next = 1
        self._began = time.monotonic()
        self._file = file.open("ab", buffering=0) if file else None

    def began(self, method: str, path: str, **known: Any) -> int:
        """Note a request; its number."""
        with self._lock:
            number, self._next = self._next, self._next + 1
            self._put(Exchange(number=number, began_s=self._elapsed(), method=method, path=path, **known))
            return number

    def learned(self, number: int, **known: Any) -> None:
        """Add what is known by now. Does nothing for a request that was forgotten."""
        with self._lock:
            if number in self._exchanges:
                self._put(msgspec.structs.replace(self._exchanges[number], **known))

    def ended(self, number: int, **known: Any) -> None:
        self.learned(number, ended_s=self._elapsed(), **known)

    def exchanges(self) -> tuple[Exchange, ...]:
        with self._lock:
            return tuple(self._exchanges.values())

    def wait(self, condition: Callable[[], bool], within_s: float) -> None:
        """Return as soon as the condition holds of what is logged. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(condition, within_s):
                raise TimeoutError(f"not within {within_s:g} s; there were {len(self._exchanges)} requests")

    def forget(self) -> None:
        with self._lock:
            self._exchanges.clear()

    def close(self) -> None:
        with self._lock:
            if self._file:
                self._file.close()
                self._file = None

    def _put(self, exchange: Exchange) -> None:
        self._exchanges[exchange.number] = exchange
        if self._file:
            self._file.write(msgspec.json.encode(exchange) + b"\n")
        self._changed.notify_all()

    def _elapsed(self) -> float:
        return round(time.monotonic() - self._began, 4)


def read_log(file: Path) -> tuple[Exchange, ...]:
    """The exchanges of a log file, each as far as it got."""
    lines = (msgspec.json.decode(line, type=Exchange) for line in file.read_bytes().splitlines())
    return tuple({exchange.number: exchange for exchange in lines}.values())


def most_at_once(exchanges: Sequence[Exchange]) -> int:
    """How many of these were under way at the same time, at the most."""
    changes = sorted(
        change
        for exchange in exchanges
        for change in ((exchange.began_s, 1), (float("inf") if exchange.ended_s is None else exchange.ended_s, -1))
    )
    most = now = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most
