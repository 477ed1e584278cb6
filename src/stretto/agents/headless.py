"""A coding agent as one process an attempt: whatever `profiles.py` describes."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from stretto.agents.exits import cut_short, signal_name, tail_of
from stretto.agents.profiles import Profile
from stretto.agents.result import told
from stretto.agents.stream import Ending, Stream, Trouble, failure_of, redacted
from stretto.errors import AdapterError, AgentError, ConfigError
from stretto.model.agent import AgentSpec
from stretto.model.run import Failure
from stretto.ports import Assignment, Processes, ProcessExit, ProcessSpec, Report, Resumption

EVENTS: Final = "events.jsonl"
"""The agent's own events, as they came, beside the attempt's log."""
LOOK_S: Final = 0.2
"""How often the events are looked at while it works."""
LONGEST: Final = 32 * 1024 * 1024
"""Bytes of an event that is read; of a longer one it is only told that it came."""
CHUNK: Final = 1024 * 1024
_STUMBLES: Final = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What a reader raises over data that it did not expect."""


class _UnknownSession(Exception):
    """The agent does not have the session that it was to go on with."""


class HeadlessAgent:
    """One coding agent of the settings."""

    reads_story = True
    codes = True

    def __init__(self, profile: Profile, spec: AgentSpec, environ: Mapping[str, str]) -> None:
        """`environ` is the user's; the agent gets the profile's share of it. Raises ConfigError."""
        profile.check(spec)
        executable = profile.find(environ, spec.command)
        if executable is None:
            where = f"the command {spec.command!r}" if spec.command else f"{profile.executable!r} on the PATH"
            raise ConfigError(f"{profile.title} is not installed: there is no {where}", hint=profile.install)
        self.profile, self.spec, self._executable = profile, spec, executable
        self._env = profile.environment(environ, spec.env)

    async def run(self, assignment: Assignment, processes: Processes) -> Report:
        """An earlier session that is gone costs another process, with the whole prompt, in what is left of the time."""
        began = time.monotonic()
        with contextlib.suppress(_UnknownSession):
            earlier = assignment.resumes if self.profile.resume else None
            return await self._once(assignment, processes, assignment.timeout_s, earlier)
        left_s = max(1.0, assignment.timeout_s - (time.monotonic() - began))
        return await self._once(assignment, processes, left_s, None)

    async def _once(self, a: Assignment, processes: Processes, timeout_s: float, earlier: Resumption | None) -> Report:
        """One process to its end. Raises _UnknownSession and AgentError."""
        words = self.profile.words(
            self.spec, session=session_of(a, a.attempt), earlier=session_of(a, earlier.attempt) if earlier else None
        )
        events = a.log.with_name(EVENTS)
        spec = ProcessSpec(
            argv=(str(self._executable), *words), cwd=a.workspace, env=self._environment(a),
            log=events, errors=a.log, input=a.prompt_file,
            timeout_s=timeout_s, idle_s=a.idle_s, grace_s=a.grace_s, cookie=(a.run, a.task.id, str(a.attempt)),
        )  # fmt: skip
        stream = self.profile.stream()
        tail = _Tail(events, a, stream)
        try:
            a.prompt_file.write_text(earlier.prompt if earlier else a.prompt, encoding="utf-8")
            a.result_file.unlink(missing_ok=True)
            start = a.log.stat().st_size if a.log.exists() else 0
            watch = asyncio.create_task(tail.follow())
            try:
                exit = await processes.run(spec)
            finally:
                watch.cancel()
                tail.finish()
            said = tail_of(a.log, start)
        except (AdapterError, OSError, ValueError) as error:
            raise AgentError(
                f"cannot start {self.profile.title}: {error}", hint=f"command: {self._executable}"
            ) from error
        if earlier and not stream.began and re.search(self.profile.unknown_session, said):
            raise _UnknownSession
        end = self._ending(stream, resumed=earlier is not None)
        failure = self._failure(spec, exit, end, said)
        if earlier and failure is not None and failure.kind == "permanent":
            failure = replace(failure, kind="failed")  # the conversation may be what is wrong: the next begins anew
        report = told(a.result_file, failure, end.usage, end.summary)
        return replace(report, refused=end.refused)

    def _ending(self, stream: Stream, *, resumed: bool) -> Ending:
        try:
            return stream.ending(resumed=resumed)
        except _STUMBLES as error:  # one attempt's, whatever the reader did not expect
            what = f"{type(error).__name__}: {error}"
            raise AgentError(f"cannot make sense of what {self.profile.title} said at its end: {what}") from error

    def _environment(self, a: Assignment) -> dict[str, str]:
        files = {"STRETTO_PROMPT_FILE": str(a.prompt_file), "STRETTO_RESULT_FILE": str(a.result_file)}
        return {**a.env, **self._env, **files}

    def _failure(self, spec: ProcessSpec, exit: ProcessExit, end: Ending, said: str) -> Failure | None:
        """What became of it: its own word first, then ours for having ended it, then its exit status."""
        if end.trouble is not None:
            return failure_of(end.trouble, self.profile.errors)
        if (cut := cut_short(spec, exit)) is not None:
            if end.said:  # it was done, and only lingered
                return None
            if end.asked:
                message = f"it waited for an answer that nobody gives: {end.asked}"
                hint = "allow it: `allowed_tools` or `permission_mode` of the agent in stretto.toml"
                return Failure(kind="blocked_on_prompt", message=f"{message}\nhint: {hint}")
            return Failure(kind=cut.kind, message=redacted(f"{cut.message}\n{said}".strip()))
        if end.said and exit.code == 0:
            return None
        if exit.code in self.profile.signal_exits and not end.said:
            by = signal_name(exit.code - 128)
            return Failure(
                kind="transient", message=redacted(f"ended by {by}, which stretto did not send\n{said}".strip())
            )
        failure = failure_of(Trouble(text=said), self.profile.errors)
        what = f"exit status {exit.code}" if end.said else f"exit status {exit.code} before it said that it was done"
        return Failure(kind=failure.kind, message=f"{what}\n{failure.message}")


