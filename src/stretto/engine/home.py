"""The state folder: where runs, their journals and their worktrees live, never inside the repository.

<state>/<folder>-<hash8>/                one repository; or a folder without git, whose path is in `folder`
    worktrees/
    runs/<run>/                          one run
        journal.sqlite3  lock  launch.json  engine.log  PAUSE
        plan/<file name>                 the plan as it was read at the start
        context.json  prompt.md.j2       what goes with prompts, as it was read at the start (R8.7)
        verdicts/<sha256>.json           checks that were green, and on what (R6.1a)
        taken-back/                      papers that an agent wrote, or somebody beside it, of a batch that has failed
        in-place/                        of a run without worktrees: what its tasks have begun
        attempts/<task>/<n>/             prompt.md  result.json  output.log  gates/*.log
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from stretto.core.events import Event
from stretto.engine import journal
from stretto.engine.disk import explained
from stretto.errors import RunNotFound, StateError
from stretto.model.agent import AgentSpec
from stretto.model.names import slug, task_dir
from stretto.model.plan import Isolation, Value
from stretto.model.run import dump, undump

LAUNCH_VERSION = 2
CONTEXT = "context.json"
TEMPLATE = "prompt.md.j2"
"""Files of a run that hold what goes with its prompts."""
CONTEXTS = msgspec.json.Decoder(dict[str, dict[str, str]])
"""Reads the first of them: task id to {file name: text}."""
FOLDER = "folder"
"""File that says which folder the home of one without git belongs to."""
APART_NS = 1_000_000_000
"""So much later than the run before it is a run dated that a clock would make an older one."""
NETWORK = frozenset({
    *("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "gpfs", "glusterfs"),
    *("fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.rclone"),
})  # fmt: skip
"""File systems that cannot share memory between processes, as SQLite's write-ahead log needs."""


class Launch(Value, frozen=True, kw_only=True):
    """What an engine must know to run or resume it, besides the journal. Paths are absolute unless they say so."""

    version: int = LAUNCH_VERSION
    isolation: Isolation = "worktree"
    repository: str
    """Root of the user's work tree; of a run in place the folder that its tasks work in."""
    common_dir: str
    """The repository's git common folder; empty without git."""
    plan_path: str
    """The plan file; or, with `recipe`, the folder that the plan was made of."""
    recipe: bool = False
    part: bool = False
    """It was begun with some of the plan's tasks alone."""
    plan_in_repository: str | None = None
    """The plan's path relative to the root, when git tracks it."""
    plan_format: str
    branch: str
    """The branch it lands on, without `refs/heads/`; empty for a run in place."""
    user_branch: str | None = None
    """The branch that was checked out at the start; None: detached."""
    base: str
    """Commit that it starts from."""
    agents: Mapping[str, AgentSpec] = {}
    """How each agent is run, by its name."""
    agent: str = ""
    """Name of the default one."""
    env_pass: tuple[str, ...] = ()
    land_at_end: bool = False
    interactive: bool = False
    """A person sits at the terminal that started it."""

    @property
    def plan_copy(self) -> str:
        """Name of the run's copy of the plan: the file's own; of a folder it is in stretto's own format."""
        return Path(self.plan_path).name + (".yaml" if self.recipe else "")

    @property
    def plan_folder(self) -> Path:
        """What the plan's own paths count from."""
        return Path(self.plan_path) if self.recipe else Path(self.plan_path).parent


_LAUNCHES = msgspec.json.Decoder(Launch)


class AttemptHome(Value, frozen=True, kw_only=True):
    """The files of one attempt, outside its workspace. Landing gates of a batch: task "", the batch's number."""

    path: Path

    @property
    def prompt(self) -> Path:
        return self.path / "prompt.md"

    @property
    def result(self) -> Path:
        return self.path / "result.json"

    @property
    def log(self) -> Path:
        return self.path / "output.log"

    @property
    def gates(self) -> Path:
        return self.path / "gates"

    def make(self) -> AttemptHome:
        """Make the folders. Raises StateError."""
        with explained("make the attempt's folder", self.gates):
            self.gates.mkdir(parents=True, exist_ok=True)
        return self


