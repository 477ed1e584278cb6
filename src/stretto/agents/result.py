"""The result file: what an agent may say about its attempt beside the exit code (R4)."""

from __future__ import annotations

import errno
import os
import re
import stat
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec.structs import replace

from stretto.agents.json_text import leniently
from stretto.agents.stream import MOST_TOKENS, MOST_USD
from stretto.errors import AdapterError
from stretto.model.excerpt import clip, head, legible
from stretto.model.plan import Value
from stretto.model.run import Failure, FailureKind, Usage
from stretto.ports import Report

MAX_BYTES: Final = 256 * 1024
_DECISIONS: Final = 20
_DECISION: Final = 500
"""So many decisions are kept, and so many characters of each."""
_LONGEST_PAUSE_S: Final = 31 * 86400.0
_OURS: Final = frozenset[FailureKind]({"lost", "tampered", "gate", "cancelled", "no_room", "setup"})
"""Kinds that only stretto can know."""


class BrokenResult(AdapterError):
    """The result file cannot be read; the message names file, line and column."""


class Result(Value, frozen=True, kw_only=True):
    """A result file. Every key may be absent or null; unknown ones are ignored."""

    summary: str | None = None
    confidence: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    decisions: tuple[str, ...] | None = None
    """What it settled that tasks after this one should keep to."""
    artifacts: tuple[str, ...] | None = None
    usage: Usage | None = None
    failure: Failure | None = None
    already_done: bool | None = None
    tasks: Any = None
    """What it wants done as well; `formats` judges it."""


def read_result(path: Path) -> Result | None:
    """What the agent left at `path`; None when it left nothing. Raises BrokenResult."""
    body = _read(path)
    if not body.strip():
        return None
    try:
        result = _decoded(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        line, column = _place(body, str(error))
        raise BrokenResult(f"{path.name}:{line}:{column}: the result file is broken: {error}") from error
    return result if result.usage is None else replace(result, usage=believed(result.usage))


def _decoded(body: bytes) -> Result:
    try:
        return msgspec.json.decode(body, type=Result)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        try:
            value = leniently(body)
        except msgspec.DecodeError:
            value = None
        if value is None:
            raise  # its words say the place
    return msgspec.convert(value, Result)


def believed(usage: Usage) -> Usage:
    """It, where a number that nobody can mean is unknown."""
    most = {"cost_usd": MOST_USD}
    told = ((key, getattr(usage, key)) for key in usage.__struct_fields__)
    odd = {key: None for key, n in told if n is not None and not 0 <= n <= most.get(key, MOST_TOKENS)}
    return replace(usage, **odd)


def told(path: Path, failure: Failure | None, usage: Usage | None = None, summary: str = "") -> Report:
    """The report of an agent that ended with `failure`, or claims success: what its result file says counts more."""
    try:
        result = read_result(path) or Result()
    except BrokenResult as broken:
        # Whoever was cut off in the middle of writing it has a better reason than the broken file.
        return Report(failure=failure or Failure(kind="failed", message=str(broken)), usage=usage or Usage())
    if result.failure is not None:
        failure = claimed(result.failure)
    return Report(
        failure=failure,
        usage=result.usage or usage or Usage(),
        summary=clip(legible(result.summary or summary), 4000),
        decisions=decided(result),
        confidence=result.confidence,
        already_done=bool(result.already_done),
        artifacts=result.artifacts or (),
        proposal=b"" if result.tasks is None else _read(path),
    )


def decided(result: Result) -> tuple[str, ...]:
    """Its decisions as they are kept: legible, and within bounds."""
    said = (legible(one).strip() for one in result.decisions or ())
    return tuple(head(one, _DECISION) for one in said if one)[:_DECISIONS]


def claimed(failure: Failure) -> Failure:
    """The failure that an agent's own word amounts to (R4)."""
    kind, message = failure.kind, clip(legible(failure.message), 4000)
    wait = failure.retry_after_s
    wait = min(wait, _LONGEST_PAUSE_S) if wait is not None and wait > 0 else None
    if kind in _OURS:
        kind, message = "failed", f"the agent says {kind!r}, which only stretto can know: {message}"
    elif kind == "quota" and wait is None:
        kind = "rate_limited"
    return Failure(kind=kind, message=message, retry_after_s=wait)


def _read(path: Path) -> bytes:
    # An agent can leave anything here: no link is followed, and a pipe does not make us wait.
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return b""
    except OSError as error:
        why = "it is a symbolic link" if error.errno == errno.ELOOP else error.strerror
        raise BrokenResult(f"{path.name}:1:1: the result file cannot be read: {why}") from error
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise BrokenResult(f"{path.name}:1:1: the result file is not a file")
        with open(fd, "rb", closefd=False) as file:
            body = file.read(MAX_BYTES + 1)
    finally:
        os.close(fd)
    if len(body) > MAX_BYTES:
        raise BrokenResult(f"{path.name}:1:1: the result file is larger than {MAX_BYTES} bytes")
    return body


def _place(body: bytes, error: str) -> tuple[int, int]:
    """Line and column of a decoding error, which names either a byte or the path of a value (`$.usage.cost_usd`)."""
    offset = 0
    if byte := re.search(r"\(byte (\d+)\)", error):
        offset = int(byte[1])
    elif "truncated" in error:
        offset = len(body.rstrip())
    elif path := re.search(r"at `\$([^`]*)`", error):
        for key in re.findall(r"\.(\w+)", path[1]):
            offset = max(offset, body.find(b'"%s"' % key.encode(), offset))
    before = body[:offset].decode("utf-8", "replace")
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