def session_of(a: Assignment, attempt: int) -> str:
    """The id of an attempt's session: the same whenever it is asked, and nobody else's."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"stretto:{a.run}/{a.task.id}/{attempt}"))


class _Tail:
    """Reads the events as they are written, and says what people should read of them in the attempt's log."""

    def __init__(self, events: Path, a: Assignment, stream: Stream) -> None:
        self._events, self._assignment, self._stream = events, a, stream
        self._at = events.stat().st_size if events.exists() else 0
        self._rest = bytearray()
        self._skips = False
        """In the middle of a line that is too long."""

    async def follow(self) -> None:
        """Until cancelled. What cannot be read now is left to `finish`."""
        with contextlib.suppress(OSError):
            while True:
                await asyncio.sleep(LOOK_S)
                while self._read():  # noqa: ASYNC110 - others get a turn between two chunks
                    await asyncio.sleep(0)

    def finish(self) -> None:
        """Everything that is left, the last line without its end too."""
        while self._read():
            pass
        if self._rest:
            self._tell([bytes(self._rest)])
            self._rest.clear()

    def _read(self) -> bool:
        """Take in one more chunk; whether there was one."""
        if not self._events.exists():
            return False
        with self._events.open("rb") as file:
            file.seek(self._at)
            chunk = file.read(CHUNK)
        self._at += len(chunk)
        *lines, rest = chunk.split(b"\n")
        whole = []
        for line in lines:
            self._rest += line
            if not self._skips:
                whole.append(bytes(self._rest))
            self._skips = False
            self._rest.clear()
        self._rest += rest
        if len(self._rest) > LONGEST or self._skips:
            whole += [] if self._skips else [b"(an event that is too long to read)"]
            self._skips = True
            self._rest.clear()
        self._tell(whole)
        return bool(chunk)

    def _tell(self, lines: list[bytes]) -> None:
        answered = self._stream.answered
        words = [text for line in lines for text in self._words(line)]
        if self._stream.answered and not answered:
            self._assignment.on_answer()
        if words:
            with self._assignment.log.open("a", encoding="utf-8", errors="replace") as log:
                log.write("".join(f"{text}\n" for text in words))

    def _words(self, line: bytes) -> Sequence[str]:
        try:
            return self._stream.read(line)
        except _STUMBLES as error:  # a reader's mistake costs its line, and none of the others
            return (f"(an event that cannot be read: {type(error).__name__}: {error})",)
