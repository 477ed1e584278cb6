"""What a model server remembers from one request to the next: attempts, struck trouble, limits, rules, the cache."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from stretto.model.plan import Value
from stretto.testing.models.directives import Line
from stretto.testing.models.script import Rule

LOOK_BACK = 20
"""Blocks before a mark where an earlier mark is found."""


class Prefix(Value, frozen=True, kw_only=True):
    """A request up to the end of one of its blocks. `marked`: it is to be kept in the cache for `keep_s`."""

    digest: str
    tokens: int
    marked: bool = False
    keep_s: float = 300.0


class Reached(Value, frozen=True, kw_only=True):
    """A usage limit that an account has reached. `until` is in Unix seconds."""

    until: float
    claim: str


class Ledger:
    """Counts of one server; safe for many threads. `now` is in Unix seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        with self._lock:
            self._sessions: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
            self._nameless: Counter[str] = Counter()
            self._struck: Counter[tuple[str, int]] = Counter()
            self._limits: dict[str, Reached] = {}
            self._cache: dict[tuple[str, str], float] = {}
            self._rules: tuple[Rule, ...] = ()

    @property
    def rules(self) -> tuple[Rule, ...]:
        with self._lock:
            return self._rules

    def add(self, rule: Rule) -> None:
        with self._lock:
            self._rules += (rule,)

    def attempt(self, script: str, *, session: str | None, ordinal: int, begins: bool) -> int:
        """Which attempt at `script` a request belongs to. `begins`: no call has been made since the script."""
        with self._lock:
            if session is None:
                self._nameless[script] += begins
                return max(1, self._nameless[script])
            known = self._sessions[script]
            if (session, ordinal) not in known:
                known.append((session, ordinal))
            return known.index((session, ordinal)) + 1

    def strikes(self, script: str, line: Line) -> bool:
        """Whether the trouble of `line` is not used up; one use of it is taken."""
        with self._lock:
            self._struck[script, line.number] += 1
            return line.times is None or self._struck[script, line.number] <= line.times

    def limit(self, account: str, reached: Reached) -> None:
        with self._lock:
            self._limits[account] = reached

    def limited(self, account: str) -> Reached | None:
        """The limit that `account` has reached and whose time is not over."""
        with self._lock:
            reached = self._limits.get(account)
            return reached if reached and self._now() < reached.until else None

    # An entry can be read from the moment the answer that writes it has begun: `read` at the request, `keep` then.

    def read(self, account: str, prefixes: Sequence[Prefix]) -> int:
        """Tokens of the longest prefix that the cache has."""
        near = {at for mark, prefix in enumerate(prefixes) if prefix.marked for at in range(mark - LOOK_BACK, mark + 1)}
        with self._lock:
            now = self._now()
            found = (
                p.tokens
                for at, p in enumerate(prefixes)
                if at in near and self._cache.get((account, p.digest), 0) > now
            )
            return max(found, default=0)

    def keep(self, account: str, prefixes: Sequence[Prefix]) -> None:
        with self._lock:
            for prefix in prefixes:
                if prefix.marked:
                    self._cache[account, prefix.digest] = self._now() + prefix.keep_s
