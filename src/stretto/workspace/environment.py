"""Making a workspace ready: files copied and linked from the user's tree, then set-up commands (R7.1)."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from stretto.errors import SetupError, WorkspaceError
from stretto.model.plan import Setup
from stretto.model.run import dump
from stretto.ports import Processes, ProcessSpec

_LOG_TAIL = 2_000


def furnish(setup: Setup, source: Path, target: Path) -> dict[str, str]:
    """Copy and link what `setup` names from the user's tree; what is there and unchanged is left alone.

    Returns the stamp of every file put there. Raises SetupError for a path that is missing or leads outside."""
    stamps: dict[str, str] = {}
    for path in setup.copy:
        origin, place = _checked("copy", path, source, target)
        if origin.is_dir():
            _copy_folder(origin, place)
        else:
            _copy_file(origin, place)
        stamps |= {name: stamp(target / name) for name in _files(target, PurePosixPath(path).as_posix())}
    for path in setup.link:
        origin, place = _checked("link", path, source, target)
        if not (place.is_symlink() and place.readlink() == origin):
            remove(place)
            place.symlink_to(origin)
        stamps[PurePosixPath(path).as_posix()] = stamp(place)
    return stamps


def fingerprint(setup: Setup, source: Path) -> str:
    """Of all that set-up says, and of every file that it copies or links: it changes when they are likely to have.

    With a link in them that leads to a folder elsewhere it is never the same twice: who knows what lies there?"""
    digest = hashlib.sha256(dump(setup))
    for path in (*setup.copy, *setup.link):
        top = Path(os.path.realpath(source / path))
        for file in sorted(_files(top.parent, top.name)):
            said = f"{file}\0{stamp(top.parent / file)}\0{_beyond(top.parent / file, top)}\0"
            digest.update(said.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _beyond(file: Path, top: Path) -> str:
    """What a link that leads out of `top` leads to; empty for everything else."""
    if not file.is_symlink():
        return ""
    target = Path(os.path.realpath(file))
    if target == top or target.is_relative_to(top):
        return str(target)
    return uuid.uuid4().hex if target.is_dir() else f"{target} {stamp(target)}"


def stamp(path: Path) -> str:
    """Changes when the file's content is likely to have changed; empty when it is not there."""
    try:
        info = path.lstat()
    except OSError:
        return ""
    return f"{stat.S_IFMT(info.st_mode):o}:{info.st_size}:{info.st_mtime_ns}"


def changed(stamps: Mapping[str, str], tops: Iterable[str], target: Path) -> list[str]:
    """Files put there by set-up that hold something else now, and new ones beneath its `tops`.

    One that is gone holds nothing."""
    found = [path for path, was in stamps.items() if stamp(target / path) not in ("", was)]
    found += [
        path for top in tops if os.path.lexists(target / top) for path in _files(target, top) if path not in stamps
    ]
    return list(dict.fromkeys(file for path in found for file in _files(target, path)))


async def run_setup(
    setup: Setup, target: Path, *, processes: Processes, env: Mapping[str, str], log: Path, timeout_s: float,
    cookie: tuple[str, str, str],
) -> None:  # fmt: skip
    """Run the set-up commands in order, each through `sh -c`. Raises SetupError at the first that fails."""
    log.unlink(missing_ok=True)
    for command in setup.run:
        end = await processes.run(
            ProcessSpec(
                argv=("sh", "-c", command),
                cwd=target,
                env=env,
                log=log,
                timeout_s=timeout_s,
                cookie=cookie,
            )
        )
        if end.ended != "exit" or end.code != 0:
            why = (
                f"took longer than {timeout_s:g} s"
                if end.ended == "timeout"
                else f"ended with {_status(end.code, end.signal)}"
            )
            raise SetupError(f"set-up command {command!r} {why}\n{_tail(log)}".rstrip(), hint=f"its output: {log}")