class RunHome(Value, frozen=True, kw_only=True):
    """The folder of one run."""

    path: Path

    @property
    def run(self) -> str:
        return self.path.name

    @property
    def journal(self) -> Path:
        return self.path / "journal.sqlite3"

    @property
    def lock(self) -> Path:
        return self.path / "lock"

    @property
    def engine_log(self) -> Path:
        return self.path / "engine.log"

    @property
    def pause(self) -> Path:
        """While this file exists the run drains, as after `stretto stop` (R8.6)."""
        return self.path / "PAUSE"

    @property
    def verdicts(self) -> Path:
        """Checks that were green, and on what (R6.1a)."""
        return self.path / "verdicts"

    @property
    def repository(self) -> RepositoryHome:
        return RepositoryHome(path=self.path.parent.parent)

    def launch(self) -> Launch:
        """Raises StateError when the file is missing, damaged, or of a newer stretto."""
        path = self.path / "launch.json"
        with explained("read how the run was started", path):
            data = path.read_bytes()
        try:
            launch = undump(data, _LAUNCHES)
        except msgspec.DecodeError as error:
            raise StateError(f"cannot read how the run was started: {path}: {error}", hint=journal.RESTORE) from error
        if launch.version > LAUNCH_VERSION:
            raise StateError(f"the run was started by a newer stretto: {path}", hint="use that version for this run")
        return launch

    def context(self) -> Mapping[str, Mapping[str, str]]:
        """The context files as they were at the start (R8.7): task id to {file name: text}. Raises StateError."""
        data = self._kept(CONTEXT)
        if data is None:
            return {}
        try:
            texts = undump(data, CONTEXTS)
        except msgspec.DecodeError as error:
            path = self.path / CONTEXT
            raise StateError(f"cannot read the run's context files: {path}: {error}", hint=journal.RESTORE) from error
        return texts

    def template(self) -> str | None:
        """The plan's own template of prompts as it was at the start (R8.7). Raises StateError."""
        data = self._kept(TEMPLATE)
        return None if data is None else data.decode("utf-8", "replace")

    def _kept(self, name: str) -> bytes | None:
        """A file that was written at the start, if it was."""
        with explained("read what goes with prompts", self.path / name), contextlib.suppress(FileNotFoundError):
            return (self.path / name).read_bytes()
        return None

    def plan(self) -> Path:
        """The copy of the plan."""
        return self.path / "plan" / self.launch().plan_copy

    @property
    def in_place(self) -> Path:
        """What a run that works in the folder itself must not forget in a crash (R10.3)."""
        return self.path / "in-place"

    def attempt(self, task: str, number: int) -> AttemptHome:
        return AttemptHome(path=self.path / "attempts" / task_dir(task) / str(number))


