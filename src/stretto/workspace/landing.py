"""Landing: finished attempts merged onto a lane's branch, without a work tree (R6.1, R6.1a, R6.4)."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shlex
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from stretto.errors import GitError, WorkspaceError
from stretto.model.plan import Task
from stretto.model.run import Culprit, LandEntry
from stretto.ports import Merge, StatusKeeper
from stretto.workspace import refs
from stretto.workspace.disk import said
from stretto.workspace.git import Commit, Git, shown
from stretto.workspace.hot import both_sides, union_rules
from stretto.workspace.locks import locked
from stretto.workspace.trees import Merged, file, merge, with_contents

UNRESOLVED = "Stretto-Unresolved"
"""Trailer of a saved attempt: files that still hold the conflict markers it was given (R4)."""
STATUSES = "Statuses of the plan"
"""First line of a commit that holds nothing else (R6.4)."""


class Landing:
    """Lands attempts of one run. `git` works on the shared git folder `common`; `folder` is for locks."""

    def __init__(
        self, git: Git, common: Path, *, run: str, branch: str, folder: Path, titles: Mapping[str, str],
        hot_files: Sequence[str], plan_files: Sequence[str], keeper: StatusKeeper | None,
    ) -> None:  # fmt: skip
        self._git, self._common, self._folder = git, common, folder
        self._run, self._branch = run, branch
        self._titles, self._hot_files = titles, tuple(hot_files)
        self._plan_files, self._keeper = tuple(plan_files), keeper

    def take(self, tasks: Sequence[Task]) -> None:
        """Know these tasks, too."""
        self._titles = {**self._titles, **{task.id: task.title for task in tasks}}

    async def head(self, lane: str) -> str:
        """Commit at the head of the lane's branch. Raises GitError when the branch is gone."""
        return await self._head(lane)

    @said
    async def merge(self, lane: str, batch: int, entries: Sequence[LandEntry], *, known: str) -> Merge:
        """Merge the entries, in order, onto the lane's head, which stays where it is; what conflicts is left out.

        Raises WorkspaceError when that head does not hold `known`: landed work would be lost."""
        ref = self._ref(lane)
        try:
            found = await self._git.commits([ref, *(entry.commit for entry in entries if entry.commit)])
        except GitError:
            await self._head(lane, known)  # is it the branch that is not there?
            raise
        tip = head = found[ref].id
        if not await self._git.is_ancestor(known, tip):
            raise WorkspaceError(
                f"{self._branch} was moved: it no longer holds {known}",
                hint=f"git branch -f {shlex.quote(self._branch)} {known} && stretto resume {self._run}",
            )
        tree = found[ref].tree
        landed: list[LandEntry] = []
        culprits: list[Culprit] = []
        fresh = False
        for entry in entries:
            if entry.commit is None:
                fresh = True
                landed.append(entry)
                continue
            commit = found[entry.commit]
            merged, conflicts = await self._merged(head, commit)
            if merged is None:
                paths = tuple(shown(path) for path in conflicts)
                culprits.append(Culprit(task=entry.task, kind="conflict", paths=paths))
                continue
            landed.append(entry)
            if merged == tree and await self._git.is_ancestor(commit.id, head):
                continue  # it has landed before
            fresh = fresh or commit.parents[:1] != (tip,) or head != tip
            head = await self._git.commit_tree(merged, (head, commit.id), self._message(lane, batch, (entry,)))
            tree = merged
        return Merge(tip=tip, commit=head, landed=tuple(landed), culprits=tuple(culprits), fresh=fresh)

    @said
    async def advance(self, lane: str, batch: int, merge: Merge, statuses: Mapping[str, str]) -> str:
        """Move the lane's branch from `merge.tip` to the merge with the plan's statuses in its last commit.

        The new head: the tip itself when there is nothing to move to. Raises GitError when the branch has moved."""
        async with self._locked(lane):
            new = await self._with_statuses(lane, merge.commit, statuses)
            if new is None:
                head = merge.commit
            elif merge.commit == merge.tip:
                head = await self._git.commit_tree(new, (merge.tip,), self._message(lane, batch, merge.landed))
            else:
                candidate = (await self._git.commits((merge.commit,)))[merge.commit]
                head = await self._git.commit_tree(new, candidate.parents, candidate.message)
            await self._move(lane, merge.tip, head)
            return head

    async def landed(self, lane: str, batch: int, *, known: str = "") -> str | None:
        """The commit by which this batch of this run has landed; None, too, when there is no branch to land on."""
        if known and _content(self._common / self._ref(lane)).strip() == known.encode():
            return None  # told by a file, where there is one: a process would cost as much as the merge
        run, mark = f"Stretto-Run: {_line(self._run)}", f"Stretto-Batch: {_line(lane)}/{batch}"
        base = await self._git.resolve(refs.base(self._run))
        try:
            listed = await self._git.run(
                "rev-list", "-F", "--all-match", f"--grep={run}", f"--grep={mark}",
                self._ref(lane), *([f"^{base}"] if base else []), "--",
            )  # fmt: skip
        except GitError:
            if await self._git.resolve(self._ref(lane)) is None:
                return None  # `merge` will say so, and which commit it was at
            raise
        ids = listed.text.split()
        commits = await self._git.commits(ids) if ids else {}
        return next((id for id in ids if {run, mark} <= set(commits[id].message.splitlines())), None)

    @said
    async def write_statuses(self, lane: str, statuses: Mapping[str, str]) -> str | None:
        """One commit on the lane that holds only statuses; None when there is nothing to write."""
        async with self._locked(lane):
            tip = await self.head(lane)
            new = await self._with_statuses(lane, tip, statuses)
            if new is None:
                return None
            message = f"{STATUSES}\n\nStretto-Run: {_line(self._run)}\n"
            commit = await self._git.commit_tree(new, (tip,), message)
            await self._move(lane, tip, commit)
            return commit

    async def _merged(self, head: str, commit: Commit) -> tuple[str | None, tuple[str, ...]]:
        """(merged tree, ()), or (None, paths in conflict)."""
        if unresolved := commit.trailer(UNRESOLVED):
            return None, tuple(json.loads(unresolved))
        if commit.parents[:1] == (head,):
            return commit.tree, ()
        merged = await merge(self._git, head, commit.id)
        if hot := [path for path in merged.conflicts if both_sides(path, self._hot_files)]:
            merged = await self._both(head, commit.id, hot)
        return (merged.tree, ()) if merged.clean else (None, merged.conflicts)

    async def _both(self, ours: str, theirs: str, paths: Sequence[str]) -> Merged:
        """The merge in which these files keep the lines of both sides, by git's own union merge."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix="hot-") as rules:
            rules.write(union_rules(paths))
            rules.flush()
            return await merge(self._git, ours, theirs, attributes=Path(rules.name))

    async def _with_statuses(self, lane: str, commit: str, statuses: Mapping[str, str]) -> str | None:
        """The commit's tree with the statuses in its plan's files; None when it tracks none, or they say so already."""
        if not (statuses and self._plan_files and self._keeper):
            return None
        found = {path: await file(self._git, commit, path) for path in self._plan_files}
        written = self._keeper({path: each.content for path, each in found.items() if each is not None}, statuses)
        return await with_contents(self._git, commit, written) if written else None

    async def _head(self, lane: str, known: str = "") -> str:
        """The same as `head`; `known` is where a branch that is gone has to be made again."""
        ref = self._ref(lane)
        found = await self._git.resolve(ref)
        if found is None:
            again = f"git branch {shlex.quote(self._branch)} {known} && stretto resume {self._run}"
            raise GitError(f"the branch {ref} is gone", hint=again if known else "")
        return found

    async def _move(self, lane: str, old: str, new: str) -> None:
        ref = self._ref(lane)
        if (there := await occupied(self._git, self._common, ref, ours=self._folder)) is not None:
            raise WorkspaceError(
                f"{self._branch} is checked out in {there}, so nothing can land on it",
                hint=f"git -C {shlex.quote(str(there))} switch --detach && stretto resume {self._run}",
            )
        if new != old:
            await self._git.run("update-ref", "-m", "stretto: landed", ref, new, old)
        elif await self.head(lane) != old:
            raise GitError(f"{ref} has moved from {old}")

    def _locked(self, lane: str) -> AbstractAsyncContextManager[None]:
        return locked(self._lock(lane))

    def _lock(self, lane: str) -> Path:
        return landing_lock(self._folder, self._ref(lane))

    def _ref(self, lane: str) -> str:
        return refs.lane(self._run, self._branch, lane)

    def _message(self, lane: str, batch: int, entries: Sequence[LandEntry]) -> str:
        titles = ", ".join(_line(self._titles.get(entry.task) or entry.task) for entry in entries)
        tasks = "".join(f"Stretto-Task: {_line(entry.task)}\n" for entry in entries)
        return f"{titles}\n\nStretto-Run: {_line(self._run)}\n{tasks}Stretto-Batch: {_line(lane)}/{batch}\n"


def checkout(common: Path, ref: str) -> Path | None:
    """The work tree that would change under somebody's feet."""
    return next((tree for _, tree in _checkouts(common, ref)), None)


