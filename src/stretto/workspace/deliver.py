"""The git half of `stretto land`: the run's branch into the user's, in two steps with room for gates between (R6.3)."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from stretto.errors import GitError, Paused, WorkspaceError
from stretto.model.plan import Value
from stretto.ports import StatusKeeper
from stretto.workspace import disk, gitwords
from stretto.workspace.disk import said
from stretto.workspace.git import shown
from stretto.workspace.halfway import Crossing, crossing
from stretto.workspace.landing import landing_lock, occupied, only_statuses
from stretto.workspace.locks import locked
from stretto.workspace.repository import Repository
from stretto.workspace.ticks import Ticks
from stretto.workspace.trees import merge

PUSH_S = 600.0
TRIES = 50
"""So often a plan is read again that somebody writes while its statuses are written."""


class Delivery(Value, frozen=True, kw_only=True):
    """What `finish_delivery` will do."""

    run: str
    branch: str
    """The run's branch, without `refs/heads/`."""
    tip: str
    """Its head."""
    onto: str | None
    """The user's branch; None for a detached HEAD."""
    head: str
    """Its commit."""
    commit: str
    """Where both will be."""
    foreign: bool = False
    """Somebody else has put commits on the run's branch."""

    @property
    def merges(self) -> bool:
        """The user's branch had moved: `commit` is a new tree."""
        return self.commit not in (self.tip, self.head)

    @property
    def unproven(self) -> bool:
        """Nobody has judged this tree: it wants its gates before it is finished."""
        return self.merges or (self.moves and self.foreign)

    @property
    def moves(self) -> bool:
        """Whether the user's branch will move at all."""
        return self.commit != self.head


async def prepare_delivery(
    repository: Repository, *, run: str, branch: str, onto: str | None, folder: Path, known: str | None = None,
    ticks: Ticks | None = None,
) -> Delivery:  # fmt: skip
    """See how the run's branch gets into `onto`, the branch at the run's start (None: HEAD was detached).

    `known`: what the run's branch must hold, as the run knows it. `folder`: where the run's worktrees are. `ticks`:
    what may be written into a plan that the user has edited, or has committed since. Nothing moves. Raises Paused, with
    the command to run as its hint, where a person has to act first."""
    typed = shlex.quote(branch)
    tip = await repository.git.resolve(f"refs/heads/{branch}") or await _cleaned(repository, known)
    if tip is None:
        kept = known is not None and await repository.git.resolve(known) is not None
        raise Paused(
            f"the run's branch {branch} is gone" + ("" if kept else ", and so is what landed on it"),
            hint=f"git branch {typed} {known} && stretto land {run}" if kept else f"stretto abandon {run}",
        )
    if known is not None and not await repository.git.is_ancestor(known, tip):
        raise Paused(
            f"{branch} was moved: it no longer holds what the run landed ({known[:10]})",
            hint=f"git branch -f {typed} {known} && stretto land {run}",
        )
    if under_way := repository.under_way:
        raise Paused(
            f"{' and '.join(under_way)} is under way in {repository.root}",
            hint=f"how it is finished or given up: git status\nonce it is: stretto land {run}",
        )
    head, now = await repository.now()
    if now != onto:
        there = "a detached HEAD" if now is None else now
        was = "a detached HEAD" if onto is None else onto
        raise Paused(
            f"the run started from {was}, and {there} is checked out now",
            hint=f"git switch {shlex.quote(onto)} && stretto land {run}" if onto else f"git merge {typed}",
        )
    git = repository.git
    commit = tip
    if await git.is_ancestor(tip, head):
        commit = head
    elif not await git.is_ancestor(head, tip):
        merged = await merge(git, tip, head)
        if not merged.clean:
            raise Paused(
                f"{branch} and {onto or 'HEAD'} conflict in {_listed(merged.conflicts)}",
                hint=f"git merge {typed}\nonce its conflicts are solved and committed: stretto land {run}",
            )
        await _refuse_occupied(repository, branch, run, folder=folder)
        message = f"Merge {onto or head} into {branch}\n\nStretto-Run: {run}\n"
        tree = merged.tree if ticks is None else await ticks.into(repository, merged.tree, tip)
        commit = await git.commit_tree(tree, (tip, head), message)
    foreign = known is not None and not await only_statuses(git, run, known, tip)
    delivery = Delivery(run=run, branch=branch, tip=tip, onto=onto, head=head, commit=commit, foreign=foreign)
    with tempfile.TemporaryDirectory(prefix="stretto-land-") as scratch:
        async with crossing(git, head, commit, scratch=Path(scratch) / "index") as way:
            await _refuse_overlap(repository, way, run, ticks)
    return delivery


