"""A stranger's machine: what it lacks, limits or forbids; docs/machines.md says what happens with each."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from e2e.machines import assert_told, needs, proves
from e2e.test_zoo import AGENT, FILES, ONE, standing
from e2e.toy import Toy, until
from stretto.engine.home import refuse_network
from stretto.errors import StateError

PROGRAMS = ("git", "sh", "mkdir")
"""All that stretto and the agent of these tests run."""
ODD = "a b'\"\n\u00e9\u65e5 $x;`" + "x" * 200


def ended(
    toy: Toy, *words: str, before: Sequence[str] = (), cwd: Path | None = None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """A verb, below the command `before`, with exactly this environment."""
    done = subprocess.run(
        [*before, sys.executable, "-m", "stretto", *words],
        cwd=cwd or toy.repository, env=toy.env if env is None else env, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, errors="replace", timeout=120,
    )  # fmt: skip
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    return done


def shell(command: str) -> list[str]:
    """What goes before a command so that it is said in a shell first."""
    return ["sh", "-c", f'{command}; exec "$@"', "sh"]


def plan(toy: Toy) -> str:
    (toy.root / "one.yaml").write_text(ONE)
    return str(toy.root / "one.yaml")


def programs(toy: Toy, *names: str) -> str:
    """A PATH with just these."""
    folder = toy.root / "bin"
    folder.mkdir()
    for name in names:
        (folder / name).symlink_to(str(shutil.which(name)))
    return str(folder)


def landed(toy: Toy) -> bool:
    return toy.git("show", "HEAD:new/file") == "work\n"


# --- what is missing or odd ----------------------------------------------------------------------------------------


@proves(
    "a PATH with nothing but git and a shell (no `ps`, no `setpriv`)",
    "no HOME, but `STRETTO_STATE_DIR`",
    "no language set, an odd time zone, a dumb terminal",
    "a TMPDIR that is not there",
    "any umask",
    "64 open files",
    "standard input, output and error closed",
    "paths with spaces, quotes, newlines, other alphabets or 200 characters and more",
    "a current folder somewhere below the top of the repository",
)
@pytest.mark.parametrize("umask", ["000", "777"])
def test_where_little_is_there_a_run_works(tmp_path: Path, umask: str) -> None:
    toy = Toy(tmp_path, FILES, folder=ODD)
    toy.state = tmp_path / f"state {ODD}"
    env = {
        "PATH": programs(toy, *PROGRAMS), "STRETTO_STATE_DIR": str(toy.state), "TZ": "No/Such:place", "TERM": "dumb",
        "TMPDIR": "/no/such/folder", "COLUMNS": "0", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1",
    }  # fmt: skip
    path = plan(toy)
    hostile = shell(f"ulimit -n 64; umask {umask if os.geteuid() == 0 else '077'}; exec <&- >&- 2>&-")
    before = standing(toy)
    words = ("run", path, "--agent", AGENT, "--attempts", "1", "--yes")
    assert ended(toy, *words, before=hostile, cwd=toy.repository / "src", env=env).returncode == 0
    assert standing(toy) == before, "R7.4"
    assert ended(toy, "land", before=hostile, cwd=toy.repository / "src", env=env).returncode == 0
    assert landed(toy)
    (home,) = toy.state.iterdir()
    assert stat.S_IMODE(home.stat().st_mode) & 0o077 == 0, "what agents are told and say is nobody else's business"


def no_git(toy: Toy) -> dict[str, str]:
    return {"PATH": programs(toy, "sh")}


def old_git(toy: Toy) -> dict[str, str]:
    real = shutil.which("git")
    path = programs(toy, "sh")
    program = Path(path) / "git"
    program.write_text(
        f'#!/bin/sh\nfor word; do test "$word" != version || {{ echo git version 2.30.2; exit; }}; done\n{real} "$@"\n'
    )
    program.chmod(0o755)
    return {"PATH": path}


def not_utf8(toy: Toy) -> dict[str, str]:
    return {"STRETTO_AGENT": os.fsdecode(b"shell: \xff")}


def nowhere(toy: Toy) -> dict[str, str]:
    return {"HOME": "", "STRETTO_STATE_DIR": ""}


def a_file(toy: Toy) -> dict[str, str]:
    (toy.root / "file").touch()
    return {"STRETTO_STATE_DIR": str(toy.root / "file")}


MISSING: dict[str, tuple[Callable[[Toy], dict[str, str]], int, str]] = {
    "no git": (no_git, 2, ""),
    "a git older than 2.38": (old_git, 2, ""),
    "neither HOME nor `STRETTO_STATE_DIR`": (nowhere, 3, ""),
    "a state folder that is a file": (a_file, 3, ""),
    "a setting or an argument that is not UTF-8": (not_utf8, 2, ""),
    "12 open files": (lambda toy: {}, 2, "ulimit -n 12"),
    "a current folder that is gone": (lambda toy: {}, 2, 'mkdir gone; cd gone; rmdir "$PWD"'),
}


@proves(*MISSING)
@pytest.mark.parametrize("condition", MISSING)
def test_what_cannot_be_done_without_is_told(tmp_path: Path, condition: str) -> None:
    toy = Toy(tmp_path, FILES)
    make, code, first = MISSING[condition]
    env = {**toy.env, **make(toy)}
    words = ("run", plan(toy), "--yes", *(() if "STRETTO_AGENT" in env else ("--agent", AGENT)))
    done = ended(toy, *words, before=shell(first) if first else (), env=env)
    assert done.returncode == code, done.stderr
    assert_told(condition, done.stderr)
    assert done.stderr.count("error: ") == 1
    assert not list(toy.state.glob("*/runs/*"))


@proves("state on a network file system")
def test_a_network_file_system_is_refused_by_its_name(tmp_path: Path) -> None:
    device = tmp_path.stat().st_dev
    mounts = f"1 2 {os.major(device)}:{os.minor(device)} / / rw - nfs4 server:/home rw\n"
    with pytest.raises(StateError) as told:
        refuse_network(tmp_path, mounts)
    assert_told("state on a network file system", f"{told.value}\n{told.value.hint}")


# --- what is forbidden ---------------------------------------------------------------------------------------------


def powerless() -> list[str]:
    """What goes before a command so that permissions count for it, also for root."""
    if os.geteuid() != 0:
        return []
    words = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]
    found = shutil.which("setpriv") and subprocess.run([*words, "true"], capture_output=True, check=False)
    needs(bool(found) and not found.returncode, "root cannot give up its powers")  # type: ignore[union-attr]
    return words


@contextlib.contextmanager
def closed(*folders: Path, mode: int = 0o555) -> Iterator[None]:
    was = [folder.stat().st_mode for folder in folders]
    for folder in folders:
        folder.chmod(mode)
    try:
        yield
    finally:
        for folder, before in zip(folders, was, strict=True):
            folder.chmod(before)


@proves(
    "a state folder that may not be written",
    "a repository that may not be written",
    "a current folder that may not be entered",
    "a work tree that may not be written, when landing",
)
def test_what_may_not_be_written_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    toy = Toy(tmp_path, FILES)
    before, path = powerless(), plan(toy)
    words = ("run", path, "--agent", AGENT, "--yes", "--new")
    toy.state.mkdir()
    with closed(toy.state):
        done = ended(toy, *words, before=before)
        assert done.returncode == 3
        assert_told("a state folder that may not be written", done.stderr)
        doctor = ended(toy, "doctor", "--no-agents", before=before)
        assert doctor.returncode == 3 and "may not be written" in doctor.stdout
    git = toy.repository / ".git"
    with closed(git, git / "refs", git / "refs/heads", git / "objects"):
        done = ended(toy, *words, before=before)
        assert done.returncode == 2
        assert_told("a repository that may not be written", done.stderr)
    with closed(toy.repository, mode=0):
        done = ended(toy, "status", before=[*shell(f"cd '{toy.repository}'"), *before], cwd=toy.root)
        assert done.returncode == 2, done.stderr
        assert_told("a current folder that may not be entered", done.stderr)
    toy.stretto(*words)
    standing_before = standing(toy)
    with closed(toy.repository / "src"):
        done = ended(toy, "land", before=before)
        assert done.returncode == 4
        assert_told("a work tree that may not be written, when landing", done.stderr)
        assert toy.git("status", "--porcelain") == ""
    assert standing(toy) == standing_before
    with closed(*toy.state.glob("*/runs/*"), *toy.state.glob("*/runs"), *toy.state.glob("*")):
        for verb in ("status", "runs", "report", "diff", "logs"):
            assert ended(toy, verb, *(("a",) if verb in ("diff", "logs") else ()), before=before).returncode == 0
    toy.stretto("land")
    assert landed(toy)


# --- what is full --------------------------------------------------------------------------------------------------


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own, mounted."""
    path = tmp_path / "disk"
    path.mkdir()
    needs(sys.platform == "linux" and os.geteuid() == 0, "only root may mount a small disk")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", path], capture_output=True, check=False)
    needs(not mounted.returncode, f"no small disk can be mounted: {mounted.stderr.decode()}")
    yield path
    subprocess.run(["umount", "--lazy", path], check=True)


