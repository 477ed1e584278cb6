"""An agent is asked about a document, again where its answer cannot be taken: in a folder of its own, without a run.

A run would need a repository with a commit, and would leave a branch. Here the agent works in a scratch folder beside a
copy of the repository's last commit, as a process tree that ends with us. Nothing else of the user's is in its reach
that was not before.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from shutil import copyfileobj

from stretto.cli.pulse import pulse
from stretto.engine.supervise import ProcessSupervisor
from stretto.errors import ConfigError, GitError, Paused, StrettoError
from stretto.model.excerpt import legible
from stretto.model.plan import Task, Value
from stretto.model.run import Failure, RunSettings
from stretto.observe.paint import count
from stretto.observe.words import failure as in_words
from stretto.ports import Agent, Assignment
from stretto.recipes.discovery.answer import Unsound
from stretto.recipes.discovery.found import Found
from stretto.recipes.discovery.question import ANSWER, Earlier, Question, prompt
from stretto.workspace.git import Git
from stretto.workspace.repository import top

COPY = "repository"
"""The folder beside the answer that has the files of the repository."""
_MOST_BYTES = 4 << 20
"""Of an answer, or of what was printed, that are read."""
_MOST_TOLD = 20_000
"""Characters of an answer that its agent is shown again."""
_MOST_COPIED = 1 << 30
"""Bytes of a repository that is copied; a larger one is not."""
_PLAIN_FILES = ("-c", "filter.lfs.smudge=", "-c", "filter.lfs.process=", "-c", "filter.lfs.required=false")
"""Large files stay the pointers that they are in git: nobody asked for a download."""
_PAUSING = frozenset({"rate_limited", "quota", "auth", "no_room"})
"""Failures that another attempt would meet again, until time passes or a person acts (R4)."""
_LASTING = frozenset({"permanent", "setup"})
_PASSING = frozenset({"transient", "overloaded"})
_LONGEST_PAUSE_S = 60.0


class Asked(Value, frozen=True, kw_only=True):
    """What came of it."""

    found: Found
    attempts: int
    cost_usd: float | None
    """Of all attempts, as far as the agent tells."""


class Inquiry:
    """One question, to one agent."""

    def __init__(
        self,
        question: Question,
        judge: Callable[[str], Found],
        *,
        agent: Agent,
        settings: RunSettings,
        env: Mapping[str, str],
        folder: Path,
        tell: Callable[[str], None],
        tell_faults: Callable[[tuple[str, ...]], None],
    ) -> None:
        """`judge` raises Unsound. `folder` is new, and everything of this inquiry is in it; `tell` is progress."""
        self._question, self._judge, self._agent, self._settings = question, judge, agent, settings
        self._env, self._folder, self._tell, self._tell_faults = dict(env), folder, tell, tell_faults
        self._workspace = folder / "work"
        self._costs: list[float] = []

    async def ask(self, repository: Path | None) -> Asked:
        """Until an answer can be taken. Raises StrettoError when none can, Paused where another try is in vain now."""
        self._workspace.mkdir()
        copy = COPY if repository is not None and await self._copied(repository) else ""
        processes = ProcessSupervisor()
        earlier: Earlier | None = None
        for attempt in range(1, self._settings.attempts + 1):
            place = self._folder / f"attempt-{attempt}"
            place.mkdir()
            told = prompt(self._question, copy=copy, earlier=earlier)
            assignment = self._assignment(attempt, place, told)
            async with pulse(sys.stderr, f"attempt {attempt} of {self._settings.attempts}", assignment.log):
                report = await self._agent.run(assignment, processes)
            if report.usage.cost_usd is not None:
                self._costs.append(report.usage.cost_usd)
            text = self._answer(place)
            try:
                if text is None:
                    raise Unsound([f"there is no file {ANSWER} in your folder, and no answer in what you printed"])
                found = self._judge(text)
            except Unsound as unsound:
                faults = unsound.faults
            else:
                (self._folder / ANSWER).write_text(text, encoding="utf-8")
                return Asked(found=found, attempts=attempt, cost_usd=sum(self._costs) if self._costs else None)
            if report.failure is not None:
                self._refuse_hopeless(report.failure)
                faults = faults if text is not None else (in_words(report.failure),)
            self._tell(f"attempt {attempt} of {self._settings.attempts} has brought no answer that can be taken:")
            self._tell_faults(faults)
            earlier = Earlier(text=text[:_MOST_TOLD], faults=faults) if text is not None else None
            if report.failure is not None and report.failure.kind in _PASSING and attempt < self._settings.attempts:
                await asyncio.sleep(min(2.0 ** min(attempt, 10), _LONGEST_PAUSE_S))
        raise StrettoError(
            f"no answer that can be taken, in {count(self._settings.attempts, 'attempt')}",
            hint=f"what was asked and answered is in {self._folder}",
        )

    def _assignment(self, attempt: int, place: Path, told: str) -> Assignment:
        settings = self._settings
        return Assignment(
            run=self._folder.name,
            task=Task(id="discover", phase="discover", prompt=told, artifacts=(ANSWER,), effect="artifact"),
            attempt=attempt,
            workspace=self._workspace,
            prompt=told,
            prompt_file=place / "prompt.md",
            result_file=place / "result.json",
            log=place / "output.log",
            env=self._env,
            timeout_s=settings.timeout_s,
            idle_s=settings.idle_s,
            grace_s=settings.grace_s,
        )

    def _answer(self, place: Path) -> str | None:
        """What the agent has written, else what it has printed where that may be an answer. The file is put away, so
        that the next attempt has to write one of its own."""
        file = self._workspace / ANSWER
        if file.is_symlink() or not file.is_file():
            printed = _text(place / "output.log")
            return printed if '"decision"' in printed else None
        file.replace(place / ANSWER)
        return _text(place / ANSWER)

    def _refuse_hopeless(self, failure: Failure) -> None:
        message = f"the agent has not answered: {in_words(failure)}"
        where = f"what it said is in {self._folder}"
        if failure.kind in _PAUSING:
            raise Paused(message, hint=f"{where}; once that is over, the same again")
        if failure.kind in _LASTING:
            raise StrettoError(message, hint=where)

    async def _copied(self, repository: Path) -> bool:
        """Whether the files of the last commit are beside the answer now. Links are left out: they may lead away."""
        git, packed = Git(repository, environ=os.environ), self._folder / "repository.tar"
        try:
            if await git.resolve("HEAD") is None:
                return False
            await git.run("archive", "--format=tar", f"--output={packed}", "HEAD", options=_PLAIN_FILES)
            if packed.stat().st_size > _MOST_COPIED:
                self._tell("the repository is too large to be copied: the agent sees only the document")
                return False
            _unpack(packed, self._workspace / COPY)
        except (GitError, OSError, tarfile.TarError) as error:
            self._tell(f"the repository cannot be copied, and the agent sees only the document: {error}")
            return False
        finally:
            packed.unlink(missing_ok=True)
        return True


def inquire(inquiry: Inquiry, repository: Path | None) -> Asked:
    """Ask, and end the agent with us: also on the signals that end a program. Raises KeyboardInterrupt for those."""

    async def main() -> Asked:
        own = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            if own is not None and signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
                loop.add_signal_handler(number, own.cancel)
        return await inquiry.ask(repository)

    try:
        return asyncio.run(main())
    except asyncio.CancelledError as error:
        raise KeyboardInterrupt from error


def read_answer(file: Path) -> str:
    """An answer that somebody brings. Raises ConfigError."""
    given = str(file) == "-"
    try:
        if not given and file.exists() and not (file.is_file() or file.is_dir()):  # a pipe waits for its writer
            raise ConfigError(f"cannot read {file}: it is no regular file", hint="--answer FILE, or - for input")
        with open("/dev/stdin" if given else file, "rb") as open_file:
            return legible(open_file.read(_MOST_BYTES).decode(errors="replace"))
    except OSError as error:
        raise ConfigError(
            f"cannot read {file}: {error.strerror or error}", hint="--answer FILE, or - for input"
        ) from error


def repository_around(document: Path) -> Path | None:
    """Top of the work tree that the document lies in."""
    return asyncio.run(top(document.absolute().parent, environ=os.environ))


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return legible(file.read(_MOST_BYTES).decode(errors="replace"))
    except OSError:
        return ""


def _unpack(packed: Path, folder: Path) -> None:
    """Files and folders of an archive that git made, which has no path that leads out of it."""
    folder.mkdir()
    with tarfile.open(packed) as archive:
        for member in archive:
            place = folder / member.name
            if member.isdir():
                place.mkdir(parents=True, exist_ok=True)
            elif member.isreg() and (data := archive.extractfile(member)) is not None:
                place.parent.mkdir(parents=True, exist_ok=True)
                with place.open("wb") as file:
                    copyfileobj(data, file)
