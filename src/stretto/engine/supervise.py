"""Runs commands so that their whole tree can always be ended: the port Processes.

Every command is a session of its own and gets a *leash*: a pipe whose write end only the engine holds, and whose read
end, kept open by the command, has been told to send SIGKILL to the command's process group when the writer is gone.
So when the engine dies in any way, the kernel ends the command at once, together with whatever stayed in its group.
(`setpriv --pdeathsig` does less, for a second exec: it costs more than a whole `true`.) What leaves the group is found
by session, by descent, by the cookie in its environment and by the leash that it still holds. What has shed all of
these is a stray: `_is_stray` says whose end it has to share. Where the kernel has no such leash (macOS), a shell holds
the end of the pipe instead, and kills the group when it closes; what has left the group is found by session and cookie.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import itertools
import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from stretto.engine import proctable
from stretto.engine.proctable import HERE, Seen, Table
from stretto.engine.strays import Started
from stretto.errors import AdapterError
from stretto.ports import ProcessExit, ProcessSpec

COOKIE = ("STRETTO_RUN", "STRETTO_TASK", "STRETTO_ATTEMPT")
LEASH = 100
"""Lowest number for the leash's file descriptor, where so many are allowed."""
GIVE_UP_S = 10.0
"""How long KILL may take before the survivors are an error."""
BUSY = 0.05
"""A silent tree that uses more than this share of one processor is not idle yet…"""
BUSY_FACTOR = 3.0
"""…until it has been silent for so many times `idle_s`."""


class ProcessSupervisor:
    """Call it from one event loop only. `record` hears of every start, so that a sweep can find it after a crash."""

    def __init__(self, record: Callable[[Started], None] = lambda started: None, *, table: Table = HERE) -> None:
        self._record, self._table = record, table
        self._trees: set[_Tree] = set()
        self._starting = threading.Lock()
        """Held until a tree that has been started is in `_trees`: one that a look does not know has no orphans yet."""
        self._warden = _warden_above(table)

    async def run(self, spec: ProcessSpec) -> ProcessExit:
        """Run to the end. Raises AdapterError when it cannot be started, or when some of it cannot be ended."""
        with self._starting:
            tree = _start(spec, self._table)
            self._trees.add(tree)
        try:
            with _noticed(tree, self._table):
                if tree.start:
                    boot = self._table.boot_id()
                    self._record(Started(cookie=spec.cookie, pid=tree.pid, start=tree.start, boot_id=boot))
                try:
                    ended = await self._watch(tree, spec)
                finally:
                    tree.ending = True
                    if not (tree.exited.done() and self._nothing_left()):
                        await _to_the_end(self._end(tree, spec.grace_s))
        finally:
            self._trees.discard(tree)
            code, cpu_s = tree.reap()
        return ProcessExit(
            ended=ended,
            code=code if code >= 0 else None,
            signal=-code if code < 0 else None,
            duration_s=time.monotonic() - tree.began,
            cpu_s=cpu_s,
        )

    async def _watch(self, tree: _Tree, spec: ProcessSpec) -> Literal["exit", "timeout", "idle"]:
        """Until the command itself ends, or its time is over, or it has been idle for too long."""
        deadline = tree.began + spec.timeout_s
        step = spec.timeout_s if spec.idle_s is None else min(max(spec.idle_s / 8, 0.02), 5.0)
        quiet = _Quiet(tree, spec.log)
        while not tree.exited.done():
            now = time.monotonic()
            if now >= deadline:
                return "timeout"
            await asyncio.wait({tree.exited}, timeout=min(step, deadline - now))
            if spec.idle_s is not None and not tree.exited.done() and await quiet.is_idle(spec.idle_s, self._cpu_s):
                return "idle"
        return "exit"

    async def _end(self, tree: _Tree, grace_s: float) -> None:
        """TERM, grace, then KILL, for the command, whatever has come of it, and strays, until nothing is left."""
        asked: set[tuple[int, int]] = set()
        began = time.monotonic()
        for turn in itertools.count():
            left = await asyncio.to_thread(self._members, tree, strays=True)
            if not left:
                break
            waited = time.monotonic() - began
            if waited > grace_s + GIVE_UP_S:
                pids = ", ".join(str(seen.pid) for seen in left)
                raise AdapterError(f"some processes of the command would not end: {pids}")
            for seen in left:
                if waited >= grace_s:
                    self._table.send(seen, signal.SIGKILL)
                elif (seen.pid, seen.start) not in asked:
                    asked.add((seen.pid, seen.start))
                    self._table.send(seen, signal.SIGTERM)
            await asyncio.sleep(proctable.pause(turn))
        await tree.exited

    def _nothing_left(self) -> bool:
        """Orphans go to the warden: while its only child is this engine, no command has left anything behind."""
        return self._warden is not None and self._table.children(self._warden) == [os.getpid()]

    def _members(self, tree: _Tree, *, strays: bool = False) -> list[Seen]:
        """Every living process of the tree: by what it bears (a cookie: unless another tree has the same), by descent.

        Oldest first: a shell must not see its command end, and go on to the next one, before it is signalled itself."""
        table = self._table.look()
        with self._starting:
            others = [other for other in self._trees if other is not tree and not other.ending]
        borne = {pid: self._environment(pid) for pid in table}
        shared = any(other.cookie == tree.cookie for other in others)
        roots = {pid for pid, seen in table.items() if tree.bears(seen, borne[pid], by_cookie=not shared)}
        above = proctable.ancestors(self._table, os.getpid())
        found = proctable.below(table, (roots | {tree.pid}) - above)
        for orphan in self._orphans(table, tree, above) if strays else ():
            family = proctable.below(table, [orphan.pid])
            theirs = (other.bears(table[pid], borne[pid]) for other in others for pid in family)
            if not any(theirs) and self._is_stray(orphan, tree, others):
                found |= family
        return sorted((table[pid] for pid in found if pid in table), key=lambda seen: (seen.start, seen.pid))

    def _orphans(self, table: Mapping[int, Seen], tree: _Tree, above: set[int]) -> list[Seen]:
        """Whose parent has died, as far as can be told; they may be of any tree that lives or has lived."""
        if self._warden is not None:
            return [seen for seen in table.values() if seen.parent == self._warden and seen.pid != os.getpid()]
        # Adopted by somebody above us, who has other children too: not those from before, nor those of a terminal.
        terminals = {table[pid].session for pid in above if pid in table}
        adopting = above - {os.getpid()}
        return [
            seen
            for pid, seen in table.items()
            if seen.parent in adopting and seen.session not in terminals and seen.start >= tree.start
        ]

    def _is_stray(self, orphan: Seen, tree: _Tree, others: Collection[_Tree]) -> bool:
        """Whether an orphan that bears nothing must end with this tree, `others` being those that go on.

        The first of its places that lies in somebody's folder decides. When none does, it is spared as long as a tree
        lives that is as old as it is, and so may have started it; without a warden, for good."""
        for place in self._table.places(orphan.pid):
            if any(other.encloses(place) for other in others):
                return False
            if tree.encloses(place):
                return True
        return self._warden is not None and all(other.start > orphan.start for other in others)

    def _environment(self, pid: int) -> frozenset[bytes]:
        return frozenset(self._table.environment(pid)) if self._table.is_own(pid) else frozenset()

    def _cpu_s(self, tree: _Tree) -> float:
        return sum(seen.cpu_s for seen in self._members(tree))