def fill(disk: Path, *, but: int = 0) -> None:
    """Leave so many bytes free, and none in the last page."""
    with contextlib.suppress(OSError), (disk / "ballast").open("wb", buffering=0) as ballast:
        while True:
            ballast.write(bytes(65_536))
    os.truncate(disk / "ballast", (disk / "ballast").stat().st_size - but)


BIG = f"{AGENT} && head -c 300000 /dev/urandom > new/big"


@proves("a full disk below the repository, while it is landed on", "a full disk below the repository, in a run")
def test_r6_3_a_repository_on_a_full_disk_loses_nothing(tmp_path: Path, disk: Path) -> None:
    toy = Toy(disk, FILES)
    toy.root, toy.state = tmp_path, tmp_path / "state"
    toy.env |= {"STRETTO_STATE_DIR": str(toy.state), "GIT_OPTIONAL_LOCKS": "0"}
    words = ("run", plan(toy), "--agent", f"{BIG}; cp /dev/zero {disk}/ballast; true", "--attempts", "1", "--yes")
    done = ended(toy, *words)
    assert done.returncode == 4
    assert_told("a full disk below the repository, in a run", done.stdout)
    assert toy.git("status", "--porcelain") == ""
    (kept,) = toy.state.glob("*/worktrees/agent-*/*/new/big")
    assert kept.stat().st_size == 300_000, "what could not be saved stays where it is"
    (disk / "ballast").unlink()
    front = toy.front("resume")
    until(lambda: (disk / "ballast").exists(), "it goes on")
    until(lambda: front.poll() is not None, "it ends again")
    (disk / "ballast").unlink()
    toy.stretto("run", str(toy.root / "one.yaml"), "--agent", BIG, "--new", "--ignore-status", "--yes")
    before = standing(toy)
    for room in (100_000, 0):
        fill(disk, but=room)
        before = standing(toy) if "ballast" in before else before
        done = ended(toy, "land")
        assert done.returncode == 4
        assert_told("a full disk below the repository, while it is landed on", done.stderr)
        assert (standing(toy), toy.git("status", "--porcelain")) == (before, "")
        (disk / "ballast").unlink()
    toy.stretto("land")
    assert landed(toy)