@said
async def finish_delivery(
    repository: Repository, delivery: Delivery, *, folder: Path, ticks: Ticks | None = None
) -> str:
    """Move the run's branch, then the user's work tree, to `delivery.commit`; returns it.

    `folder`: where the run's worktrees are, and its landings keep their locks. `ticks`: those of the user's
    plan; a file of it that is not tracked, or has edits of theirs, gets them. Raises Paused when something moved since
    the delivery was prepared."""
    git, branch = repository.git, delivery.branch
    ref = f"refs/heads/{branch}"
    async with locked(landing_lock(folder, ref)):
        again = f"stretto land {delivery.run}"
        if delivery.merges:
            await _refuse_occupied(repository, branch, delivery.run, folder=folder)
        if await repository.now() != (delivery.head, delivery.onto):
            raise Paused(f"{delivery.onto or 'HEAD'} moved while it was being landed on", hint=again)
        scratch = folder / f"land-{os.getpid()}.index"
        async with crossing(git, delivery.head, delivery.commit, scratch=scratch) as way:
            here, ticked = await _refuse_overlap(repository, way, delivery.run, ticks)
            try:
                if delivery.merges:
                    await git.run("update-ref", "-m", "stretto: merged", ref, delivery.commit, delivery.tip)
                if delivery.moves:
                    await way.accept(here)
                    await way.pass_over(ticked)
                    # `branch.<name>.mergeOptions` may say `--squash`, after which nothing would have landed
                    options = ("--ff-only", "--no-squash", "--no-overwrite-ignore", "--quiet")
                    await git.run("merge", *options, delivery.commit)
            except GitError as error:
                left = await _take_back(repository, way, here, ticked)
                raise Paused(
                    f"git will not move {delivery.onto or 'HEAD'}: {_words(error)}{left}",
                    hint=await _way_out(repository, error, delivery.run) or f"once that is mended: {again}",
                ) from error
    if ticks is not None and ticks.plan and ticks.statuses:
        theirs = [path for path in ticks.plan if await _is_theirs(repository, path)]
        if theirs:
            write_plan(ticks.plan, ticks.keeper, ticks.statuses, only=theirs)
    return delivery.commit


async def push(repository: Repository, remote: str, branch: str) -> None:
    """Push the user's branch, as `git push REMOTE BRANCH` would. Raises Paused when git or the far side says no."""
    if remote.startswith("-"):
        raise Paused(f"{remote!r} is no remote", hint="git remote -v")
    try:
        await repository.git.run("push", "--quiet", remote, f"refs/heads/{branch}", timeout_s=PUSH_S)
    except GitError as error:
        said = " ".join(error.stderr.split()) or str(error)
        known = remote in (await repository.git.text("remote")).split()
        again = f"what has landed stays; once {remote} takes it: git push {shlex.quote(remote)} {shlex.quote(branch)}"
        hint = again if known else "git remote -v"
        raise Paused(f"{branch} was not pushed to {remote}: {said}", hint=hint) from error


def write_plan(
    plan: Sequence[Path], keeper: StatusKeeper, statuses: Mapping[str, str], *, only: Collection[Path] | None = None
) -> bool:
    """Write statuses into the files of a plan, each whole or not at all; whether any changed.

    `only`: those that may be written; the others are read all the same. A file that is gone is left out. What the user
    writes meanwhile is read again, and kept; raises WorkspaceError where they never stop."""
    changed = False
    for _ in range(TRIES):
        found: dict[str, bytes] = {}
        for path in plan:
            with disk.at(path), contextlib.suppress(FileNotFoundError):
                found[str(path)] = path.read_bytes()
        written = {name: data for name, data in keeper(found, statuses).items() if only is None or Path(name) in only}
        for name, content in written.items():
            if not _replace(Path(name), found[name], content):
                break
            changed = True
        else:
            return changed
    raise WorkspaceError(
        f"{plan[0]} is written all the time by somebody else", hint="end what writes it, then do the same again"
    )