class _Tree:
    """A started command. It stays a zombie until `reap`, so that its pid, the name of its session, stays its own."""

    def __init__(self, spec: ProcessSpec, process: subprocess.Popen[bytes], leash: _Leash, table: Table) -> None:
        self.pid = process.pid
        self.start = table.start_of(self.pid) or 0
        self.cookie = spec.cookie
        self.ending = False
        """Its command has ended, or is being ended: whatever is found now that may be its own is a stray."""
        self.began = time.monotonic()
        self.exited: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._process = process
        self._leash, self._table = leash, table
        self._marks = {os.fsencode(f"{name}={value}") for name, value in zip(COOKIE, spec.cookie, strict=True)}
        self._folder = os.path.realpath(spec.cwd).rstrip("/") + "/"

    def bears(self, seen: Seen, environment: Collection[bytes], *, by_cookie: bool = True) -> bool:
        """Whether the process shows by itself that it is of this tree."""
        return (
            seen.session == self.pid
            or (by_cookie and self._marks.issubset(environment))
            or (self._leash.held >= 0 and self._table.opened(seen.pid, self._leash.held) == self._leash.pipe)
        )

    def encloses(self, place: str) -> bool:
        """Whether the path is the command's working folder, or lies below it."""
        return (place.removesuffix(" (deleted)") + "/").startswith(self._folder)

    def notice(self) -> None:
        if not self.exited.done():
            self.exited.set_result(None)

    def reap(self) -> tuple[int, float]:
        """(exit code, or the signal below zero; processor seconds). Letting go of the leash ends what is left."""
        self._leash.let_go()
        pid, status, usage = os.wait4(self.pid, 0 if self.exited.done() else os.WNOHANG)
        if pid:
            self._process.returncode = os.waitstatus_to_exitcode(status)
        return self._process.returncode or 0, usage.ru_utime + usage.ru_stime


