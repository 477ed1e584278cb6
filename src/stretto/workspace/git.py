"""The only file that runs git.

Every call is made deaf to whoever started stretto: no hooks, no editor, no prompt, no signing, no background gc, none
of the caller's GIT_DIR and its like. Filters (LFS) and merge drivers that a repository's attributes name *are* run,
as they are by the user's own git: a driver is configured by the user, never by a plan.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

from stretto.errors import GitError
from stretto.model.plan import Value
from stretto.workspace import gitwords

TIMEOUT_S = 600.0
_OPTIONS = tuple(
    word
    for setting in (
        "core.hooksPath=/dev/null",
        "core.fsmonitor=false",
        "core.splitIndex=false",
        "core.untrackedCache=false",
        "core.safecrlf=false",
        "core.fsync=committed,loose-object",  # a landing that the journal knows must survive a power cut
        "core.filesRefLockTimeout=5000",
        "gc.auto=0",
        "maintenance.auto=false",
        "commit.gpgsign=false",
        "i18n.commitEncoding=UTF-8",
        "submodule.recurse=false",
        "merge.autoStash=false",
        "merge.conflictStyle=diff3",
        "advice.detachedHead=false",
    )
    for word in ("-c", setting)
)
_KEPT = frozenset(
    {
        "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL",
        "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_COUNT",
        "GIT_CEILING_DIRECTORIES", "GIT_EXEC_PATH", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSL_CAINFO",
    }
)  # fmt: skip
_KEPT_PREFIXES = ("GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_")
_FIXED = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_EDITOR": "true",
    "GIT_SEQUENCE_EDITOR": "true",
    "GIT_PAGER": "cat",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_MERGE_AUTOEDIT": "no",
}


class Reply(Value, frozen=True, kw_only=True):
    """What git answered."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """Its output without the last newline; bytes that are not UTF-8 come as `os.fsdecode` gives them."""
        return os.fsdecode(self.out.removesuffix(b"\n"))

    @property
    def fields(self) -> list[str]:
        """Its output split at NUL."""
        return [os.fsdecode(part) for part in self.out.split(b"\0") if part]


class Commit(Value, frozen=True, kw_only=True):
    """A commit object, read."""

    id: str
    tree: str
    parents: tuple[str, ...]
    message: str

    def trailer(self, key: str) -> str | None:
        """The value of the last line `key: value`, or None."""
        lines = (line for line in reversed(self.message.splitlines()) if line.startswith(f"{key}: "))
        return next((line.partition(": ")[2] for line in lines), None)


class Git:
    """Runs git in `cwd`; `at` gives one that works on another repository, work tree or index."""

    def __init__(self, cwd: Path, *, environ: Mapping[str, str] | None = None) -> None:
        self.cwd = cwd
        source = os.environ if environ is None else environ
        self._env = {
            key: value
            for key, value in source.items()
            if not key.startswith("GIT_") or key in _KEPT or key.startswith(_KEPT_PREFIXES)
        } | _FIXED

    @contextlib.contextmanager
    def looking(self, git_dir: Path) -> Iterator[Self]:
        """The same git, whose new objects go to a folder that is gone afterwards: it can look at anything, and leaves
        nothing behind in the repository at `git_dir`."""
        with tempfile.TemporaryDirectory(prefix="stretto-look-") as folder:
            other = type(self)(self.cwd, environ={})
            objects = {"GIT_OBJECT_DIRECTORY": folder, "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(git_dir / "objects")}
            other._env = self._env | objects
            yield other

    def at(self, *, git_dir: Path | None = None, work_tree: Path | None = None, index: Path | None = None) -> Self:
        """The same git, told where things are instead of looking for them; what is not given stays as it was."""
        other = type(self)(work_tree or self.cwd, environ={})
        paths = {"GIT_DIR": git_dir, "GIT_WORK_TREE": work_tree, "GIT_INDEX_FILE": index}
        other._env = self._env | {key: str(path) for key, path in paths.items() if path is not None}
        return other

    def named(self, identity: Mapping[str, str]) -> Self:
        """The same git with GIT_AUTHOR_NAME and its like set."""
        other = type(self)(self.cwd, environ={})
        other._env = self._env | dict(identity)
        return other

    @contextlib.contextmanager
    def scratch(self, index: Path) -> Iterator[Self]:
        """The same git on an index file that is empty now and gone afterwards; one that a crash left is removed."""
        files = (index, index.with_name(f"{index.name}.lock"))
        for file in files:
            file.unlink(missing_ok=True)
        try:
            yield self.at(index=index)
        finally:
            for file in files:
                file.unlink(missing_ok=True)

    async def run(
        self,
        *args: str,
        input: bytes | None = None,
        ok: Sequence[int] = (0,),
        globs: bool = False,
        options: Sequence[str] = (),
        timeout_s: float = TIMEOUT_S,
    ) -> Reply:
        """One git command. Raises GitError when its status is not in `ok`, or after `timeout_s` seconds.

        Paths are taken literally unless `globs`. `options` go before the command's name."""
        env = self._env | {"GIT_LITERAL_PATHSPECS": "0"} if globs else self._env
        try:
            process = await asyncio.create_subprocess_exec(
                "git", *_OPTIONS, *options, *args,
                cwd=self.cwd, env=env, start_new_session=True,
                stdin=asyncio.subprocess.DEVNULL if input is None else asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
        except FileNotFoundError as error:
            if not self.cwd.is_dir():
                raise GitError(f"{self.cwd} is not there") from error
            raise GitError("git is not installed", hint="install git 2.38 or newer") from error
        except OSError as error:
            raise GitError(f"git {args[0]} could not be started: {error.strerror}", hint=_many(error)) from error
        try:
            async with asyncio.timeout(timeout_s):
                out, err = await process.communicate(input)
        except TimeoutError as error:
            raise GitError(f"git {args[0]} took longer than {timeout_s:g} s") from error
        finally:
            if process.returncode is None:
                await _end(process)
        reply = Reply(code=process.returncode or 0, out=out, err=err.decode(errors="replace").strip())
        if reply.code not in ok:
            place = env.get("GIT_DIR", str(self.cwd))
            said = gitwords.told(reply.err, reply.code)
            raise GitError(f"git {args[0]}: {said}", stderr=reply.err, hint=gitwords.hint(reply.err, place))
        return reply

    def show(self, *args: str, terminal: Mapping[str, str] | None) -> None:
        """One git command whose output is ours. `terminal`: the user's environment, where a person reads it: then
        with their pager and language. Raises GitError, and BrokenPipeError when nobody reads any more."""
        env = self._env
        if terminal is not None:
            theirs = ("LC_ALL", "GIT_PAGER")
            env = {name: value for name, value in env.items() if name not in theirs}
            env |= {name: terminal[name] for name in theirs if name in terminal}
        pager = () if terminal is not None else ("--no-pager",)
        before = signal.signal(signal.SIGINT, lambda *_: None)  # the pager's business, or git's own
        try:
            code = subprocess.run(["git", *_OPTIONS, *pager, *args], cwd=self.cwd, env=env, check=False).returncode
        except OSError as error:
            raise GitError(f"git {args[0]} could not be started: {error}") from error
        finally:
            signal.signal(signal.SIGINT, before)
        if code == -signal.SIGINT:
            raise KeyboardInterrupt
        if code == -signal.SIGPIPE and terminal is None:
            raise BrokenPipeError
        if code not in (0, -signal.SIGPIPE):
            raise GitError(f"git {args[0]} ended with status {code}")

    async def text(self, *args: str, input: bytes | None = None) -> str:
        """The output of a command, without the last newline."""
        return (await self.run(*args, input=input)).text

    async def commits(self, ids: Iterable[str]) -> dict[str, Commit]:
        """The commits with these full ids, in one process. Raises GitError for one that is not there."""
        wanted = list(dict.fromkeys(ids))
        commits: dict[str, Commit] = {}
        for id, found in zip(wanted, await self.objects([f"{id}^{{commit}}" for id in wanted]), strict=True):
            if found is None:
                raise GitError(f"there is no commit {id}")
            commits[id] = _commit(*found)
        return commits

    async def objects(self, names: Sequence[str]) -> list[tuple[str, bytes] | None]:
        """(id, content) of what each name stands for, in one process; None for what is not there."""
        asked = [os.fsencode(name) for name in names]
        rest = (await self.run("cat-file", "--batch", "-z", input=b"".join(name + b"\0" for name in asked))).out
        found: list[tuple[str, bytes] | None] = []
        for name in asked:
            if rest.startswith((name + b" missing\n", name + b" ambiguous\n")):
                found.append(None)
                rest = rest[len(name) :].partition(b"\n")[2]
                continue
            head, _, rest = rest.partition(b"\n")
            id, _, size = head.decode().split(" ")
            found.append((id, rest[: int(size)]))
            rest = rest[int(size) + 1 :]
        return found

    async def commit_tree(self, tree: str, parents: Sequence[str], message: str) -> str:
        """A new commit, on no branch. The message loses its NUL characters, which git would not take."""
        flags = [word for parent in parents for word in ("-p", parent)]
        words = message.replace("\0", "").encode(errors="replace")
        return await self.text("commit-tree", tree, *flags, "-F", "-", input=words)

    async def resolve(self, name: str) -> str | None:
        """The commit that a ref or expression names, or None."""
        reply = await self.run(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", ok=(0, 1, 128)
        )
        return reply.text if reply.code == 0 else None

    async def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether `newer` contains `older`; a commit contains itself."""
        return older == newer or (await self.run("merge-base", "--is-ancestor", older, newer, ok=(0, 1))).code == 0


def shown(path: str) -> str:
    """A path as it may be printed and kept in JSON: bytes that are not UTF-8 become escapes."""
    return os.fsencode(path).decode(errors="backslashreplace")


def _many(error: OSError) -> str:
    return "allow more open files: ulimit -n 1024" if error.errno in (errno.EMFILE, errno.ENFILE) else ""


def _commit(id: str, body: bytes) -> Commit:
    head, _, message = body.partition(b"\n\n")
    lines = [line.split(b" ", 1) for line in head.splitlines()]
    return Commit(
        id=id,
        tree=next(line[1].decode() for line in lines if line[0] == b"tree"),
        parents=tuple(line[1].decode() for line in lines if line[0] == b"parent"),
        message=message.decode(errors="replace"),
    )


async def _end(process: asyncio.subprocess.Process) -> None:
    """TERM first: git then removes its lock files."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(5.0):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