@proves("a full disk below the state folder")
def test_r8_1_a_state_folder_on_a_full_disk_is_told_and_the_run_goes_on_later(tmp_path: Path, disk: Path) -> None:
    condition = "a full disk below the state folder"
    toy = Toy(tmp_path, FILES)
    toy.state = disk / "state"
    toy.env["STRETTO_STATE_DIR"] = str(toy.state)
    words = (
        "run",
        plan(toy),
        "--agent",
        f"{BIG}; test -e {tmp_path}/again || cp /dev/zero {disk}/ballast; true",
        "--yes",
    )
    done = ended(toy, *words)
    assert done.returncode in (1, 3, 4), done.stdout
    assert_told(condition, done.stdout + done.stderr)
    assert toy.stretto("status", code=None).returncode == 0, "who only looks needs no room"
    (disk / "ballast").unlink()
    (tmp_path / "again").touch()
    resumed = ended(toy, "resume")
    if toy.states() != {"a": "succeeded"}:
        toy.stretto("retry", code=None)
        resumed = ended(toy, "resume")
    assert toy.states() == {"a": "succeeded"}, resumed.stdout + resumed.stderr
    fill(disk)
    assert ended(toy, "land").returncode in (0, 3)
    (disk / "ballast").unlink()
    toy.stretto("land")
    assert landed(toy)


# --- what cannot be seen -------------------------------------------------------------------------------------------


@proves("`/proc` not mounted, or hiding processes")
def test_r8_2_without_proc_a_killed_run_goes_on(tmp_path: Path) -> None:
    hide = ["unshare", "--mount", *shell("mount -t tmpfs none /proc")]
    able = shutil.which("unshare") and not subprocess.run([*hide, "true"], capture_output=True, check=False).returncode
    needs(bool(able), "/proc cannot be hidden from a process")
    toy = Toy(tmp_path, {**FILES, "stretto.toml": '[env]\npass = ["MARK"]\n'})
    toy.env["MARK"] = str(tmp_path)
    wait = "test -e $MARK/again || { touch $MARK/began; sleep 60; }"
    words = ("run", plan(toy), "--agent", f"{AGENT}; {wait}", "--yes")
    with (tmp_path / "front.log").open("ab") as log:
        front = subprocess.Popen(
            [*hide, sys.executable, "-m", "stretto", *words],
            cwd=toy.repository, env=toy.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    until((tmp_path / "began").exists, f"the agent begins; said: {toy.said()}")
    os.kill(toy.status()["engine"]["pid"], signal.SIGKILL)
    assert front.wait(timeout=60) == 3
    until(lambda: not toy.agents(), "the kernel ends the agent")
    (tmp_path / "again").touch()
    doctor = ended(toy, "doctor", "--no-agents", before=hide)
    assert_told("`/proc` not mounted, or hiding processes", doctor.stdout)
    done = ended(toy, "resume", before=hide)
    assert done.returncode == 0, done.stdout + done.stderr
    toy.stretto("land")
    assert landed(toy)