async def occupied(git: Git, common: Path, ref: str, *, ours: Path) -> Path | None:
    """The work tree of a person's that must not change under their feet; those below `ours` are let go of first."""
    await let_go(git, common, ref, ours=ours)
    return checkout(common, ref)


async def let_go(git: Git, common: Path, ref: str, *, ours: Path) -> None:
    """Detach the worktrees below `ours` from this branch.

    An agent that switched to it goes on, with the same files: else it would hold up everybody's landing, and its next
    commit would take back what has landed since."""
    for head, tree in _checkouts(common, ref):
        if Path(os.path.realpath(tree)).is_relative_to(os.path.realpath(ours)):
            with contextlib.suppress(GitError):  # else it counts as somebody's
                await git.at(git_dir=head.parent).run("update-ref", "--no-deref", "HEAD", ref)


def _checkouts(common: Path, ref: str) -> Iterator[tuple[Path, Path]]:
    """(HEAD file, work tree) of each that has it checked out. Read from files: a process would cost too much.

    One that was removed without a word to git has nobody in it, unless it is locked: then its disk may come back."""
    for head in (common / "HEAD", *common.glob("worktrees/*/HEAD")):
        if _content(head).strip() == f"ref: {ref}".encode():
            link = _content(head.with_name("gitdir")).strip()  # of a linked one: where its `.git` is
            tree = Path(os.fsdecode(link)).parent if link else common.parent
            if tree.exists() or head.with_name("locked").exists():
                yield head, tree


async def only_statuses(git: Git, run: str, head: str, tip: str) -> bool:
    """Whether the branch has nothing after its last landing but stretto's own closing word in the plan file."""
    ids = (await git.run("rev-list", f"{head}..{tip}")).text.split()
    found = await git.commits(ids) if ids else {}
    return all(
        commit.message.startswith(f"{STATUSES}\n") and commit.trailer("Stretto-Run") == run for commit in found.values()
    )


def landing_lock(folder: Path, ref: str) -> Path:
    """The file that is locked while `ref` is moved."""
    return folder / f"landing-{hashlib.sha256(ref.encode()).hexdigest()[:12]}.lock"


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _line(text: str) -> str:
    return " ".join(text.split())