def _replace(path: Path, before: bytes, content: bytes) -> bool:
    """Whole or not at all; False where the file is no longer as it was before."""
    real = Path(os.path.realpath(path))
    with disk.at(path):
        handle, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
        draft = Path(name)
        try:
            with open(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(handle)
            draft.chmod(real.stat().st_mode & 0o7777)
            if real.read_bytes() != before:
                return False
            draft.replace(real)
        except FileNotFoundError:  # it is gone
            return False
        finally:
            draft.unlink(missing_ok=True)
    return True


async def _cleaned(repository: Repository, known: str | None) -> str | None:
    """The head of a branch that `clean` has removed: all of it is on the user's branch already."""
    if known is None or await repository.git.resolve(known) is None:
        return None
    return known if await repository.git.is_ancestor(known, "HEAD") else None


async def _refuse_occupied(repository: Repository, branch: str, run: str, *, folder: Path) -> None:
    """Raise Paused when the run's branch would move under the feet of somebody who has it checked out."""
    there = await occupied(repository.store, repository.common, f"refs/heads/{branch}", ours=folder)
    if there is not None:
        raise Paused(
            f"{branch} is checked out in {there}, so what your branch has got meanwhile cannot be merged into it",
            hint=f"git -C {shlex.quote(str(there))} switch --detach && stretto land {run}",
        )


async def _refuse_overlap(
    repository: Repository, way: Crossing, run: str, ticks: Ticks | None
) -> tuple[list[str], list[str]]:
    """Raise Paused when uncommitted edits of the user lie where the delivery would write.

    Returns those that are what it would write, for a landing that was killed leaves such, and those to which it would
    only bring statuses."""
    both = [path for path in await repository.dirty() if path in way.edits] if way.edits else []
    here = await way.arrived(both) if both else []
    theirs = [path for path in both if path not in here]
    ticked = await ticks.only(repository, way, theirs) if ticks is not None and theirs else []
    theirs = [path for path in theirs if path not in ticked]
    if theirs:
        raise Paused(
            f"uncommitted edits in {_listed(theirs)}, which the run changed too",
            hint=await _aside(repository, theirs, run),
        )
    return here, ticked


async def _aside(repository: Repository, paths: Sequence[str], run: str) -> str:
    """The command that puts the user's files aside and lands. Git brings back edits, but no file that is new to it."""
    tracked = frozenset((await repository.git.run("ls-files", "-z", "--", *paths)).fields)
    edited = [_here(repository, path) for path in paths if path in tracked]
    moved = [(repository.root / path, _here(repository, path)) for path in paths if path not in tracked]
    steps = [f"mv {shlex.quote(name)} {shlex.quote(name + _suffix(place))}" for place, name in moved]
    steps += [f"git stash push -- {shlex.join(edited)}"] if edited else []
    return " && ".join((*steps, f"stretto land {run}", *(["git stash pop"] if edited else [])))


def _here(repository: Repository, path: str) -> str:
    """A path of the repository as the person would type it in the current folder."""
    here = Path.cwd()
    return shown(os.path.relpath(repository.root / path, here) if here.is_relative_to(repository.root) else path)


def _suffix(place: Path) -> str:
    """What is to be added to a file's name for one that nobody has."""
    suffix = ".mine"
    while os.path.lexists(f"{place}{suffix}"):
        suffix += ".mine"
    return suffix


async def _take_back(repository: Repository, way: Crossing, here: Sequence[str], ticked: Sequence[str]) -> str:
    """Give the user's files back as they were; words on those that could not be."""
    kept = (*here, *ticked)
    try:
        await way.pass_back(ticked)
        if any(path in way.edits for path in await repository.dirty()):
            await way.take_back(kept)
        left = [path for path in await repository.dirty() if path in way.edits and path not in kept]
    except (GitError, OSError) as error:
        return f"; what it had written could not be taken back: {error}"
    return f"; left half written: {_listed(left)}" if left else ""


def _words(error: GitError) -> str:
    """What git said, without its advice: that is on what the user would have typed."""
    said = error.stderr.partition("\n\n")[0]
    lines = [line for line in said.splitlines() if not line.startswith("hint: ")]
    return " ".join(" ".join(lines).split()) or str(error)


async def _way_out(repository: Repository, error: GitError, run: str) -> str:
    if lock := gitwords.lock(error.stderr):
        return f"if no git is at work there: rm {shlex.quote(lock)} && stretto land {run}"
    if "untracked working tree files would be overwritten" in error.stderr:  # ignored ones, else they were seen before
        return await _aside(repository, re.findall(r"^\t(.+)$", error.stderr, re.MULTILINE), run)
    return ""


async def _is_theirs(repository: Repository, plan: Path) -> bool:
    """Whether the plan is not as a commit has it: statuses that landed are not in it."""
    inside = repository.inside(plan)
    if inside is None or not (await repository.git.run("ls-files", "-z", "--", inside)).out:
        return True
    return inside in await repository.dirty()


def _listed(paths: Sequence[str]) -> str:
    some = ", ".join(shown(path) for path in paths[:5])
    return some if len(paths) <= 5 else f"{some} and {len(paths) - 5} more"