def remove(path: Path) -> None:
    """Remove a file, a link (never what it points to) or a whole folder, also one without write permission."""
    try:
        if path.is_symlink() or not path.is_dir():
            path.unlink(missing_ok=True)
            return
        path.chmod(0o700)
        for folder, folders, _ in os.walk(path):
            for name in folders:  # before it is walked
                if not (Path(folder) / name).is_symlink():
                    (Path(folder) / name).chmod(0o700)
        shutil.rmtree(path)
    except OSError as error:
        raise WorkspaceError(f"cannot remove {path}: {error.strerror}", hint=f"sudo rm -rf {path}") from error


def prune(path: str, root: Path, keep: Iterable[str]) -> None:
    """Remove `path` below `root`, all but the paths in `keep` and what is beneath them."""
    kept = tuple(keep)
    path = path.rstrip("/")
    if any(path == other or path.startswith(f"{other}/") for other in kept):
        return
    if any(other.startswith(f"{path}/") for other in kept) and not (root / path).is_symlink():
        prune_below(path, root, kept)
    else:
        remove(root / path)


def prune_below(path: str, root: Path, keep: Iterable[str]) -> None:
    """`prune` of everything in the folder `path`, which itself stays."""
    kept = tuple(keep)
    if (root / path).is_dir() and not (root / path).is_symlink():
        for child in (root / path).iterdir():
            prune(f"{path}/{child.name}", root, kept)


def _checked(word: str, path: str, source: Path, target: Path) -> tuple[Path, Path]:
    pure = PurePosixPath(path)
    if pure.is_absolute() or not pure.parts or ".." in pure.parts or ".git" in pure.parts:
        raise SetupError(f"setup.{word}: {path!r} does not name something inside the repository")
    origin = source / pure
    real = Path(os.path.realpath(origin))
    if not real.exists():
        raise SetupError(f"setup.{word}: {path} is not in {source}", hint=f"create it, or take it out of setup.{word}")
    if not real.is_relative_to(os.path.realpath(source)):
        raise SetupError(f"setup.{word}: {path} is a link that leads out of {source}, to {real}")
    place = target / pure
    for parent in reversed(place.relative_to(target).parents[:-1]):
        if (target / parent).is_symlink():
            raise SetupError(f"setup.{word}: {path} would be written through the link {parent}")
    place.parent.mkdir(parents=True, exist_ok=True)
    return (real if word == "copy" else origin), place


def _copy_file(origin: Path, place: Path) -> None:
    if origin.is_symlink():
        if not (place.is_symlink() and place.readlink() == origin.readlink()):
            remove(place)
            place.symlink_to(origin.readlink())
    elif origin.is_file() and stamp(origin) != stamp(place):  # sockets and pipes are nobody's set-up
        remove(place)
        shutil.copy2(origin, place)


def _copy_folder(origin: Path, place: Path) -> None:
    """Make `place` like `origin`. Links inside are copied as links: a virtual environment is full of them."""
    if place.is_symlink() or not place.is_dir():
        remove(place)
        place.mkdir()
    names = {child.name for child in origin.iterdir()}
    for child in list(place.iterdir()):
        if child.name not in names:
            remove(child)
    for name in names:
        if (origin / name).is_dir() and not (origin / name).is_symlink():
            _copy_folder(origin / name, place / name)
        else:
            _copy_file(origin / name, place / name)


def _files(root: Path, path: str) -> Iterator[str]:
    """Every file and link at or below `path`, from `root`."""
    if (root / path).is_symlink() or not (root / path).is_dir():
        yield path
        return
    for folder, folders, files in os.walk(root / path):
        folders[:] = [name for name in folders if name != ".git"]
        where = Path(folder).relative_to(root).as_posix()
        yield from (f"{where}/{name}" for name in files)
        yield from (f"{where}/{name}" for name in folders if (Path(folder) / name).is_symlink())


def _status(code: int | None, signal: int | None) -> str:
    return f"status {code}" if signal is None else f"signal {signal}"


def _tail(log: Path) -> str:
    try:
        return log.read_bytes()[-_LOG_TAIL:].decode(errors="replace")
    except OSError:
        return ""
