"""A look at git and at the user's repository, for `stretto doctor`: what a run would meet there. Changes nothing."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final

from stretto.errors import GitError, RepositoryError
from stretto.model.health import Observation, Verdict
from stretto.workspace.git import Git
from stretto.workspace.repository import Repository, check_version, missing_identity

NAMED = 3
"""So many names are told before "and more"."""
GITLINK: Final = "160000"
_WANTED = (
    r"^(commit\.gpgsign|core\.(hookspath|ignorecase|symlinks|sparsecheckout|filemode|fsmonitor)|extensions\..*"
    r"|filter\.lfs\..*|remote\..*\.promisor)$"
)


async def examine(here: Path, environ: Mapping[str, str]) -> AsyncIterator[Observation]:
    """Git first, then the repository around `here`; where one cannot carry a run, nothing more is told."""
    git = Git(here, environ=environ)
    try:
        said = await git.text("version")
        check_version(said)
        yield _seen("git", said.removeprefix("git version "))
        repository = await Repository.find(here, environ=environ)
    except (GitError, RepositoryError) as error:
        about = "git" if isinstance(error, GitError) or "too old" in str(error) else "repository"
        yield _seen(about, str(error), "problem", mend=error.hint or "install git 2.38 or newer")
        return
    where = f"on {repository.branch}" if repository.branch else "HEAD is detached"
    yield _seen("repository", f"{repository.root}, {where}")
    settings = await _settings(repository.git)
    yield await _identity(repository, environ)
    for seen in (
        _signing(settings),
        _hooks(repository, settings),
        _case(settings),
        _closed(repository),
        _half_done(repository),
        _locked(repository),
        *await _contents(repository, settings, environ),
    ):
        if seen is not None:
            yield seen


def _seen(about: str, told: str, verdict: Verdict = "ok", *, follows: str = "", mend: str = "") -> Observation:
    return Observation(area="repository", about=about, told=told, verdict=verdict, follows=follows, mend=mend)


async def _settings(git: Git) -> dict[str, str]:
    """What the user, the machine and the repository tell git; not what stretto tells it. Keys in lower case."""
    reply = await git.run("config", "-z", "--show-scope", "--get-regexp", _WANTED, ok=(0, 1))
    fields = reply.fields
    said = (field.partition("\n") for scope, field in zip(fields[::2], fields[1::2], strict=True) if scope != "command")
    return {key.lower(): value if between else "true" for key, between, value in said}


def _is_on(settings: Mapping[str, str], key: str) -> bool:
    return settings.get(key, "").lower() in ("true", "yes", "on", "1")


async def _identity(repository: Repository, environ: Mapping[str, str]) -> Observation:
    if not await missing_identity(repository.git, environ):
        return _seen("identity", "git knows who you are")
    return _seen(
        "identity",
        "git does not know who you are",
        "warning",
        follows="commits are made by `stretto <stretto@localhost>`",
        mend='git config --global user.name "YOUR NAME"\ngit config --global user.email "YOUR@ADDRESS"',
    )


def _signing(settings: Mapping[str, str]) -> Observation | None:
    if not _is_on(settings, "commit.gpgsign"):
        return None
    return _seen(
        "signing",
        "commit.gpgsign is on",
        "warning",
        follows="stretto's own commits are not signed; an agent that commits by itself may wait for a passphrase",
        mend="sign what has landed yourself, or let an agent's git be: `agents.NAME.env`",
    )


def _hooks(repository: Repository, settings: Mapping[str, str]) -> Observation | None:
    folder = Path(os.path.expanduser(settings.get("core.hookspath", "")) or repository.common / "hooks")  # noqa: PTH111
    folder = folder if folder.is_absolute() else repository.root / folder
    try:
        hooks = sorted(
            hook.name
            for hook in folder.iterdir()
            if hook.suffix != ".sample" and os.access(hook, os.X_OK) and hook.is_file()
        )
    except OSError:
        return None
    if not hooks:
        return None
    return _seen(
        "hooks",
        _named(hooks),
        "warning",
        follows="stretto's own git runs no hooks; they still run for you, and for agents that commit by themselves",
        mend="what a hook checks can be a check of the plan: `gates.verify`",
    )


def _case(settings: Mapping[str, str]) -> Observation | None:
    if not _is_on(settings, "core.ignorecase"):
        return None
    return _seen(
        "file names",
        "case does not count on this file system",
        "warning",
        follows="two files whose names differ only in case are one here; claims take them for one everywhere",
    )


def _half_done(repository: Repository) -> Observation | None:
    if not repository.under_way:
        return None
    return _seen(
        "work tree",
        f"{' and '.join(repository.under_way)} is under way",
        "warning",
        follows="runs do not mind, but landing them has to wait for it",
        mend="git status",
    )


def _locked(repository: Repository) -> Observation | None:
    lock = repository.git_dir / "index.lock"
    if not lock.exists():
        return None
    return _seen(
        "index",
        "another git is at work, or one that was killed has left its index.lock",
        "warning",
        follows="runs do not mind, but landing them has to wait for it",
        mend=f"if no git is at work: rm {shlex.quote(str(lock))}",
    )


def _closed(repository: Repository) -> Observation | None:
    """Folders that git has to write objects and refs to, and that the user may not write."""
    common = repository.common
    places = [repository.git_dir, common]
    places += (Path(place) for top in ("objects", "refs", "logs") for place, _, _ in os.walk(common / top))
    closed = [place for place in dict.fromkeys(places) if not os.access(place, os.W_OK | os.X_OK)]
    if not closed:
        return None
    top = shlex.quote(str(common))
    if os.statvfs(closed[0]).f_flag & os.ST_RDONLY:
        mend = f"it is mounted read-only: findmnt --target {top}"
    elif any(place.stat().st_uid != os.geteuid() for place in closed):
        mend = f'sudo chown -R "$(id -un)" {top}'
    else:
        mend = f"chmod -R u+rwX {top}"
    return _seen(
        "git folder",
        f"you may not write to {_named([str(place) for place in closed])}",
        "problem",
        follows="a run cannot keep there what agents do",
        mend=mend,
    )


async def _contents(
    repository: Repository, settings: Mapping[str, str], environ: Mapping[str, str]
) -> list[Observation | None]:
    """What is special about the files and the history."""
    git = repository.git
    shallow = await git.text("rev-parse", "--is-shallow-repository")
    staged = (entry.partition("\t") for entry in (await git.run("ls-files", "-z", "--stage")).fields)
    modes = {path: entry[:6] for entry, _, path in staged}
    promised = any(key.endswith(".promisor") for key in settings) or "extensions.partialclone" in settings
    return [
        _submodules([path for path, mode in modes.items() if mode == GITLINK]),
        _large(repository, settings, environ, [path for path in modes if path.rpartition("/")[2] == ".gitattributes"]),
        _seen(
            "sparse checkout",
            "only part of the files is checked out here",
            "warning",
            follows="a workspace has that part, too: agents and checks do not see the rest",
            mend="where a task needs more: `git sparse-checkout add FOLDER`",
        )
        if _is_on(settings, "core.sparsecheckout")
        else None,
        _seen(
            "shallow clone",
            "the history is cut off",
            "warning",
            follows="a branch that began before the cut cannot be merged",
            mend="git fetch --unshallow",
        )
        if shallow == "true"
        else None,
        _seen(
            "partial clone",
            "git fetches contents when they are first needed",
            "warning",
            follows="a workspace may need the network, and wait for it",
        )
        if promised
        else None,
        _seen("symbolic links", "core.symlinks is off", "warning", follows="a workspace has small text files instead")
        if settings.get("core.symlinks", "").lower() == "false"
        else None,
    ]


def _submodules(paths: list[str]) -> Observation | None:
    if not paths:
        return None
    return _seen(
        "submodules",
        _named(paths),
        "warning",
        follows="in a workspace their folders are empty, and what an agent commits inside one is kept, not landed",
        mend="where a task needs their files, let `setup.run` bring them",
    )


def _large(
    repository: Repository, settings: Mapping[str, str], environ: Mapping[str, str], attributes: list[str]
) -> Observation | None:
    """Files that Git LFS keeps elsewhere."""
    if not any("filter=lfs" in _text(repository.root / path) for path in attributes):
        return None
    there = shutil.which("git-lfs", path=environ.get("PATH", os.defpath))
    if there and "filter.lfs.process" in settings:
        return _seen(
            "Git LFS",
            "large files are kept by Git LFS",
            follows="a workspace fetches what is not here yet",
        )
    told = "large files are kept by Git LFS, which is not " + ("set up" if there else "installed")
    return _seen(
        "Git LFS",
        told,
        "problem" if _is_on(settings, "filter.lfs.required") and not there else "warning",
        follows="a workspace has small pointer files in their place",
        mend="git lfs install" if there else "install git-lfs; then: git lfs install",
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _named(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
