"""How long the text agent waits for an account that is asked too often: as it says, and longer every time.

Only the standard library: it runs in the text agent's own process.
"""

from __future__ import annotations

import hashlib
import time
from email.message import Message
from email.utils import parsedate_to_datetime

SHORTEST_S, LONGEST_S = 0.25, 30.0
"""The shortest first wait, whatever an account says; it doubles with every wait, up to the longest."""
UNSAID_S = 60.0
"""The longest wait where an account does not say how long."""
_FAR_S = 32 * 86400
"""What is further away is a mistake."""


class Busy(Exception):
    """The account is asked too often. `after_s`: how long it says to wait; `known`: it has a limit with a reset."""

    def __init__(self, message: str, after_s: float | None, *, known: bool) -> None:
        super().__init__(message)
        self.after_s, self.known = after_s, known


def pause_s(after_s: float | None, waits: int, salt: str) -> float:
    """Seconds of the wait of that number, counted from 1; attempts with other salts wait a little longer or shorter."""
    spread = 1 + hashlib.sha256(f"{salt}/{waits}".encode()).digest()[0] / 1024
    if after_s is None:
        return min(UNSAID_S, 2.0 ** min(waits, 10)) * spread
    return max(after_s, min(LONGEST_S, SHORTEST_S * 2.0 ** min(waits - 1, 10))) * spread


def after(headers: Message[str, str]) -> tuple[float | None, bool]:
    """(seconds to wait, whether it is the reset of a limit); what is no time ahead of now is not said at all."""
    if headers.get("anthropic-ratelimit-unified-status") == "rejected":
        reset = _number(headers.get("anthropic-ratelimit-unified-reset", ""))
        if reset is not None and (left_s := _ahead(reset - time.time())) is not None:
            return left_s, True
    said = headers.get("retry-after", "")
    return _ahead(_number(said) if _number(said) is not None else _until(said)), False


def _ahead(seconds: float | None) -> float | None:
    """Neither NaN, which is not greater than anything, nor what is over, nor what never comes."""
    return seconds if seconds is not None and 0 <= seconds < _FAR_S else None


def _number(said: str) -> float | None:
    try:
        return float(said)
    except ValueError:
        return None


def _until(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp() - time.time()
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return None
