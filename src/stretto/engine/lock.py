"""Who owns a run: whoever holds the `flock` on its lock file. The kernel lets go of it with the owner's last breath."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import time
from pathlib import Path
from types import TracebackType

import msgspec

from stretto.engine.disk import explained
from stretto.errors import RunLeased
from stretto.model.plan import Value
from stretto.model.run import undump
from stretto.ports import Engine

PATIENCE_S = 0.5
"""A reader that looks who holds the lock holds it for a moment itself: an owner-to-be tries for so long."""


class _Holder(Value, frozen=True, kw_only=True):
    pid: int
    host: str
    started: float


_HOLDERS = msgspec.json.Decoder(_Holder)


class RunLock:
    """Ownership of a run. The descriptor is never inherited by a command that is started meanwhile."""

    def __init__(self, path: Path, *, what: str = "the run", patience_s: float = PATIENCE_S) -> None:
        self._path, self._what, self._patience_s = path, what, patience_s
        self._held: int | None = None

    def acquire(self) -> None:
        """Own it until `release` or death. Raises RunLeased when another process does, and StateError."""
        with explained("lock the run", self._path):
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                self._own(handle)
            except BaseException:
                os.close(handle)
                raise
        self._held = handle

    def _own(self, handle: int) -> None:
        deadline = time.monotonic() + self._patience_s
        while not _try(handle, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                holder = self.holder()
                name = f"process {holder.pid} on {holder.host}" if holder else "another process"
                raise RunLeased(
                    f"{self._what} is owned by {name}",
                    holder=name,
                    hint="see how far it is with `stretto status`, or end it with `stretto stop`",
                )
            time.sleep(0.01)
        me = _Holder(pid=os.getpid(), host=socket.gethostname(), started=time.time())
        os.ftruncate(handle, 0)
        os.pwrite(handle, msgspec.json.encode(me), 0)

    def release(self) -> None:
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def holder(self) -> Engine | None:
        """The living owner, or None; asking disturbs nobody."""
        with explained("see who owns the run", self._path):
            try:
                handle = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return None
            try:
                for _ in range(50):
                    if _try(handle, fcntl.LOCK_SH):
                        return None
                    with contextlib.suppress(msgspec.DecodeError):
                        holder = undump(os.pread(handle, 4096, 0), _HOLDERS)
                        return Engine(pid=holder.pid, host=holder.host)
                    time.sleep(0.01)  # it has the lock, and is about to write its name
            finally:
                os.close(handle)
        return Engine(pid=0, host="")

    def __enter__(self) -> RunLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _try(handle: int, mode: int) -> bool:
    try:
        fcntl.flock(handle, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
