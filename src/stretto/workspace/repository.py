"""The user's repository: found, understood, and judged fit to carry a run."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from stretto.errors import GitError, RepositoryError
from stretto.model.excerpt import is_text
from stretto.workspace.git import Git, shown
from stretto.workspace.sparse import View, view_of

MINIMUM = (2, 38)
"""`merge-tree --write-tree` came with it."""

_HALF_DONE = {
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
    "BISECT_LOG": "a bisection",
}


class Repository:
    """A work tree of the user's, and the repository behind it. Make one with `find`."""

    def __init__(
        self, *, root: Path, git_dir: Path, common: Path, head: str, branch: str | None, git: Git,
        ignores: Path | None = None, view: View | None = None,
    ) -> None:  # fmt: skip
        self.root = root
        """Top of the user's work tree, real path."""
        self.git_dir = git_dir
        """Its own git folder; differs from `common` in a linked worktree."""
        self.common = common
        """The git folder that all its worktrees share, real path: the key of stretto's state."""
        self.head = head
        """The commit at HEAD when it was looked at."""
        self.branch = branch
        """The branch checked out then; None when HEAD is detached."""
        self.ignores = (*([ignores] if ignores else []), common / "info" / "exclude")
        """Rules on what to ignore that lie in no commit: the user's own, then the repository's, which count more."""
        self.view = view or View()
        """What of its files the user's work tree shows."""
        self.git = git.at(git_dir=git_dir, work_tree=root)
        """Works on the user's tree: for looking, and for `land`."""
        self.store = git.at(git_dir=common, work_tree=root)
        """Works on objects and refs."""

    @classmethod
    async def find(cls, path: Path, *, environ: Mapping[str, str] | None = None) -> Repository:
        """The repository whose work tree `path` lies in. Raises RepositoryError where a run is not possible."""
        environ = os.environ if environ is None else environ
        folder = Path(os.path.realpath(path))
        try:
            git = Git(folder if folder.is_dir() else folder.parent, environ=environ)
            os.stat(f"{git.cwd}/.")  # noqa: PTH116  fails where it may not be entered, as a Path's own would not
        except OSError as error:
            where = f"ls -ld {shlex.quote(str(folder))}"
            raise RepositoryError(f"{folder} cannot be read: {error.strerror}", hint=where) from error
        await _check_version(git)
        inside = await git.run("rev-parse", "--is-inside-work-tree", ok=(0, 128))
        if inside.code:
            raise _not_found(folder, inside.err, environ)
        if inside.text != "true":
            raise RepositoryError(
                f"{folder} is not in a work tree (a bare repository, or the .git folder itself)",
                hint="run stretto where the files are; for a bare repository: git worktree add ../work",
            )
        root = Path(await git.text("rev-parse", "--show-toplevel"))
        git_dir = Path(await git.text("rev-parse", "--absolute-git-dir"))
        common = git_dir / await git.text("rev-parse", "--path-format=absolute", "--git-common-dir")
        for place in (root, common):
            if not is_text(str(place)):
                raise RepositoryError(
                    f"the path of the repository is not UTF-8: {shown(str(place))}",
                    hint="give that folder another name",
                )
        head = await git.resolve("HEAD")
        if head is None:
            raise RepositoryError(f"{root} has no commit yet", hint='git add -A && git commit --allow-empty -m "start"')
        branch = (await git.run("symbolic-ref", "--quiet", "--short", "HEAD", ok=(0, 1))).text or None
        settings = await _settings(git)
        sparse = settings.get("core.sparsecheckout", "").lower() in ("true", "yes", "on", "1")
        git = git.named(_identity(settings, environ))
        return cls(
            root=Path(os.path.realpath(root)), git_dir=Path(os.path.realpath(git_dir)),
            common=Path(os.path.realpath(common)), head=head, branch=branch, git=git,
            ignores=_ignores(settings, environ), view=await view_of(git, git_dir, sparse=sparse),
        )  # fmt: skip

    @property
    def under_way(self) -> tuple[str, ...]:
        """What git has begun in the user's tree and waits to be told about, such as `a merge`."""
        found = [what for name, what in _HALF_DONE.items() if (self.git_dir / name).exists()]
        return tuple(dict.fromkeys(found))

    def inside(self, path: Path) -> str | None:
        """The path as git spells it, from the root; None when it lies elsewhere."""
        real = Path(os.path.realpath(path.parent)) / path.name
        return real.relative_to(self.root).as_posix() if real.is_relative_to(self.root) else None

    async def now(self) -> tuple[str, str | None]:
        """(commit at HEAD, branch or None) at this moment."""
        head = await self.git.resolve("HEAD")
        if head is None:
            raise RepositoryError(f"{self.root}: HEAD names no commit any more")
        return head, (await self.git.run("symbolic-ref", "--quiet", "--short", "HEAD", ok=(0, 1))).text or None

    async def dirty(self) -> tuple[str, ...]:
        """Paths with uncommitted edits, staged, unstaged or untracked: what a run's base does not hold (R8.7)."""
        reply = await self.git.run(
            "status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=none",
            options=("--no-optional-locks",),
        )  # fmt: skip
        return tuple(field[3:] for field in reply.fields)

    async def resolve(self, name: str) -> str:
        """The commit that a name of the user's stands for. Raises RepositoryError when there is none."""
        found = None if name.startswith("-") else await self.git.resolve(name)
        if found is None:
            raise RepositoryError(f"there is no commit {name!r} in {self.root}", hint="git log --oneline --all")
        return found

    async def check_branch(self, name: str) -> None:
        """Whether a run may make a branch of this name. Raises RepositoryError: it is no name, or it is taken."""
        # Git answers with the name itself, and with another one for the likes of `@{-1}`.
        reply = await self.store.run("check-ref-format", "--branch", name, ok=(0, 1, 128, 129))
        if reply.code or reply.text != name or name in ("HEAD", "@"):
            raise RepositoryError(f"{name!r} is no name for a branch", hint="--branch NAME")
        if await self.store.resolve(f"refs/heads/{name}"):
            raise RepositoryError(f"the branch {name} exists already", hint="choose another with --branch NAME")