class _Quiet:
    """Tells a tree that is silent and does nothing from one that is silent and works."""

    def __init__(self, tree: _Tree, log: Path) -> None:
        self._tree = tree
        self._log = log
        self._size = -1
        self._since = tree.began
        self._looked: tuple[float, float] | None = None

    async def is_idle(self, idle_s: float, cpu_s: Callable[[_Tree], float]) -> bool:
        """Whether the log has not grown for `idle_s` and the tree uses no processor, or for three times as long."""
        now = time.monotonic()
        size = self._log.stat().st_size if self._log.exists() else 0
        if size != self._size:
            self._size, self._since, self._looked = size, now, None
        silent = now - self._since
        if silent < idle_s / 2:
            return False
        before, self._looked = self._looked, (now, await asyncio.to_thread(cpu_s, self._tree))
        if before is None or silent < idle_s:
            return False
        return silent >= BUSY_FACTOR * idle_s or self._looked[1] - before[1] < BUSY * (now - before[0])


def _start(spec: ProcessSpec, table: Table) -> _Tree:
    leash = process = None
    try:
        log = os.open(spec.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        opened = [log]
        try:
            if spec.errors is not None:
                opened.append(os.open(spec.errors, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644))
            errors = opened[-1]
            if spec.input is not None:
                opened.append(os.open(spec.input, os.O_RDONLY | os.O_CLOEXEC))
            leash = _Leash(by_kernel=table.leashes)
            process = subprocess.Popen(
                spec.argv,
                cwd=spec.cwd,
                env={**spec.env, **dict(zip(COOKIE, spec.cookie, strict=True))},
                stdin=subprocess.DEVNULL if spec.input is None else opened[-1],
                stdout=log,
                stderr=errors,
                start_new_session=True,
                pass_fds=leash.passed,
            )
        finally:
            for handle in opened:
                os.close(handle)
        leash.fasten(process.pid)
    except (OSError, ValueError) as error:
        if process is not None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if leash is not None:
            leash.let_go()
        raise AdapterError(f"cannot start {spec.argv[0]!r}: {error}") from error
    return _Tree(spec, process, leash, table)


class _Leash:
    """What ends a command's process group when the engine is gone: a pipe whose write end only the engine holds.

    The read end is the command's own where the kernel signals its group; else a shell's, which waits for its end."""

    def __init__(self, *, by_kernel: bool) -> None:
        low, self._end = os.pipe()
        self.pipe = f"pipe:[{os.fstat(self._end).st_ino}]"
        self.held = -1
        """Its number in the command."""
        self._low = low
        self._watcher: subprocess.Popen[bytes] | None = None
        if not by_kernel:
            return
        try:
            allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
            lowest = LEASH if allowed == resource.RLIM_INFINITY else min(LEASH, allowed // 2)
            self._low = self.held = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, lowest)
            fcntl.fcntl(self.held, fcntl.F_SETSIG, signal.SIGKILL)
            fcntl.fcntl(self.held, fcntl.F_SETFL, os.O_ASYNC)
        except OSError:
            os.close(self._end)
            raise
        finally:
            os.close(low)

    @property
    def passed(self) -> tuple[int, ...]:
        return (self.held,) if self.held >= 0 else ()

    def fasten(self, pid: int) -> None:
        """The command has started; it leads its group."""
        try:
            if self.held >= 0:
                fcntl.fcntl(self._low, fcntl.F_SETOWN, -pid)
            else:
                self._watcher = subprocess.Popen(
                    ("/bin/sh", "-c", 'read -r _; kill -s KILL -- "-$1"', "sh", str(pid)),
                    stdin=self._low, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={},
                    start_new_session=True,
                )  # fmt: skip
        finally:
            os.close(self._low)
            self._low = -1

    def let_go(self) -> None:
        """The kernel then ends what is left of the group."""
        if self._watcher is not None:
            self._watcher.kill()
            self._watcher.wait()
        for handle in (self._low, self._end):
            if handle >= 0:
                os.close(handle)
        self._low = self._end = -1


@contextlib.contextmanager
def _noticed(tree: _Tree, table: Table) -> Iterator[None]:
    """Within it, `tree.exited` is set as soon as the command itself has ended."""
    loop = asyncio.get_running_loop()
    try:
        handle = os.pidfd_open(tree.pid) if table.leashes else None
    except (AttributeError, OSError):  # Linux older than 5.3
        handle = None
    if handle is None:
        poll = loop.create_task(_poll(tree, table))
        try:
            yield
        finally:
            poll.cancel()
        return

    def notice() -> None:
        loop.remove_reader(handle)
        tree.notice()

    loop.add_reader(handle, notice)
    try:
        yield
    finally:
        loop.remove_reader(handle)
        os.close(handle)


async def _poll(tree: _Tree, table: Table) -> None:
    while table.examine(tree.pid) is not None:  # noqa: ASYNC110 - nobody there to set an event
        await asyncio.sleep(0.1)
    tree.notice()


async def _to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Await it; being cancelled meanwhile is only told afterwards."""
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
    task.result()
    if cancelled:
        raise asyncio.CancelledError


def _warden_above(table: Table) -> int | None:
    """Pid of the warden, when this process was started by one that can tell its children."""
    parent = os.getppid()
    is_warden = "stretto.engine.warden" in table.command_line(parent)
    return parent if is_warden and table.children(parent) is not None else None