class RepositoryHome(Value, frozen=True, kw_only=True):
    """All that stretto keeps for one repository."""

    path: Path

    @property
    def worktrees(self) -> Path:
        return self.path / "worktrees"

    def make(self, *, folder: Path | None = None) -> RepositoryHome:
        """Make the folder; `folder`: the user's, where that is in no repository. Raises StateError."""
        with explained("make the state folder", self.path):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)  # prompts and logs are nobody else's business
        if folder is not None:
            write_whole(self.path / FOLDER, os.fsencode(folder))
        return self

    def runs(self) -> list[RunHome]:
        """Every run, oldest first. Raises StateError when the folder cannot be read."""
        with explained("look for runs", self.path):
            return [RunHome(path=path) for _, path in sorted(self._begun())]

    def _begun(self) -> Iterator[tuple[int, Path]]:
        """(when, in nanoseconds, folder) of every run."""
        for launch in (self.path / "runs").glob("[!.]*/launch.json"):
            with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                yield launch.stat().st_mtime_ns, launch.parent

    def latest(self) -> RunHome | None:
        return runs[-1] if (runs := self.runs()) else None

    def find(self, name: str | None = None) -> RunHome:
        """By id, or by the beginning of just one; None is the latest. Raises RunNotFound."""
        runs = {home.run: home for home in self.runs()}
        if not runs:
            raise RunNotFound("there is no run of this repository", hint="start one with `stretto run PLAN`")
        if name is None:
            return list(runs.values())[-1]
        if name in runs:
            return runs[name]
        fitting = [run for run in runs if name and run.startswith(name)]
        if len(fitting) == 1:
            return runs[fitting[0]]
        if fitting:
            raise RunNotFound(f"more than one run begins with {name!r}", hint=f"one of: {', '.join(sorted(fitting))}")
        near = difflib.get_close_matches(name, list(runs), n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else "`stretto runs` lists them"
        raise RunNotFound(f"there is no run {name!r} of this repository", hint=hint)

    def _date(self, launch: Path) -> None:
        """Later than every other run's, also where the clock has been set back: it is the latest."""
        before = max((when for when, _ in self._begun()), default=0)
        info = launch.stat()
        if info.st_mtime_ns <= before:
            os.utime(launch, ns=(info.st_atime_ns, before + APART_NS))

    def create(
        self,
        run: str,
        launch: Launch,
        plan: bytes,
        *,
        events: Sequence[Event] = (),
        files: Mapping[str, bytes] = {},
    ) -> RunHome:
        """Make a run's folder, whole or not at all; its journal begins with `events`, and `files` lie beside it.

        Raises StateError, also where a journal cannot live."""
        runs = self.path / "runs"
        with explained("make the run's folder", runs / run):
            runs.mkdir(parents=True, exist_ok=True)
            refuse_network(runs)
            draft = Path(tempfile.mkdtemp(prefix=".new-", dir=runs))
            try:
                draft.chmod(0o755)
                (draft / "plan").mkdir()
                write_whole(draft / "plan" / launch.plan_copy, plan)
                for name, data in files.items():
                    write_whole(draft / name, data)
                journal.create(draft / "journal.sqlite3", events)
                write_whole(draft / "launch.json", dump(launch))
                self._date(draft / "launch.json")
                (draft / "attempts").mkdir()
                draft.rename(runs / run)
            except BaseException:
                shutil.rmtree(draft, ignore_errors=True)
                raise
            _sync(runs)
        return RunHome(path=runs / run)


def state_dir(env: Mapping[str, str]) -> Path:
    """Where all state lives. Raises StateError when no variable says where home is."""
    if chosen := env.get("STRETTO_STATE_DIR"):
        return Path(chosen).absolute()
    if (shared := env.get("XDG_STATE_HOME")) and Path(shared).is_absolute():  # the standard says: else ignore it
        return Path(shared) / "stretto"
    if home := env.get("HOME"):
        return Path(home).absolute() / ".local" / "state" / "stretto"
    raise StateError("there is no place for state: HOME is not set", hint="set STRETTO_STATE_DIR")


def repository_home(state: Path, common_dir: Path) -> RepositoryHome:
    """The home of the repository whose git common folder this is; the same from all its work trees."""
    real = Path(os.path.realpath(common_dir))
    folder = real.parent.name if real.name == ".git" else real.name.removesuffix(".git")
    key = hashlib.sha256(os.fsencode(real)).hexdigest()[:8]
    return RepositoryHome(path=state / f"{slug(folder)}-{key}")


def folder_homes(state: Path) -> dict[Path, RepositoryHome]:
    """The homes of folders that are in no repository, by those folders."""
    found = {}
    for marker in sorted(state.glob(f"*/{FOLDER}")):
        with contextlib.suppress(OSError):
            found[Path(os.fsdecode(marker.read_bytes()))] = RepositoryHome(path=marker.parent)
    return found


def new_run_id(plan_name: str, now: float, taken: Container[str], entropy: Callable[[int], bytes] = os.urandom) -> str:
    """`<plan>-<date>-<time>-<8 hex>`, in UTC: unique on this machine, sortable by eye, and a valid branch name."""
    name = slug(plan_name)[:24].strip("-") or "run"
    stamp = time.strftime("%y%m%d-%H%M", time.gmtime(now))
    while (run := f"{name}-{stamp}-{entropy(4).hex()}") in taken:
        pass
    return run


def refuse_network(folder: Path, mounts: str | None = None) -> None:
    """Raises StateError when the folder lies on a file system known not to carry a journal."""
    if (kind := file_system(folder, mounts)) in NETWORK:
        raise StateError(
            f"the state folder is on a network file system ({kind}), which cannot carry a journal: {folder}",
            hint="set STRETTO_STATE_DIR to a folder on a local disk",
        )


def file_system(folder: Path, mounts: str | None = None) -> str:
    """The kind of file system that a folder lies on, such as `ext4`; "" where nobody knows.

    `mounts` is the text of /proc/self/mountinfo."""
    if mounts is None:
        try:
            mounts = Path("/proc/self/mountinfo").read_text(errors="surrogateescape")
        except OSError:
            return ""
    device = folder.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    for line in mounts.splitlines():
        place, _, rest = line.partition(" - ")
        if place.split()[2] == number:
            return rest.split()[0]
    return ""


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that after a crash it is there whole, or is as before. Raises StateError."""
    with explained("write", path):
        handle, draft = tempfile.mkstemp(prefix=f".{path.name[:80]}-", dir=path.parent)
        try:
            with open(handle, "wb") as file:
                os.fchmod(handle, 0o644)
                file.write(data)
                file.flush()
                os.fsync(handle)
            Path(draft).rename(path)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
        _sync(path.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