async def top(path: Path, *, environ: Mapping[str, str]) -> Path | None:
    """Top of the work tree that a folder lies in, real path; None where there is none, or no git to ask."""
    try:
        reply = await Git(path, environ=environ).run("rev-parse", "--show-toplevel", ok=(0, 128))
    except GitError:
        return None
    return Path(os.path.realpath(reply.text)) if reply.code == 0 else None


async def around(path: Path, *, environ: Mapping[str, str]) -> tuple[Path, Path] | None:
    """(top of the work tree, common folder) of the repository around a folder, real paths; None where there is none,
    or no git to ask. It may have no commit yet."""
    root = await top(path, environ=environ)
    if root is None:
        return None
    try:
        git = Git(root, environ=environ)
        common = await git.text("rev-parse", "--path-format=absolute", "--git-common-dir")
    except GitError:
        return None
    return root, Path(os.path.realpath(common))


async def missing_identity(git: Git, environ: Mapping[str, str]) -> bool:
    """Whether the user has told git no name or no address, so that commits are made in stretto's."""
    return bool(_identity(await _settings(git), environ))


async def _check_version(git: Git) -> None:
    try:
        said = await git.text("version")
    except GitError as error:
        raise RepositoryError(str(error), hint=error.hint or "install git 2.38 or newer") from error
    check_version(said)


def check_version(said: str) -> None:
    """Judge the answer of `git version`."""
    numbers = re.search(r"(\d+)\.(\d+)", said)
    if numbers is None or (int(numbers[1]), int(numbers[2])) < MINIMUM:
        raise RepositoryError(
            f"{said} is too old", hint="stretto merges with `git merge-tree`: install git 2.38 or newer"
        )


def _not_found(folder: Path, said: str, environ: Mapping[str, str]) -> RepositoryError:
    if "dubious ownership" in said:
        return RepositoryError(
            f"git does not trust the repository at {folder}: it belongs to another user",
            hint=f"git config --global --add safe.directory {shlex.quote(str(folder))}",
        )
    if "not a git repository" in said:
        if elsewhere := environ.get("GIT_DIR"):
            return RepositoryError(
                f"{folder} is not in a git repository, and GIT_DIR does not count here",
                hint=f"a file counts: echo {shlex.quote(f'gitdir: {elsewhere}')} > .git",
            )
        return RepositoryError(
            f"{folder} is not in a git repository", hint="run stretto in the repository, or make one: git init"
        )
    return RepositoryError(f"git cannot read the repository at {folder}: {said}", hint="git status")


async def _settings(git: Git) -> dict[str, str]:
    """What the user told git, as far as it matters here; keys in lower case."""
    wanted = r"^((user|author|committer)\.(name|email)|core\.(excludesfile|sparsecheckout))$"
    reply = await git.run("config", "-z", "--get-regexp", wanted, ok=(0, 1))
    said = (field.partition("\n") for field in reply.fields)
    return {key: value for key, _, value in said if value}


def _identity(settings: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """What must be said to git because the user told it nothing: commits need a name."""
    missing = {}
    for role in ("author", "committer"):
        for part, ours in (("name", "stretto"), ("email", "stretto@localhost")):
            variable = f"GIT_{role}_{part}".upper()
            if not (environ.get(variable) or {f"user.{part}", f"{role}.{part}"} & settings.keys()):
                missing[variable] = ours
    return missing


def _ignores(settings: Mapping[str, str], environ: Mapping[str, str]) -> Path | None:
    """The user's own file of what to ignore everywhere, found as git finds it."""
    home = environ.get("HOME", "")
    if said := settings.get("core.excludesfile"):
        return Path(home, said[2:]) if said.startswith("~/") else Path(said)
    config = environ.get("XDG_CONFIG_HOME") or (home and f"{home}/.config")
    return Path(config, "git", "ignore") if config else None
